-- Which client of the public API made a token; empty if none did.
ALTER TABLE tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
-- What was done about an alert goes with it.
CREATE INDEX actions_by_alert ON actions (alert);
CREATE TRIGGER actions_go AFTER DELETE ON alerts BEGIN DELETE FROM actions WHERE alert = old.id; END;
