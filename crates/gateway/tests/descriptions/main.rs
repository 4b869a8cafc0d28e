//! `/openapi.json` and `/postman.json`, and the tools that read them: a validator, schemathesis, a generated client and
//! newman. Each tool talks to a gateway in front of a vendor that records what it receives.
//!
//! `DESCRIPTIONS_PYTHON` names a Python with the packages in `python/requirements.txt`, and `DESCRIPTIONS_NODE` a folder with
//! the packages in `node/package.json`. Tests of tools without their variable are skipped, and print that they are skipped;
//! `.ci/run` sets both variables.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod generated;
mod postman;
mod schema;
mod served;
mod tool;
