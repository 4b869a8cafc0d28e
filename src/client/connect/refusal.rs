//! TLS alerts by which an upstream rejects the client's certificate after the client's handshake is
//! complete (RFC 8446 §4.4.2.4).

use std::io;

#[cfg(feature = "rustls")]
use rustls::{AlertDescription, Error};

/// The alerts that a certificate, its signature or its absence causes (RFC 8446 §6.2).
#[cfg(feature = "rustls")]
const REFUSALS: [AlertDescription; 9] = [
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::DecryptError,
    AlertDescription::AccessDenied,
    AlertDescription::CertificateRequired,
];

/// Returns `true` if reading failed because the upstream rejected the client certificate, or requires
/// a client certificate.
#[cfg(feature = "rustls")]
pub(crate) fn is_certificate_refusal(error: &io::Error) -> bool {
    let Some(cause) = error.get_ref() else {
        return false;
    };
    match cause.downcast_ref() {
        Some(Error::AlertReceived(alert)) => REFUSALS.contains(alert),
        Some(_) => false,
        // `h2` keeps only the text of an error, so the text is compared.
        None if error.kind() == io::ErrorKind::InvalidData => {
            let said = cause.to_string();
            let mut refusals = REFUSALS.iter();
            refusals.any(|alert| Error::AlertReceived(*alert).to_string() == said)
        }
        None => false,
    }
}

/// Returns `false`: without TLS there is no certificate.
#[cfg(not(feature = "rustls"))]
pub(crate) const fn is_certificate_refusal(_: &io::Error) -> bool {
    false
}

#[cfg(all(test, feature = "rustls"))]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_alert_and_by_what_it_says() {
        let error = |alert| Error::AlertReceived(alert);
        for (alert, refuses) in [
            (AlertDescription::CertificateRequired, true),
            (AlertDescription::CertificateExpired, true),
            (AlertDescription::InternalError, false),
            (AlertDescription::BadRecordMac, false),
        ] {
            let whole = io::Error::new(io::ErrorKind::InvalidData, error(alert));
            let said = io::Error::new(io::ErrorKind::InvalidData, error(alert).to_string());
            let other = io::Error::other(error(alert).to_string());
            assert_eq!(is_certificate_refusal(&whole), refuses, "{alert:?}");
            assert_eq!(is_certificate_refusal(&said), refuses, "{alert:?}");
            assert!(!is_certificate_refusal(&other), "{alert:?}");
        }
        assert!(!is_certificate_refusal(&io::ErrorKind::InvalidData.into()));
    }
}
