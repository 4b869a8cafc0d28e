//! What a vendor's TLS says of a client's certificate, when the client's side of the handshake is
//! over (RFC 8446 §4.4.2.4).

use std::io;

#[cfg(feature = "rustls")]
use rustls::{AlertDescription, Error};

/// The alerts of which a certificate is the cause, its signature, or its lack (RFC 8446 §6.2).
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

/// Whether reading failed as the vendor didn't take the client's certificate, or wants one.
#[cfg(feature = "rustls")]
pub(in crate::client) fn refuses_client(error: &io::Error) -> bool {
    let Some(cause) = error.get_ref() else {
        return false;
    };
    match cause.downcast_ref() {
        Some(Error::AlertReceived(alert)) => REFUSALS.contains(alert),
        Some(_) => false,
        // `h2` keeps of an error what it says.
        None if error.kind() == io::ErrorKind::InvalidData => {
            let said = cause.to_string();
            let mut refusals = REFUSALS.iter();
            refusals.any(|alert| Error::AlertReceived(*alert).to_string() == said)
        }
        None => false,
    }
}

/// Without TLS there is no certificate.
#[cfg(not(feature = "rustls"))]
pub(in crate::client) const fn refuses_client(_: &io::Error) -> bool {
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
            assert_eq!(refuses_client(&whole), refuses, "{alert:?}");
            assert_eq!(refuses_client(&said), refuses, "{alert:?}");
            assert!(!refuses_client(&other), "{alert:?}");
        }
        assert!(!refuses_client(&io::ErrorKind::InvalidData.into()));
    }
}
