//! A complete server around `tower-passthrough`, as an example to copy from.
//!
//! ```text
//! cargo run --release -p passthrough-gateway                       # a demo: prints curl lines
//! passthrough-gateway --config gateway.toml                        # real work
//! passthrough-gateway --config gateway.toml --check
//! ```
//!
//! `gateway.toml` in the package's folder contains every key. A good order to read the source code is: [`run`] and
//! [`Host::routes`] below, which put the library's parts together; `routes`, for the mount; `callers`, for the host
//! application's own authentication in front of the mount; `server` and `socket`, for the connections of callers;
//! `config`, for the file, and `reload`, for reading it again; `page`, for the page with the integrations; and `audit`,
//! `metrics` and `log`, for observation.
#![forbid(unsafe_code)]

mod addressing;
mod audit;
mod callers;
mod calls;
mod cli;
mod commands;
mod config;
mod demo;
mod descriptions;
mod descriptors;
mod hardening;
mod keys;
mod listen;
mod log;
mod metrics;
mod nearest;
mod newest;
mod page;
mod peers;
mod protocols;
mod rates;
mod readiness;
mod reload;
mod routes;
mod server;
mod signals;
mod socket;
mod store;
mod unread;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use http::uri::Scheme;
use metrics_exporter_prometheus::PrometheusHandle;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::upgrade::UpgradeTracker;
use tower_passthrough::{HttpTransport, PassthroughService};

use crate::callers::{API_KEY, Authentication, Callers};
use crate::calls::Calls;
use crate::cli::{Cli, Command};
use crate::config::{Config, Declared, Loaded, Purpose, Store, TransportKey};
use crate::descriptions::Descriptions;
use crate::listen::{Listen, Listener};
use crate::metrics::{Metrics, RateCounters, StoreGauges};
use crate::newest::{Current, Known};
use crate::page::Page;
use crate::peers::{PeerLimits, Peers};
use crate::rates::Rates;
use crate::readiness::Readiness;
use crate::reload::{ConfigFile, Senders};
use crate::routes::{Pages, Published, Routes};
use crate::server::Server;
use crate::signals::{Hangups, Signals};
use crate::store::{Connections, OpenError, Served};

/// The exit code for a wrong command line or config file.
const USAGE: u8 = 2;

/// The limits of the operators' connections.
const OPERATORS: PeerLimits = PeerLimits {
    total: Some(64),
    per_address: None,
    idle: Config::CALLER_IDLE,
    stalled: Config::IDLE_TIMEOUT,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start();
    hardening::keep_memory_private();
    descriptors::raise();
    let purpose = match cli.command {
        Some(_) => Purpose::Command,
        None => Purpose::Serve,
    };
    let loaded = match cli
        .config
        .as_deref()
        .map(|path| config::load(path, cli.listen.clone(), purpose))
    {
        None => None,
        Some(Ok(loaded)) => Some(loaded),
        Some(Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(USAGE);
        }
    };
    if let Some(loaded) = &loaded {
        loaded.config.log.set();
    }
    match &cli.command {
        Some(Command::Connections(command)) => return connections(command, loaded, &cli),
        Some(Command::Catalog(command)) => {
            let declared = loaded.map_or_else(Declared::bundled, |loaded| loaded.config.declared);
            return commands::catalog::main(command, &declared);
        }
        Some(Command::Store(cli::Store::Migrate)) => {
            let Some(loaded) = loaded else {
                eprintln!(
                    "store: add --config FILE, whose [store] says where the connections are stored"
                );
                return ExitCode::from(USAGE);
            };
            return commands::migrate(loaded.config.store);
        }
        None => {}
    }
    if let (Some(loaded), true) = (&loaded, cli.check) {
        log::warn(&loaded.warnings);
        return commands::check(&loaded.config.store, &loaded.config.limits, || {
            say(&format!("the config is good: {}", loaded.summary));
        });
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime can't be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        match loaded {
            Some(loaded) => run(loaded.config, loaded.warnings, ConfigFile::of(cli)).await,
            None => run(demo::start(cli.listen.clone()).await?, Vec::new(), None).await,
        }
    });
    // A reload that is under way may have started programs.
    config::end_programs();
    log::settle();
    // A DNS look-up that is under way blocks a thread, and must not delay the exit.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let usage = error.downcast_ref().is_some_and(OpenError::is_configs);
            if usage {
                ExitCode::from(USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Changes the connections of a persistent store, or verifies a connection of any store.
fn connections(command: &cli::Connections, loaded: Option<Loaded>, cli: &Cli) -> ExitCode {
    let (Some(loaded), Some(path)) = (loaded, &cli.config) else {
        eprintln!(
            "connections: add --config FILE, whose [store] says where the connections are stored"
        );
        return ExitCode::from(USAGE);
    };
    if let cli::Connections::Verify { id } = command {
        return commands::verify::main(id, loaded.config);
    }
    let Config {
        store, declared, ..
    } = loaded.config;
    match store {
        Store::File(_) => {
            eprintln!(
                "connections: there is no persistent [store] in {}: connections live in that file, \
                 as [connection.*]",
                path.display()
            );
            ExitCode::from(USAGE)
        }
        store => commands::main(command, &store, &declared),
    }
}

/// Serves until a signal is received. Without a config file, the demo is served.
async fn run(
    config: Config,
    warnings: Vec<String>,
    file: Option<ConfigFile>,
) -> Result<(), Box<dyn Error>> {
    // Bound first, because the network policy must know the listener: an upstream's name that resolves to this listener
    // would cause a loop.
    let mode = config.socket_mode;
    let listener = config.listen.bind(mode).await.map_err(|error| {
        format!(
            "can't listen on {}: {error}; choose another address with --listen",
            config.listen
        )
    })?;
    let for_operators = match &config.operator {
        Some(place) => Some(place.bind(mode).await.map_err(|error| {
            format!("can't listen on {place}: {error}; choose another address for [operator]")
        })?),
        None => None,
    };
    let operator = for_operators.as_ref().map(Listener::address);
    log::queue()?;
    let mut host = Host::of(&config)?;
    host.address = listener.address()?;
    host.operator = operator.transpose()?.flatten();
    let mut signals = Signals::new()?;
    let hangups = Hangups::new()?;
    let peers = Peers::new(config.peers);
    let AllRoutes {
        callers,
        tls,
        operators,
    } = host.routes(config).await?;
    let mut server = Server::new(callers, tls, peers.clone());
    // A flood of callers takes no place of operators, and operators take no more than these places.
    let mut operator = Server::new(operators, None, Peers::new(OPERATORS));
    let senders = Senders {
        peers,
        callers: server.routes(),
        tls: server.tls(),
        operators: operator.routes(),
    };
    host.warn(warnings);

    let scheme = if host.has_tls { "https" } else { "http" };
    let place = |address: Option<SocketAddr>, scheme: &str, asked: &Listen| match address {
        Some(address) => format!("{scheme}://{address}"),
        None => asked.to_string(),
    };
    let callers = place(host.address, scheme, &host.listen);
    say(&format!("listening on {callers}"));
    if let (Some(listener), Some(asked)) = (for_operators, &host.asked_operator) {
        let operators = place(host.operator, "http", asked);
        say(&format!("listening for operators on {operators}"));
        // It serves until the process ends, so that operators can watch a stop.
        tokio::spawn(async move { operator.accept(listener, std::future::pending()).await });
    }
    if let (None, Some(address)) = (&file, host.address) {
        say(&demo::curl_lines(address));
    }
    let readiness = host.readiness.clone();
    let stopped = async {
        signals.next().await;
        readiness.drain();
    };
    tokio::select! {
        () = server.accept(listener, stopped) => {}
        never = reload::on_hangup(hangups, file, &mut host, senders) => match never {},
    }
    // The limit is a limit for the whole stop. Refreshes are waited for last, because calls begin them.
    let mut limit = pin!(tokio::time::sleep(host.shutdown));
    server
        .drain(limit.as_mut(), &host.tunnels, signals.next())
        .await;
    let refreshed = tokio::select! {
        biased;
        () = host.refreshed() => true,
        () = limit => false,
        () = signals.next() => false,
    };
    if !refreshed {
        store::report_cut();
    }
    Ok(())
}

/// The parts that are kept when the config changes.
struct Host {
    /// The address that the config or the command line sets.
    listen: Listen,
    /// The address that the listener is bound to. `None` for a Unix socket.
    address: Option<SocketAddr>,
    /// `true` if callers use TLS.
    has_tls: bool,
    /// The address for operators in the config, and the address that is bound.
    asked_operator: Option<Listen>,
    operator: Option<SocketAddr>,
    readiness: Readiness,
    store_gauges: StoreGauges,
    rate_counters: RateCounters,
    recorded: PrometheusHandle,
    /// Tunnels. They aren't HTTP any more, so the server can't drain them.
    tunnels: UpgradeTracker,
    /// The maximum time that a stop takes.
    shutdown: Duration,
    /// The pool of connections to upstreams, and the settings that it was made with.
    transport: Option<(TransportKey, HttpTransport)>,
    /// The newest callers and connections, for tunnels that began before the last change.
    newest: Option<watch::Sender<Known>>,
    /// The current connections. `refreshes` contains the refreshes that earlier connections began.
    served: Option<Served>,
    refreshes: JoinSet<()>,
    /// The current service. The next service takes over its counts of calls and states of circuits.
    previous: Option<PassthroughService>,
    /// The counts of the rate that all replicas share.
    rates: Option<Rates>,
    /// The warnings of the last load.
    warnings: Vec<String>,
}

/// The routes of a config, and the certificate.
struct AllRoutes {
    callers: Routes,
    /// The certificate for callers.
    tls: Option<Arc<ServerConfig>>,
    operators: Routes,
}

impl Host {
    /// Returns the parts of a host that has no listeners and no service yet.
    fn of(config: &Config) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            listen: config.listen.clone(),
            address: None,
            has_tls: config.tls.is_some(),
            asked_operator: config.operator.clone(),
            operator: None,
            readiness: Readiness::new(),
            store_gauges: StoreGauges::default(),
            rate_counters: RateCounters::default(),
            recorded: metrics::start()?,
            tunnels: UpgradeTracker::new(),
            shutdown: config.shutdown,
            transport: None,
            newest: None,
            served: None,
            refreshes: JoinSet::new(),
            previous: None,
            rates: None,
            warnings: Vec::new(),
        })
    }

    /// Builds the routes that answer calls and operators, at the start and after each change of the config.
    ///
    /// # Errors
    ///
    /// If the store can't be opened, the server that counts rates isn't set correctly, TLS can't be set up, or the mount isn't
    /// a valid prefix. Nothing has changed in these cases.
    async fn routes(&mut self, config: Config) -> Result<AllRoutes, Box<dyn Error>> {
        let descriptions = Descriptions::of(&config);
        let connections = self.open(config.store).await?;
        let rates = match config.limits.rates_source() {
            Some(source) => Some(Rates::open(source, &connections, self.rates.as_ref())?),
            None => None,
        };
        let transport = match &self.transport {
            Some((key, transport)) if *key == config.transport_key => transport.clone(),
            _ => {
                let listeners = self.address.into_iter().chain(self.operator);
                let network = listeners.fold(config.network, NetworkPolicy::listener);
                config.transport.network(network).build()?
            }
        };
        self.transport = Some((config.transport_key, transport.clone()));
        self.shutdown = config.shutdown;
        let pool = transport.clone();

        let served = store::serve(
            connections.clone(),
            &config.declared,
            config.refresh,
            transport.clone(),
        );
        if let Some(old) = self.served.replace(served.clone()) {
            self.refreshes.spawn(store::idle(old));
        }
        while self.refreshes.try_join_next().is_some() {}
        self.readiness.set_store(connections.clone());
        self.store_gauges.set_store(connections.clone());
        let known = Known {
            callers: Arc::new(config.callers),
            connections,
        };
        let current = self.current(known, served);
        let places = config.declared.key_places;
        let authentication = Authentication::new(current.callers(), places);

        let mut passthrough =
            PassthroughService::builder(current.clone(), config.declared.integrations)
                .authorize(current)
                .caller_credentials([API_KEY])
                .transport(transport)
                .address_by(config.ways.addressing().clone())
                .path_encoding(config.path_encoding)
                .response_headers(config.response_headers)
                .response_head_timeout(config.response_head_timeout)
                .pass_forwarded(config.pass_forwarded)
                .reject_double_encoded_dots(config.reject_double_encoded_dots)
                .retry(config.retry)
                .trace_context(config.trace_context)
                .upgrade_tracker(self.tunnels.clone())
                .observe(audit::Observer {
                    has_log: config.access_log,
                });
        if let Some(limit) = config.request_body_limit {
            passthrough = passthrough.request_body_limit(limit);
        }
        if let Some(idle) = config.idle_timeout {
            passthrough = passthrough.idle_timeout(idle);
        }
        if let Some(idle) = config.stream_idle_timeout {
            passthrough = passthrough.stream_idle_timeout(idle);
        }
        if let Some(via) = &config.via {
            passthrough = passthrough.via(via)?;
        }
        if config.may_rewrite_links {
            passthrough = passthrough.rewrite_links(config.rewrite_links);
        }
        // Without a public URL, the addresses have the scheme of the listener.
        let names_https = config.rewrite_links && config.public_url.is_none();
        let scheme = Some(Scheme::HTTPS).filter(|_| names_https && config.tls.is_some());
        if let Some(url) = &config.public_url {
            passthrough = passthrough.public_url(url)?;
        }
        passthrough = passthrough.foreign_locations(config.foreign_locations);
        if let Some(url) = config.reauthorize_url {
            passthrough = passthrough.reauthorize_link(move |id, _| url.of(id.as_str()));
        }
        for name in config.strip_headers {
            passthrough = passthrough.strip_request_header(name);
        }
        for name in config.pass_headers {
            passthrough = passthrough.pass_request_header(name);
        }
        for origin in &config.websocket_origins {
            passthrough = passthrough.websocket_origin(origin)?;
        }
        if let Some(total) = config.total_timeout {
            passthrough = passthrough.total_timeout(total);
        }
        if let Some(grace) = config.upgrade_grace {
            passthrough = passthrough.upgrade_grace(grace);
        }
        passthrough = passthrough.pass_server_instructions(config.pass_server_instructions);
        self.rates.clone_from(&rates);
        let shared = rates.and_then(|rates| config.limits.shared_rate(rates));
        passthrough = config.limits.set(shared, passthrough);
        if let Some(circuit) = config.circuit {
            passthrough = passthrough.circuit(circuit);
        }
        // The counts of calls and the states of circuits must survive a reload.
        if let Some(previous) = &self.previous {
            passthrough = passthrough.share_limits_with(previous);
        }
        let passthrough = passthrough.build();
        self.previous = Some(passthrough.clone());
        self.rate_counters.set_service(passthrough.clone());
        let pages = Pages {
            metrics: Metrics::new(
                self.recorded.clone(),
                move || pool.pool_status(),
                self.store_gauges.clone(),
                self.rate_counters.clone(),
            ),
            readiness: self.readiness.clone(),
        };
        let published = match descriptions {
            Some(descriptions) => Some(Published {
                page: Page::new(&config.page_settings, &config.entries)?,
                descriptions,
            }),
            None => None,
        };
        // Operators have an address of their own, or the address of callers.
        let on_callers = pages.clone();
        let on_callers = self.asked_operator.is_none().then_some(on_callers);
        let calls = Calls::new(
            calls::Settings {
                mount: config.mount,
                ways: config.ways,
                authentication,
                logs_paths: config.log_paths,
                has_page: published.is_some(),
            },
            passthrough,
        )?;
        Ok(AllRoutes {
            callers: Routes::callers(calls, on_callers, published, scheme),
            tls: config.tls,
            operators: Routes::operators(pages),
        })
    }

    /// Opens the store of the config. Keeps the data of the previous store if the store is the same.
    async fn open(&self, store: Store) -> Result<Connections, OpenError> {
        let newest = self.newest.as_ref();
        let previous = newest.map(|newest| newest.borrow().connections.clone());
        Connections::open(store, previous.as_ref()).await
    }

    /// Waits until no token is being refreshed.
    async fn refreshed(&mut self) {
        if let Some(served) = self.served.take() {
            self.refreshes.spawn(store::idle(served));
        }
        while self.refreshes.join_next().await.is_some() {}
    }

    /// Checks that a running gateway may switch to that config. A gateway whose callers need a key is only opened to
    /// everybody by a restart.
    ///
    /// # Errors
    ///
    /// If callers would no longer need a key, or if they would have to use TLS, or no TLS, from now on.
    fn may_become(&self, config: &Config) -> Result<(), &'static str> {
        let has_keys = self
            .newest
            .as_ref()
            .is_some_and(|newest| newest.borrow().has_keys());
        if config.tls.is_some() != self.has_tls {
            return Err("[tls] can't be added or removed");
        }
        match config.callers {
            Callers::Anyone(_) if has_keys => Err("callers would no longer need a key"),
            _ => Ok(()),
        }
    }

    /// Logs settings that may not be intended. A warning is logged only once while its reason exists.
    fn warn(&mut self, warnings: Vec<String>) {
        let new = |warning: &&String| !self.warnings.contains(warning);
        log::warn(warnings.iter().filter(new));
        self.warnings = warnings;
    }

    /// Makes the callers and connections of this config the newest.
    fn current(&mut self, known: Known, served: Served) -> Current {
        let newest = match &self.newest {
            Some(newest) => {
                newest.send_replace(known.clone());
                newest.subscribe()
            }
            None => {
                let (sender, newest) = watch::channel(known.clone());
                self.newest = Some(sender);
                newest
            }
        };
        Current::new(known, served, newest)
    }
}

/// Prints a line on stdout at once. Errors are ignored, because the server must continue even if stdout is closed.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
