//! JWTs, read by the public keys alone, like their recipients read them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaParameters, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde_json::Value;

/// The keys of RFC 7515 appendix A.2 and A.3, and of RFC 8037 appendix A.1, in PKCS #8.
pub(super) const RSA: &str = include_str!("../keys/rfc7515_a2.pem");
pub(super) const P256: &str = include_str!("../keys/rfc7515_a3.pem");
pub(super) const ED25519: &str = include_str!("../keys/rfc8037_a1.pem");

pub(super) struct Jwt {
    pub(super) header: Value,
    pub(super) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    pub(super) fn read(text: &str) -> Self {
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let json = |part: &str| serde_json::from_slice(&decode(part)).unwrap();
        Self {
            header: json(header),
            claims: json(claims),
            signed: signed.to_owned(),
            signature: decode(signature),
        }
    }

    pub(super) fn text(&self, claim: &str) -> &str {
        self.claims[claim].as_str().unwrap()
    }

    pub(super) fn number(&self, claim: &str) -> u64 {
        self.claims[claim].as_u64().unwrap()
    }

    /// Fails unless the public key of [`RSA`] verifies the signature.
    pub(super) fn verify_rsa(&self, algorithm: &'static RsaParameters) {
        let key = rsa::KeyPair::from_pkcs8(&der(RSA)).unwrap();
        self.verify(algorithm, key.public_key().as_ref());
    }

    /// Fails unless the public key of [`P256`] verifies the signature.
    pub(super) fn verify_p256(&self) {
        let x = decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let point = [&[4], &*x, &*y].concat();
        self.verify(&ring::signature::ECDSA_P256_SHA256_FIXED, &point);
    }

    /// Fails unless the public key of [`ED25519`] verifies the signature.
    pub(super) fn verify_ed25519(&self) {
        let point = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        self.verify(&ring::signature::ED25519, &point);
    }

    pub(super) fn verify(&self, algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) {
        let key = UnparsedPublicKey::new(algorithm, key);
        key.verify(self.signed.as_bytes(), &self.signature).unwrap();
        let other = format!("{}x", self.signed);
        assert!(key.verify(other.as_bytes(), &self.signature).is_err());
    }
}

/// Returns a new key over P-384 in PEM, and its public part.
pub(super) fn p384() -> (String, Vec<u8>) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &random).unwrap();
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    (pem, key.public_key().as_ref().to_vec())
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
