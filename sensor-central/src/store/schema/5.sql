-- When a record came in by the database's own clock, which goes on evenly when the machine's is set (nanoseconds; null for
-- those that came in before there was one, whose `received` stands for it). What is too old is told by this.
ALTER TABLE alerts ADD COLUMN kept INTEGER;
ALTER TABLE rows ADD COLUMN kept INTEGER;
ALTER TABLE batches ADD COLUMN kept INTEGER;
DROP INDEX batches_by_arrival;
CREATE INDEX batches_by_age ON batches (ifnull(kept, received));
-- That clock, as it was last seen, and what the machine's said then.
CREATE TABLE clock (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), kept INTEGER NOT NULL, wall INTEGER NOT NULL) STRICT;
