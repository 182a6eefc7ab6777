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
pub struct Undecided(SqliteConnection);

impl Undecided {
    pub async fn database(path: &Path) -> Self {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut file = file.connect().await.expect("the journal's file");
        sqlx::query(
            "CREATE TRIGGER undecided BEFORE DELETE ON inbox_waiting BEGIN SELECT RAISE(ABORT, 'not now'); END",
        )
        .execute(&mut file)
        .await
        .expect("a trigger");
        Self(file)
    }

    pub async fn let_go(mut self) {
        sqlx::query("DROP TRIGGER undecided")
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
