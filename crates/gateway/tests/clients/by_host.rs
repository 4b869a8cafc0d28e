//! SDKs that name the connection by the host of the gateway, and SDKs whose recipes by path need the port of https.

use crate::aws;
use crate::fake::Api;
use crate::program::Program::{self, Node, Python};
use crate::scene::{check, check_but};
use crate::vendors;

/// Returns the API behind a gateway that callers know by its names, and call by https.
pub(crate) fn public(api: Api) -> Api {
    Api {
        is_public: true,
        ..api
    }
}

/// Returns the API with connections that are named by the host of a request.
pub(crate) fn by_host(api: Api) -> Api {
    Api {
        top: "address_by = [\"host\"]\nhost_pattern = \"{connection}.gw.test\"",
        is_by_host: true,
        ..public(api)
    }
}

#[tokio::test]
async fn node_stripe_by_host() {
    let api = by_host(vendors::stripe());
    check(Node("stripe"), api, vendors::of_stripe()).await;
}

#[tokio::test]
async fn node_stripe_by_path() {
    let api = public(vendors::stripe());
    check(Node("stripe"), api, vendors::of_stripe()).await;
}

/// Runs an SDK that puts the bucket in front of the host of the gateway.
async fn s3(program: Program) {
    let api = Api {
        integration: "path_encoding = \"never\"\nsubdomains = true",
        ..by_host(aws::s3())
    };
    check_but(program, api, aws::of_s3(), ["404", "502"], 0).await;
}

#[tokio::test]
async fn python_boto3_s3_by_host() {
    s3(Python("boto3_s3")).await;
}

#[tokio::test]
async fn node_aws_s3_by_host() {
    s3(Node("aws_s3")).await;
}

#[tokio::test]
async fn python_openai_by_host() {
    let api = by_host(vendors::openai());
    check(Python("openai"), api, vendors::of_openai()).await;
}

#[tokio::test]
async fn node_openai_by_host() {
    let api = by_host(vendors::openai());
    check(Node("openai"), api, vendors::of_openai()).await;
}

#[tokio::test]
async fn python_genai_by_host() {
    let api = by_host(vendors::gemini());
    check(Python("genai"), api, vendors::of_gemini()).await;
}

#[tokio::test]
async fn node_genai_by_host() {
    let api = by_host(vendors::gemini());
    check(Node("genai"), api, vendors::of_gemini()).await;
}

#[tokio::test]
async fn python_google_drive_by_host() {
    let api = by_host(vendors::drive());
    check(Python("google_drive"), api, vendors::of_drive()).await;
}

#[tokio::test]
async fn python_jira_by_host() {
    let api = by_host(vendors::jira());
    check(Python("jira"), api, vendors::of_jira()).await;
}

#[tokio::test]
async fn node_microsoft_graph_by_host() {
    let api = by_host(vendors::graph());
    check(Node("graph"), api, vendors::of_graph()).await;
}
