-- Lists of numbers to be called, what became of each, and what must not be called.
CREATE TABLE list (
    name TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    file TEXT NOT NULL,
    rows INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    rejected INTEGER NOT NULL
) STRICT;
CREATE TABLE entry (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    list TEXT NOT NULL,
    number TEXT NOT NULL,
    zones TEXT NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,
    value INTEGER NOT NULL,
    -- open: may be called when due; trying: an attempt runs; done: never again.
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    agent TEXT,
    appointment INTEGER NOT NULL,
    result TEXT,
    word TEXT,
    UNIQUE (list, number)
) STRICT;
CREATE INDEX entry_next ON entry (list, state, appointment DESC, value DESC, due);
CREATE INDEX entry_by_number ON entry (number);
CREATE TABLE reject (
    list TEXT NOT NULL,
    line INTEGER NOT NULL,
    text TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (list, line)
) STRICT;
CREATE TABLE attempt (
    call INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    entry INTEGER NOT NULL,
    number TEXT NOT NULL,
    form TEXT NOT NULL,
    zones TEXT NOT NULL,
    agent TEXT,
    at INTEGER NOT NULL,
    moments TEXT NOT NULL,
    ended INTEGER,
    ending TEXT,
    code INTEGER NOT NULL,
    again INTEGER,
    word TEXT,
    note TEXT
) STRICT;
CREATE INDEX attempt_by_campaign ON attempt (campaign, at);
CREATE INDEX attempt_by_number ON attempt (number, at);
CREATE INDEX attempt_open ON attempt (ended) WHERE ended IS NULL;
CREATE TABLE barred (
    number TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by_whom TEXT NOT NULL
) STRICT;
CREATE TABLE steered (
    steered INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign TEXT NOT NULL,
    at INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    steering TEXT NOT NULL
) STRICT;
CREATE INDEX steered_by_campaign ON steered (campaign, steered);
