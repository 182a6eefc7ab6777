//! A slow database, as a test wants it: somebody else writes, and does not end.

use std::path::Path;
use std::sync::atomic::Ordering;

use orderly::app::App;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

pub struct Held {
    file: SqliteConnection,
    /// Deliveries taken before.
    taken: u64,
}

fn taken(app: &App) -> u64 {
    app.engine.counters().requests.load(Ordering::Relaxed)
}

impl Held {
    pub async fn database(path: &Path, app: &App) -> Self {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut file = file.connect().await.expect("the journal's file");
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut file)
            .await
            .expect("the only writer");
        let taken = taken(app);
        Self { file, taken }
    }

    /// The database goes on, and takes what waited for it.
    pub async fn let_go(mut self, app: &App) {
        sqlx::query("ROLLBACK")
            .execute(&mut self.file)
            .await
            .expect("an end");
        self.file.close().await.expect("a closed file");
        while taken(app) == self.taken {
            tokio::task::yield_now().await;
        }
    }
}

/// A database that takes what comes in and cannot write what is decided.
pub struct Undecided(Trap);

impl Undecided {
    pub async fn database(path: &Path) -> Self {
        Self(Trap::set(path, "DELETE ON inbox_waiting").await)
    }

    pub async fn let_go(self) {
        self.0.let_go().await;
    }
}

/// A database that takes nothing in.
pub struct Refusing(Trap);

impl Refusing {
    pub async fn database(path: &Path) -> Self {
        Self(Trap::set(path, "INSERT ON inbox").await)
    }

    pub async fn let_go(self) {
        self.0.let_go().await;
    }
}

/// What makes one kind of statement fail.
struct Trap(SqliteConnection);

impl Trap {
    async fn set(path: &Path, before: &str) -> Self {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut file = file.connect().await.expect("the journal's file");
        let trigger =
            format!("CREATE TRIGGER trap BEFORE {before} BEGIN SELECT RAISE(ABORT, 'not now'); END");
        sqlx::query(sqlx::AssertSqlSafe(trigger))
            .execute(&mut file)
            .await
            .expect("a trigger");
        Self(file)
    }

    async fn let_go(mut self) {
        sqlx::query("DROP TRIGGER trap")
            .execute(&mut self.0)
            .await
            .expect("no trigger");
        self.0.close().await.expect("a closed file");
    }
}

/// A database that takes nothing of what comes in, like one on a full disk.
pub struct Unheard(SqliteConnection);

impl Unheard {
    pub async fn database(path: &Path) -> Self {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut file = file.connect().await.expect("the journal's file");
        sqlx::query("CREATE TRIGGER unheard BEFORE INSERT ON inbox_waiting BEGIN SELECT RAISE(ABORT, 'no space'); END")
            .execute(&mut file)
            .await
            .expect("a trigger");
        Self(file)
    }

    pub async fn let_go(mut self) {
        sqlx::query("DROP TRIGGER unheard")
            .execute(&mut self.0)
            .await
            .expect("no trigger");
        self.0.close().await.expect("a closed file");
    }
}
