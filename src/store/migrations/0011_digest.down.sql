ALTER TABLE binding DROP COLUMN digest;
