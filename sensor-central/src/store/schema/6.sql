-- Searches that clients of the public API have started, until they expire: what was asked is kept, not what was found.
CREATE TABLE runs (
    id      TEXT NOT NULL PRIMARY KEY,
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    query   TEXT NOT NULL,           -- JSON
    created INTEGER NOT NULL,        -- nanoseconds, as the next
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_end ON runs (expires);
