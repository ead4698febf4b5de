-- People who look at the web pages.
CREATE TABLE users (
    id       TEXT NOT NULL PRIMARY KEY,
    tenant   TEXT NOT NULL,          -- whose data they see
    name     TEXT NOT NULL UNIQUE,   -- in small letters
    role     TEXT NOT NULL,
    password TEXT NOT NULL,          -- argon2id with its parameters and salt
    created  INTEGER NOT NULL        -- nanoseconds, as all that follow
) STRICT, WITHOUT ROWID;
CREATE TABLE web_sessions (
    hash  BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's token
    user  TEXT NOT NULL,
    began INTEGER NOT NULL,
    used  INTEGER NOT NULL           -- to the minute
) STRICT, WITHOUT ROWID;
CREATE INDEX web_sessions_by_user ON web_sessions (user);
-- Who did what. Nothing here is ever changed.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    time   INTEGER NOT NULL,
    actor  TEXT NOT NULL,            -- a user's name; empty for the command line
    action TEXT NOT NULL,
    about  TEXT NOT NULL,            -- whom or what it was done to
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, id);
