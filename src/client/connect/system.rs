//! The operating system's resolver, which runs on tokio's blocking threads, because a look-up blocks
//! its thread and can't be cancelled.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::names::Resolve;

/// The maximum number of look-ups at the same time. The maximum is smaller than tokio's number of
/// blocking threads, because the host application needs such threads as well.
const MAX_LOOKUPS: usize = 128;

/// The maximum number of look-ups at the same time for the names of a registrable domain. Without
/// this limit, a tenant who owns a domain could use up all look-ups, with many names and a slow name
/// server.
const MAX_LOOKUPS_PER_DOMAIN: usize = 32;

/// The maximum number of domains in the table. Beyond this number, domains without a look-up are
/// removed.
const MAX_DOMAINS: usize = 1024;

pub(super) struct System {
    all: Arc<Semaphore>,
    domains: Mutex<HashMap<Box<str>, Weak<Semaphore>>>,
}

/// The permits of a look-up: the permit of its domain, and the permit for all look-ups together.
struct Slot {
    _domain: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl System {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            domains: Mutex::default(),
        }
    }

    async fn acquire_slot(&self, name: &str) -> io::Result<Slot> {
        let in_domain = self.domain(name).acquire_owned().await;
        let in_domain = in_domain.map_err(io::Error::other)?;
        let in_all = Arc::clone(&self.all).acquire_owned().await;
        Ok(Slot {
            _domain: in_domain,
            _all: in_all.map_err(io::Error::other)?,
        })
    }

    /// Returns the semaphore of the name's registrable domain. The permits and the waiting look-ups
    /// keep it alive.
    fn domain(&self, name: &str) -> Arc<Semaphore> {
        let domain = psl::domain_str(name).unwrap_or(name);
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = domains.get(domain).and_then(Weak::upgrade) {
            return slots;
        }
        if domains.len() >= MAX_DOMAINS {
            domains.retain(|_, slots| slots.strong_count() > 0);
        }
        let slots = Arc::new(Semaphore::new(MAX_LOOKUPS_PER_DOMAIN));
        domains.insert(domain.into(), Arc::downgrade(&slots));
        slots
    }
}

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let slot = self.acquire_slot(name).await?;
            let name = name.to_owned();
            let look_up = spawn_blocking(move || {
                // The look-up can't be cancelled, so the closure holds the slot until the thread is
                // free.
                let _slot = slot;
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

    async fn slots(system: &System, names: impl Iterator<Item = String>) -> io::Result<Vec<Slot>> {
        let mut slots = Vec::new();
        for name in names {
            slots.push(system.acquire_slot(&name).await?);
        }
        Ok(slots)
    }

    async fn is_free(system: &System, name: &str) -> bool {
        let slot = timeout(Duration::from_millis(1), system.acquire_slot(name)).await;
        matches!(slot, Ok(Ok(_)))
    }

    #[tokio::test(start_paused = true)]
    async fn one_domain_never_holds_all_slots() -> io::Result<()> {
        let system = System::new();
        let slow = (0..MAX_LOOKUPS_PER_DOMAIN).map(|nth| format!("n{nth}.evil.example"));
        let mut held = slots(&system, slow).await?;
        assert!(!is_free(&system, "one-more.evil.example").await);
        assert!(is_free(&system, "vendor.example").await);
        held.pop();
        assert!(is_free(&system, "one-more.evil.example").await);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn all_slots_together_are_limited() -> io::Result<()> {
        let system = System::new();
        let held = slots(
            &system,
            (0..MAX_LOOKUPS).map(|nth| format!("v{nth}.example")),
        )
        .await?;
        assert!(!is_free(&system, "vendor.example").await);
        drop(held);
        assert!(is_free(&system, "vendor.example").await);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn domains_without_a_look_up_are_forgotten() -> io::Result<()> {
        let system = System::new();
        for nth in 0..3 * MAX_DOMAINS {
            system.acquire_slot(&format!("v{nth}.example")).await?;
        }
        let kept = system.domains.lock().map(|domains| domains.len());
        assert!(kept.is_ok_and(|kept| kept <= MAX_DOMAINS));
        Ok(())
    }

    #[tokio::test]
    async fn the_system_is_asked() -> io::Result<()> {
        let found = System::new().resolve("localhost").await?;
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        Ok(())
    }
}
