-- Which digest a phone answered: whoever has answered SHA-256 is offered nothing weaker, also after a restart.
ALTER TABLE binding ADD COLUMN digest TEXT NOT NULL DEFAULT '';
