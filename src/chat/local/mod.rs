//! A chat platform of our own: what the page shows, what the demo and the tests run on.
//!
//! It stands for a chat service, so it behaves as one. It has its own file, it knows nothing of incidents, and what
//! people do reaches the bot only as [`super::Incoming`] through the [`super::Intake`], after it is stored here.
//!
//! * `writer` is the only one who writes: it commits many changes in one transaction.
//! * `read` answers what a room shows.
//! * `live` tells the page what changed, with a number each, so that a page that was away can catch up.
//! * `ephemeral` holds whispers and forms: in memory and bounded, because a chat service forgets them too.
//! * `port` is the bot's side ([`super::Chat`]). `acts` and `requests` are the people's: what they do in rooms, and what
//!   they ask of the bot.
//! * `pump` carries what people did to the bot, in order, until the bot has it.
//! * `faults` makes the port misbehave on demand, as real services do.

mod acts;
mod ephemeral;
mod faults;
mod live;
mod model;
mod port;
mod pump;
mod read;
mod requests;
mod writer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, SubsecRound as _, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlitePool};
use tokio::sync::{Notify, watch};

pub use acts::Error as ActError;
pub use ephemeral::{Asked, Whisper};
pub use faults::{Call, Fault, Faults, Gate};
pub use live::{Change, What};
pub use model::{Body, Room, Session, Stored, StoredFile};
pub use read::PAGE_MAX;
pub use requests::{Typed, button_mark};
pub use writer::Still;

use super::Intake;
use crate::clock::Clock;
use crate::incident::{Identity, MessageRef, RoomRef};
use ephemeral::Ephemeral;
use live::Hub;
use model::Rooms;
use writer::Writer;

/// Name of this platform, and of its one workspace.
pub const PLATFORM: &str = "local";
/// The room that is always there.
pub const LOBBY: &str = "lobby";
/// A message's text: what Slack takes too. Longer text is a file.
pub const TEXT_MAX: usize = 40_000;
/// A file: large enough for a log excerpt or a screenshot, small enough to be held in memory while it is hashed.
pub const FILE_MAX: usize = 10 * 1024 * 1024;
/// A bot's message as JSON. Beyond it blocks are left out, and the message says so.
pub const MESSAGE_MAX: usize = 512 * 1024;
/// What can be put on a message.
pub const EMOJI: &[&str] = &["📌", "✅", "🔁", "👀", "👍", "❓", "💙", "⭐"];

/// Version of the file's schema, kept in `user_version`.
const SCHEMA_VERSION: i64 = 1;
/// One writes, the others serve page loads side by side; each costs about 1 MiB of page cache.
const CONNECTIONS: u32 = 3;
/// Page cache of a connection in KiB, negative as SQLite wants it.
const CACHE_KIB: &str = "-1000";

/// Where the chat keeps its messages.
#[derive(Debug, Clone)]
pub enum Place {
    File(PathBuf),
    /// Gone when the chat is dropped.
    Memory,
}

/// Why the chat cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the chat file {} cannot be opened: {why}. Check that the folder exists and is writable", path.display())]
    File { path: PathBuf, why: String },
    #[error(
        "the chat file was written by a newer Orderly (schema {found}, this one knows {known}). \
         Start that version, or restore a backup made by this one"
    )]
    Newer { found: i64, known: i64 },
    #[error("the chat file {} is torn: rows refer to others that are missing. Take another copy", path.display())]
    Torn { path: PathBuf },
    #[error("the machine gives no random numbers: {0}")]
    Random(String),
}

/// The chat. Cheap to share; one per process.
pub struct LocalChat {
    pool: SqlitePool,
    writer: Writer,
    rooms: Rooms,
    hub: Arc<Hub>,
    ephemeral: Ephemeral,
    faults: Faults,
    clock: Arc<dyn Clock>,
    intake: OnceLock<Arc<dyn Intake>>,
    /// Word that starts a command (`incident`), without the slash.
    command: String,
    /// Names this file, so that deliveries of a replaced file are not taken for old ones.
    id: String,
    /// Names this run; together with `counted` it names what is not stored here.
    run: String,
    counted: AtomicU64,
    /// Wakes the pump.
    waiting: Arc<Notify>,
    /// Counts what the pump has carried.
    carried: watch::Sender<u64>,
}

impl LocalChat {
    /// Opens the file, creating it where there is none, and starts the writer. `command` is the word of the slash
    /// command without the slash. Call [`LocalChat::connect`] next: until then the bot hears nothing.
    pub async fn open(place: Place, command: &str, clock: Arc<dyn Clock>) -> Result<Arc<Self>, OpenError> {
        let (pool, path) = connect(&place).await;
        let pool = pool.map_err(|error| cannot_open(&path, error))?;
        prepare(&pool, &path, clock.now()).await?;
        let id = meta_id(&pool).await.map_err(|error| cannot_open(&path, error))?;
        let rooms = Rooms::load(&pool)
            .await
            .map_err(|error| cannot_open(&path, error))?;
        let run = random_hex()?;
        let hub = Arc::new(Hub::new(run.clone()));
        let waiting = Arc::new(Notify::new());
        let writer = Writer::start(
            pool.clone(),
            rooms.clone(),
            Arc::clone(&hub),
            Arc::clone(&waiting),
        );
        Ok(Arc::new(Self {
            pool,
            writer,
            rooms,
            hub,
            ephemeral: Ephemeral::default(),
            faults: Faults::default(),
            clock,
            intake: OnceLock::new(),
            command: command.to_owned(),
            id,
            run,
            counted: AtomicU64::new(0),
            waiting,
            carried: watch::Sender::new(0),
        }))
    }

    /// Joins the bot: from now on it hears what people do, first of all what it missed. A second call is ignored.
    pub fn connect(self: &Arc<Self>, intake: Arc<dyn Intake>) {
        if self.intake.set(intake).is_ok() {
            tokio::spawn(pump::run(Arc::downgrade(self), Arc::clone(&self.waiting)));
        }
    }

    /// Makes the bot's calls fail in chosen ways, for tests.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The word that starts a command, without the slash.
    pub fn command_name(&self) -> &str {
        &self.command
    }

    /// Names the file this chat lives in.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time, as precise as it is stored, so that a message carries the same one everywhere.
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }

    /// A name no other thing of this chat has.
    fn fresh(&self, kind: &str) -> String {
        format!(
            "{PLATFORM}:{kind}:{}:{}",
            self.run,
            self.counted.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Waits until everything people did so far has reached the bot.
    pub async fn settled(&self) -> Result<(), ActError> {
        let mut carried = self.carried.subscribe();
        while !self.undelivered(1).await?.is_empty() {
            // The sender lives in self, so this wakes with the next delivery.
            let _ = carried.changed().await;
        }
        Ok(())
    }

    /// Nothing is written to the file as long as the answer is kept, so that the file and the journal can be copied as
    /// they stood at one moment. What people do meanwhile waits.
    pub async fn still(&self) -> Still {
        self.writer.still().await
    }

    /// Finishes what is being written and closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
        self.waiting.notify_one();
    }
}

impl Drop for LocalChat {
    fn drop(&mut self) {
        // The pump looks up, sees that nobody is there, and ends.
        self.waiting.notify_one();
    }
}

/// Looks at a copy of a chat's file: that it is one, of a version this program knows, with every reference leading
/// somewhere. The rooms and messages in it.
pub async fn verify_file(path: &std::path::Path) -> Result<(u64, u64), OpenError> {
    let fail = |error| cannot_open(path, error);
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut file = options.connect().await.map_err(fail)?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut file)
        .await
        .map_err(fail)?;
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer {
            found,
            known: SCHEMA_VERSION,
        });
    }
    let lost = sqlx::query("PRAGMA foreign_key_check")
        .fetch_optional(&mut file)
        .await
        .map_err(fail)?;
    if lost.is_some() {
        return Err(OpenError::Torn {
            path: path.to_owned(),
        });
    }
    // Without these tables it is some other file, and this fails.
    let (rooms, messages): (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM message)")
            .fetch_one(&mut file)
            .await
            .map_err(fail)?;
    file.close().await.map_err(fail)?;
    Ok((rooms.unsigned_abs(), messages.unsigned_abs()))
}

/// The reference of a room of this platform.
pub fn room_ref(room: &str) -> RoomRef {
    RoomRef {
        platform: PLATFORM.into(),
        workspace: PLATFORM.into(),
        room: room.to_owned(),
    }
}

/// The reference of a message of this platform.
pub fn message_ref(room: &str, message: i64) -> MessageRef {
    MessageRef {
        room: room_ref(room),
        message: message.to_string(),
    }
}

/// Who a user of this platform is.
pub fn identity(user: &str) -> Identity {
    Identity {
        platform: PLATFORM.into(),
        workspace: PLATFORM.into(),
        user: user.to_owned(),
    }
}

async fn connect(place: &Place) -> (Result<SqlitePool, sqlx::Error>, PathBuf) {
    let base = SqliteConnectOptions::new()
        .foreign_keys(true)
        .pragma("cache_size", CACHE_KIB);
    match place {
        Place::File(path) => {
            // FULL: a message that was acknowledged survives a power cut.
            let options = base
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            (
                SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    // A file does not go away as a server does; asking first would cost as much as many a query.
                    .test_before_acquire(false)
                    .connect_with(options)
                    .await,
                path.clone(),
            )
        }
        Place::Memory => {
            // One connection that is never dropped: the database lives in it.
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(base.in_memory(true))
                .await;
            (pool, PathBuf::from(":memory:"))
        }
    }
}

/// Brings an empty file to the schema and refuses one from the future.
async fn prepare(pool: &SqlitePool, path: &std::path::Path, now: DateTime<Utc>) -> Result<(), OpenError> {
    let fail = |error| cannot_open(path, error);
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
    let found: i64 = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await
        .map_err(fail)?
        .get(0);
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer {
            found,
            known: SCHEMA_VERSION,
        });
    }
    if found == 0 {
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        sqlx::query("INSERT INTO meta (name, value) VALUES ('id', ?)")
            .bind(random_hex()?)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        sqlx::query(
            "INSERT INTO room (id, topic, private, audience, opened) \
             VALUES ('lobby', 'Where incidents are opened. Everybody is here.', 0, 'internal', ?)",
        )
        .bind(now.timestamp_millis())
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        sqlx::raw_sql("PRAGMA user_version = 1")
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    tx.commit().await.map_err(fail)
}

async fn meta_id(pool: &SqlitePool) -> Result<String, sqlx::Error> {
    Ok(sqlx::query("SELECT value FROM meta WHERE name = 'id'")
        .fetch_one(pool)
        .await?
        .get(0))
}

fn cannot_open(path: &std::path::Path, error: sqlx::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

fn random_hex() -> Result<String, OpenError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| OpenError::Random(error.to_string()))?;
    Ok(hex::encode(bytes))
}
