//! The statements that write. Each takes any number of rows as one list of `VALUES`.
//!
//! A list is filled up with rows of nulls to one of a few sizes, which the statement leaves out again: so there are few
//! different texts, and each stays prepared.

/// Sizes a list is filled up to.
pub const SIZES: [usize; 4] = [1, 4, 16, LARGEST];

/// More rows than this are written by several statements.
pub const LARGEST: usize = 64;

/// A statement around its list.
pub struct Statement {
    pub before: &'static str,
    /// Of each row. The first is never null in a row that counts.
    pub columns: usize,
    pub after: &'static str,
}

impl Statement {
    /// The text for a number of rows.
    pub fn write(&self, rows: usize, text: &mut String) {
        text.push_str(self.before);
        text.push_str("(VALUES ");
        for row in 0..rows {
            text.push_str(if row == 0 { "(?" } else { ",(?" });
            for _ in 1..self.columns {
                text.push_str(",?");
            }
            text.push(')');
        }
        text.push(')');
        text.push_str(self.after);
        text.push(';');
    }
}

pub static RECEIVE: Statement = Statement {
    before: "INSERT INTO inbox (id, delivery_key, subject_key, platform, received) SELECT * FROM ",
    columns: 5,
    after: " WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING;SELECT changes()",
};

/// After [`RECEIVE`]: a duplicate has no row with this id there.
pub static WAIT: Statement = Statement {
    before: "INSERT INTO inbox_waiting (id, urgent, body) SELECT * FROM ",
    columns: 3,
    after: " WHERE EXISTS (SELECT 1 FROM inbox WHERE inbox.id = column1)",
};

pub static EVENTS: Statement = Statement {
    before: "INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, salt, \
             digest, previous, hash) SELECT * FROM ",
    columns: 13,
    after: " WHERE column1 IS NOT NULL",
};

pub static DECIDE: Statement = Statement {
    before: "UPDATE inbox SET decided = done.column2, outcome = done.column3 FROM ",
    columns: 3,
    after: " AS done WHERE inbox.id = done.column1",
};

pub static WAIT_NO_MORE: Statement = Statement {
    before: "DELETE FROM inbox_waiting WHERE id IN ",
    columns: 1,
    after: "",
};

pub static EFFECTS: Statement = Statement {
    before: "INSERT INTO outbox (id, key, merge, channel, body, created, not_before, deadline) SELECT * FROM ",
    columns: 8,
    after: " WHERE column1 IS NOT NULL ON CONFLICT (key) DO UPDATE SET id = excluded.id, merge = 1, channel = excluded.channel, \
            body = excluded.body, created = excluded.created, not_before = excluded.not_before, \
            deadline = excluded.deadline, claimed = NULL, attempts = 0, last_error = NULL WHERE excluded.merge = 1",
};

pub static EFFECTS_CLAIMED: Statement = Statement {
    before: "UPDATE outbox SET claimed = one.column2 FROM ",
    columns: 2,
    after: " AS one WHERE outbox.id = one.column1",
};

pub static EFFECTS_RETRY: Statement = Statement {
    before: "UPDATE outbox SET claimed = NULL, attempts = attempts + 1, not_before = one.column2, \
             last_error = one.column3 FROM ",
    columns: 3,
    after: " AS one WHERE outbox.id = one.column1",
};

pub static EFFECTS_DONE: Statement = Statement {
    before: "DELETE FROM outbox WHERE id IN ",
    columns: 1,
    after: "",
};

pub static TIMERS_CLEARED: Statement = Statement {
    before: "DELETE FROM timers WHERE (stream, key) IN ",
    columns: 2,
    after: "",
};

pub static TIMERS_SET: Statement = Statement {
    before: "INSERT INTO timers (stream, key, due, body) SELECT * FROM ",
    columns: 4,
    after: " WHERE column1 IS NOT NULL ON CONFLICT (stream, key) DO UPDATE SET due = excluded.due, body = excluded.body",
};

pub static LOCKS_RELEASED: Statement = Statement {
    before: "DELETE FROM locks WHERE target IN ",
    columns: 1,
    after: "",
};

pub static LOCKS_TAKEN: Statement = Statement {
    before: "INSERT INTO locks (target, incident, attempt) SELECT * FROM ",
    columns: 3,
    after: " WHERE column1 IS NOT NULL",
};

pub static POSTS_FORGOTTEN: Statement = Statement {
    before: "DELETE FROM posts WHERE (incident, slot) IN ",
    columns: 2,
    after: "",
};

pub static POSTS: Statement = Statement {
    before: "INSERT INTO posts (incident, slot, message) SELECT * FROM ",
    columns: 3,
    after: " WHERE column1 IS NOT NULL ON CONFLICT (incident, slot) DO UPDATE SET message = excluded.message",
};

pub static SUMMARIES: Statement = Statement {
    before: "INSERT INTO incidents (number, open, private, body) SELECT * FROM ",
    columns: 4,
    after: " WHERE column1 IS NOT NULL ON CONFLICT (number) DO UPDATE SET open = excluded.open, \
            private = excluded.private, body = excluded.body",
};

pub static ROOM_LOG: Statement = Statement {
    before: "INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text, files, after_event) \
             SELECT *, coalesce((SELECT max(seq) FROM events WHERE stream = column1), 0) FROM ",
    columns: 9,
    after: " WHERE column1 IS NOT NULL",
};

pub const EVIDENCE: &str = "INSERT INTO evidence (sha256, incident, media_type, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING";

pub const SNAPSHOT: &str = "INSERT INTO snapshots (stream, seq, version, bytes) VALUES (?, ?, ?, ?) \
    ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, version = excluded.version, bytes = excluded.bytes";

pub const PAYLOAD_LENGTH: &str = "SELECT octet_length(payload) FROM events WHERE stream = ? AND seq = ?";

pub const REDACT_EVENT: &str =
    "UPDATE events SET payload = ?, redacted = 1, salt = zeroblob(16) WHERE stream = ? AND seq = ?";

/// Versions that were deletions stay deletions. The names of files go too: people paste into those as well.
pub const REDACT_MESSAGE: &str =
    "UPDATE room_log SET text = ?, files = NULL WHERE room = ? AND message = ? AND text IS NOT NULL";

pub const REDACT_EVIDENCE: &str = "UPDATE evidence SET bytes = NULL WHERE sha256 = ?";

pub const REDACT_DELIVERY: &str = "UPDATE inbox_waiting SET body = ? WHERE id = ?";

pub const REDACT_OUTCOMES: &str = "UPDATE inbox SET outcome = ?1 WHERE id < ?2 AND outcome <> ?1";

pub const REDACT_EFFECT: &str = "UPDATE outbox SET body = ? WHERE id = ?";
