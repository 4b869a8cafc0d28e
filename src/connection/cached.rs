//! The last value of a credential that was sent, so that it isn't made again for each call.
//!
//! The value is stored with the connection from which it was made. It's wiped when the connection is dropped, because
//! it contains a secret.

use std::any::TypeId;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

#[cfg(feature = "rustls")]
use crate::identity::ClientIdentity;

/// The key of a cached header value that is made from a connection's secrets: equal keys must make equal values.
///
/// ```
/// use tower_passthrough::auth::CacheKey;
///
/// struct MyScheme;
///
/// assert_eq!(CacheKey::for_type::<MyScheme>(), CacheKey::for_type::<MyScheme>());
/// assert_ne!(CacheKey::unique(), CacheKey::unique());
/// ```
#[derive(Clone)]
pub struct CacheKey(Key);

#[derive(Clone)]
enum Key {
    Type(TypeId),
    // Holding the memory keeps its address from being used again.
    Unique(Arc<u8>),
}

impl CacheKey {
    /// Returns the key of a scheme without settings, which is identified by its type.
    #[must_use]
    pub fn for_type<T: 'static>() -> Self {
        Self(Key::Type(TypeId::of::<T>()))
    }

    /// Returns a key that is only equal to its own clones, for a scheme with settings. Make it once, together with the
    /// scheme.
    #[must_use]
    pub fn unique() -> Self {
        Self(Key::Unique(Arc::new(0)))
    }
}

impl PartialEq for CacheKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Key::Type(one), Key::Type(other)) => one == other,
            (Key::Unique(one), Key::Unique(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for CacheKey {}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

/// A slot for a single value. The first key uses the slot, because a connection usually has only a single scheme.
#[derive(Default)]
pub(crate) struct Cached(
    OnceLock<(CacheKey, HeaderValue)>,
    #[cfg(feature = "rustls")] OnceLock<ClientIdentity>,
);

impl Cached {
    /// Returns the value of that key. If there is no value yet, `make` makes it.
    ///
    /// # Errors
    ///
    /// The errors of `make`.
    pub(crate) fn get_or_make<E>(
        &self,
        key: &CacheKey,
        make: impl FnOnce() -> Result<HeaderValue, E>,
    ) -> Result<HeaderValue, E> {
        match self.0.get() {
            Some((other, value)) if other == key => Ok(value.clone()),
            Some(_) => make(),
            None => {
                let value = make()?;
                // Another call may have been faster, with the same value or for another key.
                let _ = self.0.set((key.clone(), value.clone()));
                Ok(value)
            }
        }
    }

    /// Returns the client certificate. If there is no certificate yet, `make` makes it.
    ///
    /// # Errors
    ///
    /// The errors of `make`.
    #[cfg(feature = "rustls")]
    pub(crate) fn client_identity<E>(
        &self,
        make: impl FnOnce() -> Result<ClientIdentity, E>,
    ) -> Result<ClientIdentity, E> {
        if let Some(identity) = self.1.get() {
            return Ok(identity.clone());
        }
        let identity = make()?;
        // Another call may have been faster, with the same certificate.
        Ok(self.1.get_or_init(|| identity).clone())
    }
}

// A connection is cloned to be changed, and its value may then be different.
impl Clone for Cached {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cached")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(cached: &Cached, key: &CacheKey, value: &'static str) -> Option<HeaderValue> {
        cached
            .get_or_make(key, || Ok::<_, ()>(HeaderValue::from_static(value)))
            .ok()
    }

    #[test]
    fn a_value_is_made_once_for_its_key_alone() {
        let (one, other) = (CacheKey::for_type::<u8>(), CacheKey::unique());
        let cached = Cached::default();
        for (key, value, expected) in [
            (&one, "first", "first"),
            (&one, "second", "first"),
            (&other, "third", "third"),
            (&other, "fourth", "fourth"),
        ] {
            assert!(made(&cached, key, value).is_some_and(|value| value == expected));
        }
        let changed = Cached::clone(&cached);
        assert!(made(&changed, &one, "fifth").is_some_and(|value| value == "fifth"));
        assert!(made(&cached, &one, "sixth").is_some_and(|value| value == "first"));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let cached = Cached::default();
        let key = CacheKey::for_type::<u8>();
        assert!(cached.get_or_make(&key, || Err(())).is_err());
        assert!(made(&cached, &key, "value").is_some_and(|value| value == "value"));
    }
}
