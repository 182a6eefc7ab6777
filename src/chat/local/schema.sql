-- The chat service's own store. Times are milliseconds since 1970, UTC.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE room (
    id       TEXT PRIMARY KEY,
    topic    TEXT    NOT NULL,
    private  INTEGER NOT NULL,
    audience TEXT    NOT NULL,
    -- The person of a direct room.
    direct   TEXT,
    archived INTEGER NOT NULL DEFAULT 0,
    opened   INTEGER NOT NULL,
    -- The caller's key: the same one again gives the same room.
    key      TEXT UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    room TEXT NOT NULL REFERENCES room (id),
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    -- AUTOINCREMENT: an id is never given twice, also not after a delete.
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    room    TEXT    NOT NULL REFERENCES room (id),
    thread  INTEGER REFERENCES message (id),
    -- NULL: the bot, and then the body is a neutral message as JSON.
    author  TEXT,
    body    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    edited  INTEGER,
    deleted INTEGER,
    pinned  INTEGER,
    -- Counts every visible change: edit, delete, reaction, pin, reply.
    rev     INTEGER NOT NULL DEFAULT 0,
    key     TEXT UNIQUE
) STRICT;

CREATE INDEX message_by_room ON message (room, id) WHERE thread IS NULL;
CREATE INDEX message_by_thread ON message (thread, id) WHERE thread IS NOT NULL;
CREATE INDEX message_pinned ON message (room, pinned) WHERE pinned IS NOT NULL;

-- What a person's message said before it was edited or deleted.
CREATE TABLE version (
    message INTEGER NOT NULL REFERENCES message (id),
    rev     INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (message, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE reaction (
    message INTEGER NOT NULL REFERENCES message (id),
    emoji   TEXT    NOT NULL,
    user    TEXT    NOT NULL,
    PRIMARY KEY (message, emoji, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    message    INTEGER NOT NULL REFERENCES message (id),
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    bytes      BLOB    NOT NULL
) STRICT;

CREATE INDEX file_by_message ON file (message);

-- What people did in rooms, on its way to the bot: written in the same transaction as the thing itself, removed once
-- the bot has it durable.
CREATE TABLE delivery (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    subject  TEXT    NOT NULL,
    received INTEGER NOT NULL,
    incoming TEXT    NOT NULL
) STRICT;

-- Who is signed in on the page. Only a digest of the cookie is kept.
CREATE TABLE session (
    digest TEXT PRIMARY KEY,
    person TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
