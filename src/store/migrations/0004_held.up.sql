-- Legal hold: a recording with somebody's name here is not deleted by the box.
ALTER TABLE recording ADD COLUMN held_by TEXT;
ALTER TABLE recording ADD COLUMN held_at INTEGER;
CREATE INDEX recording_free ON recording (recording) WHERE held_by IS NULL AND ms IS NOT NULL;
