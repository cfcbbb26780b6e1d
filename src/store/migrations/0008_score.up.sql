-- What callers gave in a survey, 1 to 5.
ALTER TABLE call ADD COLUMN score INTEGER;
