//! Signs a request.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use zeroize::Zeroizing;

use super::canonical::{Canonical, PathRules, Signs};
use super::key::{ALGORITHM, Hex, SigningKey, Stamp, scope};
use crate::auth::{AuthError, AuthRequest};
use crate::secret::{Secret, sensitive};

/// The parameters of a signature.
pub(super) struct Signing<'a> {
    pub(super) stamp: Stamp,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) access_key_id: &'a Secret,
    pub(super) secret_access_key: &'a Secret,
    pub(super) path: PathRules,
    pub(super) signs: Signs,
}

impl Signing<'_> {
    /// Checks that the access key id is a valid part of a field.
    pub(super) fn check_access_key_id(&self) -> Result<(), AuthError> {
        self.credential(&self.scope()).map(drop)
    }

    /// Signs in the field `Authorization`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html>).
    pub(super) fn authorize(
        &self,
        head: &mut AuthRequest<'_>,
        payload: &[u8],
    ) -> Result<(), AuthError> {
        let scope = self.scope();
        let credential = self.credential(&scope)?;
        let canonical = self.canonical(head.head(), payload);
        let fields = canonical.signed_fields();
        let signature = self.signature(&canonical, &scope);
        let parts: [&[u8]; 7] = [
            ALGORITHM.as_bytes(),
            b" Credential=",
            &credential,
            b", SignedHeaders=",
            fields.as_bytes(),
            b", Signature=",
            &signature,
        ];
        let mut value = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            value.extend_from_slice(part);
        }
        head.insert_header(AUTHORIZATION, sensitive(value)?);
        Ok(())
    }

    pub(super) fn scope(&self) -> String {
        scope(&self.stamp, self.region, self.service)
    }

    /// Returns the key's id and the scope of the signature.
    pub(super) fn credential(&self, scope: &str) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        let id = self.access_key_id.expose();
        // Other bytes would change how a service splits the field into its parts.
        let fits = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b',' | b';');
        if id.is_empty() || !id.iter().all(fits) {
            return Err(AuthError::InvalidHeaderValue);
        }
        let mut credential = Zeroizing::new(Vec::with_capacity(id.len() + 1 + scope.len()));
        credential.extend_from_slice(id);
        credential.push(b'/');
        credential.extend_from_slice(scope.as_bytes());
        Ok(credential)
    }

    pub(super) fn canonical<'a>(&self, head: &'a Parts, payload: &'a [u8]) -> Canonical<'a> {
        let head = (&head.method, &head.uri, &head.headers);
        Canonical::new(head, self.path, self.signs, payload)
    }

    pub(super) fn signature(&self, canonical: &Canonical<'_>, scope: &str) -> Hex {
        let text = string_to_sign(ALGORITHM, &self.stamp, scope, &[&canonical.hash()]);
        self.key().sign(&text)
    }

    pub(super) fn key(&self) -> SigningKey {
        let Self { stamp, region, .. } = self;
        SigningKey::derive(self.secret_access_key, stamp, region, self.service)
    }
}

/// Returns the text to sign, as lines without a line end after the last line.
pub(super) fn string_to_sign(
    algorithm: &str,
    stamp: &Stamp,
    scope: &str,
    hashes: &[&[u8]],
) -> Vec<u8> {
    let head = [algorithm, stamp.as_str(), scope].map(str::as_bytes);
    let lines: Vec<_> = head.iter().chain(hashes).copied().collect();
    lines.join(&b'\n')
}

/// Returns the signature in a signed head.
pub(super) fn signature_of(head: &Parts) -> Option<Hex> {
    let value = head.headers.get(AUTHORIZATION)?;
    value.as_bytes().last_chunk().copied()
}

/// Returns the value of a field that isn't secret.
pub(super) fn plain(text: impl Into<Bytes>) -> Result<HeaderValue, AuthError> {
    HeaderValue::from_maybe_shared(text.into()).map_err(|_| AuthError::InvalidHeaderValue)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )]

    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use http::{HeaderName, Method, Request};
    use serde_json::Value;

    use super::super::canonical::pairs;
    use super::super::example;
    use super::super::key::hash;
    use super::*;

    const SUITE: &str = include_str!("../../../tests/live/vectors/sigv4/suite.json");

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// Parses a request as the suite writes it: fields may be folded, and a target may contain bytes
    /// that no URI contains. Those bytes are encoded, which is the same for a path that is encoded
    /// once.
    fn read(text: &str) -> (Parts, Vec<u8>) {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1");
        let (method, target) = line.split_once(' ').unwrap();
        let mut sent = String::new();
        for byte in target.bytes() {
            match byte {
                b' ' | 0x80.. => sent.push_str(&format!("%{byte:02X}")),
                _ => sent.push(char::from(byte)),
            }
        }
        let mut builder = Request::builder().method(method);
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            if name.eq_ignore_ascii_case("host") {
                builder = builder.uri(format!("https://{value}{sent}"));
            } else {
                builder = builder.header(name, value);
            }
        }
        let (head, ()) = builder.body(()).unwrap().into_parts();
        (head, body.as_bytes().to_vec())
    }

    fn time(text: &str) -> SystemTime {
        // All times of the suite, except the time of two older vectors.
        let seconds = match text {
            "2015-08-30T12:36:00Z" => 1_440_938_160,
            "2021-05-11T15:40:45Z" => 1_620_747_645,
            other => unreachable!("{other}"),
        };
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn canonical_text(signing: &Signing<'_>, head: &Parts, payload: &[u8]) -> String {
        let mut text = Vec::new();
        signing
            .canonical(head, payload)
            .write(&mut |part| text.extend_from_slice(part));
        String::from_utf8(text).unwrap()
    }

    fn text<'a>(vector: &'a Value, kind: &str, file: &str) -> &'a str {
        vector[kind][file].as_str().unwrap()
    }

    /// Adds the fields of the suite's signers to the head, except `Authorization`.
    fn prepare(head: &mut Parts, context: &Value, signing: &Signing<'_>, payload: &[u8]) {
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            head.headers.insert(HeaderName::from_static(name), value);
        };
        set("x-amz-date", signing.stamp.as_str());
        let omits = context["omit_session_token"] == Value::Bool(true);
        if let Some(token) = context["credentials"]["token"].as_str().filter(|_| !omits) {
            set("x-amz-security-token", token);
        }
        if context["sign_body"] == Value::Bool(true) {
            set(
                "x-amz-content-sha256",
                std::str::from_utf8(payload).unwrap(),
            );
        }
    }

    #[test]
    fn awss_own_vectors_are_signed_as_aws_does() {
        let suite: Value = serde_json::from_str(SUITE).unwrap();
        let mut seen = 0;
        for vector in suite.as_array().unwrap() {
            let name = vector["name"].as_str().unwrap();
            let context = &vector["context"];
            if context.is_null() {
                continue;
            }
            let credentials = &context["credentials"];
            let secret = |name: &str| credentials[name].as_str().map(Secret::from);
            let (id, key) = (
                secret("access_key_id").unwrap(),
                secret("secret_access_key").unwrap(),
            );
            let signing = Signing {
                stamp: Stamp::new(time(context["timestamp"].as_str().unwrap())),
                region: context["region"].as_str().unwrap(),
                service: context["service"].as_str().unwrap(),
                access_key_id: &id,
                secret_access_key: &key,
                path: PathRules {
                    encoded_again: false,
                    normalized: context["normalize"].as_bool().unwrap(),
                },
                signs: |_| true,
            };
            let (request, body) = read(vector["request"].as_str().unwrap());
            let payload = match context["sign_body"].as_bool().unwrap() {
                true => hash(&body),
                false => hash(b""),
            };

            // In the field.
            let mut head = request.clone();
            prepare(&mut head, context, &signing, &payload);
            let canonical = canonical_text(&signing, &head, &payload);
            let expected = text(vector, "header", "canonical_request");
            assert_eq!(canonical, expected.trim_end_matches('\r'), "{name}");
            let hashed = signing.canonical(&head, &payload).hash();
            let scope = signing.scope();
            let to_sign = string_to_sign(ALGORITHM, &signing.stamp, &scope, &[&hashed]);
            let expected = text(vector, "header", "string_to_sign");
            assert_eq!(String::from_utf8(to_sign).unwrap(), expected, "{name}");
            signing
                .authorize(&mut AuthRequest::new(&mut head), &payload)
                .unwrap();
            let value = head.headers[AUTHORIZATION].to_str().unwrap();
            let signed = text(vector, "header", "signed_request");
            assert!(signed.contains(value), "{name}: {value}");
            assert!(
                value.ends_with(text(vector, "header", "signature")),
                "{name}"
            );

            // In the query.
            let mut head = request;
            let omits = context["omit_session_token"] == Value::Bool(true);
            let token = secret("token").filter(|_| !omits);
            let seconds = context["expiration_in_seconds"].as_u64().unwrap();
            signing
                .presign(
                    &mut AuthRequest::new(&mut head),
                    seconds,
                    token.as_ref(),
                    &payload,
                )
                .unwrap();
            let query = head.uri.query().unwrap();
            let (query, signature) = query.rsplit_once("&X-Amz-Signature=").unwrap();
            let expected = text(vector, "query", "canonical_request");
            let lines: Vec<_> = expected.lines().collect();
            assert_eq!(*super::super::canonical::query(query), lines[2], "{name}");
            assert_eq!(signature, text(vector, "query", "signature"), "{name}");
            let signed = text(vector, "query", "signed_request");
            for pair in pairs(query).filter(|pair| pair.starts_with("X-Amz-")) {
                assert!(signed.contains(pair), "{name}: {pair}");
            }
            seen += 1;
        }
        assert_eq!(seen, 38);
    }

    #[test]
    fn paths_that_are_encoded_twice_are_signed_as_aws_does() {
        let suite: Value = serde_json::from_str(SUITE).unwrap();
        let vectors = suite.as_array().unwrap().iter();
        let mut seen = 0;
        for vector in vectors.filter(|vector| vector["context"].is_null()) {
            let name = vector["name"].as_str().unwrap();
            let (id, key) = (
                Secret::from("AKIDEXAMPLE"),
                Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            );
            let signing = Signing {
                stamp: Stamp::new(time("2021-05-11T15:40:45Z")),
                region: "us-east-2",
                service: "lambda",
                access_key_id: &id,
                secret_access_key: &key,
                path: PathRules {
                    encoded_again: true,
                    normalized: true,
                },
                signs: |_| true,
            };
            let (mut head, _) = read(vector["request"].as_str().unwrap());
            let stamp = HeaderValue::from_str(signing.stamp.as_str()).unwrap();
            head.headers.insert("x-amz-date", stamp);
            let canonical = canonical_text(&signing, &head, EMPTY.as_bytes());
            assert_eq!(
                canonical,
                text(vector, "header", "canonical_request"),
                "{name}"
            );
            seen += 1;
        }
        assert_eq!(seen, 2);
    }

    /// Signs an example of S3's documentation, with its key.
    fn documented(
        method: Method,
        uri: &str,
        fields: &[(&'static str, &str)],
        sign: impl FnOnce(&Signing<'_>, &mut Parts),
    ) -> Parts {
        let (id, key) = (
            Secret::from("AKIAIOSFODNN7EXAMPLE"),
            Secret::from(example::SECRET),
        );
        let signing = Signing {
            stamp: example::stamp(),
            region: "us-east-1",
            service: "s3",
            access_key_id: &id,
            secret_access_key: &key,
            path: PathRules {
                encoded_again: false,
                normalized: false,
            },
            signs: |_| true,
        };
        let request = Request::builder().method(method).uri(uri);
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        for (name, value) in fields {
            let value = HeaderValue::from_str(value).unwrap();
            head.headers.insert(*name, value);
        }
        sign(&signing, &mut head);
        head
    }

    #[test]
    fn s3s_documented_requests_are_signed_as_documented() {
        const BUCKET: &str = "https://examplebucket.s3.amazonaws.com";
        const WELCOME: &str = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        const DATE: (&str, &str) = ("x-amz-date", "20130524T000000Z");
        for (method, target, payload, more, signature) in [
            (
                Method::GET,
                "/test.txt",
                EMPTY,
                &[("range", "bytes=0-9")][..],
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                Method::PUT,
                "/test$file.text",
                WELCOME,
                &[
                    ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                Method::GET,
                "/?lifecycle",
                EMPTY,
                &[],
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                Method::GET,
                "/?max-keys=2&prefix=J",
                EMPTY,
                &[],
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let mut fields = vec![DATE, ("x-amz-content-sha256", payload)];
            fields.extend(more);
            let uri = format!("{BUCKET}{target}");
            let head = documented(method, &uri, &fields, |signing, head| {
                signing
                    .authorize(&mut AuthRequest::new(head), payload.as_bytes())
                    .unwrap();
            });
            let signed = signature_of(&head).unwrap();
            assert_eq!(std::str::from_utf8(&signed).unwrap(), signature, "{target}");
            assert!(head.headers[AUTHORIZATION].is_sensitive());
        }
        let uri = format!("{BUCKET}/test.txt");
        let head = documented(Method::GET, &uri, &[], |signing, head| {
            signing
                .presign(
                    &mut AuthRequest::new(head),
                    86_400,
                    None,
                    b"UNSIGNED-PAYLOAD",
                )
                .unwrap();
        });
        let query = head.uri.query().unwrap();
        assert!(
            query.ends_with("=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
            "{query}"
        );
    }

    #[test]
    fn s3s_documented_uploads_in_chunks_have_the_documented_seeds() {
        for (marker, trailer, length, seed) in [
            (
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                None,
                Some("66824"),
                "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            ),
            (
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
                Some("x-amz-checksum-crc32c"),
                None,
                "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            ),
        ] {
            let mut fields = vec![
                ("x-amz-date", "20130524T000000Z"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ("content-encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", "66560"),
                ("x-amz-content-sha256", marker),
            ];
            fields.extend(length.map(|length| ("content-length", length)));
            fields.extend(trailer.map(|trailer| ("x-amz-trailer", trailer)));
            let uri = "https://s3.amazonaws.com/examplebucket/chunkObject.txt";
            let head = documented(Method::PUT, uri, &fields, |signing, head| {
                signing
                    .authorize(&mut AuthRequest::new(head), marker.as_bytes())
                    .unwrap();
            });
            let signed = signature_of(&head).unwrap();
            assert_eq!(std::str::from_utf8(&signed).unwrap(), seed, "{marker}");
        }
    }

    #[test]
    fn an_id_that_would_move_borders_is_not_sent() {
        for id in ["", "a/b", "a,b", "a b", "a;b", "\u{e9}"] {
            let (id, key) = (Secret::from(id), Secret::from("k"));
            let signing = Signing {
                stamp: example::stamp(),
                region: "r",
                service: "s",
                access_key_id: &id,
                secret_access_key: &key,
                path: PathRules {
                    encoded_again: false,
                    normalized: false,
                },
                signs: |_| true,
            };
            assert_eq!(
                signing.credential("scope").err(),
                Some(AuthError::InvalidHeaderValue)
            );
        }
    }
}
