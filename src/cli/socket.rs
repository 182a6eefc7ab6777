//! The Unix socket beside the database, on which the terminal reaches a running `orderly serve`.
//!
//! A connection carries one request and one answer, each a line of JSON. Only the user who runs the bot gets in: by the
//! mode of the file, and by what the kernel says of who is at the other end.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::request::{Answer, Host, Request};

/// Longest request: a command is bounded far below by its own limits.
const REQUEST: u64 = 1 << 20;

/// Longest answer: the post-mortem of the longest incident with its whole room log fits several times over.
const ANSWER: u64 = 256 << 20;

/// How long a connection may take to say what it wants: whoever connects has the line ready.
const SPEAK: Duration = Duration::from_secs(5);

/// Connections at a time; each waits for at most one decision.
const AT_ONCE: usize = 16;

/// `orderly.sqlite` has `orderly.sqlite.sock` beside it.
pub fn beside(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".sock");
    PathBuf::from(name)
}

/// The name of a user of this machine; the number where it has none.
pub fn user_name(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| uid.to_string())
}

/// The user who runs this program.
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The socket, open until it is stopped.
pub struct Listening {
    path: PathBuf,
    accepting: JoinHandle<()>,
}

/// Opens the socket. The caller owns the database, so a socket that is there already is a dead one's.
pub fn listen(path: PathBuf, host: Arc<Host>) -> io::Result<Listening> {
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let accepting = tokio::spawn(accept(listener, host));
    Ok(Listening { path, accepting })
}

impl Listening {
    /// Lets nobody in any more. What was taken is finished by the engine.
    pub fn stop(self) {
        self.accepting.abort();
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "the terminal's socket could not be removed");
        }
    }
}

async fn accept(listener: UnixListener, host: Arc<Host>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(%error, "the terminal's socket takes nobody in");
                // Out of files, most likely: that passes, and asking again at once would only burn the processor.
                host.clock
                    .until(host.clock.now() + chrono::TimeDelta::seconds(1))
                    .await;
                continue;
            }
        };
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            if let Err(error) = serve_one(stream, &host).await {
                tracing::debug!(%error, "a terminal went away");
            }
            drop(turn);
        });
    }
}

async fn serve_one(mut stream: UnixStream, host: &Host) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (reading, mut writing) = stream.split();
    let answer = if uid == own_uid() {
        match tokio::time::timeout(SPEAK, line(reading)).await {
            Ok(Ok(request)) => host.carry_out(&user_name(uid), request).await,
            Ok(Err(words)) => Answer::Failed { words },
            Err(_) => return Ok(()),
        }
    } else {
        Answer::Failed {
            words: "This Orderly belongs to another user of this machine. Run the command as that user."
                .to_owned(),
        }
    };
    let mut text = serde_json::to_string(&answer).map_err(io::Error::other)?;
    text.push('\n');
    writing.write_all(text.as_bytes()).await?;
    writing.shutdown().await
}

async fn line(stream: impl tokio::io::AsyncRead + Unpin) -> Result<Request, String> {
    let mut line = String::new();
    let read = BufReader::new(stream.take(REQUEST)).read_line(&mut line).await;
    read.map_err(|error| format!("the request cannot be read: {error}"))?;
    serde_json::from_str(&line).map_err(|error| {
        format!("the request is not understood ({error}): is the other `orderly` of the same version?")
    })
}

/// Asks the bot that runs; `None`: none does.
pub async fn send(path: &Path, request: &Request) -> Result<Option<Answer>> {
    let mut stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        // A path too long for a socket cannot have one, and the bot said so when it started.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(error).with_context(|| {
                format!(
                    "{} cannot be reached: run this as the user who runs Orderly",
                    path.display()
                )
            });
        }
    };
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER).read_to_string(&mut answer).await?;
    if answer.is_empty() {
        bail!(
            "Orderly stopped before it answered. What it had taken is decided at its next start: look at the status \
               before you try again"
        );
    }
    Ok(Some(serde_json::from_str(&answer)?))
}
