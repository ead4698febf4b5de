-- What people look for alerts by stands beside them, narrow, and is filled in behind their arrival.
DROP INDEX alerts_by_severity;
DROP INDEX alerts_by_policy;
DROP INDEX alerts_by_host;
DROP INDEX alerts_by_user;
DROP INDEX alerts_by_container;
DROP INDEX alerts_by_incident;
-- An entry for each thing that an alert is found by: the newest of what is asked for are at the end of its key.
CREATE TABLE entries (
    key    INTEGER NOT NULL,         -- made of the tenant, a column and what it says
    moment INTEGER NOT NULL,         -- the alert's `raised`
    alert  INTEGER NOT NULL,         -- its id
    PRIMARY KEY (key, moment, alert)
) STRICT, WITHOUT ROWID;
-- The last alert that has its entries: those behind it have none yet.
CREATE TABLE entries_to (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    moment INTEGER NOT NULL,
    alert  INTEGER NOT NULL
) STRICT;
INSERT INTO entries_to (one, moment, alert) VALUES (1, 0, 0);
