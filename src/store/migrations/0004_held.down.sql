DROP INDEX recording_free;
ALTER TABLE recording DROP COLUMN held_at;
ALTER TABLE recording DROP COLUMN held_by;
