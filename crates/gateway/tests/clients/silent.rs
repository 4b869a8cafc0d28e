//! SDKs that repeat calls by themselves, with a vendor that receives a POST and doesn't answer in time. The gateway's 504
//! says that the vendor may have acted on the request, so the SDK may not repeat the POST.

use crate::by_host::{by_host, public};
use crate::fake::Api;
use crate::program::Program::{self, Node, Python};
use crate::scene::check;
use crate::vendors;

fn silent(api: Api) -> Api {
    Api {
        is_silent: true,
        ..api
    }
}

async fn openai(program: Program) {
    check(program, silent(vendors::openai()), vendors::of_openai()).await;
}

async fn anthropic(program: Program) {
    let api = silent(vendors::anthropic());
    check(program, api, vendors::of_anthropic()).await;
}

#[tokio::test]
async fn python_openai_at_a_silent_vendor() {
    openai(Python("openai")).await;
}

#[tokio::test]
async fn node_openai_at_a_silent_vendor() {
    openai(Node("openai")).await;
}

#[tokio::test]
async fn python_anthropic_at_a_silent_vendor() {
    anthropic(Python("anthropic")).await;
}

#[tokio::test]
async fn node_anthropic_at_a_silent_vendor() {
    anthropic(Node("anthropic")).await;
}

#[tokio::test]
async fn python_stripe_at_a_silent_vendor() {
    let api = silent(vendors::stripe());
    check(Python("stripe"), api, vendors::of_stripe()).await;
}

#[tokio::test]
async fn node_microsoft_graph_at_a_silent_vendor() {
    let api = silent(public(vendors::graph()));
    check(Node("graph"), api, vendors::of_graph()).await;
}

#[tokio::test]
async fn node_stripe_by_host_at_a_silent_vendor() {
    let api = silent(by_host(vendors::stripe()));
    check(Node("stripe"), api, vendors::of_stripe()).await;
}
