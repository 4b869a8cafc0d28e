//! The tables, their migrations, and the checks of keys and of the server with which a store is opened.

use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use tower_passthrough::durable::Keys;

use crate::error::{DatabaseError, InternalError, PostgresStoreError};
use crate::pool::{Effect, Params, Pool};
use crate::statements::{self, in_schema};

/// The steps from each version of the tables to the next. A step is never changed, and new steps are added at the end.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/1.sql")];

/// The newest version of the tables that this crate knows.
const KNOWN: i32 = MIGRATIONS.len() as i32;

/// The number of the lock under which processes migrate one after the other: `tpws` in ASCII.
const LOCK: i64 = 0x7470_7773;

/// The oldest version of the server, for `xid8` and `pg_current_snapshot`.
const OLDEST_SERVER: i32 = 130_000;

/// The tasks of opening a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrations {
    /// Creates the schema and the tables, or migrates tables of an older version. The role needs `CREATE` on the database for the first
    /// time, and must own the tables to migrate them. If the tables are of the newest version, nothing is changed.
    #[default]
    Run,
    /// Changes nothing, and fails if the tables are missing or of an older version. For roles that may only read and write rows.
    Check,
}

/// Returns `true` if the name can be the name of the schema.
pub(crate) fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte == b'_' || byte.is_ascii_lowercase();
    let mut bytes = name.bytes();
    bytes.next().is_some_and(is_letter)
        && bytes.all(|byte| is_letter(byte) || byte.is_ascii_digit())
        && name.len() <= 63
        && !name.starts_with("pg_")
}

pub(crate) struct Schema<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) name: &'a str,
}

impl Schema<'_> {
    async fn read(&self, statement: &str, params: Params<'_>) -> Result<Vec<Row>, InternalError> {
        let sql = in_schema(statement, self.name);
        let time = self.pool.max_time();
        self.pool
            .query(Effect::Read, true, time, &sql, params)
            .await
    }

    async fn read_one(&self, statement: &str, params: Params<'_>) -> Result<Row, InternalError> {
        let rows = self.read(statement, params).await?;
        rows.into_iter().next().ok_or(InternalError::Unreadable)
    }

    /// Checks that the server can store texts exactly, and doesn't lose what it has committed.
    pub(crate) async fn check_server(
        &self,
        is_volatile_allowed: bool,
    ) -> Result<(), InternalError> {
        let row = self.read_one(statements::SETTINGS, &[]).await?;
        if row.try_get::<_, i32>(1)? < OLDEST_SERVER {
            return Err(PostgresStoreError::Unsupported("PostgreSQL 13 or later is needed").into());
        }
        let setting = |index| row.try_get::<_, &str>(index);
        if setting(2)? != "UTF8" {
            let what =
                "the database's encoding must be UTF8; create the database with `ENCODING 'UTF8'`";
            return Err(PostgresStoreError::Unsupported(what).into());
        }
        let has_standby = !setting(6)?.trim().is_empty();
        let lost = match (setting(3)?, setting(4)?, setting(5)?) {
            ("off", _, _) => Some("`fsync` is off"),
            (_, "off", _) => Some("`full_page_writes` is off"),
            (_, _, "off") => Some("`synchronous_commit` is off"),
            (_, _, "local") if has_standby => {
                Some("`synchronous_commit` is local, although there is a synchronous standby")
            }
            _ => None,
        };
        match lost {
            Some(what) if !is_volatile_allowed => Err(PostgresStoreError::NotDurable(what).into()),
            _ => Ok(()),
        }
    }

    /// Migrates the tables if that's allowed, and checks that they can be used.
    pub(crate) async fn prepare(&self, migrations: Migrations) -> Result<(), InternalError> {
        let mut found = self.version().await?;
        if found < KNOWN && migrations == Migrations::Run {
            self.migrate().await?;
            found = self.version().await?;
        }
        if found < KNOWN {
            return Err(older(found));
        }
        self.check_privileges().await
    }

    /// Checks that the tables can be used, or may be created or migrated when the store is opened. Returns `true` if they are of the
    /// newest version. Nothing is changed.
    pub(crate) async fn check(&self, migrations: Migrations) -> Result<bool, InternalError> {
        let found = self.version().await?;
        match (found, migrations) {
            (KNOWN, _) => {
                self.check_privileges().await?;
                Ok(true)
            }
            (_, Migrations::Check) => Err(older(found)),
            (0, Migrations::Run) => {
                let params = [(&self.name as _, Type::TEXT)];
                let row = self.read_one(statements::MAY_CREATE, &params).await?;
                match row.try_get(1)? {
                    true => Ok(false),
                    false => Err(may_not_migrate().into()),
                }
            }
            (_, Migrations::Run) => Ok(false),
        }
    }

    async fn check_privileges(&self) -> Result<(), InternalError> {
        let row = self
            .read_one(statements::PRIVILEGES, &[(&self.name, Type::TEXT)])
            .await?;
        let may_use =
            row.try_get::<_, bool>(1)? && row.try_get::<_, Option<bool>>(2)? == Some(true);
        if !may_use {
            return Err(not_permitted().into());
        }
        Ok(())
    }

    /// Returns the version of the tables, or 0 if there are no tables. Nothing is written, so another program's tables aren't changed.
    async fn version(&self) -> Result<i32, InternalError> {
        let state = self
            .read_one(statements::STATE_OF_SCHEMA, &[(&self.name, Type::TEXT)])
            .await?;
        let (is_store, has_tables): (bool, bool) = (state.try_get(2)?, state.try_get(3)?);
        if !is_store {
            return match has_tables {
                true => Err(PostgresStoreError::NotAStore.into()),
                false => Ok(0),
            };
        }
        let row = self.read_one(statements::VERSION_OF_SCHEMA, &[]).await;
        let row = row.map_err(|error| match error {
            InternalError::Database(error) if error.is_privilege() => not_permitted().into(),
            error => error,
        })?;
        let found = row.try_get(1)?;
        if found > KNOWN {
            return Err(PostgresStoreError::NewerSchema {
                found,
                known: KNOWN,
            }
            .into());
        }
        Ok(found)
    }

    /// Runs the missing steps in a single transaction. If two processes do that at the same time, the second waits for the first.
    async fn migrate(&self) -> Result<(), InternalError> {
        let until = Instant::now() + self.pool.max_time();
        let mut guard = self.pool.get(true, until).await?;
        // If this is interrupted, the transaction must end.
        guard.discard();
        let migrated = timeout_at(until, self.migrate_with(guard.client()?)).await;
        let migrated = migrated.map_err(|_| DatabaseError::Timeout("the migration"))?;
        migrated.map_err(|error| match error {
            InternalError::Database(error) if error.is_privilege() => may_not_migrate().into(),
            error => error,
        })?;
        guard.keep();
        Ok(())
    }

    async fn migrate_with(&self, client: &Client) -> Result<(), InternalError> {
        client.batch_execute("BEGIN").await?;
        let lock = [(&LOCK as _, Type::INT8)];
        client
            .query_typed("SELECT pg_advisory_xact_lock($1)", &lock)
            .await?;
        let name = (&self.name as _, Type::TEXT);
        let state = client
            .query_typed(statements::STATE_OF_SCHEMA, &[name])
            .await?;
        let state = state.first().ok_or(InternalError::Unreadable)?;
        let (exists, is_store): (bool, bool) = (state.try_get(1)?, state.try_get(2)?);
        let found = if is_store {
            let version = in_schema(statements::VERSION_OF_SCHEMA, self.name);
            let rows = client.query_typed(&version, &[]).await?;
            rows.first().ok_or(InternalError::Unreadable)?.try_get(1)?
        } else {
            0
        };
        if !exists {
            client
                .batch_execute(&in_schema("CREATE SCHEMA {s}", self.name))
                .await?;
        }
        client
            .batch_execute(&in_schema("SET LOCAL search_path = {s}", self.name))
            .await?;
        let done = usize::try_from(found).map_err(|_| InternalError::Unreadable)?;
        for migration in MIGRATIONS.iter().skip(done) {
            client.batch_execute(migration).await?;
        }
        client.batch_execute("COMMIT").await?;
        Ok(())
    }

    /// Checks the proofs of all keys that encrypt records. Without the check, a missing key would only be found by the first call that
    /// needs it.
    pub(crate) async fn check_keys(&self, keys: &Keys) -> Result<(), InternalError> {
        for row in self.read(statements::KEYS, &[]).await? {
            let (id, proof): (Option<&[u8]>, Option<&[u8]>) = (row.try_get(1)?, row.try_get(2)?);
            if let (Some(id), Some(proof)) = (id, proof) {
                let checked = keys.check_proof(id, proof);
                checked.map_err(|_| PostgresStoreError::WrongKey)?;
            }
        }
        Ok(())
    }
}

fn older(found: i32) -> InternalError {
    PostgresStoreError::OlderSchema {
        found,
        known: KNOWN,
    }
    .into()
}

const fn may_not_migrate() -> PostgresStoreError {
    PostgresStoreError::NotPermitted(
        "the role may not create or migrate the tables; let a role do it that owns the tables, or that has CREATE on the database",
    )
}

const fn not_permitted() -> PostgresStoreError {
    PostgresStoreError::NotPermitted(
        "the role needs USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on all of its tables; use GRANT",
    )
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn only_names_that_need_no_care_are_names_of_schemas() {
        let longest = "a".repeat(63);
        for name in ["passthrough", "_a1", "order", &longest] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "a".repeat(64);
        for name in [
            "", "1a", "A", "a-b", "a\"b", "a b", "pg_a", "\u{e9}", &too_long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
