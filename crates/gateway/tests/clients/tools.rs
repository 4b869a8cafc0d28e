//! Tools that people use from a shell.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use testkit::process::folder::Folder;

use crate::aws;
use crate::fake::{Answer, Api, Request};
use crate::program::Program::Shell;
use crate::program::{installed, present, read};
use crate::scene::{check, check_but};
use crate::vendors;

#[tokio::test]
async fn tool_curl() {
    let result = vendors::of_things("chunked");
    check(Shell("curl"), vendors::things(), result).await;
}

#[tokio::test]
async fn tool_wget() {
    check(Shell("wget"), vendors::things(), vendors::of_things("")).await;
}

/// Runs a command that must succeed.
fn done(command: &mut Command) {
    let output = command.output().expect("a program that runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
}

/// Returns the output of git's own CGI program for a request.
fn http_backend(root: &Path, request: &Request<'_>) -> Answer {
    use std::io::Write as _;

    let (method, path) = request.call();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("REMOTE_USER", "a")])
        .envs([("REQUEST_METHOD", method), ("PATH_INFO", path)])
        .env("QUERY_STRING", request.query())
        .env("CONTENT_TYPE", request.field("content-type"))
        .env("CONTENT_LENGTH", request.body().len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.field("content-encoding"))
        .env("GIT_PROTOCOL", request.field("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git");
    let mut input = child.stdin.take().unwrap();
    let body = request.body().to_vec();
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&body);
    });
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let value = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
    };
    let status = value("Status: ").map_or(200, |status| {
        status.split(' ').next().unwrap().parse().unwrap()
    });
    let kind = value("Content-Type: ").unwrap_or_default();
    Answer::new(status, &kind, &output[end + 4..])
}

/// Runs on several threads, because a fake waits for git's program.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tool_git() {
    if present("git").is_none() {
        return;
    }
    let folder = Folder::new();
    let root = folder.path("root");
    let git = |place: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@b.test"])
            .args(arguments)
            .current_dir(place);
        done(&mut command);
    };
    let work = folder.path("work");
    for place in [&root, &work] {
        std::fs::create_dir_all(place).unwrap();
    }
    git(&work, &["init", "--quiet"]);
    std::fs::write(work.join("first"), "first file").unwrap();
    git(&work, &["add", "first"]);
    git(&work, &["commit", "--quiet", "--message", "first"]);
    git(
        &root,
        &[
            "clone",
            "--quiet",
            "--bare",
            work.to_str().unwrap(),
            "repo.git",
        ],
    );
    let api = Api::new(move |request| Some(http_backend(&root, request)));
    let api = Api {
        auth: "{ kind = \"basic\" }",
        secret: "{ username = \"x-access-token\", password = \"5toredToken\" }",
        credential: (
            "authorization",
            "Basic eC1hY2Nlc3MtdG9rZW46NXRvcmVkVG9rZW4=",
        ),
        ..api
    };
    let errors = ["not found", "error: 502"];
    check_but(
        Shell("git"),
        api,
        json!({ "first": "first file" }),
        errors,
        0,
    )
    .await;
}

#[tokio::test]
async fn tool_npm() {
    let folder = Folder::new();
    let package = folder.path("package");
    std::fs::create_dir_all(&package).unwrap();
    let about = "{\"name\":\"@scope/thing\",\"version\":\"1.0.0\"}";
    std::fs::write(package.join("package.json"), about).unwrap();
    std::fs::write(package.join("index.js"), "module.exports = 'a thing';").unwrap();
    let file = folder.path("thing.tgz");
    done(Command::new("tar").arg("-czf").arg(&file).args([
        "-C",
        folder.path(".").to_str().unwrap(),
        "package",
    ]));
    let file = std::fs::read(file).unwrap();
    let api = Api::new(move |request| {
        let origin = format!("http://{}", request.field("host"));
        Some(match request.call() {
            ("GET", "/@scope%2fthing") => Answer::json(&json!({
                "name": "@scope/thing", "dist-tags": { "latest": "1.0.0" },
                "versions": { "1.0.0": {
                    "name": "@scope/thing", "version": "1.0.0",
                    "dist": { "tarball": format!("{origin}/@scope/thing/-/thing-1.0.0.tgz") },
                } },
            })),
            ("GET", "/@scope/thing/-/thing-1.0.0.tgz") => {
                Answer::new(200, "application/octet-stream", file.clone())
            }
            _ => return None,
        })
    });
    let api = Api {
        integration: "path_encoding = \"never\"",
        ..api
    };
    let errors = ["404 Not Found", "502 Bad Gateway"];
    check_but(Shell("npm"), api, json!("a thing"), errors, 0).await;
}

#[tokio::test]
async fn tool_pip() {
    let Some(python) = installed("CLIENTS_PYTHON") else {
        return;
    };
    let folder = Folder::new();
    let file = folder.path("thing-1.0-py3-none-any.whl");
    let wheel = read("python/wheel.py");
    done(Command::new(python).args(["-c", &wheel]).arg(&file));
    let file: Arc<[u8]> = std::fs::read(file).unwrap().into();
    let api = Api::new(move |request| {
        Some(match request.call() {
            ("GET", "/simple/thing/") => Answer::new(
                200,
                "text/html",
                "<a href=\"../../files/thing-1.0-py3-none-any.whl\">thing-1.0-py3-none-any.whl</a>",
            ),
            ("GET", "/files/thing-1.0-py3-none-any.whl") => {
                Answer::new(200, "application/octet-stream", &*file)
            }
            _ => return None,
        })
    });
    // pip takes any failure for an index without the package.
    let errors = ["No matching distribution", "No matching distribution"];
    check_but(Shell("pip"), api, json!("a thing"), errors, 0).await;
}

#[tokio::test]
async fn tool_rclone() {
    let result = json!({ "names": "a b b+c ", "text": "first" });
    let texts = ["directory not found", "status code: 502"];
    check_but(Shell("rclone"), aws::s3(), result, texts, 0).await;
}
