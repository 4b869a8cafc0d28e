//! Name resolution. The host application can set the address of a name, and a resolver answers for
//! all other names.

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

/// Resolves names. The network policy checks the addresses on each new connection, cached or not.
///
/// The trait isn't a tower service, because it's called by `&self` and has no readiness. By default,
/// the transport uses the operating system's resolver.
pub trait Resolve: Send + Sync + 'static {
    /// Returns the addresses of `name`, best first.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if there are none. The caller gets `upstream-unreachable`, without the cause.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the time limit for opening a connection has passed or the
    /// caller disconnects.
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<R: Resolve + ?Sized> Resolve for $pointer<R> {
            fn resolve<'a>(
                &'a self,
                name: &'a str,
            ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
                R::resolve(self, name)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The addresses of a name, or the cause of a failed look-up.
pub(super) type Answer = Result<Arc<[IpAddr]>, Arc<io::Error>>;

/// The maximum number of addresses of a name that are used.
const MAX_ADDRESSES: usize = 64;

/// The settings of name resolution.
#[derive(Clone)]
pub(crate) struct Names {
    own: HashMap<Arc<str>, IpAddr>,
    /// The resolver, or `None` for the operating system's resolver.
    resolver: Option<Arc<dyn Resolve>>,
    lifetimes: Option<Lifetimes>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            own: HashMap::new(),
            resolver: None,
            lifetimes: None,
        }
    }

    pub(crate) fn answer(&mut self, name: &str, address: IpAddr) {
        // Names are looked up in the form that `Host::parse_configured` returns. An invalid name is ignored,
        // because it's never looked up.
        if let Some(Host::Name(name)) = Host::parse_configured(name) {
            self.own.insert(name, address);
        }
    }

    pub(crate) fn ask(&mut self, resolver: impl Resolve) {
        self.resolver = Some(Arc::new(resolver));
    }

    pub(crate) fn cache(&mut self, positive: Duration, negative: Duration) {
        self.lifetimes = Some(Lifetimes { positive, negative });
    }

    /// Builds the resolver.
    pub(crate) fn into_look_ups(self) -> LookUps {
        let source = match (self.resolver, self.lifetimes) {
            // The host application's resolver knows the time to live of its answers, and can cache
            // the answers itself.
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

/// The resolver, and the names whose addresses the host application has set.
pub(crate) struct LookUps {
    own: HashMap<Arc<str>, IpAddr>,
    source: Source,
}

enum Source {
    EachTime(Arc<dyn Resolve>),
    Cached(Cache),
}

impl LookUps {
    /// Returns the address that the host application has set for `name`.
    pub(super) fn own(&self, name: &str) -> Option<IpAddr> {
        self.own.get(name).copied()
    }

    /// Returns the addresses of `name`, best first.
    ///
    /// # Cancel safety
    ///
    /// A look-up that other connections share continues.
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

/// Resolves `name`. An empty answer is a failure.
pub(super) async fn ask(resolver: &dyn Resolve, name: &str) -> Answer {
    let mut addresses = resolver.resolve(name).await?;
    if addresses.is_empty() {
        return Err(Arc::new(io::ErrorKind::NotFound.into()));
    }
    addresses.truncate(MAX_ADDRESSES);
    Ok(addresses.into())
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
