-- Which client of the public API made a token; empty if none did.
ALTER TABLE tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
