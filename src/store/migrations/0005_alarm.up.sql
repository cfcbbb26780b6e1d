-- What is not well now, so that a restart tells nobody a second time.
CREATE TABLE alarm (
    alarm TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
-- What somebody still has to be told. A row is gone when it is told; a failed one stays to be seen.
CREATE TABLE telling (
    telling INTEGER PRIMARY KEY AUTOINCREMENT,
    way TEXT NOT NULL,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX telling_due ON telling (way, next_at) WHERE next_at IS NOT NULL;
