//! Real servers: PostgreSQL, standbys and pgbouncer, each in a folder of its own. They end with the
//! test's process.
//!
//! `POSTGRES_BIN` and `PGBOUNCER` name other places than Debian's.
#![expect(
    clippy::disallowed_methods,
    reason = "a server starts before a test's runtime goes on"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::database_process::{
    Process, START_TIMEOUT, as_user, folder, free_port, next_number, run,
};

/// Returns the folder of PostgreSQL's programs. `None`, and a printed line, if they aren't installed.
pub fn programs() -> Option<PathBuf> {
    let folder = installed();
    if folder.is_none() {
        println!("skipped: PostgreSQL isn't installed, and POSTGRES_BIN isn't set");
    }
    folder
}

fn installed() -> Option<PathBuf> {
    let folder = std::env::var_os("POSTGRES_BIN").map(PathBuf::from);
    let folder = folder.or_else(|| {
        let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .flatten()
            .collect();
        found.sort_by_key(fs::DirEntry::file_name);
        Some(found.pop()?.path().join("bin"))
    });
    folder.filter(|folder| folder.join("initdb").exists())
}

/// Returns a program for clients. Some distributions contain only the server.
fn client(programs: &Path, name: &str) -> Command {
    let path = Some(programs.join(name)).filter(|path| path.exists());
    let path = path.or_else(|| Some(installed()?.join(name)));
    Command::new(path.unwrap_or_else(|| PathBuf::from(name)))
}

/// A PostgreSQL server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    /// The folder of its data, its log and its socket.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    options: String,
    process: Option<Process>,
}

impl Server {
    /// Starts a server with more lines for its configuration. `None` if PostgreSQL isn't installed.
    pub fn start(settings: &str) -> Option<Self> {
        Some(Self::start_with(programs()?, settings))
    }

    /// Starts a server of the version in that folder.
    pub fn start_with(programs: PathBuf, settings: &str) -> Self {
        let folder = folder("server");
        let data = folder.join("data");
        run(as_user(Path::new("/bin/cp"))
            .arg("-R")
            .arg(template(&programs))
            .arg(&data));
        let mut server = Self {
            programs,
            folder,
            port: free_port(),
            options: String::new(),
            process: None,
        };
        server.configure(settings);
        server.run();
        server
    }

    /// Writes a file that only the server can read, next to its data.
    pub fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if rustix::process::getuid().is_root() {
            run(Command::new("chown").arg("nobody:nogroup").arg(&path));
        }
    }

    /// Makes the server read its configuration again.
    pub fn reload(&self) {
        self.control(&["reload"]);
    }

    /// Adds lines to the configuration.
    pub fn configure(&self, settings: &str) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
    }

    /// Returns the folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Starts the server again, and waits until it accepts connections.
    pub fn run(&mut self) {
        let (programs, folder) = (
            self.programs.display().to_string(),
            self.folder.display().to_string(),
        );
        let began = Instant::now();
        loop {
            let command = format!(
                "exec {programs}/postgres -D {folder}/data -k {folder} -p {} -c listen_addresses=127.0.0.1 {}",
                self.port, self.options
            );
            self.process = Some(Process::start(&command, &self.folder.join("log")));
            if self.is_ready_within(Duration::from_secs(20)) {
                return;
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

    fn is_ready_within(&self, time: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < time {
            let mut ready = client(&self.programs, "pg_isready");
            ready
                .args(["-q", "-h"])
                .arg(&self.folder)
                .arg("-p")
                .arg(self.port.to_string());
            if ready.status().unwrap().success() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = as_user(&self.programs.join("pg_ctl"));
        control
            .arg("-D")
            .arg(self.data())
            .args(arguments)
            .current_dir("/");
        run(&mut control);
    }

    /// Ends the server like a crash of the machine, except that the operating system goes on.
    pub fn crash(&mut self) {
        self.control(&["stop", "-m", "immediate"]);
        self.process = None;
    }

    /// Ends the server after the statements that are running.
    pub fn stop(&mut self) {
        self.control(&["stop", "-m", "fast"]);
        self.process = None;
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["promote", "-w"]);
    }

    /// Starts a standby of this server that replays its log.
    pub fn standby(&self) -> Self {
        let folder = folder("standby");
        let mut backup = as_user(&self.programs.join("pg_basebackup"));
        backup.args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-p",
        ]);
        backup
            .arg(self.port.to_string())
            .arg("-D")
            .arg(folder.join("data"));
        run(backup.current_dir("/"));
        let mut standby = Self {
            programs: self.programs.clone(),
            folder,
            port: free_port(),
            options: String::new(),
            process: None,
        };
        standby.run();
        standby
    }

    /// Runs statements as the superuser, each in its own transaction.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = client(&self.programs, "psql");
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-h",
        ]);
        psql.arg(&self.folder)
            .arg("-p")
            .arg(self.port.to_string())
            .args(["-d", database, "-c", statements]);
        run(&mut psql).trim_end().to_owned()
    }

    /// Returns a dump of a database.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let mut dump = client(&self.programs, "pg_dump");
        dump.args(["-U", "postgres", "-h"])
            .arg(&self.folder)
            .arg("-p")
            .arg(self.port.to_string())
            .arg(database);
        run(&mut dump).into_bytes()
    }

    /// Sends a signal to the server and to all of its processes.
    pub fn signal(&self, signal: Signal) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().trim();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        for pid in std::iter::once(pid).chain(children.split_whitespace()) {
            let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
            let _ = kill_process(pid, signal);
        }
    }

    /// Creates a database.
    pub fn database(&self) -> Database<'_> {
        let name = format!("d{}", next_number());
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database { server: self, name }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the data of a new server, which are created once.
fn template(programs: &Path) -> PathBuf {
    static TEMPLATES: Mutex<Vec<(PathBuf, PathBuf)>> = Mutex::new(Vec::new());
    let mut templates = TEMPLATES.lock().unwrap();
    let known = templates.iter().find(|(version, _)| version == programs);
    let data = known.map(|(_, data)| data.clone()).unwrap_or_else(|| {
        let data = folder("template").join("data");
        let mut initdb = as_user(&programs.join("initdb"));
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
        run(initdb.arg(&data).current_dir("/"));
        let settings = "shared_buffers = 16MB\nmax_connections = 80\nmax_wal_senders = 4\nmin_wal_size = 32MB\n\
            autovacuum_naptime = 10s\nlog_min_messages = fatal\nlog_statement = none\n";
        let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        data
    });
    templates.push((programs.to_owned(), data.clone()));
    data
}

/// Returns the server that tests share which don't stop it. `None` if PostgreSQL isn't installed.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED
        .get_or_init(|| Server::start("shared_preload_libraries = 'pg_stat_statements'"))
        .as_ref()
}

/// A database that one test uses.
#[derive(Debug)]
pub struct Database<'a> {
    /// Its server.
    pub server: &'a Server,
    /// Its name.
    pub name: String,
}

impl Database<'_> {
    /// Returns the URL of the database for the superuser.
    pub fn url(&self) -> String {
        self.url_of("postgres", self.server.port)
    }

    /// Returns the URL of the database for a user, at a port.
    pub fn url_of(&self, user: &str, port: u16) -> String {
        format!("postgres://{user}@127.0.0.1:{port}/{}", self.name)
    }

    /// Runs statements as the superuser, and returns what they print.
    pub fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }
}

/// A pgbouncer in transaction mode.
#[derive(Debug)]
pub struct Bouncer {
    folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    _process: Process,
}

impl Bouncer {
    /// Starts a pgbouncer before that port. `None`, and a printed line, if it isn't installed.
    pub fn start(server: u16) -> Option<Self> {
        let program = std::env::var_os("PGBOUNCER")
            .map_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"), PathBuf::from);
        if !program.exists() {
            println!("skipped: pgbouncer isn't installed, and PGBOUNCER isn't set");
            return None;
        }
        let folder = folder("bouncer");
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n"
        );
        fs::write(folder.join("settings.ini"), settings).unwrap();
        let command = format!(
            "exec {} {}/settings.ini",
            program.display(),
            folder.display()
        );
        let process = Process::start(&command, &folder.join("log"));
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < START_TIMEOUT,
                "pgbouncer doesn't start: {log}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self {
            folder,
            port,
            _process: process,
        })
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
