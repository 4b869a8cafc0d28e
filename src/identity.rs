//! The identity of the host application at an upstream, on behalf of a connection.

use std::fmt;

use crate::secret::{Secret, fingerprint, fingerprint_of_both};

#[cfg(not(feature = "rustls"))]
pub(crate) use self::no_tls::ClientIdentity;
#[cfg(feature = "rustls")]
pub(crate) use self::tls::crypto_provider;
#[cfg(feature = "rustls")]
pub use self::tls::{ClientIdentity, InvalidIdentity};

/// The key that divides the connection pool: network connections that a credential authenticates (NTLM, client certificates) are
/// reused only for the same key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IsolationKey([u64; 2]);

impl IsolationKey {
    /// Returns the key of a set of secrets. The key reveals nothing about the secrets, and differs from process to process.
    pub fn from_secrets<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> Self {
        Self(fingerprint(secrets.into_iter()))
    }

    /// Returns the key for network connections that are isolated by both keys.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(fingerprint_of_both(self.0, other.0))
    }
}

// Implemented by hand, because the key is made of secrets.
impl fmt::Debug for IsolationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IsolationKey")
    }
}

/// Without TLS no client certificate can be presented, so the type has no value.
#[cfg(not(feature = "rustls"))]
mod no_tls {
    use std::convert::Infallible;

    use super::IsolationKey;

    #[derive(Clone, Debug)]
    pub(crate) struct ClientIdentity(Infallible);

    impl ClientIdentity {
        pub(crate) fn isolated_by(&self, _: IsolationKey) -> Self {
            match self.0 {}
        }

        pub(crate) fn isolation_key(&self) -> IsolationKey {
            match self.0 {}
        }
    }
}

#[cfg(feature = "rustls")]
mod tls {
    use std::fmt;
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
    };
    use rustls::server::ParsedCertificate;
    use rustls::sign::CertifiedKey;

    use super::IsolationKey;
    use crate::encoding::pem::{self, Section};
    use crate::secret::Secret;

    /// Returns the cryptography of the process: its default provider, or else ring, if the feature `rustls-ring` is on.
    pub(crate) fn crypto_provider() -> Option<Arc<CryptoProvider>> {
        if let Some(provider) = CryptoProvider::get_default() {
            return Some(Arc::clone(provider));
        }
        #[cfg(feature = "rustls-ring")]
        return Some(Arc::new(rustls::crypto::ring::default_provider()));
        #[cfg(not(feature = "rustls-ring"))]
        None
    }

    /// A client certificate and its private key (RFC 8446 §4.4.2). Cloning increments a reference count.
    ///
    /// A network connection on which the certificate has been presented is only used for calls with the same identity, and so are
    /// its TLS sessions. The key's memory is overwritten when the last clone is dropped, except for the copy of the cryptography
    /// provider, which can't be overwritten.
    #[derive(Clone)]
    pub struct ClientIdentity(Arc<Inner>);

    struct Inner {
        isolation_key: IsolationKey,
        certificate: Secret,
        private_key: Secret,
        certified: Arc<CertifiedKey>,
    }

    impl ClientIdentity {
        /// Returns the identity of a certificate, with the chain that follows it, and of its private key: PKCS #8, PKCS #1 or SEC
        /// 1, without a password.
        ///
        /// Both are PEM. Other sections and text between sections are skipped, so both arguments may be the same file. The
        /// certificates are X.509 version 3. The key is read by the process's default provider of rustls, or by ring, if the
        /// feature `rustls-ring` is on.
        ///
        /// # Errors
        ///
        /// [`InvalidIdentity`] if the certificate or the key can't be read, or if the key doesn't belong to the certificate.
        pub fn from_pem(
            certificate: &Secret,
            private_key: &Secret,
        ) -> Result<Self, InvalidIdentity> {
            let provider = crypto_provider().ok_or(InvalidIdentity)?;
            let chain: Vec<_> = sections(certificate)?
                .iter()
                .filter(|section| section.label == b"CERTIFICATE")
                .map(|section| CertificateDer::from(Vec::from(section.der.as_slice())))
                .collect();
            for certificate in &chain {
                ParsedCertificate::try_from(certificate).map_err(invalid)?;
            }
            let sections = sections(private_key)?;
            let mut keys = sections.iter().filter_map(key);
            let key = keys.next().ok_or(InvalidIdentity)?.clone_key();
            let key = provider
                .key_provider
                .load_private_key(key)
                .map_err(invalid)?;
            let certified = CertifiedKey::new(chain, key);
            certified.keys_match().map_err(invalid)?;
            // The names differ from the names of the secrets, so that a connection that is isolated by these secrets for another reason has
            // another key.
            let parts = [
                ("client certificate", certificate),
                ("client key", private_key),
            ];
            Ok(Self(Arc::new(Inner {
                isolation_key: IsolationKey::from_secrets(parts),
                certificate: certificate.clone(),
                private_key: private_key.clone(),
                certified: Arc::new(certified),
            })))
        }

        /// Returns the same identity, on network connections that are also isolated by `key`.
        #[must_use]
        pub fn isolated_by(&self, key: IsolationKey) -> Self {
            Self(Arc::new(Inner {
                isolation_key: self.0.isolation_key.and(key),
                certificate: self.0.certificate.clone(),
                private_key: self.0.private_key.clone(),
                certified: Arc::clone(&self.0.certified),
            }))
        }

        /// Returns the certificate, and the chain that follows it, in PEM, for your own [`Transport`](crate::Transport).
        #[must_use]
        pub fn certificate(&self) -> &Secret {
            &self.0.certificate
        }

        /// Returns the private key, in PEM, for your own [`Transport`](crate::Transport).
        #[must_use]
        pub fn private_key(&self) -> &Secret {
            &self.0.private_key
        }

        /// Returns the key of the network connections on which the certificate may be presented.
        #[must_use]
        pub fn isolation_key(&self) -> IsolationKey {
            self.0.isolation_key
        }

        /// Returns the certificate and the key with which TLS signs.
        pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
            &self.0.certified
        }
    }

    // Implemented by hand, because even a certificate reveals its owner.
    impl fmt::Debug for ClientIdentity {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ClientIdentity")
        }
    }

    /// The error of a certificate and a key that can't be used. It doesn't contain the cause, which could reveal a part of the
    /// key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct InvalidIdentity;

    impl fmt::Display for InvalidIdentity {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "the client certificate or its key can't be read, or they don't belong together",
            )
        }
    }

    impl std::error::Error for InvalidIdentity {}

    fn invalid(_: rustls::Error) -> InvalidIdentity {
        InvalidIdentity
    }

    fn key<'a>(section: &'a Section<'_>) -> Option<PrivateKeyDer<'a>> {
        let der = section.der.as_slice();
        Some(match section.label {
            b"PRIVATE KEY" => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
            b"RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
            b"EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)),
            _ => return None,
        })
    }

    fn sections(pem: &Secret) -> Result<Vec<Section<'_>>, InvalidIdentity> {
        pem::sections(pem.expose()).map_err(|_| InvalidIdentity)
    }
}

#[cfg(all(test, feature = "rustls-ring"))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::tls::*;
    use super::*;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn read(certificate: &str, key: &str) -> Result<IsolationKey, InvalidIdentity> {
        let identity = ClientIdentity::from_pem(&certificate.into(), &key.into());
        identity.map(|identity| identity.isolation_key())
    }

    #[test]
    fn an_identity_is_that_of_its_bytes() {
        let ((one, key), (other, other_key)) = (pair(), pair());
        assert_eq!(read(&one, &key), read(&one, &key));
        assert_ne!(read(&one, &key), read(&other, &other_key));
        assert_eq!(read(&one, &other_key), Err(InvalidIdentity));
    }

    #[test]
    fn other_sections_comments_and_line_ends_are_passed_over() {
        let (certificate, key) = pair();
        let both = format!("Bag Attributes\r\n  name: x\r\n{certificate}\n{key}");
        assert!(read(&both, &both.replace('\n', "\r\n")).is_ok());
        assert!(read(&format!("{certificate}{certificate}"), &key).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let (certificate, key) = pair();
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let cut = key.replace("-----END PRIVATE KEY-----", "");
        let half = key.replace("-----END PRIVATE KEY-----", "-----END CERTIFICATE-----");
        let no_base64 = key.replacen("\n", "\nProc-Type: 4,ENCRYPTED\n", 1);
        let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for key in [
            "",
            "x",
            &certificate,
            &encrypted,
            &cut,
            &half,
            &no_base64,
            no_key,
        ] {
            assert_eq!(read(&certificate, key), Err(InvalidIdentity), "{key}");
        }
        let no_certificate = no_key.replace("PRIVATE KEY", "CERTIFICATE");
        let tail = format!("{certificate}{no_certificate}");
        for certificate in ["", "x", &key, &no_certificate, &tail] {
            assert_eq!(
                read(certificate, &key),
                Err(InvalidIdentity),
                "{certificate}"
            );
        }
    }
}
