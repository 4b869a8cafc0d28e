//! The measured cases.

use crate::BoxError;

/// A proxy and its calls.
#[derive(Debug)]
pub struct Case {
    pub name: &'static str,
    /// The description in the table.
    pub title: &'static str,
    pub proxy: Proxy,
    pub wire: Wire,
    /// The number of bytes in the body of a request.
    pub body: usize,
    /// `true` if the proxy is this crate, so that its figure is checked.
    pub is_ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// The crate without a scheme.
    Plain,
    Bearer,
    OAuth2,
    /// The crate with [`Bearer`](Self::Bearer), in a router of axum.
    Axum,
    Gateway,
    Legacy,
    AxumReverseProxy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Http1,
    /// HTTP/2 with prior knowledge, on both sides.
    Http2,
    /// TLS to the vendor.
    Tls,
}

pub static ALL: &[Case] = &[
    ours("plain", "no scheme", Proxy::Plain, Wire::Http1, 0),
    ours("bearer", "`Bearer`", Proxy::Bearer, Wire::Http1, 0),
    ours(
        "oauth2",
        "OAuth 2.0, fresh token",
        Proxy::OAuth2,
        Wire::Http1,
        0,
    ),
    ours("axum", "`Bearer`, in axum", Proxy::Axum, Wire::Http1, 0),
    ours(
        "post",
        "`Bearer`, POST of 1 KiB",
        Proxy::Bearer,
        Wire::Http1,
        1024,
    ),
    ours(
        "tls",
        "`Bearer`, TLS to the vendor",
        Proxy::Bearer,
        Wire::Tls,
        0,
    ),
    ours(
        "http2",
        "`Bearer`, HTTP/2 on both sides",
        Proxy::Bearer,
        Wire::Http2,
        0,
    ),
    ours(
        "gateway",
        "`passthrough-gateway`, with its access log",
        Proxy::Gateway,
        Wire::Http1,
        0,
    ),
    other(
        "legacy",
        "hyper-util's legacy client",
        Proxy::Legacy,
        Wire::Http1,
        0,
    ),
    other(
        "legacy-post",
        "hyper-util's legacy client, POST of 1 KiB",
        Proxy::Legacy,
        Wire::Http1,
        1024,
    ),
    other(
        "http2-legacy",
        "hyper-util's legacy client, HTTP/2 on both sides",
        Proxy::Legacy,
        Wire::Http2,
        0,
    ),
    other(
        "axum-reverse-proxy",
        "axum-reverse-proxy",
        Proxy::AxumReverseProxy,
        Wire::Http1,
        0,
    ),
];

const fn ours(
    name: &'static str,
    title: &'static str,
    proxy: Proxy,
    wire: Wire,
    body: usize,
) -> Case {
    Case {
        name,
        title,
        proxy,
        wire,
        body,
        is_ours: true,
    }
}

const fn other(
    name: &'static str,
    title: &'static str,
    proxy: Proxy,
    wire: Wire,
    body: usize,
) -> Case {
    Case {
        name,
        title,
        proxy,
        wire,
        body,
        is_ours: false,
    }
}

impl Case {
    pub fn named(name: &str) -> Result<&'static Self, BoxError> {
        let names: Vec<_> = ALL.iter().map(|case| case.name).collect();
        ALL.iter().find(|case| case.name == name).ok_or_else(|| {
            format!("there is no case {name}; there are {}", names.join(", ")).into()
        })
    }
}

impl Proxy {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Plain, "plain"),
        (Self::Bearer, "bearer"),
        (Self::OAuth2, "oauth2"),
        (Self::Axum, "axum"),
        (Self::Gateway, "gateway"),
        (Self::Legacy, "legacy"),
        (Self::AxumReverseProxy, "axum-reverse-proxy"),
    ];

    pub fn as_str(self) -> &'static str {
        let named = Self::ALL.iter().find(|(proxy, _)| *proxy == self);
        named.map_or("", |(_, name)| name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        let named = Self::ALL.iter().find(|(_, known)| *known == name);
        named.map(|(proxy, _)| *proxy)
    }
}

impl Wire {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Http1, "http1"),
        (Self::Http2, "http2"),
        (Self::Tls, "tls"),
    ];

    pub fn as_str(self) -> &'static str {
        let named = Self::ALL.iter().find(|(wire, _)| *wire == self);
        named.map_or("", |(_, name)| name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        let named = Self::ALL.iter().find(|(_, known)| *known == name);
        named.map(|(wire, _)| *wire)
    }
}
