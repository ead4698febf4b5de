-- What the public API tells of an alert and looks for: its id there, when it came in, how bad it is, since when it is closed.
ALTER TABLE alerts ADD COLUMN public_id BLOB NOT NULL DEFAULT x'';
-- Milliseconds since the Unix epoch. Greater with each transaction, whatever the clock does: who has seen all alerts of a
-- moment has seen all before it.
ALTER TABLE alerts ADD COLUMN raised INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN severity INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN closed INTEGER; -- nanoseconds; of an open one, null
DROP INDEX alerts_by_time;
CREATE INDEX alerts_by_arrival ON alerts (tenant, raised);
CREATE INDEX alerts_by_public_id ON alerts (public_id);
-- What was done about an alert.
CREATE TABLE actions (
    id        TEXT NOT NULL PRIMARY KEY,
    alert     INTEGER NOT NULL,
    action    TEXT NOT NULL,
    message   TEXT NOT NULL,
    client    TEXT NOT NULL,
    requested INTEGER NOT NULL
) STRICT;

-- Rows of note are events of the public API: of which type, and when they came in, as for alerts. Null for all others,
-- and for those that came in before there were events.
ALTER TABLE rows ADD COLUMN event TEXT;
ALTER TABLE rows ADD COLUMN raised INTEGER;
CREATE INDEX events_by_arrival ON rows (tenant, raised) WHERE raised IS NOT NULL;

-- Whose alerts these are.
CREATE TABLE tenants (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL DEFAULT '',
    partner      TEXT,
    organization TEXT,
    created      INTEGER NOT NULL
) STRICT;
INSERT INTO tenants (id, created) SELECT tenant, min(created) FROM tokens GROUP BY tenant;

-- Who may use the public API, and what they were given when they showed their secret.
CREATE TABLE clients (
    id      TEXT NOT NULL PRIMARY KEY,
    kind    TEXT NOT NULL,           -- tenant, partner or organization
    owner   TEXT NOT NULL,           -- its id
    role    TEXT NOT NULL,
    label   TEXT NOT NULL,
    hash    BLOB NOT NULL,           -- SHA-256 of the secret
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE TABLE sessions (
    hash    BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the token
    client  TEXT NOT NULL,
    use     TEXT NOT NULL,             -- access or refresh
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires);
