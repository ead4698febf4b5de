-- What the sensor last told of its own health: a JSON object of numbers; empty if it never did.
ALTER TABLE sensors ADD COLUMN statistics TEXT NOT NULL DEFAULT '{}';
