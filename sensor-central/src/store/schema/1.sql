CREATE TABLE tokens (
    id       TEXT NOT NULL PRIMARY KEY,
    tenant   TEXT NOT NULL,
    label    TEXT NOT NULL,
    hash     BLOB NOT NULL UNIQUE,   -- SHA-256 of the token
    created  INTEGER NOT NULL,       -- this and every other time: nanoseconds since the Unix epoch
    expires  INTEGER
) STRICT;
CREATE TABLE sensors (
    tenant     TEXT NOT NULL,
    sensor     TEXT NOT NULL,
    hostname   TEXT NOT NULL DEFAULT '',
    version    TEXT NOT NULL DEFAULT '',
    metadata   TEXT NOT NULL DEFAULT '{}',
    skew       INTEGER,              -- Central's clock less the sensor's
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (tenant, sensor)
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- in order of arrival, never used again
    tenant   TEXT NOT NULL,
    uuid     TEXT NOT NULL,
    sensor   TEXT NOT NULL,
    received INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    priority TEXT NOT NULL,
    policy   TEXT NOT NULL,
    host     TEXT NOT NULL,
    json     TEXT NOT NULL,
    UNIQUE (tenant, uuid)
) STRICT;
CREATE INDEX alerts_by_time ON alerts (tenant, time);
CREATE TABLE rows (
    id         INTEGER PRIMARY KEY,  -- in order of arrival
    tenant     TEXT NOT NULL,
    sensor     TEXT NOT NULL,
    received   INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    time       INTEGER NOT NULL,
    json       TEXT NOT NULL
) STRICT;
CREATE INDEX rows_by_time ON rows (tenant, table_name, time);
CREATE TABLE batches (
    tenant   TEXT NOT NULL,
    sensor   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    digest   BLOB NOT NULL,
    received INTEGER NOT NULL,
    reply    BLOB NOT NULL,
    PRIMARY KEY (tenant, sensor, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_arrival ON batches (received);
