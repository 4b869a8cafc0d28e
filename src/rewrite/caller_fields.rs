//! The caller's fields that say who or where the caller is. They are meant for the host application, and never for an upstream.

use http::header::HeaderName;

use super::fields::{canonical, is_one_of};
use super::name_filter::NameFilter;

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
    #[inline]
    pub(super) fn drops(&self, name: &str) -> bool {
        self.strips(name) || (identifies_caller(name) && !self.passes(name))
    }

    /// Returns `true` if the host application has named the field to be removed.
    #[inline]
    pub(super) fn strips(&self, name: &str) -> bool {
        is_one_of(name, &self.stripped)
    }

    /// Returns `true` if the host application has named the field to be forwarded.
    pub(super) fn passes(&self, name: &str) -> bool {
        is_one_of(name, &self.passed)
    }
}

/// The fields in which servers in front of the host application tell who the caller is (identity-aware proxies, TLS terminators), or the
/// address and the place of the caller.
pub(super) const NAMES: &[&str] = &[
    "ali-cdn-real-ip",
    "cdn-real-ip",
    "cdn-src-ip",
    "cf-authorization",
    "cf-pseudo-ipv4",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "cluster-client-ip",
    "do-connecting-ip",
    "fly-client-ip",
    "forwarded-for",
    "forwarded-for-ip",
    "gap-auth",
    "gap-signature",
    "incap-client-ip",
    "iv-creds",
    "iv-groups",
    "iv-remote-address",
    "iv-user",
    "iv-user-l",
    "proxy-client-ip",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-host",
    "remote-name",
    "sm-serversessionid",
    "sm-universalid",
    "sm-user",
    "sm-userdn",
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-anonymous-consumer",
    "x-apigateway-api-userinfo",
    "x-arr-clientcert",
    "x-auth-groups",
    "x-auth-roles",
    "x-auth-subject",
    "x-auth-userid",
    "x-auth-username",
    "x-azure-clientip",
    "x-azure-fdid",
    "x-azure-socketip",
    "x-cdn-src-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-coming-from",
    "x-credential-identifier",
    "x-envoy-external-address",
    "x-forwarded",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-id-token",
    "x-forwarded-jwt",
    "x-forwarded-preferred-username",
    "x-forwarded-roles",
    "x-forwarded-sub",
    "x-forwarded-tlsclientcert",
    "x-forwarded-uid",
    "x-forwarded-user",
    "x-forwarded-userid",
    "x-forwarded-username",
    "x-id-token",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-original-ip",
    "x-original-remote-addr",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-serverless-authorization",
    "x-sucuri-clientip",
    "x-sucuri-country",
    "x-true-client-ip",
    "x-userinfo",
    "x-vercel-forwarded-for",
    "x-vercel-oidc-token",
    "x-vercel-proxied-for",
    "x-vercel-proxy-signature",
];

/// The beginnings of the names of further such fields.
pub(super) const PREFIXES: &[&str] = &[
    "cf-access-",
    "cf-connecting-",
    "cf-ip",
    "cloudfront-viewer-",
    "fastly-client",
    "mellon-",
    "oam-",
    "oidc-",
    "remote-user",
    "shib-",
    "ssl-client-",
    "tailscale-",
    "teleport-",
    "x-akamai-edgescape",
    "x-amzn-ava-",
    "x-amzn-lattice-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-appengine-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-client-geo-",
    "x-consumer-",
    "x-endpoint-api-",
    "x-envoy-downstream-service-",
    "x-envoy-peer-metadata",
    "x-forwarded-client-cert",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-pomerium-",
    "x-remote-",
    "x-sandstorm-",
    "x-ssl-c",
    "x-teleport-",
    "x-vercel-ip-",
    "x-vercel-sc-",
    "x-vouch-",
    "x-webauth-",
    "ynh-user",
];

static FILTER: NameFilter = NameFilter::new(&[NAMES], &[PREFIXES]);

/// Returns `true` for fields that tell who or where the caller is.
#[inline]
fn identifies_caller(name: &str) -> bool {
    FILTER.may_contain(name) && is_listed(&canonical(name))
}

fn is_listed(canonical: &str) -> bool {
    NAMES.contains(&canonical) || PREFIXES.iter().any(|prefix| canonical.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_in_each_spelling() {
        let below = PREFIXES.iter().map(|prefix| format!("{prefix}more"));
        let names = NAMES.iter().chain(PREFIXES).map(|&name| name.to_owned());
        for name in names.chain(below) {
            assert!(identifies_caller(&name), "{name}");
            let underscores = name.replace('-', "_");
            assert!(identifies_caller(&underscores), "{underscores}");
        }
    }

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
