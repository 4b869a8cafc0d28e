//! SIGHUP: the config file is read anew, without losing a call.
//!
//! What it says counts for calls that begin from then on, also on connections that are open; those
//! under way end as they began. A file that is at fault changes nothing. The listener stays, and so
//! does the pool of connections to vendors while what it's made of does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::Host;
use crate::cli::Cli;
use crate::config::{self, Loaded};
use crate::signals::Hangups;

/// Where the config comes from.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    /// In place of the file's own.
    listen: Option<SocketAddr>,
}

impl ConfigFile {
    pub(crate) fn of(cli: Cli) -> Option<Self> {
        let listen = cli.listen;
        cli.config.map(|path| Self { path, listen })
    }
}

/// Swaps the router on each SIGHUP, one after the other. Signals that come while the file is read
/// are one, after which it's read once more.
///
/// It may be dropped at any time: a file that is being read then counts for nothing.
pub(crate) async fn on_hangup(
    mut hangups: Hangups,
    file: Option<ConfigFile>,
    host: &mut Host,
    router: watch::Sender<Router>,
) -> Infallible {
    loop {
        hangups.next().await;
        match &file {
            Some(file) => reload(file, host, &router).await,
            None => tracing::info!("the demo has no config to read anew"),
        }
    }
}

async fn reload(file: &ConfigFile, host: &mut Host, router: &watch::Sender<Router>) {
    // Without a key only a listener on loopback will do: the one that there is, and not the one
    // that the file asks for.
    let (path, listen) = (file.path.clone(), host.listen);
    let Loaded {
        config,
        summary,
        warnings,
        listen: asked_for,
    } = match spawn_blocking(move || config::load(&path, Some(listen))).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => {
            // As at the start: line by line, each with its place.
            eprintln!("{error}");
            tracing::error!("config not reloaded: the file is at fault, and the old config stays");
            return;
        }
        Err(error) => {
            tracing::error!(%error, "config not reloaded: the old config stays");
            return;
        }
    };
    if let Err(lost) = host.may_become(&config) {
        tracing::error!(
            "config not reloaded: {lost}; that takes a restart, and the old config stays"
        );
        return;
    }
    if file.listen.is_none() && asked_for != listen {
        tracing::warn!(%asked_for, "`listen` takes a restart: still listening on {}", host.address);
    }
    match host.router(config).await {
        Ok(new) => {
            host.warn(warnings);
            let old = router.send_replace(new);
            tracing::info!("config reloaded: {summary}");
            // It may have much to free, and calls wait behind it no longer.
            drop(old);
        }
        Err(error) => tracing::error!(%error, "config not reloaded: the old config stays"),
    }
}
