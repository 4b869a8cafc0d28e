-- The tables of version 1. They are created in the schema that is the first of the search path.
--
-- Keys are compared by their bytes. A version is random, so that a number is never used twice, not even after a fail-over to a standby
-- that lacks the last commits.
CREATE TABLE schema_version (
    one boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL
);
INSERT INTO schema_version (version) VALUES (1);

CREATE TABLE keys (
    id bytea NOT NULL PRIMARY KEY,
    proof bytea NOT NULL
);

CREATE TABLE connections (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    integration text NOT NULL,
    version bigint NOT NULL,
    dead boolean NOT NULL DEFAULT false,
    refreshed_at timestamptz,
    key_id bytea NOT NULL REFERENCES keys (id),
    sealed bytea NOT NULL
) WITH (fillfactor = 80);
-- For the replacement of keys. Refreshes don't change these columns, so they don't write to the index.
CREATE INDEX connections_key ON connections (key_id, id);
-- Encrypted data can't be compressed.
ALTER TABLE connections ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- Apart from the connections, because a row is small and written often. A row outlives its connection, so that fences grow.
-- `until` is NULL if the last lease was ended by a write of the connection.
CREATE TABLE leases (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    fence bigint NOT NULL,
    until timestamptz
) WITH (fillfactor = 50);

-- A row for each write of a connection, until each process has read it.
CREATE TABLE changes (
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id text COLLATE "C" NOT NULL
);
CREATE INDEX changes_tx ON changes (tx);

-- Times at which all transactions before `horizon` had ended, so that old changes can be deleted.
CREATE TABLE marks (
    at timestamptz NOT NULL,
    horizon xid8 NOT NULL
);
