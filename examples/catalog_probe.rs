//! Compares the bundled catalog with the vendors' servers, for maintainers. It needs the open internet.
//!
//! ```text
//! cargo run --example catalog_probe --features catalog > checked.patch
//! cargo run --example catalog_probe --features catalog -- zendesk --variable subdomain=acme
//! git apply --unidiff-zero checked.patch
//! ```
//!
//! For each entry, or for the named entries, the probe checks that the name of the host is resolved, that the certificate is valid, that a
//! GET of the verify path without a credential is answered with 401 or 403 and not with HTML, and that the metadata of the authorization
//! server (RFC 8414, OpenID Connect Discovery) agree with the entry. Faults are printed to standard error, and standard output gets a patch of
//! `catalog/integrations.toml` with the new dates of the entries without faults.
//!
//! | option | meaning |
//! | --- | --- |
//! | `--variable NAME=VALUE` | the value of a variable; entries that lack a value are skipped |
//! | `--date DATE` | the date in the patch; default: today |
//! | `--resolve HOST=ADDRESS[:PORT]` | the address of a host, without DNS |
//! | `--root FILE` | a root certificate to trust as well, in PEM |
//!
//! The exit code is 1 if there are faults, or if no host could be reached.

#[path = "support/probe.rs"]
mod probe;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let report = match probe::Options::parse(&arguments) {
        Ok(options) => probe::run(&options).await,
        Err(error) => Err(error),
    };
    match report {
        Ok(report) => {
            for line in &report.lines {
                eprintln!("{line}");
            }
            print!("{}", report.patch);
            ExitCode::from(u8::from(report.has_failed))
        }
        Err(error) => {
            eprintln!("catalog_probe: {error}");
            ExitCode::FAILURE
        }
    }
}
