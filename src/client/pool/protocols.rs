//! Which protocol a connection speaks.

use crate::client::connect::Stream;

/// What is offered, and what is known without asking.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::client) struct Protocols {
    /// HTTP/2 without asking (RFC 9113 §3.3).
    prior_knowledge: bool,
    /// HTTP/1.1 and nothing else.
    http1_only: bool,
}

impl Protocols {
    pub(in crate::client) fn set_prior_knowledge(&mut self, known: bool) {
        self.prior_knowledge = known;
    }

    pub(in crate::client) fn set_http1_only(&mut self, only: bool) {
        self.http1_only = only;
    }

    /// What is offered in TLS (RFC 7301), best first.
    #[cfg(feature = "rustls")]
    pub(in crate::client) fn alpn(self) -> Vec<Vec<u8>> {
        let offered: &[&[u8]] = match self.http1_only {
            true => &[b"http/1.1"],
            false => &[b"h2", b"http/1.1"],
        };
        offered.iter().map(|name| name.to_vec()).collect()
    }

    /// Whether HTTP/2 is never spoken.
    pub(in crate::client) fn lacks_http2(self) -> bool {
        self.http1_only
    }

    /// Whether HTTP/2 is to be spoken there. `needed`: with prior knowledge in clear, as gRPC's
    /// clients do; over TLS as agreed on.
    pub(super) fn is_http2(self, stream: &Stream, needed: bool) -> bool {
        if needed && stream.is_plain() {
            return !self.http1_only;
        }
        let is_known = self.prior_knowledge && stream.is_plain();
        !self.http1_only && (is_known || stream.is_http2())
    }

    /// Whether it will be HTTP/1.1, whatever the vendor says.
    pub(super) fn is_http1_for_sure(self, is_secure: bool) -> bool {
        self.http1_only || !(is_secure || self.prior_knowledge)
    }
}
