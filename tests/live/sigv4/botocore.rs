//! The gateway's signatures, verified by AWS's own implementation in Python.

use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::auth::SigV4;

use super::{ID, SECRET, python, signs};
use testkit::caller::request;
use testkit::pair::Pair;
use testkit::wait::within;

/// Pieces of paths and queries, encoded like SDKs encode them.
const PIECES: [&str; 12] = [
    "a",
    "B9",
    "~",
    "-._",
    "%20",
    "%2B",
    "%2F",
    "%25",
    "%C3%A9",
    "%3A",
    "%28x%29",
    "%F0%9F%98%80",
];

/// Numbers that look random, and are the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn word(&mut self) -> String {
        let length = 1 + self.below(4);
        (0..length)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }

    /// Returns a target. `rough` means that the target has segments which are resolved before the target is signed.
    fn target(&mut self, rough: bool) -> String {
        let mut target = String::new();
        for _ in 0..=self.below(4) {
            // Only in front of a segment: botocore and RFC 3986 differ about a dot at the end.
            if rough && self.below(4) == 0 {
                target += ["/", "/.", "//", "/x/.."][self.below(4)];
            }
            target += "/";
            target += &self.word();
        }
        // All names differ, because botocore doesn't decode the names that it sorts.
        for nth in 0..self.below(5) {
            let sign = if target.contains('?') { '&' } else { '?' };
            let name = (b'e' - u8::try_from(nth).unwrap()) as char;
            target += &format!("{sign}{name}{}={}", self.word(), self.word());
        }
        target
    }
}

#[tokio::test]
async fn botocore_verifies_the_signatures() {
    let Some(python) = python("botocore").await else {
        return;
    };
    let mut chance = Chance(0x5eed);
    let mut signed = String::new();
    for service in ["s3", "execute-api"] {
        let scheme = SigV4::new(service, "eu-west-1").unwrap();
        let scheme = scheme.signed_payload(1000);
        let pair = Pair::with(move |setup| {
            signs(setup, scheme).options(|options| options.path_encoding(PathEncoding::Never))
        })
        .await;
        for _ in 0..100 {
            let target = chance.target(service != "s3");
            let body = chance.word();
            let lines = [
                &*format!("Content-Length: {}", body.len()),
                "Content-Type: text/plain;   charset=utf-8",
                "X-Amz-Meta-B: 2",
                "X-Amz-Meta-A:  1  2   3 ",
            ];
            let sent = request("POST", &format!("/p/c{target}"), &lines, &body);
            let received = pair.seen(sent).await;
            assert_eq!(received.target(), target);
            let fields = received.head.fields.iter();
            let fields: serde_json::Map<_, _> = fields
                .map(|(name, value)| (name.to_ascii_lowercase(), json!(value)))
                .collect();
            let sent = json!({
                "method": "POST",
                "target": target,
                "body": body,
                "fields": fields,
                "service": service,
                "region": "eu-west-1",
                "id": ID,
                "secret": SECRET,
            });
            signed += &format!("{sent}\n");
        }
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/live/peers/moto/verify.py"
    );
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(signed.as_bytes()).await.unwrap();
    drop(input);
    let output = within("botocore", child.wait_with_output()).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{error}");
}
