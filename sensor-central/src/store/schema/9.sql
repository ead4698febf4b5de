-- How far people are with an alert.
ALTER TABLE alerts ADD COLUMN acknowledged INTEGER;             -- nanoseconds since the Unix epoch; null if nobody has
ALTER TABLE alerts ADD COLUMN assignee TEXT NOT NULL DEFAULT ''; -- a user's name; empty for nobody's
-- The user of the web pages who did it; empty for a client of the public API.
ALTER TABLE actions ADD COLUMN user TEXT NOT NULL DEFAULT '';
