//! Keys in PEM, and signatures of JWTs by them (RFC 7518 §3, RFC 8037 §3.1).

use std::fmt;

use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use zeroize::Zeroizing;

use crate::encoding::pem;
use crate::secret::Secret;

/// The algorithm with which a JWT is signed: `alg` of RFC 7518 §3.1 and RFC 8037 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// `RS256`: RSA (PKCS #1 v1.5) with SHA-256, with a key of 2048 bits or more.
    Rs256,
    /// `PS256`: RSA (PSS) with SHA-256, with a key of 2048 bits or more.
    Ps256,
    /// `ES256`: ECDSA over P-256 with SHA-256.
    Es256,
    /// `ES384`: ECDSA over P-384 with SHA-384.
    Es384,
    /// `EdDSA`: Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Parses the key.
    ///
    /// The key is parsed for each assertion, because ring doesn't wipe the keys that it stores.
    pub(super) fn key(self, pem: &Secret) -> Result<SigningKey, SigningKeyError> {
        let (label, der) = from_pem(pem.expose())?;
        let unfit = |_| SigningKeyError("the key doesn't fit the algorithm");
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
            let key = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new());
            key.map(SigningKey::Ecdsa).map_err(unfit)
        };
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let key = match label {
                Label::Pkcs1 => RsaKeyPair::from_der(&der),
                Label::Pkcs8 => RsaKeyPair::from_pkcs8(&der),
            };
            key.map(|key| SigningKey::Rsa(Box::new(key), encoding))
                .map_err(unfit)
        };
        match self {
            Self::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Self::Ps256 => rsa(&RSA_PSS_SHA256),
            Self::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            // OpenSSL's files don't contain the public key.
            Self::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
                .map(SigningKey::Ed25519)
                .map_err(unfit),
        }
    }
}

pub(super) enum SigningKey {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let failed = |_| SigningKeyError("signing failed");
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            Self::Ecdsa(key) => {
                let signature = key.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
    }
}

enum Label {
    Pkcs1,
    Pkcs8,
}

/// Returns the first private key in the PEM.
fn from_pem(pem: &[u8]) -> Result<(Label, Zeroizing<Vec<u8>>), SigningKeyError> {
    const NO_KEY: SigningKeyError = SigningKeyError("the key isn't a private key in PEM");
    let sections = pem::sections(pem).map_err(|_| NO_KEY)?;
    let mut keys = sections
        .into_iter()
        .filter_map(|section| match section.label {
            b"PRIVATE KEY" => Some((Label::Pkcs8, section.der)),
            b"RSA PRIVATE KEY" => Some((Label::Pkcs1, section.der)),
            _ => None,
        });
    keys.next().ok_or(NO_KEY)
}

/// The error of a key that can't sign: it isn't a private key in PEM, or doesn't fit the algorithm.
/// The text describes the problem, and contains no part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningKeyError(&'static str);

impl fmt::Display for SigningKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SigningKeyError {}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::signature::{self, UnparsedPublicKey};

    use super::*;

    const RSA: &str = include_str!("../../tests/live/keys/rfc7515_a2.pem");
    const RSA_PKCS1: &str = include_str!("../../tests/live/keys/rfc7515_a2_pkcs1.pem");
    const P256: &str = include_str!("../../tests/live/keys/rfc7515_a3.pem");
    const ED25519: &str = include_str!("../../tests/live/keys/rfc8037_a1.pem");

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
    }

    fn signed(algorithm: SigningAlgorithm, pem: &str, message: &str) -> Option<String> {
        let key = algorithm.key(&Secret::from(pem)).ok()?;
        let signature = key.sign(message.as_bytes()).ok()?;
        Some(URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_signature_by_rs256_is_that_of_rfc_7515_appendix_a_2() {
        let message = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
            Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let expected = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt\
            _O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB\
            MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO\
            YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        for pem in [RSA, RSA_PKCS1, &RSA.replace('\n', "\r\n")] {
            let signature = signed(SigningAlgorithm::Rs256, pem, message);
            assert_eq!(signature.as_deref(), Some(expected));
        }
    }

    #[test]
    fn eddsa_is_that_of_rfc_8037_appendix_a_4() {
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = signed(SigningAlgorithm::EdDsa, ED25519, message);
        assert_eq!(signature.as_deref(), Some(expected));
    }

    #[test]
    fn a_signature_by_es256_is_verified_by_the_key_of_rfc_7515_appendix_a_3() {
        let mut point = vec![4];
        point.extend(decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"));
        point.extend(decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
        let key = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
        let signature = signed(SigningAlgorithm::Es256, P256, "message").unwrap_or_default();
        assert!(key.verify(b"message", &decode(&signature)).is_ok());
        assert!(key.verify(b"messagf", &decode(&signature)).is_err());
    }

    #[test]
    fn keys_that_cannot_sign_are_refused_without_a_word_of_theirs() {
        let broken = RSA.replacen("MII", "M!I", 1);
        let cut = RSA.split_at(800).0;
        for (algorithm, pem) in [
            (SigningAlgorithm::Rs256, P256),
            (SigningAlgorithm::Ps256, ED25519),
            (SigningAlgorithm::Es256, RSA),
            (SigningAlgorithm::Es256, RSA_PKCS1),
            (SigningAlgorithm::Es384, P256),
            (SigningAlgorithm::EdDsa, P256),
            (SigningAlgorithm::Rs256, &broken),
            (SigningAlgorithm::Rs256, cut),
            (SigningAlgorithm::Rs256, ""),
            (SigningAlgorithm::Rs256, "-----BEGIN PRIVATE KEY-----"),
            (SigningAlgorithm::Rs256, "s3cr3t"),
        ] {
            let error = algorithm.key(&Secret::from(pem)).err();
            let shown = format!("{error:?}");
            assert!(error.is_some() && !shown.contains("s3cr3t"), "{shown}");
        }
    }
}
