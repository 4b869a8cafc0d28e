//! Counts the instructions in user space that a proxy executes for a call.
//!
//! ```text
//! cargo run --release --manifest-path benches/instructions/Cargo.toml --target-dir target
//! cargo run --release --manifest-path benches/instructions/Cargo.toml --target-dir target -- bearer legacy
//! cargo run --release --manifest-path benches/instructions/Cargo.toml --target-dir target -- --write
//! ```
//!
//! The program prints a table, and fails if a call of this crate costs 2 % more than `figures.toml` says. Other processors need other
//! numbers of instructions, so the figures are multiplied by the ratio of the peer `legacy` here to its figure. A case without a figure
//! isn't compared, and the gateway is left out if it isn't built; if the environment variable `CI` is `true`, both are failures. The
//! gateway is exempt as long as `figures.toml` has no figure of it. With `--write`, the program writes `figures.toml` instead. With
//! `--profile FOLDER`, it keeps callgrind's files for `callgrind_annotate`.
//!
//! Each proxy is a separate process with one thread, which runs in valgrind. Each case runs twice, with different numbers of
//! calls, and the difference of the instructions is divided by the difference of the calls, so the start and the first calls don't
//! count. The caller and the vendor wait for a moment before they write, so that the proxy always waits for them, and executes
//! the same instructions in each run.
#![forbid(unsafe_code)]

mod cases;
mod count;
mod figures;
mod load;
mod serve;
mod vendor;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cases::{Case, Proxy};
use crate::figures::Figures;
use crate::vendor::Vendors;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The ratio to the committed figure above which the program fails.
const MAX_RATIO: f64 = 1.02;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == serve::VERB => serve::run(rest),
        _ => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<(), BoxError> {
    let (mut writes, mut profile, mut chosen) = (false, None, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--write" => writes = true,
            "--profile" => {
                let folder = arguments.next().ok_or("--profile needs a folder")?;
                std::fs::create_dir_all(folder)?;
                profile = Some(PathBuf::from(folder));
            }
            name => chosen.push(Case::named(name)?),
        }
    }
    if chosen.is_empty() {
        chosen.extend(cases::ALL);
    }
    let committed = Figures::read()?;
    let vendors = Vendors::start()?;
    let mut counted = Vec::new();
    let mut unchecked = Vec::new();
    for case in chosen {
        if case.proxy == Proxy::Gateway && !count::gateway_program().exists() {
            eprintln!(
                "{}: left out, because it isn't built: cargo build --release -p passthrough-gateway",
                case.name
            );
            // The first figure is written on a machine that has built the gateway.
            if committed.of(case.name).is_some() {
                unchecked.push(case.name);
            }
            continue;
        }
        let count = count::per_call(case, &vendors, profile.as_deref())?;
        eprintln!("{}: {count:.0}", case.name);
        counted.push((case, count));
    }
    figures::print(&counted, &committed);
    if writes {
        return committed.write(&counted);
    }
    for (case, _) in &counted {
        if case.is_ours && committed.of(case.name).is_none() {
            eprintln!(
                "{}: not compared, because figures.toml has no figure of it; --write adds it",
                case.name
            );
            if case.proxy != Proxy::Gateway {
                unchecked.push(case.name);
            }
        }
    }
    let machine = machine(&counted, &committed);
    let more: Vec<String> = counted
        .iter()
        .filter(|(case, count)| {
            let figure = committed.of(case.name);
            case.is_ours && figure.is_some_and(|figure| *count > figure * machine * MAX_RATIO)
        })
        .map(|(case, _)| case.name.to_owned())
        .collect();
    let must_check_all = std::env::var("CI").is_ok_and(|value| value == "true");
    if must_check_all && !unchecked.is_empty() {
        return Err(format!("not checked: {}", unchecked.join(", ")).into());
    }
    match more.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "more instructions than benches/instructions/figures.toml says: {}. If the cost is intended, or the compiler or \
             the machine is another, write the figures again with --write",
            more.join(", ")
        )
        .into()),
    }
}

/// Returns the ratio of the instructions on this machine to those on the machine of the figures, by the peer that consists only of hyper.
/// Processors with other vector instructions run other versions of `memcpy`. Without the peer, the ratio is 1.
fn machine(counted: &[(&Case, f64)], committed: &Figures) -> f64 {
    const PEER: &str = "legacy";
    let peer = counted.iter().find(|(case, _)| case.name == PEER);
    match (peer, committed.of(PEER)) {
        (Some((_, count)), Some(figure)) => count / figure,
        _ => 1.0,
    }
}
