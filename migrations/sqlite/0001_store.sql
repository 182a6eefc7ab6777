-- Times are nanoseconds since 1970 in UTC. Bodies are opaque to the database. Streams: 0 is the desk, n is INC-n.

-- Rows are only ever added at the end, so a page of this table is never split and no stale copy of a payload stays
-- behind in one: what `redact` overwrites in place is really gone.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL CHECK (stream >= 0),
    seq      INTEGER NOT NULL CHECK (seq > 0),
    kind     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    occurred INTEGER NOT NULL,
    source   TEXT    NOT NULL,
    author   TEXT    NOT NULL,
    payload  TEXT    NOT NULL,
    redacted INTEGER NOT NULL DEFAULT 0,
    salt     BLOB    NOT NULL,
    digest   BLOB    NOT NULL,
    previous BLOB    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_stream ON events (stream, seq);

-- Every delivery, for as long as a duplicate of it may come.
CREATE TABLE inbox (
    id           INTEGER PRIMARY KEY,
    delivery_key TEXT    NOT NULL UNIQUE,
    subject_key  TEXT,
    platform     TEXT    NOT NULL,
    received     INTEGER NOT NULL,
    decided      INTEGER,
    outcome      TEXT
) STRICT;
CREATE UNIQUE INDEX inbox_by_subject ON inbox (subject_key) WHERE subject_key IS NOT NULL;

-- Those that wait for a decision; the body goes with it.
CREATE TABLE inbox_waiting (
    id     INTEGER PRIMARY KEY,
    urgent INTEGER NOT NULL,
    body   TEXT    NOT NULL
) STRICT;

-- What is not yet done; a finished effect is deleted. The lane is in the upper bits of the id, so the order of the
-- table is the order of work.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,
    merge      INTEGER NOT NULL,
    channel    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    not_before INTEGER,
    deadline   INTEGER,
    claimed    INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
) STRICT;

CREATE TABLE timers (
    stream INTEGER NOT NULL,
    key    TEXT    NOT NULL,
    due    INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (stream, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due);

-- One attempt at a time on one target: the key says it once more than the program does.
CREATE TABLE locks (
    target   TEXT    PRIMARY KEY,
    incident INTEGER NOT NULL,
    attempt  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE posts (
    incident INTEGER NOT NULL,
    slot     TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    PRIMARY KEY (incident, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX posts_by_message ON posts (message);

CREATE TABLE incidents (
    number  INTEGER PRIMARY KEY,
    open    INTEGER NOT NULL,
    private INTEGER NOT NULL,
    body    TEXT    NOT NULL
) STRICT;
CREATE INDEX incidents_open ON incidents (number) WHERE open = 1;

-- A cache: may be emptied at any time.
CREATE TABLE snapshots (
    stream  INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT;

-- `bytes` is null once redacted.
CREATE TABLE evidence (
    sha256     BLOB    PRIMARY KEY,
    incident   INTEGER NOT NULL,
    media_type TEXT    NOT NULL,
    bytes      BLOB
) STRICT;

-- Every version of every message; `text` is null where it was deleted.
CREATE TABLE room_log (
    id       INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    room     TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    thread   TEXT,
    author   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    text     TEXT
) STRICT;
CREATE INDEX room_log_by_incident ON room_log (incident);
CREATE INDEX room_log_by_room ON room_log (room, at);
CREATE INDEX room_log_by_message ON room_log (room, message);
