//! The same tests with a SQLite file.

use std::fs;
use std::path::{Path, PathBuf};

use tower_passthrough::store::{ConnectionKey, ConnectionStore as _};
use tower_passthrough::{Connection, Secret};
use tower_passthrough_sqlite::{Keys, SqliteStore};

use super::{
    connections, each_is_refreshed_once, only_the_rejected_is_refreshed, with_token, without_token,
};

const FILE_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A temporary folder, which is removed when the value is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("tenants-{}-{name}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    async fn store(&self, make: impl Fn(&str) -> Connection) -> SqliteStore {
        let keys = Keys::from_base64(&Secret::from(FILE_KEY)).unwrap();
        let store = SqliteStore::open(self.0.join("connections.db"), keys);
        let store = store.await.unwrap();
        for (key, connection) in connections(make) {
            let key = ConnectionKey::new(&key).unwrap();
            store.put(&key, &connection).await.unwrap();
        }
        store
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn tenants_share_no_refresh_over_sqlite() {
    let folder = Folder::new("first");
    each_is_refreshed_once(folder.store(without_token).await).await;
    let folder = Folder::new("rejected");
    only_the_rejected_is_refreshed(folder.store(with_token).await).await;
}
