//! Clients in Node.

use crate::aws;
use crate::by_host::public;
use crate::program::Program::Node;
use crate::scene::{check, check_but};
use crate::vendors;

#[tokio::test]
async fn node_openai() {
    check(Node("openai"), vendors::openai(), vendors::of_openai()).await;
}

#[tokio::test]
async fn node_anthropic() {
    let result = vendors::of_anthropic();
    check(Node("anthropic"), vendors::anthropic(), result).await;
}

#[tokio::test]
async fn node_octokit() {
    check(Node("octokit"), vendors::github(), vendors::of_github()).await;
}

/// gitbeaker sends each request ten times if the answer is a 502, and no field of the answer and no option changes that.
#[tokio::test]
async fn node_gitbeaker() {
    let (api, result) = (vendors::gitlab(), vendors::of_gitlab());
    let texts = ["no connection has this id", "last status code: 502"];
    check_but(Node("gitbeaker"), api, result, texts, 10).await;
}

#[tokio::test]
async fn node_slack() {
    check(Node("slack"), vendors::slack(), vendors::of_slack()).await;
}

#[tokio::test]
async fn node_hubspot() {
    check(Node("hubspot"), vendors::hubspot(), vendors::of_hubspot()).await;
}

#[tokio::test]
async fn node_notion() {
    check(Node("notion"), vendors::notion(), vendors::of_notion()).await;
}

#[tokio::test]
async fn node_jsforce() {
    let result = vendors::of_salesforce();
    check(Node("jsforce"), vendors::salesforce(), result).await;
}

#[tokio::test]
async fn node_mcp() {
    check(Node("mcp"), vendors::mcp(), vendors::of_mcp()).await;
}

#[tokio::test]
async fn node_axios() {
    let result = vendors::of_things("chunked");
    check(Node("axios"), vendors::things(), result).await;
}

#[tokio::test]
async fn node_fetch() {
    let result = vendors::of_things("chunked");
    check(Node("fetch"), vendors::things(), result).await;
}

#[tokio::test]
async fn node_undici() {
    let result = vendors::of_things("chunked");
    check(Node("undici"), vendors::things(), result).await;
}

#[tokio::test]
async fn node_got() {
    let result = vendors::of_things("chunked");
    check(Node("got"), vendors::things(), result).await;
}

#[tokio::test]
async fn node_twilio() {
    check(Node("twilio"), vendors::twilio(), vendors::of_twilio()).await;
}

#[tokio::test]
async fn node_genai() {
    check(Node("genai"), vendors::gemini(), vendors::of_gemini()).await;
}

/// The SDKs of S3 read errors in XML only, and show the status of others.
#[tokio::test]
async fn node_aws_s3() {
    let statuses = ["404", "502"];
    check_but(Node("aws_s3"), aws::s3(), aws::of_s3(), statuses, 0).await;
}

/// Microsoft's SDK sends a key over https alone.
#[tokio::test]
async fn node_microsoft_graph() {
    let api = public(vendors::graph());
    check(Node("graph"), api, vendors::of_graph()).await;
}
