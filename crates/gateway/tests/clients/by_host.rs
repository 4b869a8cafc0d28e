//! SDKs that take a host and a port, and no base path.

use crate::aws;
use crate::fake::Api;
use crate::program::Program::{self, Node, Python};
use crate::scene::{check, check_but};
use crate::vendors;

/// Returns the API with connections that are named by the host of a request.
pub(crate) fn by_host(api: Api) -> Api {
    Api {
        top: "address_by = [\"host\"]\nhost_pattern = \"{connection}.gw.test\"",
        ..api
    }
}

#[tokio::test]
async fn node_stripe_by_host() {
    let api = by_host(vendors::stripe());
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
    s3(Python("boto3_s3_by_host")).await;
}

#[tokio::test]
async fn node_aws_s3_by_host() {
    s3(Node("aws_s3_by_host")).await;
}
