-- Mails about messages that still have to go out. A row is gone when its mail is sent; a failed one stays to be seen.
CREATE TABLE mail (
    message INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX mail_due ON mail (next_at) WHERE next_at IS NOT NULL;
