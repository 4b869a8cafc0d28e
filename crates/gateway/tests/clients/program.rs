//! The program of a client, and its run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::process::folder::Folder;
use tokio::io::AsyncWriteExt as _;
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

/// Returns the value of a variable that names installed clients; without the variable, the test is skipped.
pub(crate) fn installed(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        eprintln!("skipped: {variable} isn't set");
    }
    value
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
                let mut command = Command::new("node");
                let packages = installed("CLIENTS_NODE")?;
                // Packages are looked for from the current folder.
                command
                    .args(["--no-warnings", "--input-type=module", "-"])
                    .current_dir(packages);
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
        let current = command.as_std().get_current_dir();
        let current = current.map_or_else(|| folder.path("."), Path::to_path_buf);
        let path = std::env::var_os("PATH").unwrap_or_default();
        // The settings of the user who runs the tests have no effect.
        let kept: Vec<_> = command
            .as_std()
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command
            .env_clear()
            .current_dir(current)
            .envs(kept)
            .envs([("LANG", "C.UTF-8"), ("NO_PROXY", "*"), ("no_proxy", "*")])
            .env("PATH", path)
            .env("HOME", folder.path("."))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("a client that runs");
        let mut pipe = child.stdin.take().unwrap();
        let ended = async {
            let _ = pipe.write_all(input.as_bytes()).await;
            drop(pipe);
            child.wait_with_output().await.unwrap()
        };
        let ended = tokio::time::timeout(LIMIT, ended).await;
        let output = ended.unwrap_or_else(|_| panic!("the client didn't end in {LIMIT:?}"));
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{}\n{stdout}\n{stderr}",
            output.status
        );
        let line = stdout.lines().rfind(|line| !line.is_empty());
        let value = line.and_then(|line| serde_json::from_str(line).ok());
        Some(Said {
            value: value.unwrap_or_else(|| panic!("no JSON: {stdout}\n{stderr}")),
            printed: stdout + &stderr,
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
