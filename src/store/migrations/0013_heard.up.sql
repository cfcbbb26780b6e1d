-- What was heard at the far end of a campaign's call, as JSON; NULL where nobody listened.
ALTER TABLE attempt ADD COLUMN heard TEXT;
