//! A credential's value as it was sent last, so that it isn't made anew for each call.
//!
//! It's kept with the connection that it was made of, and is gone when that is: wiped, as it holds
//! a secret.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

#[cfg(feature = "rustls")]
use crate::policy::ClientIdentity;

/// How a value is made of a connection's secrets: two that are equal make the same.
#[derive(Clone)]
pub(crate) enum Recipe {
    /// The one of that name.
    Named(&'static str),
    /// That which lies there. Holding it keeps the place from being used again.
    Shared(Arc<dyn Any + Send + Sync>),
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(one), Self::Named(other)) => one == other,
            (Self::Shared(one), Self::Shared(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// Room for one value. The first recipe gets it, as a connection has but one as a rule.
#[derive(Default)]
pub(crate) struct Prepared(
    OnceLock<(Recipe, HeaderValue)>,
    #[cfg(feature = "rustls")] OnceLock<ClientIdentity>,
);

impl Prepared {
    /// The value of that recipe, made if need be.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub(crate) fn get_or_make<E>(
        &self,
        recipe: &Recipe,
        make: impl FnOnce() -> Result<HeaderValue, E>,
    ) -> Result<HeaderValue, E> {
        match self.0.get() {
            Some((other, value)) if other == recipe => Ok(value.clone()),
            Some(_) => make(),
            None => {
                let value = make()?;
                // Another call may have been first, with the same value or for another recipe.
                let _ = self.0.set((recipe.clone(), value.clone()));
                Ok(value)
            }
        }
    }

    /// The client certificate, made if need be.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    #[cfg(feature = "rustls")]
    pub(crate) fn identity<E>(
        &self,
        make: impl FnOnce() -> Result<ClientIdentity, E>,
    ) -> Result<ClientIdentity, E> {
        if let Some(identity) = self.1.get() {
            return Ok(identity.clone());
        }
        let identity = make()?;
        // Another call may have been first, with the same.
        Ok(self.1.get_or_init(|| identity).clone())
    }
}

// A connection is cloned to be changed, and then its value may be another.
impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(prepared: &Prepared, recipe: &Recipe, value: &'static str) -> Option<HeaderValue> {
        prepared
            .get_or_make(recipe, || Ok::<_, ()>(HeaderValue::from_static(value)))
            .ok()
    }

    #[test]
    fn a_value_is_made_once_for_its_recipe_alone() {
        let (one, other) = (Recipe::Named("a"), Recipe::Shared(Arc::new("a")));
        let prepared = Prepared::default();
        for (recipe, value, expected) in [
            (&one, "first", "first"),
            (&one, "second", "first"),
            (&other, "third", "third"),
            (&other, "fourth", "fourth"),
        ] {
            assert!(made(&prepared, recipe, value).is_some_and(|value| value == expected));
        }
        let changed = Prepared::clone(&prepared);
        assert!(made(&changed, &one, "fifth").is_some_and(|value| value == "fifth"));
        assert!(made(&prepared, &one, "sixth").is_some_and(|value| value == "first"));
    }

    #[test]
    fn recipes_in_two_places_are_two() {
        let (one, other) = (Arc::new([1]), Arc::new([1]));
        assert!(Recipe::Shared(one.clone()) == Recipe::Shared(one.clone()));
        assert!(Recipe::Shared(one) != Recipe::Shared(other));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let prepared = Prepared::default();
        let recipe = Recipe::Named("a");
        assert!(prepared.get_or_make(&recipe, || Err(())).is_err());
        assert!(made(&prepared, &recipe, "value").is_some_and(|value| value == "value"));
    }
}
