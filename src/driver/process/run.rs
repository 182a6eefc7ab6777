//! One run of one program, bounded in time and output, that leaves nothing behind.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::driver::Limits;

/// How long output may still trickle in after the program itself has ended, because something it started holds the pipe.
const TRICKLE: Duration = Duration::from_millis(200);

/// Most kept of the error output: enough for the last words.
const STDERR: usize = 16 * 1024;

pub(super) struct Run {
    pub argv: Vec<String>,
    pub folder: PathBuf,
    pub env: Vec<(String, String)>,
    pub limits: Limits,
    /// End the program when its output passes the limit: right for a probe, never for an action.
    pub stop_at_limit: bool,
}

#[derive(Debug)]
pub(super) struct Ran {
    pub ended: Ended,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Code(i32),
    Signal,
    Late,
}

/// Kills the whole group when dropped, so that neither a time-out nor a cancelled question leaves a program running.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // It may have ended already, which is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Lets what the program left running go on: an action may well have started a service.
    fn release(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Run {
    /// Runs to the end, the deadline or the limit. An error means that nothing was started.
    pub async fn perform(&self) -> std::io::Result<Ran> {
        let [program, arguments @ ..] = self.argv.as_slice() else {
            return Err(std::io::Error::other("no program"));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut group = Group::of(&child);
        let mut out = Kept::new(self.limits.output);
        let mut err = Kept::new(STDERR);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let status = {
            let reading =
                async { tokio::join!(out.fill(stdout, self.stop_at_limit), err.fill(stderr, false)) };
            tokio::pin!(reading);
            let whole = async {
                tokio::select! {
                    status = child.wait() => {
                        if self.stop_at_limit {
                            group.kill();
                        }
                        let _ = timeout(TRICKLE, &mut reading).await;
                        status
                    }
                    // Output ended or passed its limit first: the program ends by itself, or is ended.
                    (stopped, _) = &mut reading => {
                        if stopped {
                            group.kill();
                        }
                        child.wait().await
                    }
                }
            };
            timeout(self.limits.timeout, whole).await
        };
        let ended = match status {
            Err(_) => Ended::Late,
            Ok(status) => ended(status?),
        };
        match ended {
            Ended::Late => group.kill(),
            _ if !self.stop_at_limit => group.release(),
            _ => {}
        }
        Ok(Ran {
            ended,
            stdout: out.bytes,
            truncated: out.passed,
            stderr: err.bytes,
        })
    }
}

fn ended(status: ExitStatus) -> Ended {
    status.code().map_or(Ended::Signal, Ended::Code)
}

/// The first bytes of a stream.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
    passed: bool,
}

impl Kept {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            passed: false,
        }
    }

    /// Reads to the end and keeps what fits; true when it stopped early because the limit was passed.
    async fn fill(&mut self, stream: Option<impl AsyncRead + Unpin>, stop: bool) -> bool {
        let Some(mut stream) = stream else { return false };
        let mut chunk = [0; 8 * 1024];
        loop {
            // A broken pipe is an ended one.
            let read = stream.read(&mut chunk).await.unwrap_or(0);
            if read == 0 {
                return false;
            }
            let fits = read.min(self.limit - self.bytes.len());
            self.bytes.extend_from_slice(&chunk[..fits]);
            self.passed |= fits < read;
            if self.passed && stop {
                return true;
            }
        }
    }
}
