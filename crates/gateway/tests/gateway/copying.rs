//! `connections copy --from OLD.toml`: from a config file to SQLite, to PostgreSQL and back, with what goes along.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use testkit::postgres::{Database, shared};
use testkit::process::binary::{Ended, run_with};
use testkit::process::canary::{self, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

/// The time of a refresh, in milliseconds since 1970.
const REFRESHED_AT: i64 = 1_700_000_000_123;

fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

/// A folder with the configs of several stores, each with a key of its own.
struct Stores {
    folder: Folder,
    config: Config,
    url: String,
}

impl Stores {
    fn new(vendor: &Vendor, database: Option<&Database<'_>>) -> Self {
        Self {
            folder: Folder::new(),
            config: Config::new(vendor),
            url: database.map(Database::url).unwrap_or_default(),
        }
    }

    /// Returns the config with this store.
    fn with(&self, lines: &str, key: &str) -> Config {
        let store = format!("[store]\n{lines}\nkey = {{ env = \"{key}\" }}\nstaleness = \"50ms\"");
        self.config.clone().table(&store)
    }

    fn sqlite(&self, name: &str, key: &str) -> Config {
        let url = format!("kind = \"sqlite\"\nurl = \"sqlite://{name}.db\"");
        self.with(&url, key)
    }

    fn postgres(&self, schema: &str, key: &str) -> Config {
        let url = "kind = \"postgres\"\nurl = { env = \"DATABASE\" }\nconnections = 1";
        self.with(&format!("{url}\nschema = \"{schema}\""), key)
    }

    /// Writes a config, and returns its path.
    fn write(&self, name: &str, config: &Config) -> String {
        let file = self
            .folder
            .write(&format!("{name}.toml"), config.to_string());
        file.to_str().unwrap().to_owned()
    }

    fn run(&self, file: &str, command: &[&str], stdin: &str) -> Ended {
        let (one, two, three) = (key(1), key(2), key(3));
        let variables = [
            ("ONE", &*one),
            ("TWO", &*two),
            ("THREE", &*three),
            ("DATABASE", &*self.url),
        ];
        let arguments = [&["--config", file, "connections"], command].concat();
        let ended = run_with(&arguments, &variables, stdin);
        for (name, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            canary::assert_absent(name, text);
            assert!(!text.contains("postgres://"), "{name}: {text}");
        }
        ended
    }

    /// Runs a command that succeeds, and compares what it prints.
    #[track_caller]
    fn prints(&self, file: &str, command: &[&str], printed: &str) -> Ended {
        let ended = self.run(file, command, "");
        assert_eq!(
            (ended.code, &*ended.stdout),
            (Some(0), printed),
            "{ended:?}"
        );
        ended
    }

    /// Runs a command that fails with that code and reason.
    #[track_caller]
    fn fails(&self, file: &str, command: &[&str], code: i32, why: &str) -> Ended {
        let ended = self.run(file, command, "");
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
        ended
    }

    #[track_caller]
    fn adds(&self, file: &str, id: &str, token: &str) {
        let add = ["add", id, "--integration", "v", "--replace"];
        let added = self.run(file, &add, &format!("token = \"{token}\""));
        assert_eq!(added.code, Some(0), "{added:?}");
    }

    fn open(&self, name: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path(&format!("{name}.db"))).unwrap()
    }
}

/// Returns the state and the time of the refresh of each connection, in the order of ids.
fn standing(sqlite: &rusqlite::Connection) -> Vec<(String, bool, Option<i64>)> {
    let query = "SELECT id, dead, refreshed_at FROM connections ORDER BY id";
    let mut statement = sqlite.prepare(query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn connections_move_from_a_file_to_sqlite_to_postgresql_and_back() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, Some(&database));
    let file = stores.write("file", &stores.config);
    let first = stores.write("first", &stores.sqlite("first", "ONE"));
    let second = stores.write("second", &stores.postgres("passthrough", "TWO"));
    let last_config = stores.sqlite("last", "THREE");
    let last = stores.write("last", &last_config);

    let from_file = stores.prints(
        &first,
        &["copy", "--from", &file],
        "copied 1 connection; 0 connections already there\n",
    );
    assert!(
        from_file.stderr.contains("aren't in its config file"),
        "{from_file:?}"
    );
    stores.adds(&first, "dead", "c4nary-dead");
    stores.adds(&first, "refreshed", "c4nary-new");
    let sqlite = stores.open("first");
    sqlite
        .execute_batch(&format!(
            "UPDATE connections SET dead = 1 WHERE id = 'dead';
             UPDATE connections SET refreshed_at = {REFRESHED_AT} WHERE id = 'refreshed'"
        ))
        .unwrap();
    let expected = [
        ("c".to_owned(), false, None),
        ("dead".to_owned(), true, None),
        ("refreshed".to_owned(), false, Some(REFRESHED_AT)),
    ];
    assert_eq!(standing(&sqlite), expected);
    let to_database = stores.prints(
        &second,
        &["copy", "--from", &first],
        "copied 3 connections; 0 connections already there\n",
    );
    assert!(
        to_database
            .stderr
            .contains("stop gateways on the old store"),
        "{to_database:?}"
    );
    let rows = "SELECT id, dead, (extract(epoch FROM refreshed_at) * 1000)::bigint FROM passthrough.connections ORDER BY id";
    assert_eq!(
        database.sql(rows),
        format!("c|f|\ndead|t|\nrefreshed|f|{REFRESHED_AT}")
    );
    for printed in [
        "copied 3 connections; 0 connections already there\n",
        // Nothing is left to do.
        "copied 0 connections; 3 connections already there\n",
    ] {
        stores.prints(&last, &["copy", "--from", &second], printed);
    }
    assert_eq!(standing(&stores.open("last")), expected);
    stores.prints(
        &last,
        &["list"],
        "c\tv\tlive\ndead\tv\treauthorize\nrefreshed\tv\tlive\n",
    );
    // The old store is as it was.
    assert_eq!(standing(&sqlite), expected);

    let three = key(3);
    let Stores { folder, .. } = stores;
    let gateway = Gateway::start_in(folder, &last_config, &[("THREE", &*three)]).await;
    for (id, token) in [("c", TOKEN), ("refreshed", "c4nary-new")] {
        assert_eq!(gateway.call(&format!("/{id}/x"), &[]).await.status(), 200);
        let received = vendor.next().await;
        let expected = format!("Bearer {token}");
        assert_eq!(received.head.value("authorization"), Some(&*expected));
    }
}

#[tokio::test]
async fn connections_are_replaced_only_with_replace_and_never_by_older_tokens() {
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, None);
    let old = stores.write("old", &stores.sqlite("old", "ONE"));
    let new = stores.write("new", &stores.sqlite("new", "TWO"));
    for (file, token) in [(&old, "c4nary-old"), (&new, "c4nary-other")] {
        stores.adds(file, "b", token);
    }
    stores.adds(&old, "a", "c4nary-a");
    let copy = ["copy", "--from", &old];
    let replace = ["copy", "--from", &old, "--replace", "b"];
    let all = "a\tv\tlive\nb\tv\tlive\n";
    let token = |store: &rusqlite::Connection| -> Vec<u8> {
        let sql = "SELECT sealed FROM connections WHERE id = 'b'";
        store.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let sqlite = stores.open("new");
    let before = token(&sqlite);
    let why = "not copied, because this store already has other connections with these ids: b; to replace them, add --replace b\n";
    // The others are copied.
    for printed in [
        "copied 1 connection; 0 connections already there\n",
        "copied 0 connections; 1 connection already there\n",
    ] {
        assert_eq!(stores.fails(&new, &copy, 1, why).stdout, printed);
        stores.prints(&new, &["list"], all);
    }
    // The name of another connection replaces nothing.
    let others = ["copy", "--from", &old, "--replace", "a"];
    stores.fails(&new, &others, 1, why);
    let unknown = ["copy", "--from", &old, "--replace", "b", "c"];
    let unknown_why = "--replace: the old store has no connection c";
    stores.fails(&new, &unknown, 2, unknown_why);

    sqlite
        .execute_batch(&format!(
            "UPDATE connections SET refreshed_at = {REFRESHED_AT} WHERE id = 'b'"
        ))
        .unwrap();
    let why =
        "not copied, because tokens were refreshed later in this store than in the old store: b\n";
    for command in [&copy[..], &replace] {
        stores.fails(&new, command, 1, why);
    }
    assert_eq!(token(&sqlite), before);
    let from = stores.open("old");
    from.execute_batch(&format!(
        "UPDATE connections SET refreshed_at = {REFRESHED_AT} + 1 WHERE id = 'b'"
    ))
    .unwrap();
    stores.prints(
        &new,
        &replace,
        "copied 1 connection; 1 connection already there\n",
    );
    let at = Some(REFRESHED_AT + 1);
    assert_eq!(
        standing(&sqlite),
        [("a".to_owned(), false, None), ("b".to_owned(), false, at)]
    );
    for command in [&copy[..], &replace] {
        stores.prints(
            &new,
            command,
            "copied 0 connections; 2 connections already there\n",
        );
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_loses_nothing_and_the_copy_goes_on() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, Some(&database));
    let old = stores.write("old", &stores.sqlite("old", "ONE"));
    let new = stores.write("new", &stores.postgres("passthrough", "TWO"));
    for id in ["a", "b", "c"] {
        stores.adds(&old, id, &format!("c4nary-{id}"));
    }
    stores.prints(&new, &["list"], "");
    database.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON passthrough.connections FOR EACH ROW WHEN (new.id = 'b') EXECUTE FUNCTION refuse()",
    );
    let copy = ["copy", "--from", &old];
    let why = "1 connection copied until then; the command can be repeated, and skips them";
    stores.fails(&new, &copy, 1, why);
    stores.prints(&new, &["list"], "a\tv\tlive\n");
    database.sql("DROP TRIGGER refuse ON passthrough.connections");
    stores.prints(
        &new,
        &copy,
        "copied 2 connections; 1 connection already there\n",
    );
}

#[tokio::test]
async fn a_store_that_changes_meanwhile_is_reported() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, Some(&database));
    let old = stores.write("old", &stores.postgres("old", "ONE"));
    let new = stores.write("new", &stores.postgres("new", "TWO"));
    for id in ["a", "b", "c", "d"] {
        stores.adds(&old, id, &format!("c4nary-{id}"));
    }
    // A record with another version.
    database.sql(
        "CREATE TABLE public.saved AS SELECT version, sealed FROM old.connections WHERE id = 'd'",
    );
    stores.adds(&old, "d", "c4nary-d1");
    let copy = ["copy", "--from", &old];
    stores.prints(
        &new,
        &copy,
        "copied 4 connections; 0 connections already there\n",
    );
    stores.adds(&old, "e", "c4nary-e");
    stores.adds(&old, "f", "c4nary-f");
    // Takes the place of a gateway that writes to the old store after its connections were read.
    database.sql(
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            DELETE FROM old.connections WHERE id = 'a';
            UPDATE old.connections SET dead = true WHERE id IN ('b', 'e');
            INSERT INTO old.connections (id, integration, version, key_id, sealed) SELECT 'bb', integration, version, key_id, sealed
                FROM old.connections WHERE id = 'c';
            UPDATE old.connections c SET version = s.version, sealed = s.sealed FROM public.saved s WHERE c.id = 'd';
            RETURN new; END $$;
         CREATE TRIGGER change BEFORE INSERT ON new.connections FOR EACH ROW WHEN (new.id = 'f') EXECUTE FUNCTION change()",
    );
    let why = "a process still uses the old store, and since its connections were read, it has changed b, d, e; added bb; removed a; \
               stop it, and run the command again with --replace b d e; \
               `connections remove` removes copies that aren't needed any more\n";
    let ended = stores.fails(&new, &copy, 1, why);
    assert_eq!(
        ended.stdout,
        "copied 2 connections; 4 connections already there\n"
    );
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_not_created() {
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, None);
    let old = stores.write("old", &stores.sqlite("old", "ONE"));
    let new = stores.write("new", &stores.sqlite("new", "TWO"));
    let copy = ["copy", "--from", &old];
    stores.fails(&new, &copy, 2, "there is no file at its `store.url`");
    assert!(!stores.folder.path("old.db").exists());
    stores.fails(
        &new,
        &["copy", "--from", "none.toml"],
        2,
        "none.toml: can't be read",
    );
    let wrong = stores.write("wrong", &stores.sqlite("old", "THREE"));
    stores.adds(&old, "a", "c4nary-a");
    stores.fails(
        &new,
        &["copy", "--from", &wrong],
        2,
        "neither `key` nor in `keys`",
    );
    // Integrations that the new config lacks are named.
    let other = stores
        .sqlite("new", "TWO")
        .to_string()
        .replace("[integration.v]", "[integration.w]");
    let other = other.replace("integration = \"v\"", "integration = \"w\"");
    let file = stores.folder.write("other.toml", other);
    let ended = stores.prints(
        file.to_str().unwrap(),
        &copy,
        "copied 1 connection; 0 connections already there\n",
    );
    assert!(
        ended
            .stderr
            .contains("the integration \"v\" of 1 connection"),
        "{ended:?}"
    );
}

/// Returns a file with these connections.
fn to_import(ids: &[&str]) -> String {
    let table = |id: &&str| {
        format!("[connection.{id}]\nintegration = \"v\"\nsecret = {{ token = \"c4nary-{id}\" }}\n")
    };
    ids.iter().map(table).collect()
}

#[tokio::test]
async fn an_import_that_fails_imports_nothing() {
    let vendor = Vendor::ok().await;
    let server = shared();
    let database = server.map(|server| server.database());
    let stores = Stores::new(&vendor, database.as_ref());
    let fails_and_goes_on = |file: &str, refuse: &dyn Fn(), allow: &dyn Fn()| {
        stores.adds(file, "b", "c4nary-old");
        refuse();
        let import = ["import", "-"];
        let table = to_import(&["a", "b", "c"]);
        let failed = stores.run(file, &import, &table);
        assert_eq!((failed.code, &*failed.stdout), (Some(1), ""), "{failed:?}");
        assert!(failed.stderr.contains("nothing was imported"), "{failed:?}");
        stores.prints(file, &["list"], "b\tv\tlive\n");
        allow();
        // The leases were released, so this doesn't wait.
        let imported = stores.run(file, &import, &table);
        assert_eq!(imported.stdout, "imported 3 connections\n", "{imported:?}");
    };
    let sqlite = stores.write("sqlite", &stores.sqlite("sqlite", "ONE"));
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON connections WHEN new.id = 'c'
        BEGIN SELECT raise(ABORT, 'no'); END";
    fails_and_goes_on(
        &sqlite,
        &|| stores.open("sqlite").execute_batch(trigger).unwrap(),
        &|| {
            stores
                .open("sqlite")
                .execute_batch("DROP TRIGGER refuse")
                .unwrap()
        },
    );
    let Some(database) = &database else {
        return;
    };
    let postgres = stores.write("postgres", &stores.postgres("passthrough", "TWO"));
    let trigger = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON passthrough.connections FOR EACH ROW WHEN (new.id = 'c') EXECUTE FUNCTION refuse()";
    fails_and_goes_on(&postgres, &|| drop(database.sql(trigger)), &|| {
        drop(database.sql("DROP TRIGGER refuse ON passthrough.connections"))
    });
}

/// Configuration management imports the same file again and again.
#[tokio::test]
async fn an_import_writes_only_what_differs() {
    let vendor = Vendor::ok().await;
    let stores = Stores::new(&vendor, None);
    let file = stores.write("sqlite", &stores.sqlite("sqlite", "ONE"));
    let import = |table: &str| {
        let imported = stores.run(&file, &["import", "-"], table);
        assert_eq!(imported.stdout, "imported 3 connections\n", "{imported:?}");
    };
    let table = to_import(&["a", "b", "c"]);
    import(&table);
    let sqlite = stores.open("sqlite");
    let versions = || -> Vec<(i64, Option<i64>)> {
        let query = "SELECT version, leased_until FROM connections ORDER BY id";
        let mut statement = sqlite.prepare(query).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    let first = versions();
    // A grant that was revoked is revived, although its connection is the same.
    sqlite
        .execute_batch("UPDATE connections SET dead = 1 WHERE id = 'c'")
        .unwrap();
    import(&table.replace("c4nary-a", "c4nary-new"));
    let second = versions();
    let is_written = first.iter().zip(&second);
    let is_written: Vec<_> = is_written.map(|(one, other)| one.0 != other.0).collect();
    assert_eq!(is_written, [true, false, true]);
    assert!(standing(&sqlite).iter().all(|(_, is_dead, _)| !is_dead));
    assert!(second.iter().all(|(_, until)| until.is_none()));
}
