//! Reads the config file again on SIGHUP, without losing a call.
//!
//! The new config applies to calls that begin after the reload, also on connections that are
//! already open. Calls that are under way keep the old config. A file with problems changes
//! nothing. The listener stays the same. The pool of connections to upstreams is kept if its
//! settings haven't changed.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::Host;
use crate::cli::Cli;
use crate::config::{self, Loaded, Purpose};
use crate::listen::Listen;
use crate::log::{self, LogFormat};
use crate::peers::Peers;
use crate::routes::Routes;
use crate::signals::Hangups;

/// The place of the config file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    /// The address that replaces the address in the file.
    listen: Option<Listen>,
}

impl ConfigFile {
    pub(crate) fn of(cli: Cli) -> Option<Self> {
        let listen = cli.listen;
        cli.config.map(|path| Self { path, listen })
    }
}

/// The senders that replace the routes of callers and of operators, and the certificate.
#[derive(Debug)]
pub(crate) struct Senders {
    pub(crate) peers: Peers,
    pub(crate) callers: watch::Sender<Routes>,
    pub(crate) tls: watch::Sender<Option<Arc<ServerConfig>>>,
    pub(crate) operators: watch::Sender<Routes>,
}

/// Replaces the routes on each SIGHUP. Signals that are received while the file is read cause a
/// single further reload.
///
/// The future may be dropped at any time. A file that is being read is then ignored.
pub(crate) async fn on_hangup(
    mut hangups: Hangups,
    file: Option<ConfigFile>,
    host: &mut Host,
    senders: Senders,
) -> Infallible {
    loop {
        hangups.next().await;
        match &file {
            Some(file) => reload(file, host, &senders).await,
            None => tracing::info!("the demo has no config to reload"),
        }
    }
}

async fn reload(file: &ConfigFile, host: &mut Host, senders: &Senders) {
    let (path, listen) = (file.path.clone(), host.listen.clone());
    let asked = listen.clone();
    let Loaded {
        config,
        summary,
        warnings,
        listen: asked_for,
    } = match spawn_blocking(move || config::load(&path, Some(asked), Purpose::Serve)).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => {
            // The problems are printed in the same way as at the start, with a line and a position
            // for each, unless each line of the log must be an object.
            match LogFormat::current() {
                LogFormat::Text => log::print(&error.to_string()),
                LogFormat::Json => {
                    for problem in error.to_string().lines() {
                        tracing::error!("{problem}");
                    }
                }
            }
            tracing::error!(
                "config not reloaded: the file has errors, and the old config stays in use"
            );
            return;
        }
        Err(error) => {
            tracing::error!(%error, "config not reloaded: the old config stays in use");
            return;
        }
    };
    if let Err(lost) = host.may_become(&config) {
        tracing::error!(
            "config not reloaded: {lost}; this change needs a restart, and the old config stays in use"
        );
        return;
    }
    if file.listen.is_none() && asked_for != listen {
        let bound = host.address.map(|address| address.to_string());
        let bound = bound.unwrap_or_else(|| listen.to_string());
        tracing::warn!(%asked_for, "a new `listen` needs a restart: still listening on {bound}");
    }
    if config.operator != host.asked_operator {
        tracing::warn!("a change of `operator.listen` needs a restart");
    }
    let (limits, format) = (config.peers, config.log);
    match host.routes(config).await {
        Ok(new) => {
            format.set();
            host.warn(warnings);
            senders.peers.set_limits(limits);
            senders.tls.send_replace(new.tls);
            let old = senders.callers.send_replace(new.callers);
            let old_operators = senders.operators.send_replace(new.operators);
            tracing::info!("config reloaded: {summary}");
            // Dropped only now, because freeing the memory may take some time, and calls no longer
            // wait for it.
            drop((old, old_operators));
        }
        Err(error) => tracing::error!(%error, "config not reloaded: the old config stays in use"),
    }
}
