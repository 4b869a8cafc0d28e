//! Connections in a SQLite file: by several handles, by several processes, killed in between.

mod caching;
mod child;
mod clock;
mod files;
mod killed;
mod processes;
mod rotation;
mod rules;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Extensions, Method};
use tower_passthrough::sqlite::{Keys, SqliteStore};
use tower_passthrough::{
    CallContext, Connection, ConnectionId, CredentialStore, Secret, StoreError,
};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";

/// A folder for one file of connections. Gone when it's dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sqlite-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("connections.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.file(), keys(&[KEY])).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The first one writes.
fn keys(texts: &[&str]) -> Keys {
    let mut keys = Keys::from_base64(&Secret::from(texts[0])).unwrap();
    for text in &texts[1..] {
        keys = keys.and_base64(&Secret::from(*text)).unwrap();
    }
    keys
}

fn id(id: &str) -> ConnectionId {
    ConnectionId::try_from(id).unwrap()
}

fn with_token(token: &str) -> Connection {
    Connection::new("crm").with("token", token)
}

fn token(connection: &Connection) -> String {
    let token = connection.credential().get("token").unwrap();
    String::from_utf8(token.expose().to_vec()).unwrap()
}

/// As a call asks.
async fn called(store: &SqliteStore, id: &ConnectionId) -> Result<Connection, StoreError> {
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    store.connection(id, cx).await
}
