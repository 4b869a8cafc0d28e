//! The caller's fields that say who or where the caller is. They are meant for the host application, and never for an upstream.

use http::header::HeaderName;

use super::fields::is_one_of;

/// The host application's decisions on the caller's fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallerFields {
    /// The fields that are removed: those by which callers authenticate, and others that the host application names.
    stripped: Vec<HeaderName>,
    /// The fields that are forwarded, although they identify the caller or describe the way of the request so far.
    passed: Vec<HeaderName>,
}

impl CallerFields {
    /// Removes these fields from each request.
    pub(crate) fn strip(&mut self, names: impl IntoIterator<Item = HeaderName>) {
        self.stripped.extend(names);
    }

    /// Forwards this field, unless it's also stripped.
    pub(crate) fn pass(&mut self, name: HeaderName) {
        self.passed.push(name);
    }

    /// Returns `true` if the field isn't forwarded.
    pub(super) fn drops(&self, canonical: &str) -> bool {
        is_one_of(canonical, &self.stripped)
            || (identifies_caller(canonical) && !self.passes(canonical))
    }

    /// Returns `true` if the host application has named the field to be forwarded.
    pub(super) fn passes(&self, canonical: &str) -> bool {
        is_one_of(canonical, &self.passed)
    }
}

/// Returns `true` for fields in which servers in front of the host application tell who the caller is (identity-aware proxies, TLS
/// terminators) or the address and the place of the caller.
///
/// Most fields of a request are decided by their first two bytes.
fn identifies_caller(canonical: &str) -> bool {
    let Some(first) = canonical.as_bytes().first_chunk() else {
        return false;
    };
    match first {
        b"x-" => canonical.strip_prefix("x-").is_some_and(identifies_after_x),
        b"al" => canonical == "ali-cdn-real-ip",
        b"cd" => matches!(canonical, "cdn-real-ip" | "cdn-src-ip"),
        b"cf" => {
            canonical.starts_with("cf-access-")
                || canonical.starts_with("cf-connecting-")
                || canonical.starts_with("cf-ip")
                || matches!(canonical, "cf-authorization" | "cf-pseudo-ipv4")
        }
        b"cl" => {
            canonical.starts_with("cloudfront-viewer-")
                || matches!(
                    canonical,
                    "client-cert" | "client-cert-chain" | "client-ip" | "cluster-client-ip"
                )
        }
        b"do" => canonical == "do-connecting-ip",
        b"fa" => canonical.starts_with("fastly-client"),
        b"fl" => canonical == "fly-client-ip",
        b"fo" => matches!(canonical, "forwarded-for" | "forwarded-for-ip"),
        b"ga" => matches!(canonical, "gap-auth" | "gap-signature"),
        b"in" => canonical == "incap-client-ip",
        b"iv" => matches!(
            canonical,
            "iv-creds" | "iv-groups" | "iv-remote-address" | "iv-user" | "iv-user-l"
        ),
        b"me" => canonical.starts_with("mellon-"),
        b"oa" => canonical.starts_with("oam-"),
        b"oi" => canonical.starts_with("oidc-"),
        b"pr" => canonical == "proxy-client-ip",
        b"re" => {
            canonical.starts_with("remote-user")
                || matches!(
                    canonical,
                    "remote-addr"
                        | "remote-email"
                        | "remote-groups"
                        | "remote-host"
                        | "remote-name"
                )
        }
        b"sh" => canonical.starts_with("shib-"),
        b"sm" => matches!(
            canonical,
            "sm-serversessionid" | "sm-universalid" | "sm-user" | "sm-userdn"
        ),
        b"ss" => canonical.starts_with("ssl-client-"),
        b"ta" => canonical.starts_with("tailscale-"),
        b"te" => canonical.starts_with("teleport-"),
        b"tr" => canonical == "true-client-ip",
        b"wl" => canonical == "wl-proxy-client-ip",
        b"yn" => canonical.starts_with("ynh-user"),
        _ => false,
    }
}

/// Like [`identifies_caller`], for the part of a name after `x-`.
fn identifies_after_x(name: &str) -> bool {
    let is_one_of = |names: &[&str]| names.contains(&name);
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    match name.as_bytes().first() {
        Some(b'a') => {
            begins(&[
                "akamai-edgescape",
                "amzn-ava-",
                "amzn-lattice-",
                "amzn-mtls-",
                "amzn-oidc-",
                "appengine-",
                "auth-request-",
                "authenticated-",
                "authentik-",
            ]) || is_one_of(&[
                "anonymous-consumer",
                "apigateway-api-userinfo",
                "arr-clientcert",
                "auth-groups",
                "auth-roles",
                "auth-subject",
                "auth-userid",
                "auth-username",
                "azure-clientip",
                "azure-fdid",
                "azure-socketip",
            ])
        }
        Some(b'c') => {
            begins(&["client-cert", "client-geo-", "consumer-"])
                || is_one_of(&[
                    "cdn-src-ip",
                    "client-ip",
                    "cluster-client-ip",
                    "coming-from",
                    "credential-identifier",
                ])
        }
        Some(b'e') => {
            begins(&[
                "endpoint-api-",
                "envoy-downstream-service-",
                "envoy-peer-metadata",
            ]) || name == "envoy-external-address"
        }
        Some(b'f') => {
            begins(&["forwarded-client-cert"])
                || is_one_of(&[
                    "forwarded",
                    "forwarded-access-token",
                    "forwarded-email",
                    "forwarded-groups",
                    "forwarded-id-token",
                    "forwarded-jwt",
                    "forwarded-preferred-username",
                    "forwarded-roles",
                    "forwarded-sub",
                    "forwarded-tlsclientcert",
                    "forwarded-uid",
                    "forwarded-user",
                    "forwarded-userid",
                    "forwarded-username",
                ])
        }
        Some(b'g') => begins(&["goog-authenticated-user-", "goog-iap-"]),
        Some(b'i') => name == "id-token",
        Some(b'm') => begins(&["ms-client-principal", "ms-token-"]),
        Some(b'n') => name == "nf-client-connection-ip",
        Some(b'o') => is_one_of(&[
            "original-forwarded-for",
            "original-ip",
            "original-remote-addr",
            "originating-ip",
        ]),
        Some(b'p') => begins(&["pomerium-"]) || name == "proxyuser-ip",
        Some(b'r') => begins(&["remote-"]),
        Some(b's') => {
            begins(&["sandstorm-", "ssl-c"])
                || is_one_of(&[
                    "serverless-authorization",
                    "sucuri-clientip",
                    "sucuri-country",
                ])
        }
        Some(b't') => begins(&["teleport-"]) || name == "true-client-ip",
        Some(b'u') => name == "userinfo",
        Some(b'v') => {
            begins(&["vercel-ip-", "vercel-sc-", "vouch-"])
                || is_one_of(&[
                    "vercel-forwarded-for",
                    "vercel-oidc-token",
                    "vercel-proxied-for",
                    "vercel-proxy-signature",
                ])
        }
        Some(b'w') => begins(&["webauth-"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_caller_is_dropped_unless_it_is_passed() {
        let mut fields = CallerFields::default();
        for name in [
            "cf-access-jwt-assertion",
            "x-amzn-oidc-data",
            "x-forwarded-user",
            "x-remote-user",
            "remote-user",
            "fly-client-ip",
            "x-client-ip",
        ] {
            assert!(fields.drops(name), "{name}");
        }
        for name in [
            "x",
            "",
            "x-",
            "referer",
            "baggage",
            "b3",
            "x-b3-traceid",
            "x-request-id",
            "x-csrf-token",
            "x-api-key",
            "x-auth-token",
            "x-ms-client-request-id",
            "x-amzn-trace-id",
            "x-goog-user-project",
            "cf-ray",
            "user-agent",
        ] {
            assert!(!fields.drops(name), "{name}");
        }
        fields.pass(HeaderName::from_static("x_client_ip"));
        assert!(!fields.drops("x-client-ip") && fields.drops("x-forwarded-user"));
        fields.strip([HeaderName::from_static("x-client-ip")]);
        assert!(fields.drops("x-client-ip"));
    }
}
