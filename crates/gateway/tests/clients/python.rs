//! Clients in Python.

use crate::aws;
use crate::program::Program::Python;
use crate::scene::{check, check_but};
use crate::vendors;

#[tokio::test]
async fn python_openai() {
    check(Python("openai"), vendors::openai(), vendors::of_openai()).await;
}

#[tokio::test]
async fn python_anthropic() {
    let result = vendors::of_anthropic();
    check(Python("anthropic"), vendors::anthropic(), result).await;
}

#[tokio::test]
async fn python_pygithub() {
    check(Python("pygithub"), vendors::github(), vendors::of_github()).await;
}

#[tokio::test]
async fn python_gitlab() {
    check(Python("gitlab"), vendors::gitlab(), vendors::of_gitlab()).await;
}

#[tokio::test]
async fn python_slack_sdk() {
    check(Python("slack_sdk"), vendors::slack(), vendors::of_slack()).await;
}

#[tokio::test]
async fn python_stripe() {
    check(Python("stripe"), vendors::stripe(), vendors::of_stripe()).await;
}

#[tokio::test]
async fn python_hubspot() {
    check(Python("hubspot"), vendors::hubspot(), vendors::of_hubspot()).await;
}

#[tokio::test]
async fn python_notion() {
    check(Python("notion"), vendors::notion(), vendors::of_notion()).await;
}

#[tokio::test]
async fn python_google_drive() {
    check(
        Python("google_drive"),
        vendors::drive(),
        vendors::of_drive(),
    )
    .await;
}

#[tokio::test]
async fn python_jira() {
    check(Python("jira"), vendors::jira(), vendors::of_jira()).await;
}

/// The SDK shows the status of an answer that isn't JSON-RPC.
#[tokio::test]
async fn python_mcp() {
    let texts = ["Not Found", "Server returned an error response"];
    check_but(Python("mcp"), vendors::mcp(), vendors::of_mcp(), texts, 1).await;
}

#[tokio::test]
async fn python_requests() {
    let result = vendors::of_things("chunked");
    check(Python("requests"), vendors::things(), result).await;
}

#[tokio::test]
async fn python_httpx() {
    let result = vendors::of_things("chunked");
    check(Python("httpx"), vendors::things(), result).await;
}

#[tokio::test]
async fn python_aiohttp() {
    let result = vendors::of_things("chunked");
    check(Python("aiohttp"), vendors::things(), result).await;
}

#[tokio::test]
async fn python_urllib3() {
    let result = vendors::of_things("chunked");
    check(Python("urllib3"), vendors::things(), result).await;
}

#[tokio::test]
async fn python_twilio() {
    check(Python("twilio"), vendors::twilio(), vendors::of_twilio()).await;
}

#[tokio::test]
async fn python_genai() {
    check(Python("genai"), vendors::gemini(), vendors::of_gemini()).await;
}

#[tokio::test]
async fn python_boto3_dynamodb() {
    let result = aws::of_dynamodb();
    check(Python("boto3_dynamodb"), aws::dynamodb(), result).await;
}

/// The SDKs of S3 read errors in XML only, and show the status of others.
#[tokio::test]
async fn python_boto3_s3() {
    let statuses = ["404", "502"];
    check_but(Python("boto3_s3"), aws::s3(), aws::of_s3(), statuses, 0).await;
}
