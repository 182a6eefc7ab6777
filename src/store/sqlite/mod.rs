//! The store in one SQLite file, owned by one process.
//!
//! One connection writes ([`writer`]), on a thread of its own; a few read, through a pool that waits without holding up
//! anybody. The write-ahead log is synced at every commit (`synchronous = FULL`), so what was answered survives a power cut.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::OpenFlags;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::ledger::Ledger;
use super::limits::INBOX_BOUND;
use super::{
    Commit, Committed, Delivery, Depths, EffectId, Error, Evidence, Hash, Head, InboxId, Lock, LogId, Post,
    Received, Salts, Snapshot, Store, StoredDelivery, StoredEffect, StoredEntry, StoredEvent, Stream,
    Summary, Timer, Which,
};
use crate::incident::IncidentId;

mod copy;
mod decode;
mod inspect;
mod look;
mod migrations;
mod own;
mod queue;
mod read;
mod write;
mod writer;

pub use copy::{Fresh, Restoring, copy_file, open_to_look, verify_file};
pub use inspect::{Inspection, inspect};
use own::Owner;
use queue::Queue;
use read::{Keys, Reader};
use writer::{Op, QUEUE, Writer};

/// A backup or a check by another program may hold the file for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read. Two cores keep no more busy; each has a page cache of up to 2 MB.
const READERS: u32 = 3;

/// Idle readers are closed, to stay small at rest.
const READER_IDLE: Duration = Duration::from_secs(30);

/// Pages of 4 kB in the log before it is copied into the database, on the writer's time. Longer logs make it rarer and
/// longer, and take more at a start after a crash; this is about 32 MB.
const CHECKPOINT_PAGES: i64 = 8_000;

/// One thread has the connection, and the file is there.
const WRITES: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Page cache of the writer in KiB, negative as SQLite wants it: the pages that a group touches while a hundred
/// incidents are worked on.
const WRITER_CACHE: i64 = -8_000;

/// After a burst the log is cut back to this size.
const LOG_LIMIT: i64 = 64 << 20;

/// Rows a reader's thread runs ahead: at the library's 50 the threads wait for each other.
const ROWS_AHEAD: usize = 2_048;

/// How to open a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    pub salts: Salts,
    /// Deliveries that may wait for a decision.
    pub inbox_bound: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            salts: Salts::default(),
            inbox_bound: INBOX_BOUND,
        }
    }
}

/// The store in a file. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Sqlite {
    reader: Reader,
    writer: mpsc::Sender<Op>,
    pending: Arc<AtomicUsize>,
}

/// Opens a database, making or migrating it first where needed.
pub async fn open(path: impl Into<PathBuf>, options: OpenOptions) -> Result<Sqlite, Error> {
    open_with(path.into(), options, migrations::MIGRATIONS).await
}

async fn open_with(
    path: PathBuf,
    options: OpenOptions,
    migrations: &[migrations::Migration],
) -> Result<Sqlite, Error> {
    let owner = Owner::take(&path)?;
    writable(&path)?;
    let mut migrating = connect(&path).await?;
    migrations::run(&mut migrating, &path, migrations).await?;

    let path: Arc<Path> = path.into();
    let connection = to_write(&path).map_err(|error| failed("opening the database", &path, error))?;
    // Only now: the last to close would empty the log first.
    let closed = migrating.close().await;
    closed.map_err(|error| failed("closing the database", &path, error))?;
    let mut writer = Writer {
        connection,
        path: path.clone(),
        ledger: Ledger::new(options.salts, options.inbox_bound),
        stale: true,
        pending: Arc::default(),
        owner,
    };
    writer.reload()?;
    let pending = writer.pending.clone();
    Ok(Sqlite {
        reader: Reader::open(&path, READERS).await?,
        writer: start(writer)?,
        pending,
    })
}

/// Starts the writer on a thread of its own.
fn start(writer: Writer) -> Result<mpsc::Sender<Op>, Error> {
    let io = |error: std::io::Error| Error::Io {
        doing: "starting the thread that writes".to_owned(),
        cause: error.to_string(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(io)?;
    let (queue, waiting) = mpsc::channel(QUEUE);
    // The thread ends with the runtime that opened the file, whoever still holds on to the store.
    let (mut alive, ends) = oneshot::channel::<()>();
    tokio::spawn(async move { alive.closed().await });
    let writing = async move || {
        tokio::select! {
            biased;
            () = writer.run(Queue::new(waiting)) => {}
            _ = ends => {}
        }
    };
    std::thread::Builder::new()
        .name("orderly-store".to_owned())
        .spawn(move || runtime.block_on(writing()))
        .map_err(io)?;
    Ok(queue)
}

/// SQLite silently opens a file for reading when it may not write it: say so at once instead of at the first incident.
fn writable(path: &Path) -> Result<(), Error> {
    match std::fs::OpenOptions::new().write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(_) => Err(Error::ReadOnly {
            path: path.to_owned(),
        }),
    }
}

/// To make the file, or to migrate it.
async fn connect(path: &Path) -> Result<SqliteConnection, Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|error| failed("opening the database", path, error))
}

/// The connection of the writer, to a file whose schema is up to date.
fn to_write(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open_with_flags(path, WRITES)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(write::PREPARED);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    Ok(connection)
}

impl Reader {
    async fn open(path: &Path, connections: u32) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        Self::with(options, path, connections).await
    }

    /// To look at a file that another process may own, or that cannot be written.
    async fn to_look(path: &Path) -> Result<Self, Error> {
        Self::with(look::options(path).await?, path, 1).await
    }

    async fn with(options: SqliteConnectOptions, path: &Path, connections: u32) -> Result<Self, Error> {
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            // A file does not go away as a server does; asking first would be a second hand-over to its thread.
            .test_before_acquire(false)
            .idle_timeout(READER_IDLE)
            .connect_with(options)
            .await
            .map_err(|error| failed("opening the database", path, error))?;
        Ok(Self {
            pool,
            path: path.into(),
        })
    }
}

/// What SQLite said, through either library.
struct Said {
    why: Why,
    words: String,
}

enum Why {
    /// An extended result code.
    Code(i32),
    /// A row is not as we write it.
    Row,
    Closed,
    Other,
}

impl From<sqlx::Error> for Said {
    fn from(error: sqlx::Error) -> Self {
        let why = match &error {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse().ok());
                code.map_or(Why::Other, Why::Code)
            }
            sqlx::Error::PoolClosed => Why::Closed,
            sqlx::Error::ColumnDecode { .. } => Why::Row,
            _ => Why::Other,
        };
        let words = error.to_string();
        Self { why, words }
    }
}

impl From<rusqlite::Error> for Said {
    fn from(error: rusqlite::Error) -> Self {
        let why = match &error {
            rusqlite::Error::SqliteFailure(error, _) => Why::Code(error.extended_code),
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                Why::Row
            }
            _ => Why::Other,
        };
        let words = error.to_string();
        Self { why, words }
    }
}

/// Says in our words what SQLite said.
fn failed(doing: &str, path: &Path, error: impl Into<Said>) -> Error {
    let Said { why, words } = error.into();
    let path = path.to_owned();
    let corrupt = |what| Error::Corrupt {
        place: path.display().to_string(),
        what,
    };
    // The low byte is the kind, the rest says more of it.
    match why {
        Why::Closed => Error::Stopped,
        Why::Row => corrupt(words),
        Why::Code(code) if code & 0xff == 8 => Error::ReadOnly { path },
        Why::Code(code) if code & 0xff == 11 => corrupt(words),
        Why::Code(code) if code & 0xff == 13 => Error::DiskFull { path },
        Why::Code(code) if code & 0xff == 26 => Error::Foreign { path },
        Why::Code(_) | Why::Other => Error::Io {
            doing: format!("{doing} ({})", path.display()),
            cause: words,
        },
    }
}

/// Nanoseconds since 1970. Times were checked on the way in; those of a query may lie anywhere.
fn ns(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt()
        .unwrap_or(if time.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

fn time(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}

impl Sqlite {
    /// Writes a copy of the whole store, also while it is in use. `Error::Exists` when `dest` is there already.
    pub async fn backup(&self, dest: &Path) -> Result<(), Error> {
        let mut connection = self
            .reader
            .pool
            .acquire()
            .await
            .map_err(|error| failed("opening the database", &self.reader.path, error))?;
        copy::into(&mut connection, dest, copy::Replace::No).await
    }

    async fn ask<T>(&self, op: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Op) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(op(answer)).await.map_err(|_| Error::Stopped)?;
        answered.await.map_err(|_| Error::Stopped)?
    }

    #[cfg(test)]
    pub(super) async fn pragma(&self, sql: &'static str) -> Result<(), Error> {
        self.ask(|answer| Op::Pragma(sql, answer)).await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn receive(&self, delivery: Delivery) -> Result<Received, Error> {
        let keys = Keys::from(&delivery);
        match self.ask(|answer| Op::Receive(delivery, answer)).await {
            // A duplicate takes no room: it is acknowledged even now. Looked up here, so that a flood of what is
            // refused does not keep the writer from what was taken.
            Err(full @ Error::Full { .. }) => self.reader.known(&keys).await?.ok_or(full),
            received => received,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        self.ask(|answer| Op::Commit(Box::new(commit), answer)).await
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        self.ask(|answer| Op::Snapshot(snapshot, answer)).await
    }

    async fn forget_deliveries(&self, decided_before: DateTime<Utc>) -> Result<u64, Error> {
        self.ask(|answer| Op::Forget(decided_before, answer)).await
    }

    async fn try_write(&self) -> Result<(), Error> {
        self.ask(Op::TryWrite).await
    }

    async fn pending(&self, after: InboxId, limit: usize) -> Result<Vec<StoredDelivery>, Error> {
        self.reader.pending(after, limit).await
    }

    async fn waiting(&self, ids: &[InboxId]) -> Result<Vec<StoredDelivery>, Error> {
        self.reader.waiting(ids).await
    }

    async fn outcome(&self, inbox: InboxId) -> Result<Option<String>, Error> {
        self.reader.outcome(inbox).await
    }

    async fn streams(&self) -> Result<Vec<Stream>, Error> {
        self.reader.streams().await
    }

    async fn head(&self, stream: Stream) -> Result<Head, Error> {
        self.reader.head(stream).await
    }

    async fn events(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<StoredEvent>, Error> {
        self.reader.events(stream, after, limit).await
    }

    async fn snapshot(&self, stream: Stream) -> Result<Option<Snapshot>, Error> {
        self.reader.snapshot(stream).await
    }

    async fn summaries(
        &self,
        which: Which,
        before: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<Summary>, Error> {
        self.reader.summaries(which, before, limit).await
    }

    async fn summary(&self, incident: IncidentId) -> Result<Option<Summary>, Error> {
        self.reader.summary(incident).await
    }

    async fn due_effects(
        &self,
        now: DateTime<Utc>,
        busy: &[String],
        limit: usize,
    ) -> Result<Vec<StoredEffect>, Error> {
        self.reader.due_effects(now, busy, limit).await
    }

    async fn effects(&self, ids: &[EffectId]) -> Result<Vec<StoredEffect>, Error> {
        self.reader.effects(ids).await
    }

    async fn depths(&self) -> Result<Depths, Error> {
        // Counting rows takes long where many wait.
        let inbox = self.pending.load(Ordering::Relaxed) as u64;
        self.reader.depths(inbox).await
    }

    async fn due_timers(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Timer>, Error> {
        self.reader.due_timers(now, limit).await
    }

    async fn next_timer(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.reader.next_timer().await
    }

    async fn timers(&self, stream: Stream) -> Result<Vec<Timer>, Error> {
        self.reader.timers(stream).await
    }

    async fn locks(&self) -> Result<Vec<Lock>, Error> {
        self.reader.locks().await
    }

    async fn posts(&self, incident: IncidentId) -> Result<Vec<Post>, Error> {
        self.reader.posts(incident).await
    }

    async fn post(&self, incident: IncidentId, slot: &str) -> Result<Option<Post>, Error> {
        self.reader.post(incident, slot).await
    }

    async fn shown_by(&self, message: &str) -> Result<Option<Post>, Error> {
        self.reader.shown_by(message).await
    }

    async fn evidence(&self, sha256: Hash) -> Result<Option<Evidence>, Error> {
        self.reader.evidence(sha256).await
    }

    async fn written_before(&self, stream: Stream, other: Stream, seq: u64) -> Result<u64, Error> {
        self.reader.written_before(stream, other, seq).await
    }

    async fn room_log(
        &self,
        incident: IncidentId,
        after: LogId,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        self.reader.room_log(incident, after, limit).await
    }

    async fn room_since(
        &self,
        room: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        self.reader.room_since(room, since, limit).await
    }

    async fn versions(&self, room: &str, message: &str) -> Result<Vec<StoredEntry>, Error> {
        self.reader.versions(room, message).await
    }

    async fn close(&self) -> Result<(), Error> {
        // Readers first: the last connection to close empties the log into the database.
        self.reader.pool.close().await;
        self.ask(Op::Close).await
    }
}
