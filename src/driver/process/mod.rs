//! Runs programs: argv, no shell, a clean environment, a process group that ends as one.
//!
//! A probe runs behind [`sandbox`]: no writable path, no network unless its entry asks for it. An action is the
//! operator's own program with the rights of the bot.

mod answer;
mod run;
pub mod sandbox;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use self::run::{Ended, Ran, Run};
use super::{Access, Driver, Failure, Limits, Reading, Target, guards};
use crate::catalog::raw::OutputShape;
use crate::incident::{Approved, Operation, Outcome, Preview};

/// Where programs are looked for, whatever the bot's own environment says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The guard that holds an action to the very program that was approved.
const PROGRAM: &str = "program_sha256";

/// Runs programs.
#[derive(Debug, Clone)]
pub struct Process {
    launcher: PathBuf,
}

/// A read as the catalog renders it.
#[derive(Debug, Deserialize)]
struct ReadCall {
    argv: Vec<String>,
    #[serde(default)]
    network: bool,
    #[serde(default = "zero")]
    exit: Vec<i32>,
    #[serde(default)]
    output: OutputShape,
}

/// An action as the catalog renders it.
#[derive(Debug, Deserialize)]
struct ActCall {
    argv: Vec<String>,
    #[serde(default)]
    guards: BTreeMap<String, String>,
    #[serde(default)]
    preview: Option<ReadCall>,
}

fn zero() -> Vec<i32> {
    vec![0]
}

impl Process {
    /// `launcher` is a program that answers to `sandbox-exec`: this one (`std::env::current_exe`).
    pub fn new(launcher: impl Into<PathBuf>) -> Self {
        Self {
            launcher: launcher.into(),
        }
    }

    async fn ask(&self, access: &Access, call: &ReadCall, limits: Limits) -> Result<Reading, Failure> {
        let launcher = self.launcher.display().to_string();
        let mut argv = vec![launcher, sandbox::VERB.to_owned()];
        argv.extend(call.network.then(|| sandbox::NETWORK.to_owned()));
        argv.push("--".to_owned());
        argv.extend(call.argv.iter().cloned());
        let run = Run {
            argv,
            folder: folder(access),
            env: environment(access),
            limits,
            stop_at_limit: true,
        };
        let ran = run.perform().await.map_err(|error| {
            Failure::Refused(format!(
                "The sandbox could not be started: {error}. Run `orderly doctor`."
            ))
        })?;
        let program = call.argv.first().map_or("", String::as_str);
        judge_end(&ran, program, &call.exit, limits)?;
        let mut caveats = Vec::new();
        if call.network {
            caveats.push("This program was allowed to use the network.".to_owned());
        }
        if ran.truncated {
            caveats.push(format!("The output was cut at {} bytes.", limits.output));
        }
        let answer = answer::from(&ran, &call.output)?;
        Ok(Reading {
            answer,
            raw: ran.stdout,
            caveats,
        })
    }

    /// What guards an action now: what its preview reads, and the program itself.
    async fn guards(
        &self,
        target: &Target,
        call: &ActCall,
        limits: Limits,
    ) -> Result<(Map<String, Value>, String), Failure> {
        let (mut found, effect) = match &call.preview {
            None => (Map::new(), String::new()),
            Some(read) => {
                let reading = self.ask(&target.probe, read, limits).await?;
                let found = guards::take(&reading.answer, &call.guards).map_err(Failure::Refused)?;
                (found, String::from_utf8_lossy(&reading.raw).into_owned())
            }
        };
        let program = call.argv.first().map_or("", String::as_str);
        let access = target.action.as_ref().unwrap_or(&target.probe);
        let digest = digest(program, &folder(access)).await.map_err(|error| {
            Failure::Refused(format!(
                "`{program}` cannot be read: {error}. Check the path in the target's facts."
            ))
        })?;
        found.insert(PROGRAM.to_owned(), Value::String(digest));
        Ok((found, effect))
    }
}

#[async_trait]
impl Driver for Process {
    async fn read(&self, target: &Target, call: &Value, limits: Limits) -> Result<Reading, Failure> {
        let call: ReadCall = parse(call)?;
        self.ask(&target.probe, &call, limits).await
    }

    async fn preview(&self, target: &Target, call: &Value, limits: Limits) -> Result<Preview, Failure> {
        let parsed: ActCall = parse(call)?;
        let (guards, effect) = self.guards(target, &parsed, limits).await?;
        let display = format!("{}\n{}", shown(&parsed.argv), guards::shown(&guards));
        let operation = Operation {
            driver: "process".to_owned(),
            display,
            call: call.clone(),
            guards,
        };
        Ok(Preview {
            operation,
            effect,
            dry_run: false,
        })
    }

    async fn attempt(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome {
        let operation = approved.operation();
        let not_done = |why: String| Outcome::NotDone { why };
        let call: ActCall = match parse(&operation.call) {
            Ok(call) => call,
            Err(error) => return not_done(error.to_string()),
        };
        let Some(access) = &target.action else {
            return not_done(format!("`{}` takes no actions", target.name));
        };
        match self.guards(target, &call, limits).await {
            Err(failure) => return not_done(format!("Its guards could not be read: {failure}")),
            Ok((now, _)) => {
                if let Some(why) = guards::changed(&operation.guards, &now) {
                    return not_done(why);
                }
            }
        }
        let run = Run {
            argv: call.argv.clone(),
            folder: folder(access),
            env: environment(access),
            limits,
            stop_at_limit: false,
        };
        match run.perform().await {
            Err(error) => not_done(format!("`{}` could not be started: {error}", shown(&call.argv))),
            Ok(ran) => outcome(&ran, limits),
        }
    }
}

fn outcome(ran: &Ran, limits: Limits) -> Outcome {
    let said = excerpt(&ran.stdout, &ran.stderr);
    match ran.ended {
        Ended::Code(0) => Outcome::Done {
            report: format!("ended with 0{said}"),
        },
        // A script that fails half way has done half: nobody may read this as "nothing happened".
        Ended::Code(code) => Outcome::Unknown {
            why: format!("it ended with {code} and may have done a part{said}"),
        },
        Ended::Signal => Outcome::Unknown {
            why: format!("it was killed by a signal{said}"),
        },
        Ended::Late => Outcome::Unknown {
            why: format!(
                "it had not ended after {} s and was killed{said}",
                limits.timeout.as_secs_f32()
            ),
        },
    }
}

fn judge_end(ran: &Ran, program: &str, good: &[i32], limits: Limits) -> Result<(), Failure> {
    let said = String::from_utf8_lossy(&ran.stderr);
    let first = said.lines().next().unwrap_or_default();
    if let (Ended::Code(sandbox::REFUSED), Some(why)) = (&ran.ended, first.strip_prefix(sandbox::MARK)) {
        return Err(Failure::Refused(why.to_owned()));
    }
    match ran.ended {
        // The limit ended it, and what was read still counts.
        _ if ran.truncated => Ok(()),
        Ended::Code(code) if good.contains(&code) => Ok(()),
        Ended::Code(code) => Err(Failure::Refused(format!(
            "`{program}` ended with {code}{}",
            excerpt(&[], &ran.stderr)
        ))),
        Ended::Signal => Err(Failure::Refused(format!(
            "`{program}` was killed by a signal{}",
            excerpt(&[], &ran.stderr)
        ))),
        Ended::Late => Err(Failure::Unreachable(format!(
            "`{program}` had not ended after {} s",
            limits.timeout.as_secs_f32()
        ))),
    }
}

/// The last words of a program, for one line.
fn excerpt(stdout: &[u8], stderr: &[u8]) -> String {
    const MOST: usize = 300;
    let said = if stderr.trim_ascii().is_empty() {
        stdout
    } else {
        stderr
    };
    let text = String::from_utf8_lossy(said);
    let text: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MOST)
        .collect();
    if text.is_empty() {
        text
    } else {
        format!(": {text}")
    }
}

fn parse<T: for<'de> Deserialize<'de>>(call: &Value) -> Result<T, Failure> {
    T::deserialize(call)
        .map_err(|error| Failure::Refused(format!("The call is not one for a process: {error}")))
}

/// A target's folder; anything else than a path (an address of another protocol) is no folder.
fn folder(access: &Access) -> PathBuf {
    let path = access.url.strip_prefix("file://").unwrap_or(&access.url);
    if path.starts_with('/') {
        PathBuf::from(path)
    } else {
        PathBuf::from("/")
    }
}

fn environment(access: &Access) -> Vec<(String, String)> {
    // Programs must answer alike on every machine: English, UTF-8, UTC.
    let fixed = [("PATH", PATH), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC")];
    let fixed = fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    fixed.chain(access.env.iter().cloned()).collect()
}

/// An argv as people would type it.
fn shown(argv: &[String]) -> String {
    let plain = |word: &String| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c))
    };
    let word = |word: &String| match plain(word) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// SHA-256 of the program that would run, hex.
async fn digest(program: &str, folder: &Path) -> std::io::Result<String> {
    let candidates: Vec<PathBuf> = match program.contains('/') {
        true => vec![folder.join(program)],
        false => PATH.split(':').map(|dir| Path::new(dir).join(program)).collect(),
    };
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for candidate in candidates {
        match tokio::fs::read(&candidate).await {
            Ok(bytes) => return Ok(hex::encode(Sha256::digest(&bytes))),
            Err(error) => last = error,
        }
    }
    Err(last)
}
