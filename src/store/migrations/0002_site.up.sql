-- The configuration's generations, who may sign in, and small settings of the box itself.
CREATE TABLE generation (
    generation INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    summary TEXT NOT NULL,
    tree TEXT NOT NULL
) STRICT;

CREATE TABLE user (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    agent TEXT,
    extension TEXT,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    cookie_hash TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user);

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
