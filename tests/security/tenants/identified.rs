//! What servers in front of the host application say of a caller stays at the host application.

use http::HeaderName;

use super::with_trailers;
use testkit::caller::request;
use testkit::head::latin1;
use testkit::pair::Pair;
use testkit::vendor::Received;

/// The fields of identity-aware proxies and of TLS terminators, as they write them.
const IDENTITIES: [&str; 52] = [
    "Cf-Access-Jwt-Assertion",
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Client-Secret",
    "Cf-Authorization",
    "X-Amzn-Oidc-Data",
    "X-Amzn-Oidc-Identity",
    "X-Amzn-Oidc-Accesstoken",
    "X-Amzn-Ava-User-Context",
    "X-Amzn-Mtls-Clientcert",
    "X-Goog-IAP-JWT-Assertion",
    "X-Goog-Authenticated-User-Email",
    "X-Serverless-Authorization",
    "X-Endpoint-API-UserInfo",
    "X-Appengine-User-Email",
    "X-Auth-Request-User",
    "X-Auth-Request-Access-Token",
    "X-Auth-Request-Redirect",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Client-Cert",
    "X-Ms-Client-Principal",
    "X-Ms-Client-Principal-Name",
    "X-Ms-Token-Aad-Access-Token",
    "X-Ms-Token-Aad-Id-Token",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "X-Pomerium-Jwt-Assertion",
    "X-Pomerium-Claim-Email",
    "X-Authentik-Username",
    "X-Authentik-Jwt",
    "X-Vouch-User",
    "X-Vouch-Idp-AccessToken",
    "X-Webauth-User",
    "X-Teleport-Jwt-Assertion",
    "Teleport-Jwt-Assertion",
    "Remote-User",
    "Remote-Groups",
    "X-Remote-User",
    "X-Remote-Extra-Scopes",
    "X-Consumer-Username",
    "X-Authenticated-Userid",
    "X-Userinfo",
    "OIDC_access_token",
    "OIDC_CLAIM_email",
    "Shib-Session-ID",
    "SM_USER",
    "Ssl-Client-Cert",
    "Client-Cert",
    "X-Vercel-Oidc-Token",
];

/// The fields that hold the address of a caller.
const ADDRESSES: [&str; 20] = [
    "Cf-Connecting-Ip",
    "Cf-Connecting-IPv6",
    "Cf-IPCountry",
    "Cf-Pseudo-IPv4",
    "True-Client-Ip",
    "X-Client-Ip",
    "X-Cluster-Client-Ip",
    "Fly-Client-Ip",
    "X-Envoy-External-Address",
    "X-Original-Forwarded-For",
    "Fastly-Client-Ip",
    "X-Azure-ClientIP",
    "X-Azure-SocketIP",
    "X-Appengine-User-Ip",
    "X-Appengine-Remote-Addr",
    "CloudFront-Viewer-Address",
    "Client-IP",
    "X-Originating-IP",
    "Incap-Client-IP",
    "X-Forwarded",
];

fn raw(received: &Received) -> String {
    latin1(&[&received.head.raw[..], &received.body.raw].concat())
}

#[tokio::test]
async fn t17_what_names_the_caller_never_reaches_a_vendor() {
    let pair = Pair::new().await;
    for name in IDENTITIES.into_iter().chain(ADDRESSES) {
        let lines: Vec<String> = [
            name.to_owned(),
            name.to_lowercase(),
            name.to_uppercase(),
            name.replace('-', "_"),
            name.replace('_', "-"),
            name.replacen('-', "_", 1),
        ]
        .iter()
        .map(|name| format!("{name}: of-the-caller"))
        .collect();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut trailers = lines.clone();
        trailers.push("X-Kept: trailer");
        let announce = format!("Trailer: {name}, {}, X-Kept", name.replace('-', "_"));
        let nominated = format!("Connection: {name}, x-other");
        lines.extend([&*announce, "X-Own: 1"]);
        for nominates in [false, true] {
            if nominates {
                lines.push(&nominated);
            }
            for sent in [
                request("GET", "/p/c/x", &lines, ""),
                with_trailers("/p/c/x", &lines, &trailers),
            ] {
                let received = pair.seen(&sent).await;
                let text = raw(&received);
                assert!(!text.contains("of-the-caller"), "{text}");
                assert_eq!(received.head.value("x-own"), Some("1"));
            }
        }
    }
}

#[tokio::test]
async fn t17_an_option_passes_fields_by_name() {
    let names = ["cf-connecting-ip", "x_forwarded_user", "x-forwarded-for"];
    let pair = Pair::with(move |setup| {
        setup.options(move |options| {
            let pass = |options: testkit::gateway::Builder, name: &&'static str| {
                options.pass_request_header(HeaderName::from_static(name))
            };
            names
                .iter()
                .fold(options, pass)
                .pass_request_header(HeaderName::from_static("authorization"))
                .pass_request_header(HeaderName::from_static("x-host-key"))
                .strip_request_header(HeaderName::from_static("x-host-key"))
        })
    })
    .await;
    let lines = [
        "Cf-Connecting-IP: 1.2.3.4",
        "X-Forwarded-User: ann",
        "X-Forwarded-For: 1.2.3.4",
        "Cf-Connecting-IPv6: of-the-caller",
        "X-Forwarded-Email: of-the-caller",
        "X-Forwarded-Host: of-the-caller",
        "X-Host-Key: of-the-caller",
        "Authorization: Bearer of-the-caller",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert!(
        !raw(&received).contains("of-the-caller"),
        "{}",
        raw(&received)
    );
    assert_eq!(received.head.value("cf-connecting-ip"), Some("1.2.3.4"));
    assert_eq!(received.head.value("x-forwarded-user"), Some("ann"));
    assert_eq!(received.head.value("x-forwarded-for"), Some("1.2.3.4"));
}

#[tokio::test]
async fn t17_forwarding_fields_that_pass_do_not_take_identities_along() {
    let pair = Pair::with(|setup| setup.options(|options| options.pass_forwarded(true))).await;
    let lines = [
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "X-Forwarded-User: of-the-caller",
        "X-Forwarded-Access-Token: of-the-caller",
        "X_Forwarded_Email: of-the-caller",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert!(
        !raw(&received).contains("of-the-caller"),
        "{}",
        raw(&received)
    );
    assert_eq!(received.head.value("x-forwarded-for"), Some("1.2.3.4"));
    assert_eq!(received.head.value("x-forwarded-proto"), Some("https"));
}

#[tokio::test]
async fn t17_what_only_resembles_them_passes() {
    let pair = Pair::new().await;
    let lines = [
        "Referer: https://app.test/x",
        "Baggage: a=1",
        "B3: 1-2-3",
        "X-B3-TraceId: 1",
        "X-Request-Id: 1",
        "X-CSRF-Token: 1",
        "X-Auth-Token: 1",
        "X-Ms-Client-Request-Id: 1",
        "X-Amzn-Trace-Id: 1",
        "X-Goog-User-Project: 1",
        "X-Client-Version: 1",
        "Fastly-Key: 1",
        "Cf-Ray: 1",
        "Client-Id: 1",
        "Remote: 1",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(received.head.values(name), [value], "{name}");
    }
}
