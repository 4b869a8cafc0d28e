//! A comparison of this crate with its peers, made for a sceptical reader.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --only small --peers hyper,nginx
//! ```
#![forbid(unsafe_code)]

mod affinity;
mod cli;
mod load;
mod machine;
mod measure;
mod peers;
mod plot;
mod process;
mod report;
mod results;
mod rounds;
mod scenario;
mod serve;
mod slab;
mod targets;
mod usage;
mod vendor;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Role};

/// Any error. The benchmark only prints errors, so a specific type isn't needed.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.role {
        Some(Role::Serve(told)) => serve::run(told),
        Some(Role::Guard(told)) => process::guard(told),
        None => rounds::run(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
