//! The statements that write, each for any number of rows given as one JSON array.

pub const RECEIVE: &str = "
INSERT INTO inbox (id, delivery_key, subject_key, platform, urgent, received, body)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM json_each(?) WHERE true
ON CONFLICT DO NOTHING RETURNING id;";

pub const EVENTS: &str = "
INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, salt, digest, previous, hash)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
       unhex(value->>9), unhex(value->>10), unhex(value->>11), unhex(value->>12) FROM json_each(?);";

pub const INBOX_DONE: &str = "
UPDATE inbox SET body = NULL, decided = done.value->>1, outcome = done.value->>2
FROM json_each(?) AS done WHERE inbox.id = done.value->>0;";

pub const EFFECTS: &str = "
INSERT INTO outbox (id, key, merge, lane, channel, body, created, not_before, deadline)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
FROM json_each(?) WHERE true
ON CONFLICT (key) DO UPDATE SET id = excluded.id, merge = excluded.merge, lane = excluded.lane,
    channel = excluded.channel, body = excluded.body, created = excluded.created, not_before = excluded.not_before,
    deadline = excluded.deadline, claimed = NULL, attempts = 0, last_error = NULL
WHERE excluded.merge = 1;";

pub const EFFECTS_CLAIMED: &str = "
UPDATE outbox SET claimed = one.value->>1 FROM json_each(?) AS one WHERE outbox.id = one.value->>0;";

pub const EFFECTS_RETRY: &str = "
UPDATE outbox SET claimed = NULL, attempts = attempts + 1, not_before = one.value->>1, last_error = one.value->>2
FROM json_each(?) AS one WHERE outbox.id = one.value->>0;";

pub const EFFECTS_DONE: &str = "
DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?));";

pub const TIMERS_CLEARED: &str = "
DELETE FROM timers WHERE (stream, key) IN (SELECT value->>0, value->>1 FROM json_each(?));";

pub const TIMERS_SET: &str = "
INSERT INTO timers (stream, key, due, body)
SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?) WHERE true
ON CONFLICT (stream, key) DO UPDATE SET due = excluded.due, body = excluded.body;";

pub const LOCKS_RELEASED: &str = "
DELETE FROM locks WHERE target IN (SELECT value FROM json_each(?));";

pub const LOCKS_TAKEN: &str = "
INSERT INTO locks (target, incident, attempt)
SELECT value->>0, value->>1, value->>2 FROM json_each(?);";

pub const POSTS_FORGOTTEN: &str = "
DELETE FROM posts WHERE (incident, slot) IN (SELECT value->>0, value->>1 FROM json_each(?));";

pub const POSTS: &str = "
INSERT INTO posts (incident, slot, message)
SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
ON CONFLICT (incident, slot) DO UPDATE SET message = excluded.message;";

pub const SUMMARIES: &str = "
INSERT INTO incidents (number, open, private, body)
SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?) WHERE true
ON CONFLICT (number) DO UPDATE SET open = excluded.open, private = excluded.private, body = excluded.body;";

pub const ROOM_LOG: &str = "
INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7 FROM json_each(?);";

pub const EVIDENCE: &str = "
INSERT INTO evidence (sha256, incident, media_type, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING";

pub const SNAPSHOT: &str = "
INSERT INTO snapshots (stream, seq, version, bytes) VALUES (?, ?, ?, ?)
ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, version = excluded.version, bytes = excluded.bytes";

pub const PAYLOAD_LENGTH: &str = "SELECT octet_length(payload) FROM events WHERE stream = ? AND seq = ?";

pub const REDACT_EVENT: &str = "
UPDATE events SET payload = ?, redacted = 1, salt = zeroblob(16) WHERE stream = ? AND seq = ?";

/// Versions that were deletions stay deletions.
pub const REDACT_MESSAGE: &str = "
UPDATE room_log SET text = ? WHERE room = ? AND message = ? AND text IS NOT NULL";

pub const REDACT_EVIDENCE: &str = "UPDATE evidence SET bytes = NULL WHERE sha256 = ?";

pub const REDACT_DELIVERY: &str = "UPDATE inbox SET body = ? WHERE id = ? AND decided IS NULL";

pub const REDACT_EFFECT: &str = "UPDATE outbox SET body = ? WHERE id = ?";
