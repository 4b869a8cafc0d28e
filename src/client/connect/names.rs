//! From a name to addresses: names that the host answers itself, and a resolver for all others.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{Cache, Lifetimes};
use super::system::System;
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

/// The addresses of one name, or why there are none.
pub(super) type Answer = Result<Arc<[IpAddr]>, Arc<io::Error>>;

/// The addresses that are kept of one name.
const KEPT: usize = 64;

/// How names are to be looked up.
#[derive(Clone)]
pub(in crate::client) struct Names {
    own: HashMap<Arc<str>, IpAddr>,
    /// `None`: the system's.
    resolver: Option<Arc<dyn Resolve>>,
    lifetimes: Option<Lifetimes>,
}

impl Names {
    pub(in crate::client) fn new() -> Self {
        Self {
            own: HashMap::new(),
            resolver: None,
            lifetimes: None,
        }
    }

    pub(in crate::client) fn answer(&mut self, name: &str, address: IpAddr) {
        // In the form in which hosts are compared; what is none is never asked for.
        if let Some(Host::Name(name)) = Host::parse(name) {
            self.own.insert(name, address);
        }
    }

    pub(in crate::client) fn ask(&mut self, resolver: impl Resolve) {
        self.resolver = Some(Arc::new(resolver));
    }

    pub(in crate::client) fn cache(&mut self, positive: Duration, negative: Duration) {
        self.lifetimes = Some(Lifetimes { positive, negative });
    }

    /// Ready to be asked.
    pub(in crate::client) fn into_look_ups(self) -> LookUps {
        let source = match (self.resolver, self.lifetimes) {
            // It knows how long its answers are good for, which can't be told from outside.
            (Some(resolver), None) => Source::EachTime(resolver),
            (Some(resolver), Some(lifetimes)) => Source::Cached(Cache::new(resolver, lifetimes)),
            (None, lifetimes) => {
                let lifetimes = lifetimes.unwrap_or_default();
                Source::Cached(Cache::new(Arc::new(System::new()), lifetimes))
            }
        };
        LookUps {
            own: self.own,
            source,
        }
    }
}

/// Looks names up.
pub(in crate::client) struct LookUps {
    own: HashMap<Arc<str>, IpAddr>,
    source: Source,
}

enum Source {
    EachTime(Arc<dyn Resolve>),
    Cached(Cache),
}

impl LookUps {
    /// What the host answers itself.
    pub(super) fn own(&self, name: &str) -> Option<IpAddr> {
        self.own.get(name).copied()
    }

    /// The addresses of a name, best first.
    ///
    /// # Cancel safety
    ///
    /// A look-up that others share goes on without the one that leaves.
    pub(super) async fn addresses(&self, name: &Arc<str>) -> Answer {
        if let Some(address) = self.own(name) {
            return Ok(Arc::from([address]));
        }
        match &self.source {
            Source::EachTime(resolver) => ask(&**resolver, name).await,
            Source::Cached(cache) => cache.addresses(name).await,
        }
    }
}

/// Asks a resolver. No addresses are a failure.
pub(super) async fn ask(resolver: &dyn Resolve, name: &str) -> Answer {
    let mut addresses = resolver.resolve(name).await?;
    if addresses.is_empty() {
        return Err(Arc::new(io::ErrorKind::NotFound.into()));
    }
    addresses.truncate(KEPT);
    Ok(addresses.into())
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
