//! AWS, whose requests are signed. Signatures are checked by code that shares nothing with the crate.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fake::{Answer, Api, Request};

const ID: &str = "5toredId";
const SECRET: &str = "5toredSecret";
const REGION: &str = "eu-central-1";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(text: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(text))
}

/// Returns the HMAC of a text, by a key of at most 64 bytes (RFC 2104).
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut padded = [0; 64];
    padded[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// Returns `true` if the request is signed with the stored key, and a hash in the head is the body's.
fn is_signed(request: &Request<'_>, service: &str) -> bool {
    let authorization = request.field("authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name)?;
        rest.split(',').next()
    };
    let (Some(fields), Some(signature)) = (part("SignedHeaders="), part("Signature=")) else {
        return false;
    };
    let time = request.field("x-amz-date");
    let day = time.get(..8).unwrap_or_default();
    let lines: String = fields
        .split(';')
        .map(|name| format!("{name}:{}\n", request.field(name)))
        .collect();
    let mut query: Vec<_> = request
        .query()
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.contains('=') {
            true => part.to_owned(),
            false => format!("{part}="),
        })
        .collect();
    query.sort();
    let (method, path) = request.call();
    let stated = request.field("x-amz-content-sha256");
    let actual = hash(request.body());
    let payload = if stated.is_empty() { &actual } else { stated };
    let is_hash = payload.len() == 64 && !payload.contains('-');
    if !fields.split(';').any(|name| name == "host") || is_hash && payload != actual {
        return false;
    }
    let canonical = format!(
        "{method}\n{path}\n{}\n{lines}\n{fields}\n{payload}",
        query.join("&")
    );
    let place = format!("{day}/{REGION}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{place}\n{}", hash(canonical));
    let key = place
        .split('/')
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| {
            hmac(&key, part)
        });
    authorization.contains(&format!("Credential={ID}/{place},"))
        && hex(&hmac(&key, &text)) == signature
}

fn signed(
    auth: &'static str,
    answer: impl Fn(&Request<'_>) -> Option<Answer> + Send + Sync + 'static,
) -> Api {
    Api {
        auth,
        secret: "{ access_key_id = \"5toredId\", secret_access_key = \"5toredSecret\" }",
        integration: "path_encoding = \"never\"",
        credential: ("authorization", "AWS4-HMAC-SHA256 Credential=5toredId/"),
        ..Api::new(answer)
    }
}

fn list(names: &[&str], next: Option<&str>) -> Answer {
    let item = |name: &&str| {
        format!(
            "<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    };
    let items: String = names.iter().map(item).collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |next| format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken><NextMarker>{next}</NextMarker>"),
    );
    let xml = format!(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>bucket</Name>{next}{items}</ListBucketResult>"
    );
    Answer::new(200, "application/xml", xml)
}

/// Returns S3, with a bucket whose name is in the path or in the host.
pub(crate) fn s3() -> Api {
    const TEXT: &str = "first";
    let auth = "{ kind = \"sigv4\", service = \"s3\", region = \"eu-central-1\" }";
    signed(auth, |request| {
        if !is_signed(request, "s3") {
            return None;
        }
        let (method, path) = request.call();
        let path = match request.field("host").starts_with("bucket.vendor.test:") {
            true => path,
            false => path.strip_prefix("/bucket")?,
        };
        Some(match (method, path) {
            ("GET", "" | "/") if request.query().contains("=two") => list(&["b+c"], None),
            ("GET", "" | "/") => list(&["a b"], Some("two")),
            ("GET" | "HEAD", "/a%20b") => Answer::new(200, "text/plain", TEXT)
                .field("etag", "\"8b04d5e3775d298e78455efc5ca404d5\"")
                .field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("PUT", "/new") if request.text().contains("new") => {
                Answer::new(200, "", "").field("etag", "\"22af645d1859cb5ca6da0c484f1f37ea\"")
            }
            // rclone looks for an object before it writes the object.
            ("HEAD", "/new") => Answer::new(404, "application/xml", ""),
            _ => return None,
        })
    })
}

pub(crate) fn of_s3() -> Value {
    json!({ "names": ["a b", "b+c"], "text": "first", "etag": "\"22af645d1859cb5ca6da0c484f1f37ea\"" })
}

pub(crate) fn dynamodb() -> Api {
    let auth = "{ kind = \"sigv4\", service = \"dynamodb\", region = \"eu-central-1\", payload = \"signed\" }";
    signed(auth, |request| {
        if !is_signed(request, "dynamodb") {
            return None;
        }
        let kind = "application/x-amz-json-1.0";
        let answer = |value: Value| Answer::new(200, kind, value.to_string());
        let target = request.field("x-amz-target");
        Some(match target.strip_prefix("DynamoDB_20120810.")? {
            "Scan" if request.json()["ExclusiveStartKey"].is_object() => {
                answer(json!({ "Items": [{ "id": { "S": "b" } }], "Count": 1, "ScannedCount": 1 }))
            }
            "Scan" => answer(json!({
                "Items": [{ "id": { "S": "a" } }], "Count": 1, "ScannedCount": 1,
                "LastEvaluatedKey": { "id": { "S": "a" } },
            })),
            "UpdateItem" => answer(json!({ "Attributes": { "n": { "N": "7" } } })),
            _ => return None,
        })
    })
}

pub(crate) fn of_dynamodb() -> Value {
    json!({ "items": ["a", "b"], "updated": "7" })
}
