//! Clients in the languages that Debian has packages of.

use crate::aws;
use crate::fake::Api;
use crate::program::Program::{Go, Java, Perl, Php, Ruby};
use crate::scene::{check, check_but};
use crate::vendors;

#[tokio::test]
async fn go_net_http() {
    let result = vendors::of_things("chunked");
    check(Go("http"), vendors::things(), result).await;
}

#[tokio::test]
async fn go_github() {
    check(Go("github"), vendors::github(), vendors::of_github()).await;
}

#[tokio::test]
async fn go_gitlab() {
    check(Go("gitlab"), vendors::gitlab(), vendors::of_gitlab()).await;
}

/// The SDK sends its key in a form, and shows the status of answers other than 200.
#[tokio::test]
async fn go_slack() {
    let api = Api {
        integration: "caller_key = { form = \"token\" }",
        ..vendors::slack()
    };
    let texts = ["404 Not Found", "502 Bad Gateway"];
    check_but(Go("slack"), api, vendors::of_slack(), texts, 1).await;
}

#[tokio::test]
async fn ruby_net_http() {
    let result = vendors::of_things("chunked");
    check(Ruby("http"), vendors::things(), result).await;
}

#[tokio::test]
async fn ruby_octokit() {
    check(Ruby("octokit"), vendors::github(), vendors::of_github()).await;
}

#[tokio::test]
async fn ruby_gitlab() {
    check(Ruby("gitlab"), vendors::gitlab(), vendors::of_gitlab()).await;
}

#[tokio::test]
async fn php_guzzle() {
    let result = vendors::of_things("chunked");
    check(Php("guzzle"), vendors::things(), result).await;
}

#[tokio::test]
async fn php_curl() {
    let result = vendors::of_things("chunked");
    check(Php("curl"), vendors::things(), result).await;
}

#[tokio::test]
async fn perl_lwp() {
    let result = vendors::of_things("chunked");
    check(Perl("lwp"), vendors::things(), result).await;
}

#[tokio::test]
async fn perl_http_tiny() {
    let result = vendors::of_things("chunked");
    check(Perl("tiny"), vendors::things(), result).await;
}

#[tokio::test]
async fn java_http_client() {
    let result = vendors::of_things("chunked");
    check(Java("Http"), vendors::things(), result).await;
}

/// The SDKs of S3 read errors in XML only, and show the status of others.
#[tokio::test]
async fn ruby_aws_s3() {
    let statuses = ["404", "502"];
    check_but(Ruby("aws_s3"), aws::s3(), aws::of_s3(), statuses, 0).await;
}
