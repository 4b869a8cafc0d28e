//! The statements, each of which is a transaction of its own. `{s}` stands for the schema.
//!
//! The first column of statements that read is `true` if the server can't write: a standby, or an old primary. In those that write a connection and its lease, the lease is
//! locked first, so that two of them never wait for each other.

/// `$1` key, `$2` version of the cached connection.
pub(crate) const LOOK_UP: &str = "
    SELECT current_setting('transaction_read_only')::boolean, c.version, c.integration, c.key_id,
        CASE WHEN c.version = $2 THEN NULL ELSE c.sealed END
    FROM (SELECT 1) one LEFT JOIN {s}.connections c ON c.id = $1";

/// `$1` key.
pub(crate) const READ: &str = "
    SELECT current_setting('transaction_read_only')::boolean, c.version, c.integration, c.key_id, c.sealed, c.dead,
        (extract(epoch FROM c.refreshed_at) * 1000)::bigint
    FROM (SELECT 1) one LEFT JOIN {s}.connections c ON c.id = $1";

/// `$1` key after which the list begins, `$2` maximum number. A row has no key.
pub(crate) const LIST: &str = "
    SELECT current_setting('transaction_read_only')::boolean, NULL AS id, NULL AS integration, NULL AS dead
    UNION ALL (
        SELECT false, c.id, c.integration, c.dead FROM {s}.connections c
        WHERE c.id > $1 ORDER BY c.id LIMIT $2
    )";

/// `$1` key, `$2` integration, `$3` version, `$4` key id, `$5` sealed, `$6` proof of the key.
pub(crate) const PUT: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($4, $6) ON CONFLICT (id) DO NOTHING
    ), ended AS (
        UPDATE {s}.leases SET until = NULL WHERE id = $1 RETURNING 1
    ), logged AS (
        INSERT INTO {s}.changes (id) VALUES ($1)
    )
    INSERT INTO {s}.connections AS c (id, integration, version, key_id, sealed)
    SELECT $1, $2, $3, $4, $5 FROM (SELECT count(*) FROM ended) first
    ON CONFLICT (id) DO UPDATE SET integration = excluded.integration, version = excluded.version,
        key_id = excluded.key_id, sealed = excluded.sealed, dead = false, refreshed_at = NULL";

/// The parameters of [`PUT`], `$7` whether the grant is revoked, `$8` time of the last refresh in milliseconds since 1970.
pub(crate) const RESTORED_NEW: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($4, $6) ON CONFLICT (id) DO NOTHING
    ), locked AS (
        SELECT 1 FROM {s}.leases WHERE id = $1 FOR UPDATE
    ), written AS (
        INSERT INTO {s}.connections (id, integration, version, key_id, sealed, dead, refreshed_at)
        SELECT $1, $2, $3, $4, $5, $7, timestamptz 'epoch' + $8 * interval '1 millisecond'
        FROM (SELECT count(*) FROM locked) first
        ON CONFLICT (id) DO NOTHING RETURNING id
    ), ended AS (
        UPDATE {s}.leases SET until = NULL WHERE id IN (SELECT id FROM written)
    ), logged AS (
        INSERT INTO {s}.changes (id) SELECT id FROM written
    )
    SELECT 1 FROM written";

/// The parameters of [`RESTORED_NEW`], and `$9` the version that is replaced.
pub(crate) const RESTORED_OVER: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($4, $6) ON CONFLICT (id) DO NOTHING
    ), locked AS (
        SELECT 1 FROM {s}.leases WHERE id = $1 FOR UPDATE
    ), written AS (
        UPDATE {s}.connections SET integration = $2, version = $3, key_id = $4, sealed = $5,
            dead = $7, refreshed_at = timestamptz 'epoch' + $8 * interval '1 millisecond'
        WHERE id = $1 AND version = $9 AND (SELECT count(*) FROM locked) >= 0 RETURNING id
    ), ended AS (
        UPDATE {s}.leases SET until = NULL WHERE id IN (SELECT id FROM written)
    ), logged AS (
        INSERT INTO {s}.changes (id) SELECT id FROM written
    )
    SELECT 1 FROM written";

/// The parameters of [`PUT`], and `$7` the version that is replaced.
pub(crate) const REFRESHED: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($4, $6) ON CONFLICT (id) DO NOTHING
    ), written AS (
        UPDATE {s}.connections SET integration = $2, version = $3, key_id = $4, sealed = $5,
            dead = false, refreshed_at = clock_timestamp()
        WHERE id = $1 AND version = $7 RETURNING id
    ), logged AS (
        INSERT INTO {s}.changes (id) SELECT id FROM written
    )
    SELECT 1 FROM written";

/// `$1` key, `$2` version, `$3` fence.
pub(crate) const REVOKED: &str = "
    WITH newest AS (
        SELECT 1 FROM {s}.leases WHERE id = $1 AND fence = $3 AND until IS NOT NULL FOR SHARE
    ), written AS (
        UPDATE {s}.connections SET dead = true
        WHERE id = $1 AND version = $2 AND (SELECT count(*) FROM newest) = 1 RETURNING 1
    )
    SELECT 1 FROM written";

/// The parameters of [`REFRESHED`].
pub(crate) const REVIVED: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($4, $6) ON CONFLICT (id) DO NOTHING
    ), written AS (
        UPDATE {s}.connections SET version = $3, key_id = $4, sealed = $5, dead = false
        WHERE id = $1 AND integration = $2 AND version = $7 AND dead RETURNING id
    ), logged AS (
        INSERT INTO {s}.changes (id) SELECT id FROM written
    )
    SELECT 1 FROM written";

/// `$1` key.
pub(crate) const REMOVE: &str = "
    WITH ended AS (
        UPDATE {s}.leases SET until = NULL WHERE id = $1 RETURNING 1
    ), written AS (
        DELETE FROM {s}.connections WHERE id = $1 AND (SELECT count(*) FROM ended) >= 0 RETURNING id
    ), logged AS (
        INSERT INTO {s}.changes (id) SELECT id FROM written
    )
    SELECT 1 FROM written";

/// `$1` key, `$2` time in microseconds. A fence is at least the server's time in milliseconds, so that it also grows after the row of a
/// removed connection was deleted.
pub(crate) const LEASE: &str = "
    WITH found AS (
        SELECT id FROM {s}.connections WHERE id = $1
    ), given AS (
        INSERT INTO {s}.leases AS l (id, fence, until)
        SELECT id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
            clock_timestamp() + $2 * interval '1 microsecond' FROM found
        ON CONFLICT (id) DO UPDATE SET
            fence = greatest(l.fence + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
            until = clock_timestamp() + $2 * interval '1 microsecond'
        WHERE l.until IS NULL OR l.until <= clock_timestamp()
        RETURNING fence
    )
    SELECT (SELECT count(*) FROM found), (SELECT fence FROM given)";

/// `$1` key, `$2` fence, `$3` time in microseconds.
pub(crate) const EXTEND: &str = "
    UPDATE {s}.leases SET until = clock_timestamp() + $3 * interval '1 microsecond'
    WHERE id = $1 AND fence = $2 AND until > clock_timestamp() RETURNING 1";

/// `$1` key, `$2` fence.
pub(crate) const RELEASE: &str = "
    UPDATE {s}.leases SET until = clock_timestamp()
    WHERE id = $1 AND fence = $2 AND until > clock_timestamp()";

/// Returns the place up to which changes can be read.
pub(crate) const CURSOR: &str = "
    SELECT current_setting('transaction_read_only')::boolean, pg_current_snapshot()::text,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The columns of [`CURSOR`], and the keys that were written since `$1`, a snapshot: a transaction counts if it wasn't visible then and
/// is visible now. `$2` is the maximum number of keys.
pub(crate) const CHANGES: &str = "
    SELECT current_setting('transaction_read_only')::boolean, pg_current_snapshot()::text,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        ARRAY(
            SELECT c.id FROM {s}.changes c
            WHERE c.tx >= pg_snapshot_xmin($1::pg_snapshot)
                AND NOT pg_visible_in_snapshot(c.tx, $1::pg_snapshot)
            LIMIT $2
        )";

/// Deletes what no process needs any more. A mark is a time at which all transactions before `horizon` had ended, so each process that has
/// read the changes after that time has seen them. A process that hasn't read for 30 minutes forgets its whole cache.
pub(crate) const SWEEP: &str = "
    WITH old AS (
        SELECT max(horizon::text::numeric)::text::xid8 AS horizon FROM {s}.marks
        WHERE at < clock_timestamp() - interval '1 hour'
    ), swept AS (
        DELETE FROM {s}.changes WHERE tx < (SELECT horizon FROM old)
    ), unmarked AS (
        DELETE FROM {s}.marks WHERE horizon < (SELECT horizon FROM old)
    ), unleased AS (
        DELETE FROM {s}.leases l
        WHERE coalesce(l.until, '-infinity') < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT 1 FROM {s}.connections c WHERE c.id = l.id)
    )
    INSERT INTO {s}.marks (at, horizon) VALUES (clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot()))";

/// `$1` key after which the batch begins, `$2` id of the current key, `$3` maximum number. A row has no key.
pub(crate) const OLD_RECORDS: &str = "
    SELECT current_setting('transaction_read_only')::boolean, NULL AS id, NULL AS integration, NULL::bigint AS version,
        NULL::bytea AS key_id, NULL::bytea AS sealed
    UNION ALL (
        SELECT false, c.id, c.integration, c.version, c.key_id, c.sealed FROM {s}.keys k
        CROSS JOIN LATERAL (
            SELECT * FROM {s}.connections WHERE key_id = k.id AND id > $1 ORDER BY id LIMIT $3
        ) c
        WHERE k.id <> $2 ORDER BY c.id LIMIT $3
    )";

/// `$1` id and `$2` proof of the current key; arrays of `$3` keys, `$4` versions, `$5` old key ids, `$6` new records.
pub(crate) const REENCRYPTED: &str = "
    WITH known AS (
        INSERT INTO {s}.keys (id, proof) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING
    )
    UPDATE {s}.connections c SET key_id = $1, sealed = n.sealed
    FROM unnest($3, $4, $5, $6) AS n (id, version, key_id, sealed)
    WHERE c.id = n.id AND c.version = n.version AND c.key_id = n.key_id RETURNING 1";

/// `$1` id of the current key.
pub(crate) const FORGET_KEYS: &str = "
    DELETE FROM {s}.keys k WHERE k.id <> $1
        AND NOT EXISTS (SELECT 1 FROM {s}.connections c WHERE c.key_id = k.id) RETURNING 1";

/// `$1` schema.
pub(crate) const STATE_OF_SCHEMA: &str = "
    SELECT current_setting('transaction_read_only')::boolean,
        EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1),
        EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = 'schema_version' AND c.relkind = 'r'),
        EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1)";

pub(crate) const VERSION_OF_SCHEMA: &str =
    "SELECT current_setting('transaction_read_only')::boolean, version FROM {s}.schema_version";

pub(crate) const KEYS: &str = "
    SELECT current_setting('transaction_read_only')::boolean, NULL::bytea AS id, NULL::bytea AS proof
    UNION ALL SELECT false, id, proof FROM {s}.keys";

/// `$1` schema. Returns `true` if the role may use the tables.
pub(crate) const PRIVILEGES: &str = "
    SELECT current_setting('transaction_read_only')::boolean, has_schema_privilege($1, 'USAGE'), (
        SELECT bool_and(
            has_table_privilege(c.oid, 'SELECT') AND (c.relname = 'schema_version'
                OR has_table_privilege(c.oid, 'INSERT')
                AND has_table_privilege(c.oid, 'DELETE')
                AND (c.relname IN ('keys', 'changes', 'marks') OR has_table_privilege(c.oid, 'UPDATE'))
            ))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind = 'r')";

/// `$1` schema. Returns `true` if the role may create the tables, and the schema if it's missing.
pub(crate) const MAY_CREATE: &str = "
    SELECT current_setting('transaction_read_only')::boolean, coalesce(
        (SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1),
        has_database_privilege(current_database(), 'CREATE'))";

pub(crate) const SETTINGS: &str = "
    SELECT current_setting('transaction_read_only')::boolean, current_setting('server_version_num')::int,
        current_setting('server_encoding'), current_setting('fsync'),
        current_setting('full_page_writes'), current_setting('synchronous_commit'),
        current_setting('synchronous_standby_names')";

/// Returns the statement for that schema, whose name has been checked.
pub(crate) fn in_schema(statement: &str, schema: &str) -> String {
    statement.replace("{s}", &format!("\"{schema}\""))
}

macro_rules! statements {
    ($($field:ident: $text:ident,)*) => {
        /// The statements for a schema.
        pub(crate) struct Statements {
            $(pub(crate) $field: String,)*
        }

        impl Statements {
            pub(crate) fn new(schema: &str) -> Self {
                Self { $($field: in_schema($text, schema),)* }
            }
        }
    };
}

statements! {
    look_up: LOOK_UP,
    read: READ,
    list: LIST,
    put: PUT,
    restored_new: RESTORED_NEW,
    restored_over: RESTORED_OVER,
    refreshed: REFRESHED,
    revoked: REVOKED,
    revived: REVIVED,
    remove: REMOVE,
    lease: LEASE,
    extend: EXTEND,
    release: RELEASE,
    cursor: CURSOR,
    changes: CHANGES,
    sweep: SWEEP,
    old_records: OLD_RECORDS,
    reencrypted: REENCRYPTED,
    forget_keys: FORGET_KEYS,
}
