//! A client certificate and its key, out of PEM.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::{AuthError, ClientIdentity};
use crate::pem::{self, Section};
use crate::policy::Owner;
use crate::secret::{Secret, fingerprint};

impl ClientIdentity {
    /// The identity of that certificate, with the chain that follows it, and of its private key:
    /// PKCS #8, PKCS #1 or SEC 1, without a password. All are PEM; what else stands there is passed
    /// over, so that both may be the same file. The certificates are X.509 version 3.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unsendable`] if one of them can't be read, or the key isn't the certificate's.
    pub fn from_pem(certificate: &Secret, private_key: &Secret) -> Result<Self, AuthError> {
        let chain: Vec<_> = sections(certificate)?
            .iter()
            .filter(|section| section.label == b"CERTIFICATE")
            .map(|section| CertificateDer::from(Vec::from(section.der.as_slice())))
            .collect();
        for certificate in &chain {
            ParsedCertificate::try_from(certificate).map_err(unsendable)?;
        }
        let sections = sections(private_key)?;
        let mut keys = sections.iter().filter_map(key);
        let key = keys.next().ok_or(AuthError::Unsendable)?;
        let key = any_supported_type(&key).map_err(unsendable)?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(unsendable)?;
        // By names of its own: who is bound by these secrets otherwise is somebody else.
        let parts = [
            ("client certificate", certificate),
            ("client key", private_key),
        ];
        Ok(Self::checked(
            Owner::of(fingerprint(parts.into_iter())),
            certificate.clone(),
            private_key.clone(),
            certified,
        ))
    }
}

/// Why is in no error: it could tell of the key.
fn unsendable(_: rustls::Error) -> AuthError {
    AuthError::Unsendable
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

fn sections(pem: &Secret) -> Result<Vec<Section<'_>>, AuthError> {
    pem::sections(pem.expose()).map_err(|_| AuthError::Unsendable)
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn read(certificate: &str, key: &str) -> Result<Owner, AuthError> {
        let identity = ClientIdentity::from_pem(&certificate.into(), &key.into());
        identity.map(|identity| identity.owner())
    }

    #[test]
    fn an_identity_is_that_of_its_bytes() {
        let ((one, key), (other, other_key)) = (pair(), pair());
        assert_eq!(read(&one, &key), read(&one, &key));
        assert_ne!(read(&one, &key), read(&other, &other_key));
        assert_eq!(read(&one, &other_key), Err(AuthError::Unsendable));
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
            assert_eq!(read(&certificate, key), Err(AuthError::Unsendable), "{key}");
        }
        let no_certificate = no_key.replace("PRIVATE KEY", "CERTIFICATE");
        let tail = format!("{certificate}{no_certificate}");
        for certificate in ["", "x", &key, &no_certificate, &tail] {
            assert_eq!(
                read(certificate, &key),
                Err(AuthError::Unsendable),
                "{certificate}"
            );
        }
    }
}
