//! The hashes that signatures are made of.

use ring::digest::{self, Algorithm, Context, Digest};

use crate::encoding::Sink;

/// A hash function for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-1 is broken for documents, but is still secure for data that is signed with a secret
    /// key.
    Sha1,
    Sha256,
    #[cfg(feature = "hmac")]
    Sha384,
    #[cfg(feature = "hmac")]
    Sha512,
}

impl Hash {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            #[cfg(feature = "hmac")]
            Self::Sha384 => &digest::SHA384,
            #[cfg(feature = "hmac")]
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// Returns the HMAC with this hash.
    pub(crate) fn hmac(self) -> ring::hmac::Algorithm {
        match self {
            Self::Sha1 => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => ring::hmac::HMAC_SHA256,
            #[cfg(feature = "hmac")]
            Self::Sha384 => ring::hmac::HMAC_SHA384,
            #[cfg(feature = "hmac")]
            Self::Sha512 => ring::hmac::HMAC_SHA512,
        }
    }

    /// Returns the length of a hash, in bytes.
    #[cfg(feature = "hmac")]
    pub(crate) fn output_len(self) -> usize {
        self.algorithm().output_len()
    }

    /// Returns the hash of the bytes that `write` writes.
    pub(crate) fn digest<E>(
        self,
        write: impl FnOnce(&mut Sink<'_>) -> Result<(), E>,
    ) -> Result<Digest, E> {
        let mut context = Context::new(self.algorithm());
        write(&mut |bytes| context.update(bytes))?;
        Ok(context.finish())
    }
}
