//! The program as an operator meets it: the real binary, in folders of its own.

mod days;
mod doctor;
mod files;
mod help;
mod people;
mod piped;
mod served;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const ORDERLY: &str = env!("CARGO_BIN_EXE_orderly");

/// What a run of the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Asserts the exit code, and shows everything where it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A folder with an installation in it.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// An empty folder.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// What `init` writes, on a port that is free.
    pub fn made() -> Self {
        let place = Self::empty();
        place.run(&["init"]).exits(0);
        place.change(
            "orderly.toml",
            "#listen = \"127.0.0.1:8470\"",
            "listen = \"127.0.0.1:0\"",
        );
        place
    }

    /// An installation in which the user of the tests is Ana, who commands.
    pub fn with_ana() -> Self {
        let place = Self::made();
        place.add(
            "orderly.toml",
            &format!(
                "\n[[person]]\nid = \"ana\"\nname = \"Ana Bell\"\nroles = [\"commander\"]\nos_user = \"{}\"\n",
                os_user()
            ),
        );
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(ORDERLY);
        command.args(words).current_dir(self.folder.path());
        command
            .env_remove("ORDERLY_CONFIG")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Said {
        self.told(self.command(words))
    }

    /// Runs a command that can write no file beyond 4 KiB, as on a disk that is nearly full.
    pub fn run_with_little_space(&self, words: &[&str]) -> Said {
        let mut command = Command::new("sh");
        let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
        command
            .args(["-c", limited, ORDERLY])
            .args(words)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        self.told(command)
    }

    /// Runs the program as somebody whom the mode of a folder holds back, also where the tests run as root.
    pub fn run_held_back(&self, words: &[&str]) -> Said {
        let plain = self.command(words);
        if os_user() != "root" {
            return self.told(plain);
        }
        let mut held_back = Command::new("setpriv");
        held_back
            .args(["--bounding-set=-dac_override", "--inh-caps=-dac_override", "--"])
            .arg(plain.get_program())
            .args(plain.get_args())
            .current_dir(self.path("."));
        self.told(held_back)
    }

    /// Runs a command to its end.
    pub fn told(&self, mut command: Command) -> Said {
        let output = command.output().unwrap();
        Said {
            code: output.status.code(),
            out: self.shown(&output.stdout),
            err: self.shown(&output.stderr),
        }
    }

    /// Text without what differs from run to run.
    fn shown(&self, bytes: &[u8]) -> String {
        let folder = self.folder.path().display().to_string();
        String::from_utf8_lossy(bytes).replace(&folder, "[folder]")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn add(&self, name: &str, text: &str) {
        let before = std::fs::read_to_string(self.path(name)).unwrap();
        self.write(name, &(before + text));
    }

    #[track_caller]
    pub fn change(&self, name: &str, from: &str, to: &str) {
        let before = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(before.contains(from), "{name} has no {from}");
        self.write(name, &before.replace(from, to));
    }

    /// Starts the bot, and comes back when it listens.
    pub fn serve(&self) -> Served {
        let mut child = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut served = Served {
            child,
            lines,
            said: Vec::new(),
        };
        loop {
            let line = served.line();
            let listens = line.contains("listens on");
            served.said.push(line);
            if listens {
                return served;
            }
        }
    }

    /// Changes the database behind the program's back.
    pub fn sql(&self, sql: &'static str) {
        self.behind_its_back("orderly.sqlite", async |file| {
            sqlx::raw_sql(sql).execute(file).await.unwrap();
        });
    }

    /// The one text that a query of one of its files gives.
    pub fn asked(&self, file: &str, sql: &'static str) -> String {
        self.behind_its_back(file, async |file| {
            sqlx::query_scalar(sql).fetch_one(file).await.unwrap()
        })
    }

    fn behind_its_back<T>(&self, file: &str, act: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
        let path = self.path(file);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            use sqlx::{ConnectOptions, Connection};
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true);
            let mut connection = options.connect().await.unwrap();
            let answer = act(&mut connection).await;
            connection.close().await.unwrap();
            answer
        })
    }
}

type Lines = std::io::Lines<BufReader<std::process::ChildStderr>>;

/// A bot that runs until this is dropped.
pub struct Served {
    child: Child,
    lines: Lines,
    /// Up to the line that says where it listens.
    pub said: Vec<String>,
}

impl Served {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status();
        assert!(done.unwrap().success());
    }

    /// The next line it says.
    pub fn line(&mut self) -> String {
        match self.lines.next() {
            Some(line) => line.unwrap(),
            None => panic!("it ended: {:#?}", self.said),
        }
    }

    /// Stops it as a service manager would; gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user who runs the tests.
pub fn os_user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
