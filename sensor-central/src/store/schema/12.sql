-- Filters of the list of detections that people keep, each their own.
CREATE TABLE views (
    id      TEXT NOT NULL PRIMARY KEY,
    user    TEXT NOT NULL,           -- whose it is: their id
    name    TEXT NOT NULL,
    query   TEXT NOT NULL,           -- as it stands in the address of the list
    created INTEGER NOT NULL,        -- nanoseconds since the Unix epoch
    UNIQUE (user, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER views_go AFTER DELETE ON users BEGIN DELETE FROM views WHERE user = old.id; END;
