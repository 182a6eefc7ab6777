//! A Redis server of the test's own.

use std::path::{Path, PathBuf};
use std::process::Child;

use redis::aio::MultiplexedConnection;

use crate::place::Place;
use crate::process::{ASK_EVERY, PORTS_TRIED, READY_WITHIN, free_port, start, tied};

/// A running server; dropped, it is gone.
pub struct Redis {
    server: Child,
    place: Place,
    port: u16,
}

impl Redis {
    /// A fresh, empty server that keeps nothing on disk.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with settings of its own (`("maxmemory", "2mb")`).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        for _ in 0..PORTS_TRIED {
            let place = Place::new();
            let port = free_port();
            let mut command = tied(&bin(), None, "KILL");
            command
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .args(["--enable-debug-command", "yes", "--daemonize", "no"])
                .args(["--port", &port.to_string()])
                .arg("--dir")
                .arg(place.path());
            for (name, value) in settings {
                command.arg(format!("--{name}")).args(value.split(' '));
            }
            let server = start(command, &place.path().join("server.log"));
            let mut running = Self { server, place, port };
            if running.ready().await {
                return running;
            }
        }
        panic!("redis-server does not start; is something wrong with its installation?");
    }

    /// A replica of this server, linked once it answers.
    pub async fn replica(&self) -> Self {
        let replica = Self::start_with(&[
            ("replicaof", &format!("127.0.0.1 {}", self.port)),
            ("repl-diskless-sync-delay", "0"),
        ])
        .await;
        replica.until_info("master_link_status:up").await;
        replica
    }

    /// False when the server ended by itself.
    async fn ready(&mut self) -> bool {
        let asking = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                if let Ok(Some(_)) = self.server.try_wait() {
                    return false;
                }
                let Ok(client) = redis::Client::open(self.url()) else {
                    continue;
                };
                let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                    continue;
                };
                // A server that wants a password is ready too.
                let _ = redis::cmd("PING").query_async::<String>(&mut connection).await;
                return true;
            }
        };
        match tokio::time::timeout(READY_WITHIN, asking).await {
            Ok(ready) => ready,
            Err(_) => panic!("redis-server was not ready in {READY_WITHIN:?}:\n{}", self.log()),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// As a user of the server's access list.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}", self.port)
    }

    pub async fn connect(&self) -> MultiplexedConnection {
        redis::Client::open(self.url())
            .expect("the address of a test server")
            .get_multiplexed_async_connection()
            .await
            .expect("a connection to a test server")
    }

    /// Runs one command and gives its reply.
    pub async fn run(&self, argv: &[&str]) -> redis::Value {
        let mut command = redis::cmd(argv[0]);
        command.arg(&argv[1..]);
        command
            .query_async(&mut self.connect().await)
            .await
            .unwrap_or_else(|why| panic!("{argv:?}: {why}"))
    }

    /// Waits until INFO has this line.
    pub async fn until_info(&self, line: &str) {
        let mut connection = self.connect().await;
        let asking = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                let info: String = redis::cmd("INFO")
                    .query_async(&mut connection)
                    .await
                    .expect("INFO from a test server");
                if info.lines().any(|had| had == line) {
                    return;
                }
            }
        };
        if tokio::time::timeout(READY_WITHIN, asking).await.is_err() {
            panic!("INFO still lacks {line} after {READY_WITHIN:?}\n{}", self.log());
        }
    }

    /// The server's working folder.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("server.log")).unwrap_or_default()
    }
}

fn bin() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.exists())
        .unwrap_or_else(|| panic!("redis-server is missing: apt-get install redis-server"))
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
