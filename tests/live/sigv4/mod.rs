//! Requests that are signed for AWS: on the wire, and before moto, which verifies them.

mod botocore;
mod chunks;
mod moto;
mod replay;
mod wire;

use tower_passthrough::auth::SigV4;
use tower_passthrough::{Connection, Upstream};

use testkit::gateway::Setup;

/// The stored secrets of the usual connection.
pub(crate) const ID: &str = "AKIASTORED";
pub(crate) const SECRET: &str = "st0red/s3cr3t";

/// What an SDK puts on with a key of its own.
pub(crate) const DUMMY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=AKIADUMMY/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000";

pub(crate) fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("access_key_id", ID)
        .with_secret("secret_access_key", SECRET)
}

/// Signs with the usual connection.
pub(crate) fn signs(setup: Setup, scheme: SigV4) -> Setup {
    setup
        .connection(connection())
        .upstream(move |upstream: Upstream| upstream.auth(scheme))
}

pub(crate) fn s3() -> SigV4 {
    SigV4::new("s3", "eu-central-1").unwrap()
}

/// The Python to use, one that has what `peers/moto/requirements.txt` says: other versions of moto
/// read some paths in another way than AWS does. If it's set, no test skips.
const PYTHON: &str = "AWS_PYTHON";

/// That Python, with those modules.
async fn python(modules: &str) -> Option<std::ffi::OsString> {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("skipped: {PYTHON} names no Python that has {modules}");
        return None;
    };
    let probe = tokio::process::Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output();
    let has = probe.await.is_ok_and(|output| output.status.success());
    assert!(has, "{PYTHON} can't import {modules}");
    Some(python)
}
