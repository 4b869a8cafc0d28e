//! Real servers: Redis and Valkey, with replicas, Sentinels and clusters, each in a folder of its own. They end with the test's process.
//!
//! `REDIS_SERVER` names another place than Debian's, and `VALKEY_SERVER` a server that is tested as well.
#![expect(
    clippy::disallowed_methods,
    reason = "a server starts before a test's runtime goes on"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::database_process::{Process, START_TIMEOUT, folder, free_port, next_number};

/// The settings with which a server loses nothing that it has acknowledged.
pub const DURABLE: &str = "appendonly yes\nappendfsync always\nmaxmemory-policy noeviction\n";

/// Returns the program of Redis. `None`, and a printed line, if it isn't installed.
pub fn redis() -> Option<PathBuf> {
    let path = std::env::var_os("REDIS_SERVER").map(PathBuf::from);
    let path = path.unwrap_or_else(|| PathBuf::from("/usr/bin/redis-server"));
    if path.exists() {
        return Some(path);
    }
    println!("skipped: Redis isn't installed, and REDIS_SERVER isn't set");
    None
}

/// Returns the program of Valkey. `None`, and a printed line, if `VALKEY_SERVER` isn't set.
pub fn valkey() -> Option<PathBuf> {
    let path = std::env::var_os("VALKEY_SERVER").map(PathBuf::from);
    if path.is_none() {
        println!("skipped: VALKEY_SERVER isn't set");
    }
    path
}

/// An answer of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Nil,
    Int(i64),
    Bytes(Vec<u8>),
    Array(Vec<Self>),
    Error(String),
}

impl Answer {
    /// Returns the text of an answer, in which the items of an array are separated by spaces.
    pub fn text(&self) -> String {
        match self {
            Self::Nil => String::new(),
            Self::Int(number) => number.to_string(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(Self::text).collect();
                items.join(" ")
            }
            Self::Error(error) => format!("error: {error}"),
        }
    }

    /// Returns all bytes of an answer.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Array(items) => items
                .iter()
                .flat_map(|item| [item.bytes(), b"\n".to_vec()].concat())
                .collect(),
            other => other.text().into_bytes(),
        }
    }
}

/// A connection to a server (the protocol RESP 2).
#[derive(Debug)]
pub struct Session(BufReader<TcpStream>);

impl Session {
    /// Connects to a server. `None` if nothing listens at the port.
    pub fn open(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Some(Self(BufReader::new(stream)))
    }

    /// Sends a command, and returns the answer.
    pub fn ask(&mut self, command: &[&str]) -> Answer {
        self.try_ask(command).expect("the server answers")
    }

    fn try_ask(&mut self, command: &[&str]) -> Option<Answer> {
        let mut text = format!("*{}\r\n", command.len()).into_bytes();
        for part in command {
            text.extend(format!("${}\r\n{part}\r\n", part.len()).into_bytes());
        }
        self.0.get_mut().write_all(&text).ok()?;
        self.read()
    }

    /// Reads the next answer.
    pub fn read(&mut self) -> Option<Answer> {
        let mut line = String::new();
        self.0
            .read_line(&mut line)
            .ok()
            .filter(|&length| length > 0)?;
        let line = line.trim_end();
        let (kind, rest) = line.split_at(1);
        Some(match kind {
            "+" => Answer::Bytes(rest.as_bytes().to_vec()),
            "-" => Answer::Error(rest.to_owned()),
            ":" => Answer::Int(rest.parse().unwrap()),
            "$" | "*" if rest == "-1" => Answer::Nil,
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut bytes).ok()?;
                bytes.truncate(bytes.len() - 2);
                Answer::Bytes(bytes)
            }
            "*" => {
                let items = (0..rest.parse::<usize>().unwrap()).map(|_| self.read());
                Answer::Array(items.collect::<Option<_>>()?)
            }
            other => panic!("an answer that begins with {other}"),
        })
    }
}

/// A server.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    /// The folder of its data and its log.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The password that `ask` uses.
    pub password: Option<String>,
    process: Option<Process>,
    pid: i32,
}

impl Server {
    /// Starts Redis with these lines in its configuration. `None` if it isn't installed.
    pub fn start(settings: &str) -> Option<Self> {
        Some(Self::start_with(&redis()?, settings))
    }

    /// Starts the server of a program.
    pub fn start_with(program: &Path, settings: &str) -> Self {
        let mut server = Self {
            program: program.to_owned(),
            folder: folder("redis"),
            port: free_port(),
            password: settings
                .lines()
                .find_map(|line| line.strip_prefix("requirepass "))
                .map(str::to_owned),
            process: None,
            pid: 0,
        };
        // The test's user may not be the server's, and both write here.
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&server.folder, fs::Permissions::from_mode(0o777)).unwrap();
        let all = format!(
            "bind 127.0.0.1\ndaemonize no\nprotected-mode no\nlogfile \"\"\nsave \"\"\nrepl-diskless-sync-delay 0\n{settings}\n"
        );
        server.write("settings.conf", &all);
        server.run();
        server
    }

    /// Writes a file that the server can read and write, next to its data.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        path
    }

    /// Adds lines to the configuration, which are read at the next start.
    pub fn configure(&self, settings: &str) {
        let path = self.folder.join("settings.conf");
        let before = fs::read_to_string(&path).unwrap();
        self.write("settings.conf", &format!("{before}{settings}\n"));
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Starts the server again, and waits until it has loaded its data.
    pub fn run(&mut self) {
        let began = Instant::now();
        loop {
            let (program, folder) = (self.program.display(), self.folder.display());
            let command = format!(
                "exec {program} {folder}/settings.conf --port {} --dir {folder}",
                self.port
            );
            self.process = Some(Process::start(&command, &self.folder.join("log")));
            let attempt = Instant::now();
            while attempt.elapsed() < Duration::from_secs(20) {
                if let Some(pid) = self.pid_if_ready() {
                    self.pid = pid;
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(
                began.elapsed() < START_TIMEOUT,
                "the server doesn't start: {}",
                self.log()
            );
            // Another process has taken the port.
            self.process = None;
            self.port = free_port();
        }
    }

    fn pid_if_ready(&self) -> Option<i32> {
        let mut session = self.try_session()?;
        let info = session.try_ask(&["INFO"])?.text();
        // Another server could have taken the port.
        let is_own = info.contains(&format!(
            "config_file:{}",
            self.folder.join("settings.conf").display()
        ));
        match is_own && field(&info, "loading") == "0" {
            true => field(&info, "process_id").parse().ok(),
            false => None,
        }
    }

    fn try_session(&self) -> Option<Session> {
        let mut session = Session::open(self.port)?;
        if let Some(password) = &self.password {
            session.try_ask(&["AUTH", password])?;
        }
        Some(session)
    }

    /// Connects to the server.
    pub fn session(&self) -> Session {
        self.try_session().expect("the server listens")
    }

    /// Sends a command, and returns the answer.
    pub fn ask(&self, command: &[&str]) -> Answer {
        self.session().ask(command)
    }

    /// Sends a command, and fails if the answer is an error.
    pub fn set(&self, command: &[&str]) -> String {
        let answer = self.ask(command);
        assert!(
            !matches!(answer, Answer::Error(_)),
            "{command:?}: {answer:?}"
        );
        answer.text()
    }

    /// Returns a field of `INFO`.
    pub fn info(&self, name: &str) -> String {
        field(&self.set(&["INFO", "everything"]), name).to_owned()
    }

    /// Returns the number of times that a command was run.
    pub fn calls(&self, command: &str) -> u64 {
        let counts = self.info(&format!("cmdstat_{command}"));
        let calls = counts
            .split(',')
            .find_map(|part| part.strip_prefix("calls="));
        calls.map_or(0, |calls| calls.parse().unwrap())
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid).unwrap(), signal).unwrap();
    }

    /// Ends the server like a crash of the machine, except that the operating system goes on.
    pub fn crash(&mut self) {
        self.signal(Signal::KILL);
        self.process = None;
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts a replica with these lines in its configuration, and waits until it has the data.
    pub fn replica(&self, settings: &str) -> Self {
        let settings = format!("replicaof 127.0.0.1 {}\n{settings}", self.port);
        let replica = Self::start_with(&self.program, &settings);
        let began = Instant::now();
        while replica.info("master_link_status") != "up" {
            assert!(
                began.elapsed() < START_TIMEOUT,
                "the replica doesn't connect: {}",
                replica.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        replica
    }

    /// Waits until a replica has everything that this server has written.
    pub fn wait_for(&self, replica: &Self) {
        let began = Instant::now();
        while replica.info("slave_repl_offset") != self.info("master_repl_offset") {
            assert!(began.elapsed() < START_TIMEOUT, "the replica lags behind");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let (Some(_), Some(pid)) = (&self.process, Pid::from_raw(self.pid)) {
            // It may have been stopped by a signal.
            let _ = kill_process(pid, Signal::KILL);
        }
        self.process = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    let value = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map_or("", str::trim)
}

/// Returns the server that tests share which don't stop it. `None` if Redis isn't installed.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(DURABLE)).as_ref()
}

/// Returns a prefix of names that no other test uses.
pub fn prefix() -> String {
    format!("t{}", next_number())
}

/// A Sentinel, which promotes a replica a second after its primary is gone.
#[derive(Debug)]
pub struct Sentinel {
    folder: PathBuf,
    port: u16,
    _process: Process,
}

impl Server {
    /// Starts a Sentinel for this server and its replicas.
    pub fn sentinel(&self) -> Sentinel {
        let (folder, port) = (folder("sentinel"), free_port());
        let settings = format!(
            "bind 127.0.0.1\nport {port}\nprotected-mode no\nsentinel monitor group 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds group 1000\nsentinel failover-timeout group 5000\n",
            self.port
        );
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("settings.conf");
        fs::write(&path, settings).unwrap();
        // Sentinel writes to its configuration.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let command = format!(
            "exec {} {} --sentinel",
            self.program.display(),
            path.display()
        );
        let process = Process::start(&command, &folder.join("log"));
        Sentinel {
            folder,
            port,
            _process: process,
        }
    }
}

impl Sentinel {
    /// Waits until it knows a replica.
    pub fn wait_for_replica(&self) {
        let began = Instant::now();
        loop {
            let replicas = Session::open(self.port)
                .and_then(|mut session| session.try_ask(&["SENTINEL", "REPLICAS", "group"]));
            if replicas.is_some_and(|replicas| replicas.text().contains("slave-priority")) {
                return;
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < START_TIMEOUT,
                "Sentinel finds no replica: {log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The nodes of a cluster, of which the first have the slots, and the others are replicas of the first, in the same order.
#[derive(Debug)]
pub struct Cluster {
    pub nodes: Vec<Server>,
    primaries: usize,
}

impl Cluster {
    /// Starts a cluster, each node of which has these lines in its configuration, and waits until it can be used. A replica is promoted two
    /// seconds after its primary is gone.
    pub fn start(program: &Path, primaries: usize, replicas: usize, settings: &str) -> Self {
        Self::start_each(program, primaries, replicas, || settings.to_owned())
    }

    /// Starts a cluster with these lines for each node. See [`start`](Self::start).
    pub fn start_each(
        program: &Path,
        primaries: usize,
        replicas: usize,
        settings: impl Fn() -> String,
    ) -> Self {
        let mut cluster = Self {
            nodes: Vec::new(),
            primaries,
        };
        let mut buses = Vec::new();
        for _ in 0..primaries + replicas {
            // The default, which is 10000 more than the port, may be the port of another server.
            let bus = free_port();
            let settings = format!(
                "{}cluster-enabled yes\ncluster-node-timeout 2000\ncluster-port {bus}\n",
                settings()
            );
            cluster.nodes.push(Server::start_with(program, &settings));
            buses.push(bus.to_string());
        }
        let first = &cluster.nodes[0];
        for (node, bus) in cluster.nodes.iter().zip(&buses).skip(1) {
            first.set(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]);
        }
        for (index, node) in cluster.nodes.iter().take(primaries).enumerate() {
            let begin = 16384 * index / primaries;
            let end = 16384 * (index + 1) / primaries - 1;
            node.set(&[
                "CLUSTER",
                "ADDSLOTSRANGE",
                &begin.to_string(),
                &end.to_string(),
            ]);
        }
        let all = cluster.nodes.len();
        cluster.wait(|node| node.set(&["CLUSTER", "NODES"]).lines().count() == all);
        for (index, replica) in cluster.nodes.iter().skip(primaries).enumerate() {
            let primary = cluster.nodes[index].set(&["CLUSTER", "MYID"]);
            let began = Instant::now();
            while let Answer::Error(error) = replica.ask(&["CLUSTER", "REPLICATE", &primary]) {
                assert!(began.elapsed() < START_TIMEOUT, "{error}");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        cluster.wait(|node| {
            node.set(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
                && (node.info("role") == "master" || node.info("master_link_status") == "up")
                && node.set(&["CLUSTER", "NODES"]).matches("slave").count() == replicas
        });
        cluster
    }

    fn wait(&self, is_ready: impl Fn(&Server) -> bool) {
        let began = Instant::now();
        while !self.nodes.iter().all(&is_ready) {
            assert!(began.elapsed() < START_TIMEOUT, "the cluster isn't ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the index of the primary that has the slot of a name, as that primary sees it.
    pub fn owner(&self, name: &str) -> usize {
        let owns = |node: &Server| {
            let mut session = node.try_session()?;
            let answer = session.try_ask(&["TYPE", name])?;
            (!matches!(answer, Answer::Error(_)) && node.info("role") == "master").then_some(())
        };
        let found = self.nodes.iter().position(|node| owns(node).is_some());
        found.expect("a primary has the slot")
    }

    /// Moves a slot with its names to another primary, one name after the other, as `redis-cli --cluster reshard` does it. When the names
    /// are moved, the slot belongs to the other primary after that time.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize, time: Duration) {
        let source = &self.nodes[from];
        self.begin_to_move(slot, from, to);
        loop {
            let number = slot.to_string();
            let Answer::Array(names) = source.ask(&["CLUSTER", "GETKEYSINSLOT", &number, "1"])
            else {
                panic!("the source doesn't list the names of the slot");
            };
            let Some(name) = names.first().map(Answer::text) else {
                break;
            };
            self.move_name(&name, from, to);
        }
        std::thread::sleep(time);
        self.end_move(slot, from, to);
    }

    /// Makes two primaries know that a slot is being moved. No name is moved yet.
    pub fn begin_to_move(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let id = |node: &Server| node.set(&["CLUSTER", "MYID"]);
        let (slot, source_id, target_id) = (slot.to_string(), id(source), id(target));
        target.set(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]);
        source.set(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]);
    }

    /// Moves a name of a slot that is being moved.
    pub fn move_name(&self, name: &str, from: usize, to: usize) {
        let port = self.nodes[to].port.to_string();
        self.nodes[from].set(&["MIGRATE", "127.0.0.1", &port, name, "0", "30000"]);
    }

    /// Makes all primaries know that a slot was moved.
    pub fn end_move(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let (slot, target_id) = (slot.to_string(), target.set(&["CLUSTER", "MYID"]));
        // The target first, so that no node has the slot of the other's view.
        for node in [target, source].into_iter().chain(&self.nodes) {
            if node.info("role") == "master" {
                node.set(&["CLUSTER", "SETSLOT", &slot, "NODE", &target_id]);
            }
        }
    }

    /// Returns the nodes that had slots at the start.
    pub fn primaries(&self) -> &[Server] {
        &self.nodes[..self.primaries]
    }
}
