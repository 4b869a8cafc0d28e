//! Clients as people use them: unmodified SDKs, HTTP libraries and tools, which are given the address of the gateway and
//! the caller's key.
//!
//! Each test starts a gateway in front of a fake vendor, and runs one small program. The fake checks each request, and
//! the program prints one line of JSON: the result of calls that succeed, and the errors of a call with an unknown
//! connection and of a POST that breaks off.
//!
//! The programs of SDKs contain the recipes of the library's catalog as they are written there: `{{recipe NAME}}` in a program
//! stands for a function that contains the recipe for each connection.
//!
//! `CLIENTS_PYTHON` names a Python with the packages in `python/requirements.txt`. `CLIENTS_NODE` names a folder with the
//! packages in `node/package.json`. `CLIENTS_DEBIAN=1` says that the packages in `debian.txt` are installed. Tests of
//! clients without their variable are skipped, and print that they are skipped, as are tests of tools that the system
//! doesn't have; `.ci/run` sets all three variables.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod aws;
mod by_host;
mod debian;
mod fake;
mod grpc;
mod node;
mod program;
mod python;
mod recipe;
mod scene;
mod silent;
mod table;
mod tools;
mod vendors;
mod websockets;
