//! The program of a client, and its run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::process::folder::Folder;
use testkit::process::foreign::Printed;
pub(crate) use testkit::process::foreign::installed;
use testkit::process::foreign::node;
use tokio::process::Command;

use crate::recipe::{Syntax, Targets, filled};

/// The time that a client may take. The start of an interpreter alone can take seconds.
const LIMIT: Duration = Duration::from_secs(150);

/// A program, and the language it is written in.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Python(&'static str),
    Node(&'static str),
    Go(&'static str),
    Ruby(&'static str),
    Php(&'static str),
    Perl(&'static str),
    Java(&'static str),
    Shell(&'static str),
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Returns the text of a file in the folder of these tests.
pub(crate) fn read(name: &str) -> String {
    let path = tests().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns `Some` if the system has this tool; without the tool, the test is skipped.
pub(crate) fn present(tool: &str) -> Option<()> {
    let probe = format!("command -v {tool}");
    let mut probe = std::process::Command::new("sh")
        .args(["-c", &probe])
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell");
    let is_there = probe.wait().is_ok_and(|status| status.success());
    if !is_there {
        eprintln!("skipped: there is no {tool}");
    }
    is_there.then_some(())
}

impl Program {
    /// Returns the command, and its standard input: a few lines that all programs of the language share, and the program.
    ///
    /// A program in Go is written into the folder.
    fn command(self, targets: &Targets, folder: &Folder) -> Option<(Command, String)> {
        let both = |folder: &str, shared: &str, name: &str| {
            let program = read(&format!("{folder}/{name}"));
            format!("{}\n{program}", read(&format!("{folder}/{shared}")))
        };
        Some(match self {
            Self::Python(name) => {
                let mut command = Command::new(installed("CLIENTS_PYTHON")?);
                command.args(["-u", "-"]).env("PYTHONWARNINGS", "ignore");
                let program = both("python", "shared.py", &format!("{name}.py"));
                (command, filled(&program, Syntax::Python, targets))
            }
            Self::Node(name) => {
                let command = node(&installed("CLIENTS_NODE")?);
                let program = both("node", "shared.mjs", &format!("{name}.mjs"));
                (command, filled(&program, Syntax::Node, targets))
            }
            Self::Go(name) => {
                installed("CLIENTS_DEBIAN")?;
                let mut command = Command::new("go");
                let program = filled(&read(&format!("go/{name}.go")), Syntax::Go, targets);
                folder.write("client.go", program);
                folder.write("shared.go", read("go/shared.go"));
                let cache = testkit::process::binary::scratch().join("go");
                command
                    .arg("run")
                    .arg(folder.path("shared.go"))
                    .arg(folder.path("client.go"))
                    .envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode")])
                    .env("GOCACHE", cache);
                (command, String::new())
            }
            Self::Ruby(name) => {
                installed("CLIENTS_DEBIAN")?;
                let mut command = Command::new("ruby");
                command.args(["-W0", "-"]);
                let program = both("ruby", "shared.rb", &format!("{name}.rb"));
                (command, filled(&program, Syntax::Ruby, targets))
            }
            Self::Php(name) => {
                installed("CLIENTS_DEBIAN")?;
                (
                    Command::new("php"),
                    both("php", "shared.php", &format!("{name}.php")),
                )
            }
            Self::Perl(name) => {
                installed("CLIENTS_DEBIAN")?;
                let mut command = Command::new("perl");
                command.arg("-");
                (command, both("perl", "shared.pl", &format!("{name}.pl")))
            }
            Self::Java(name) => {
                present("javac")?;
                let mut command = Command::new("java");
                command.arg(tests().join(format!("java/{name}.java")));
                (command, String::new())
            }
            Self::Shell(name) => {
                if name != "pip" {
                    present(name)?;
                }
                let mut command = Command::new("sh");
                command.args(["-eu", "-s"]);
                let python = std::env::var("CLIENTS_PYTHON");
                command.env("CLIENTS_PYTHON", python.unwrap_or_default());
                (command, both("shell", "shared.sh", &format!("{name}.sh")))
            }
        })
    }

    /// Runs the program to its end. `None` means that the client isn't installed.
    pub(crate) async fn run(self, variables: &[(&str, String)], targets: &Targets) -> Option<Said> {
        let folder = Folder::new();
        let (mut command, input) = self.command(targets, &folder)?;
        if command.as_std().get_current_dir().is_none() {
            command.current_dir(folder.path("."));
        }
        command
            .env("HOME", folder.path("."))
            .envs(variables.iter().map(|(name, value)| (name, value)));
        let printed = Printed::by(command, &input, LIMIT).await;
        Some(Said {
            value: printed.json(),
            printed: printed.stdout + &printed.stderr,
        })
    }
}

/// The output of a client.
#[derive(Debug)]
pub(crate) struct Said {
    /// The line of JSON.
    pub(crate) value: Value,
    /// All output.
    pub(crate) printed: String,
}
