-- When a sensor was heard of last, by the database's own clock (nanoseconds); null if that was before there was a look.
ALTER TABLE sensors ADD COLUMN heard INTEGER;
-- Records that it lost since it started, as it last told; and when that grew, or a row of its told of losses, by the same clock.
ALTER TABLE sensors ADD COLUMN losses REAL NOT NULL DEFAULT 0;
ALTER TABLE sensors ADD COLUMN lost_at INTEGER;
-- What is wrong with a sensor at the moment.
CREATE TABLE troubles (
    tenant TEXT NOT NULL,
    sensor TEXT NOT NULL,
    kind   TEXT NOT NULL,            -- silent, losing or tampered
    alert  BLOB NOT NULL,            -- the public id of the alert that tells of it; empty if none does
    since  INTEGER NOT NULL,         -- nanoseconds since the Unix epoch
    PRIMARY KEY (tenant, sensor, kind)
) STRICT, WITHOUT ROWID;
-- Who had gone silent before there was a look is no news.
INSERT INTO troubles (tenant, sensor, kind, alert, since)
SELECT tenant, sensor, 'silent', x'', last_seen FROM sensors
WHERE last_seen < (SELECT max(last_seen) FROM sensors) - 86400000000000;
