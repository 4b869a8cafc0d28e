//! The operating system's resolver, on tokio's threads for blocking work: it would hold up the
//! reactor, and it can't be cancelled.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::names::Resolve;

/// The look-ups that may run at once: fewer than tokio's threads for blocking work, which the host
/// app needs too.
const AT_ONCE: usize = 128;

/// Those of them that the names of one domain may hold. A tenant with a domain of its own has as
/// many names as it likes, and a name server that answers as late as it likes.
const AT_ONCE_OF_A_DOMAIN: usize = 32;

/// The domains beyond which those without a look-up are forgotten.
const SWEPT_AT: usize = 1024;

pub(super) struct System {
    all: Arc<Semaphore>,
    domains: Mutex<HashMap<Box<str>, Weak<Semaphore>>>,
}

/// A look-up's place, of its domain's and of all.
struct Place {
    _of_domain: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl System {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            domains: Mutex::default(),
        }
    }

    async fn place(&self, name: &str) -> io::Result<Place> {
        let of_domain = self.domain(name).acquire_owned().await;
        let of_domain = of_domain.map_err(io::Error::other)?;
        let of_all = Arc::clone(&self.all).acquire_owned().await;
        Ok(Place {
            _of_domain: of_domain,
            _of_all: of_all.map_err(io::Error::other)?,
        })
    }

    /// The places of the name's registrable domain. They're kept by those who hold or await one.
    fn domain(&self, name: &str) -> Arc<Semaphore> {
        let domain = psl::domain_str(name).unwrap_or(name);
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = domains.get(domain).and_then(Weak::upgrade) {
            return places;
        }
        if domains.len() >= SWEPT_AT {
            domains.retain(|_, places| places.strong_count() > 0);
        }
        let places = Arc::new(Semaphore::new(AT_ONCE_OF_A_DOMAIN));
        domains.insert(domain.into(), Arc::downgrade(&places));
        places
    }
}

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let place = self.place(name).await?;
            let name = name.to_owned();
            let look_up = spawn_blocking(move || {
                // A look-up can't be cancelled: its place is free when its thread is.
                let _place = place;
                let found = (name.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            look_up.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn places(
        system: &System,
        names: impl Iterator<Item = String>,
    ) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        for name in names {
            places.push(system.place(&name).await?);
        }
        Ok(places)
    }

    async fn is_free(system: &System, name: &str) -> bool {
        let place = timeout(Duration::from_millis(1), system.place(name)).await;
        matches!(place, Ok(Ok(_)))
    }

    #[tokio::test(start_paused = true)]
    async fn one_domain_never_holds_all_places() -> io::Result<()> {
        let system = System::new();
        let slow = (0..AT_ONCE_OF_A_DOMAIN).map(|nth| format!("n{nth}.evil.example"));
        let mut held = places(&system, slow).await?;
        assert!(!is_free(&system, "one-more.evil.example").await);
        assert!(is_free(&system, "vendor.example").await);
        held.pop();
        assert!(is_free(&system, "one-more.evil.example").await);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn all_places_together_are_limited() -> io::Result<()> {
        let system = System::new();
        let held = places(&system, (0..AT_ONCE).map(|nth| format!("v{nth}.example"))).await?;
        assert!(!is_free(&system, "vendor.example").await);
        drop(held);
        assert!(is_free(&system, "vendor.example").await);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn domains_without_a_look_up_are_forgotten() -> io::Result<()> {
        let system = System::new();
        for nth in 0..3 * SWEPT_AT {
            system.place(&format!("v{nth}.example")).await?;
        }
        let kept = system.domains.lock().map(|domains| domains.len());
        assert!(kept.is_ok_and(|kept| kept <= SWEPT_AT));
        Ok(())
    }

    #[tokio::test]
    async fn the_system_is_asked() -> io::Result<()> {
        let found = System::new().resolve("localhost").await?;
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        Ok(())
    }
}
