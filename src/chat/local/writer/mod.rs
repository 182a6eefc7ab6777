//! The only one who writes: takes what is waiting, applies it in one transaction, commits, then tells the page.

mod messages;
mod rooms;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::live::{Hub, What};
use super::model::{Room, Rooms, Session};
use crate::incident::Identity;

/// Changes in one transaction: enough that the commit no longer counts, few enough that nobody waits for long.
const BATCH_MAX: usize = 256;
/// Changes waiting for the writer; beyond it callers wait their turn.
const WAITING_MAX: usize = 1_024;
/// One change.
#[derive(Debug)]
pub(super) enum Op {
    OpenRoom {
        key: String,
        room: Room,
    },
    /// Makes the direct room of a person if there is none.
    Direct {
        user: String,
        at: DateTime<Utc>,
    },
    Invite {
        room: String,
        users: Vec<String>,
    },
    SetTopic {
        room: String,
        topic: String,
    },
    Archive {
        room: String,
        archived: bool,
    },
    Post(Post),
    /// The bot's message says something else now.
    Update {
        id: i64,
        room: String,
        body: String,
    },
    Pin {
        id: i64,
        room: String,
        at: DateTime<Utc>,
    },
    Edit {
        id: i64,
        room: String,
        by: String,
        text: String,
        at: DateTime<Utc>,
    },
    Delete {
        id: i64,
        room: String,
        by: String,
        at: DateTime<Utc>,
    },
    /// The words and the files of a person's message go, in all its versions.
    Redact {
        id: i64,
        room: String,
        marker: String,
    },
    React {
        id: i64,
        room: String,
        by: Identity,
        emoji: String,
        present: bool,
        at: DateTime<Utc>,
    },
    /// The bot has these.
    Delivered {
        ids: Vec<i64>,
    },
    SignIn(Session),
    SignOut {
        digest: String,
    },
}

#[derive(Debug)]
pub(super) struct Post {
    pub key: Option<String>,
    pub room: String,
    pub thread: Option<i64>,
    /// `None`: the bot.
    pub by: Option<Identity>,
    pub body: String,
    pub file: Option<NewFile>,
    pub at: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct NewFile {
    pub name: String,
    pub media_type: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    Nothing,
    Room(String),
    Message(i64),
}

/// Why it was not done; the store itself is fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum No {
    Room,
    Archived,
    Message,
    NotYours,
}

/// The file would not take it: full, read-only, damaged.
#[derive(Debug, Clone)]
pub(super) struct Broken(pub String);

pub(super) type Reply = Result<Result<Done, No>, Broken>;
type Job = (Op, oneshot::Sender<Reply>);

pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    /// Held while something is written, and by who needs the file to stand still.
    turn: Arc<Mutex<()>>,
}

/// As long as this is kept, nothing is written; what comes waits.
#[derive(Debug)]
pub struct Still {
    _turn: OwnedMutexGuard<()>,
}

impl Writer {
    /// `own` is a connection that nobody else writes on, so that what it has read stays true.
    pub fn start(own: Own, rooms: Rooms, hub: Arc<Hub>, waiting: Arc<Notify>) -> Self {
        let (jobs, inbox) = mpsc::channel(WAITING_MAX);
        let turn = Arc::new(Mutex::new(()));
        let task = tokio::spawn(run(inbox, Arc::clone(&turn), own, rooms, hub, waiting));
        Self {
            jobs: Mutex::new(Some(jobs)),
            task: Mutex::new(Some(task)),
            turn,
        }
    }

    pub async fn still(&self) -> Still {
        Still {
            _turn: Arc::clone(&self.turn).lock_owned().await,
        }
    }

    pub async fn apply(&self, op: Op) -> Reply {
        let closed = || Broken("the chat is shutting down".into());
        let jobs = self.jobs.lock().await.clone().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        jobs.send((op, reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Several changes, in this order and as far as possible in one transaction; the answer to each.
    pub async fn apply_all(&self, ops: Vec<Op>) -> Vec<Reply> {
        let closed = || Err(Broken("the chat is shutting down".into()));
        let Some(jobs) = self.jobs.lock().await.clone() else {
            return ops.iter().map(|_| closed()).collect();
        };
        let mut answers = Vec::with_capacity(ops.len());
        for op in ops {
            let (reply, answer) = oneshot::channel();
            // Where nobody takes it any more, the answer says so.
            let _ = jobs.send((op, reply)).await;
            answers.push(answer);
        }
        let answers = futures::future::join_all(answers).await;
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|_| closed()))
            .collect()
    }

    /// Finishes what is waiting and takes nothing new.
    pub async fn close(&self) {
        self.jobs.lock().await.take();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

/// What follows from a committed change.
#[derive(Default)]
struct After {
    tell: Vec<What>,
    rooms: Vec<Room>,
    delivery: bool,
}

async fn run(
    mut inbox: mpsc::Receiver<Job>,
    turn: Arc<Mutex<()>>,
    mut own: Own,
    rooms: Rooms,
    hub: Arc<Hub>,
    waiting: Arc<Notify>,
) {
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    while inbox.recv_many(&mut jobs, BATCH_MAX).await > 0 {
        // Those who are about to ask join in: the disk's time is the same for one and for many.
        tokio::task::yield_now().await;
        while jobs.len() < BATCH_MAX
            && let Ok(job) = inbox.try_recv()
        {
            jobs.push(job);
        }
        let (ops, replies): (Vec<Op>, Vec<_>) = jobs.drain(..).unzip();
        let _turn = turn.lock().await;
        match own.commit(&rooms, &ops).await {
            Ok((answers, after)) => {
                for room in after.rooms {
                    rooms.put(room);
                }
                for what in after.tell {
                    hub.tell(what);
                }
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // The caller may have gone away; the change stands.
                    let _ = reply.send(Ok(answer));
                }
                if after.delivery {
                    waiting.notify_one();
                }
            }
            Err(error) => {
                tracing::error!(%error, changes = ops.len(), "the chat file took no changes");
                for reply in replies {
                    let _ = reply.send(Err(Broken(error.to_string())));
                }
            }
        }
    }
    if let Own::File(connection) = own
        && let Err(error) = connection.close().await
    {
        tracing::warn!(%error, "the chat file was not closed cleanly; nothing said is lost");
    }
}

/// What the writer writes on.
pub(super) enum Own {
    File(SqliteConnection),
    /// A database in memory lives in the one connection that readers use as well.
    Memory(SqlitePool),
}

impl Own {
    async fn commit(&mut self, rooms: &Rooms, ops: &[Op]) -> Result<Committed, sqlx::Error> {
        match self {
            Self::File(connection) => commit(connection, rooms, ops).await,
            Self::Memory(pool) => commit(&mut *pool.acquire().await?, rooms, ops).await,
        }
    }
}

type Committed = (Vec<Result<Done, No>>, After);

/// All of it or nothing. Without the library's transactions: on a full disk SQLite rolls back by itself, and the library
/// then takes the transaction for open for ever.
async fn commit(db: &mut SqliteConnection, rooms: &Rooms, ops: &[Op]) -> Result<Committed, sqlx::Error> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *db).await?;
    let committed = match apply_each(db, rooms, ops).await {
        Ok(done) => sqlx::query("COMMIT").execute(&mut *db).await.map(|_| done),
        Err(error) => Err(error),
    };
    if committed.is_err() {
        // Refused where it is rolled back already.
        let _ = sqlx::query("ROLLBACK").execute(db).await;
    }
    committed
}

async fn apply_each(db: &mut SqliteConnection, rooms: &Rooms, ops: &[Op]) -> Result<Committed, sqlx::Error> {
    let mut after = After::default();
    let mut answers = Vec::with_capacity(ops.len());
    let mut rest = ops;
    while let Some(op) = rest.first() {
        let plain = rest.iter().map_while(messages::plain).take(messages::AT_ONCE);
        let plain: Vec<_> = plain.collect();
        if plain.is_empty() {
            answers.push(apply(db, rooms, op, &mut after).await?);
            rest = &rest[1..];
        } else {
            rest = &rest[plain.len()..];
            answers.extend(messages::post_plain(db, rooms, &plain, &mut after).await?);
        }
    }
    Ok((answers, after))
}

async fn apply(
    db: &mut SqliteConnection,
    known: &Rooms,
    op: &Op,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    match op {
        Op::OpenRoom { key, room } => rooms::open_room(db, key, room, after).await,
        Op::Direct { user, at } => rooms::direct(db, known, user, *at, after).await,
        Op::Invite { .. } | Op::SetTopic { .. } | Op::Archive { .. } => {
            rooms::change_room(db, known, op, after).await
        }
        Op::Post(post) => messages::post_message(db, known, post, after).await,
        Op::Update { id, room, body } => messages::update(db, *id, room, body, after).await,
        Op::Pin { id, room, at } => messages::pin(db, *id, room, *at, after).await,
        Op::Edit {
            id,
            room,
            by,
            text,
            at,
        } => messages::rewrite(db, *id, room, by, Some(text), *at, after).await,
        Op::Delete { id, room, by, at } => messages::rewrite(db, *id, room, by, None, *at, after).await,
        Op::Redact { id, room, marker } => messages::redact(db, *id, room, marker, after).await,
        Op::React { .. } => messages::react(db, op, after).await,
        Op::Delivered { ids } => {
            for id in ids {
                sqlx::query("DELETE FROM delivery WHERE id = ?")
                    .bind(id)
                    .execute(&mut *db)
                    .await?;
            }
            Ok(Ok(Done::Nothing))
        }
        Op::SignIn(session) => {
            sqlx::query("INSERT OR REPLACE INTO session (digest, person, until) VALUES (?, ?, ?)")
                .bind(&session.digest)
                .bind(&session.person)
                .bind(session.until.timestamp_millis())
                .execute(db)
                .await?;
            Ok(Ok(Done::Nothing))
        }
        Op::SignOut { digest } => {
            sqlx::query("DELETE FROM session WHERE digest = ?")
                .bind(digest)
                .execute(db)
                .await?;
            Ok(Ok(Done::Nothing))
        }
    }
}
