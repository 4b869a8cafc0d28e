//! The operating system's resolver, which runs on tokio's blocking threads, because a look-up blocks
//! its thread and can't be cancelled.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::names::Resolve;

/// The maximum number of look-ups at the same time. The maximum is smaller than tokio's number of
/// blocking threads, because the host application needs such threads as well.
const MAX_LOOKUPS: usize = 128;

/// The maximum number of look-ups at the same time for the names of a registrable domain. A domain also has at most as many look-ups as
/// are free at the moment, so the tenants who own a few domains with slow name servers can't use up all look-ups.
const MAX_LOOKUPS_PER_DOMAIN: usize = 32;

pub(super) struct System {
    lookups: Arc<Lookups>,
}

/// The look-ups in progress.
#[derive(Default)]
struct Lookups {
    counts: Mutex<Counts>,
    freed: Notify,
}

#[derive(Default)]
struct Counts {
    all: usize,
    /// The look-ups of each domain that has some.
    by_domain: HashMap<Box<str>, usize>,
}

/// Counts a look-up until it's dropped.
struct Slot {
    lookups: Arc<Lookups>,
    domain: Box<str>,
}

impl System {
    pub(super) fn new() -> Self {
        Self {
            lookups: Arc::default(),
        }
    }

    /// Waits until the name may be looked up.
    async fn acquire_slot(&self, name: &str) -> Slot {
        let domain = psl::domain_str(name).unwrap_or(name);
        loop {
            // Registered before the counts are read, so that no change is missed.
            let mut freed = pin!(self.lookups.freed.notified());
            freed.as_mut().enable();
            if let Some(slot) = self.lookups.try_acquire(domain) {
                return slot;
            }
            freed.await;
        }
    }
}

impl Lookups {
    fn try_acquire(self: &Arc<Self>, domain: &str) -> Option<Slot> {
        let mut counts = self.counts();
        let free = MAX_LOOKUPS.saturating_sub(counts.all);
        let own = counts.by_domain.get(domain).copied().unwrap_or(0);
        if own >= free.min(MAX_LOOKUPS_PER_DOMAIN) {
            return None;
        }
        counts.all += 1;
        *counts.by_domain.entry(domain.into()).or_default() += 1;
        Some(Slot {
            lookups: Arc::clone(self),
            domain: domain.into(),
        })
    }

    /// Locks the counts. Poisoning is ignored, because nothing panics while the lock is held.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.lookups.counts();
        counts.all = counts.all.saturating_sub(1);
        match counts.by_domain.get_mut(&self.domain) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                counts.by_domain.remove(&self.domain);
            }
        }
        drop(counts);
        self.lookups.freed.notify_waiters();
    }
}

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let slot = self.acquire_slot(name).await;
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

    async fn slots(system: &System, names: impl Iterator<Item = String>) -> Vec<Slot> {
        let mut slots = Vec::new();
        for name in names {
            slots.push(system.acquire_slot(&name).await);
        }
        slots
    }

    async fn is_free(system: &System, name: &str) -> bool {
        let slot = timeout(Duration::from_millis(1), system.acquire_slot(name)).await;
        slot.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_domain_never_holds_all_slots() {
        let system = System::new();
        let slow = (0..MAX_LOOKUPS_PER_DOMAIN).map(|nth| format!("n{nth}.evil.example"));
        let mut held = slots(&system, slow).await;
        assert!(!is_free(&system, "one-more.evil.example").await);
        assert!(is_free(&system, "vendor.example").await);
        held.pop();
        assert!(is_free(&system, "one-more.evil.example").await);
    }

    #[tokio::test(start_paused = true)]
    async fn x7_slow_domains_leave_look_ups_for_others() {
        let system = System::new();
        let mut held = Vec::new();
        for nth in 0..4 * MAX_LOOKUPS {
            let name = format!("n{nth}.evil{}.example", nth % 8);
            held.extend(
                system
                    .lookups
                    .try_acquire(psl::domain_str(&name).unwrap_or_default()),
            );
        }
        assert!(held.len() > MAX_LOOKUPS / 2);
        assert!(is_free(&system, "vendor.example").await);
    }

    #[tokio::test(start_paused = true)]
    async fn all_slots_together_are_limited() {
        let system = System::new();
        let names = (0..MAX_LOOKUPS).map(|nth| format!("v{nth}.example"));
        let held = slots(&system, names).await;
        assert!(!is_free(&system, "vendor.example").await);
        let mut waiting = pin!(system.acquire_slot("vendor.example"));
        assert!(
            timeout(Duration::from_millis(1), waiting.as_mut())
                .await
                .is_err()
        );
        drop(held);
        waiting.await;
        assert!(system.lookups.counts().by_domain.is_empty());
    }

    #[tokio::test]
    async fn the_system_is_asked() -> io::Result<()> {
        let found = System::new().resolve("localhost").await?;
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        Ok(())
    }
}
