//! A PostgreSQL server of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::place::{Place, cache, locked};
use crate::process::{ASK_EVERY, PORTS_TRIED, READY_WITHIN, free_port, is_root, run, start, tied};

/// PostgreSQL refuses to run as root; Debian's package makes this user.
const USER: &str = "postgres";

/// Durability is not what these tests are about, and a small server starts quickly. `max_connections` is low so that a
/// test can use them all.
const SETTINGS: &str = "
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 16MB
max_connections = 30
autovacuum = off
wal_level = replica
max_wal_senders = 4
hot_standby = on
listen_addresses = '127.0.0.1'
deadlock_timeout = 50ms
log_line_prefix = '%m [%p] %a '
";

/// Every role's password is its name. `orderly_probe` is the role the README tells operators to make; `orderly_act` may
/// signal other sessions; `odoo` owns the database `odoo`; `clerk` is anybody else.
const ROLES: &str = "
CREATE ROLE orderly_probe LOGIN PASSWORD 'orderly_probe';
GRANT pg_monitor, pg_read_all_data TO orderly_probe;
CREATE ROLE orderly_act LOGIN PASSWORD 'orderly_act';
GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO orderly_act;
CREATE ROLE odoo LOGIN PASSWORD 'odoo';
CREATE ROLE clerk LOGIN PASSWORD 'clerk';
CREATE DATABASE odoo OWNER odoo;
";

/// A running server; dropped, it is gone.
pub struct Postgres {
    server: Child,
    place: Place,
    port: u16,
    settings: Vec<(String, String)>,
}

impl Postgres {
    /// A fresh server with the roles `postgres` (superuser), `orderly_probe`, `orderly_act`, `odoo` and `clerk`, and the
    /// databases `postgres` and `odoo`.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with settings of its own (`("max_connections", "10")`).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let place = Place::new();
        copy(&template(), &data(place.path()));
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self::serve(place, settings).await
    }

    /// A server that has already counted to this transaction, as if it had run for years without vacuum.
    pub async fn start_at_transaction(number: u32) -> Self {
        /// Transactions a file of pg_xact holds: two bits each, in 32 pages of 8 kB.
        const A_FILE: u32 = 32 * 8192 * 4;
        let place = Place::new();
        let data = data(place.path());
        copy(&template(), &data);
        own(place.path());
        let mut reset = tied(&bin("pg_resetwal"), Some(USER), "KILL");
        reset
            .arg(format!("--next-transaction-id={number}"))
            .arg("--pgdata")
            .arg(&data);
        run(reset);
        // The server reads where it stands at the start; a file of zeros says "in progress", which is nobody.
        let file = data.join("pg_xact").join(format!("{:04X}", number / A_FILE));
        std::fs::write(&file, vec![0; 32 * 8192]).expect("a file of pg_xact");
        own(&file);
        // Else the server notices at once and cleans up by itself, autovacuum or not.
        let patience = ("autovacuum_freeze_max_age".to_owned(), "2000000000".to_owned());
        Self::serve(place, vec![patience]).await
    }

    /// A streaming replica of this server, caught up once it answers.
    pub async fn replica(&self) -> Self {
        let place = Place::new();
        let data = data(place.path());
        own(place.path());
        let mut backup = tied(&bin("pg_basebackup"), Some(USER), "KILL");
        backup
            .env("PGPASSWORD", "postgres")
            .args(["--host=127.0.0.1", "--username=postgres"])
            .args([
                "--checkpoint=fast",
                "--wal-method=stream",
                "--write-recovery-conf",
            ])
            .arg(format!("--port={}", self.port))
            .arg("--pgdata")
            .arg(&data);
        run(backup);
        Self::serve(place, self.settings.clone()).await
    }

    async fn serve(place: Place, settings: Vec<(String, String)>) -> Self {
        own(place.path());
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            let mut command = tied(&bin("postgres"), Some(USER), "QUIT");
            command
                .arg("-D")
                .arg(data(place.path()))
                .arg(format!("--port={port}"))
                .arg(format!("--unix_socket_directories={}", place.path().display()));
            for (name, value) in &settings {
                command.arg(format!("--{name}={value}"));
            }
            let mut server = start(command, &place.path().join("server.log"));
            if ready(&mut server, port, place.path()).await {
                return Self {
                    server,
                    place,
                    port,
                    settings,
                };
            }
            // Most likely the port was taken meanwhile.
        }
        panic!("PostgreSQL does not start; is something wrong with its installation?");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `postgres://role:role@127.0.0.1:port/db`.
    pub fn url_for(&self, role: &str, database: &str) -> String {
        url_at(self.port, role, database)
    }

    /// The same by way of another port, for a [`Cut`](crate::Cut) in between.
    pub fn url_at(port: u16, role: &str, database: &str) -> String {
        url_at(port, role, database)
    }

    pub async fn connect(&self, role: &str, database: &str) -> PgConnection {
        PgConnection::connect(&self.url_for(role, database))
            .await
            .unwrap_or_else(|why| panic!("{role} cannot connect to {database}: {why}"))
    }

    /// Runs a script as superuser.
    pub async fn run(&self, database: &str, script: &str) {
        let mut connection = self.connect("postgres", database).await;
        execute(&mut connection, script).await;
        let _ = connection.close().await;
    }

    /// The first column of the only row, as superuser.
    pub async fn value<T>(&self, database: &str, query: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let mut connection = self.connect("postgres", database).await;
        let value = sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut connection)
            .await
            .unwrap_or_else(|why| panic!("{query}: {why}"));
        let _ = connection.close().await;
        value
    }

    /// Waits until the query, asked as superuser, gives true.
    pub async fn until(&self, database: &str, query: &str) {
        let mut connection = self.connect("postgres", database).await;
        let asking = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                let holds: bool = sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
                    .fetch_one(&mut connection)
                    .await
                    .unwrap_or_else(|why| panic!("{query}: {why}"));
                if holds {
                    return;
                }
            }
        };
        if tokio::time::timeout(READY_WITHIN, asking).await.is_err() {
            panic!("still not true after {READY_WITHIN:?}: {query}\n{}", self.log());
        }
    }

    /// What the server wrote to its log so far.
    pub fn log(&self) -> String {
        log(self.place.path())
    }
}

/// False when the server ended by itself.
async fn ready(server: &mut Child, port: u16, place: &Path) -> bool {
    let asking = async {
        let mut tick = tokio::time::interval(ASK_EVERY);
        loop {
            tick.tick().await;
            if let Ok(Some(_)) = server.try_wait() {
                return false;
            }
            if let Ok(mut connection) = PgConnection::connect(&url_at(port, "postgres", "postgres")).await {
                return connection.ping().await.is_ok();
            }
        }
    };
    match tokio::time::timeout(READY_WITHIN, asking).await {
        Ok(ready) => ready,
        Err(_) => panic!("PostgreSQL was not ready in {READY_WITHIN:?}:\n{}", log(place)),
    }
}

fn log(place: &Path) -> String {
    std::fs::read_to_string(place.join("server.log")).unwrap_or_default()
}

/// Runs a script in a session the test keeps.
pub async fn execute(connection: &mut PgConnection, script: &str) {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(script.to_owned())))
        .await
        .unwrap_or_else(|why| panic!("{script}: {why}"));
}

fn url_at(port: u16, role: &str, database: &str) -> String {
    format!("postgres://{role}:{role}@127.0.0.1:{port}/{database}")
}

fn data(place: &Path) -> PathBuf {
    place.join("data")
}

/// An initialised data folder, made once and kept below the target folder.
fn template() -> PathBuf {
    let cache = cache();
    let _one_at_a_time = locked(&cache.join("postgres.lock"));
    // Made anew when the version or what goes in changes.
    let mark = format!("{}\n{SETTINGS}{ROLES}", bin("postgres").display());
    let (template, stamp) = (cache.join("postgres"), cache.join("postgres.stamp"));
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == mark) {
        return template;
    }
    let _ = std::fs::remove_dir_all(&template);
    let place = Place::new();
    own(place.path());
    initialise(&data(place.path()));
    copy(&data(place.path()), &template);
    std::fs::write(stamp, mark).expect("a stamp beside the PostgreSQL template");
    template
}

fn initialise(data: &Path) {
    let password = data.with_file_name("password");
    std::fs::write(&password, "postgres\n").expect("a file for the superuser's password");
    let mut initdb = tied(&bin("initdb"), Some(USER), "KILL");
    initdb
        .args([
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ])
        .args(["--encoding=UTF8", "--locale=C", "--no-sync"])
        .arg(format!("--pwfile={}", password.display()))
        .arg(data);
    run(initdb);
    let conf = data.join("postgresql.conf");
    let mut text = std::fs::read_to_string(&conf).expect("the postgresql.conf that initdb wrote");
    text.push_str(SETTINGS);
    std::fs::write(&conf, text).expect("settings appended to postgresql.conf");
    // A server for nobody but this script: no port, no waiting for readiness.
    for statement in ROLES.lines().filter(|line| !line.is_empty()) {
        let script = data.with_file_name("statement.sql");
        std::fs::write(&script, format!("{statement}\n")).expect("a file for the statement");
        let mut single = tied(&bin("postgres"), Some(USER), "KILL");
        single
            .args(["--single", "-D"])
            .arg(data)
            .arg("postgres")
            .stdin(std::fs::File::open(&script).expect("the statement just written"));
        run(single);
    }
}

/// A copy that keeps the owner.
fn copy(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.args(["--archive", "--reflink=auto"]).arg(from).arg(to);
    run(copy);
}

/// Gives the folder itself to the server's user, which must make its socket in it.
fn own(folder: &Path) {
    if is_root() {
        let mut chown = Command::new("chown");
        chown.arg(format!("{USER}:{USER}")).arg(folder);
        run(chown);
    }
}

/// A program of the server: from `PG_CONFIG`'s folder if set, else the newest below `/usr/lib/postgresql`.
fn bin(program: &str) -> PathBuf {
    let folder = match std::env::var_os("PG_CONFIG") {
        Some(pg_config) => {
            let said = Command::new(&pg_config)
                .arg("--bindir")
                .output()
                .unwrap_or_else(|why| panic!("PG_CONFIG={} does not run: {why}", pg_config.display()));
            PathBuf::from(String::from_utf8_lossy(&said.stdout).trim())
        }
        None => newest(Path::new("/usr/lib/postgresql")).unwrap_or_else(|| {
            panic!(
                "PostgreSQL's server programs are missing: apt-get install postgresql-15 (or set PG_CONFIG to \
                 the pg_config of another installation)"
            )
        }),
    };
    let path = folder.join(program);
    assert!(
        path.exists(),
        "{} is missing: apt-get install postgresql-15",
        path.display()
    );
    path
}

fn newest(root: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse::<u32>().ok())
    };
    std::fs::read_dir(root)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(version)
        .map(|path| path.join("bin"))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // An immediate shutdown: the files go anyway.
        let mut quit = Command::new("kill");
        quit.arg("-QUIT").arg(self.server.id().to_string());
        let _ = quit.output();
        let _ = self.server.wait();
    }
}
