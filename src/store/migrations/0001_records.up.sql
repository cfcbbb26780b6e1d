-- What the box keeps about calls, people and phones. Times are UTC milliseconds, lengths milliseconds.
CREATE TABLE call (
    call INTEGER PRIMARY KEY,
    direction TEXT NOT NULL,
    caller_number TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    called_number TEXT NOT NULL,
    called_name TEXT NOT NULL,
    trunk TEXT,
    queue TEXT,
    agent TEXT,
    answered_by TEXT,
    started INTEGER NOT NULL,
    answered INTEGER,
    ended INTEGER,
    duration_ms INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT NOT NULL
) STRICT;
CREATE INDEX call_open ON call (call) WHERE outcome = 'open';
CREATE INDEX call_by_outcome ON call (outcome, call);
CREATE INDEX call_by_queue ON call (queue, call) WHERE queue IS NOT NULL;
CREATE INDEX call_by_agent ON call (agent, call) WHERE agent IS NOT NULL;

CREATE TABLE step (
    call INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (call, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE recording (
    recording INTEGER PRIMARY KEY,
    call INTEGER NOT NULL,
    path TEXT NOT NULL,
    started INTEGER NOT NULL,
    left_party TEXT NOT NULL,
    right_party TEXT NOT NULL,
    ms INTEGER
) STRICT;
CREATE INDEX recording_by_call ON recording (call);
CREATE INDEX recording_open ON recording (recording) WHERE ms IS NULL;

CREATE TABLE message (
    message INTEGER PRIMARY KEY,
    mailbox TEXT NOT NULL,
    call INTEGER NOT NULL,
    caller_number TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    path TEXT NOT NULL,
    heard INTEGER NOT NULL,
    mail_to TEXT
) STRICT;
CREATE INDEX message_by_mailbox ON message (mailbox, message);

CREATE TABLE greeting (mailbox TEXT PRIMARY KEY, path TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE spell (
    spell INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    since INTEGER NOT NULL,
    cause TEXT NOT NULL,
    call INTEGER
) STRICT;
CREATE INDEX spell_by_agent ON spell (agent, spell);

CREATE TABLE binding (
    extension TEXT NOT NULL,
    contact TEXT NOT NULL,
    transport TEXT NOT NULL,
    address TEXT NOT NULL,
    expires INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL,
    user_agent TEXT NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (extension, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE ban (
    address TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    cause TEXT NOT NULL,
    failures INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    note INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
