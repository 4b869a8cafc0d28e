//! Requests that are signed for AWS: the bytes on the wire, and moto, which verifies the signatures.

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

/// A signature that an SDK makes with its own key.
pub(crate) const DUMMY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=AKIADUMMY/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000";

pub(crate) fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("access_key_id", ID)
        .with_secret("secret_access_key", SECRET)
}

/// Changes the gateway to sign with the usual connection.
pub(crate) fn signs(setup: Setup, scheme: SigV4) -> Setup {
    setup
        .connection(connection())
        .upstream(move |upstream: Upstream| upstream.auth(scheme))
}

pub(crate) fn s3() -> SigV4 {
    SigV4::new("s3", "eu-central-1").unwrap()
}

/// The variable that names a Python with the packages in `peers/moto/requirements.txt`: other versions of moto read
/// some paths in another way than AWS does. If the variable is set, no test is skipped.
const PYTHON: &str = "AWS_PYTHON";

/// Returns that Python, if it has these modules.
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
