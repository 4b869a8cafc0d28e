//! From a name to addresses: names that the host answers itself, and a resolver for all others.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::policy::Host;

/// Resolves a name. What it answers is judged on each new connection, cached or not.
///
/// The system's resolver is the default. A trait of its own rather than a tower service: it's
/// looked up by `&self`, and has no readiness.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `name`, best first.
    ///
    /// # Errors
    ///
    /// If there are none. The caller is told `upstream-unreachable`, and nothing of the cause.
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The system's look-ups that may run at once: fewer than tokio's threads for blocking work, which
/// the host app needs too.
const AT_ONCE: usize = 128;

/// The addresses that are tried of one name.
const TRIED: usize = 16;

#[derive(Clone)]
pub(in crate::client) struct Names {
    own: HashMap<Arc<str>, IpAddr>,
    resolver: Arc<dyn Resolve>,
}

impl Names {
    pub(in crate::client) fn new() -> Self {
        Self {
            own: HashMap::new(),
            resolver: Arc::new(System(Arc::new(Semaphore::new(AT_ONCE)))),
        }
    }

    pub(in crate::client) fn answer(&mut self, name: &str, address: IpAddr) {
        // In the form in which hosts are compared; what is none is never asked for.
        if let Some(Host::Name(name)) = Host::parse(name) {
            self.own.insert(name, address);
        }
    }

    pub(in crate::client) fn ask(&mut self, resolver: impl Resolve) {
        self.resolver = Arc::new(resolver);
    }

    pub(super) async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(address) = self.own.get(name) {
            return Ok(vec![*address]);
        }
        let mut addresses = self.resolver.resolve(name).await?;
        addresses.truncate(TRIED);
        Ok(addresses)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

/// The operating system's resolver, on tokio's threads for blocking work.
struct System(Arc<Semaphore>);

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let places = Arc::clone(&self.0);
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
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
