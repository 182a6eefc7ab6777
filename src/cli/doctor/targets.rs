//! Targets: their secrets, whether they answer, and what the user of their probes may do beyond reading.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Finding;
use crate::cli::output::with_progress;
use crate::clock::SystemClock;
use crate::config::{Config, process_env};
use crate::driver::process::Process;
use crate::driver::redis::PROPER_USER;
use crate::driver::{Driver, Failure, Limits, Target, http, postgres, redis as redis_driver};

/// A target that takes longer to say hello is as good as away to those who wait in an incident.
const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(5),
    output: 64 << 10,
};

pub async fn look(config: &Config, findings: &mut Vec<Finding>) {
    let resolved = config.targets(&process_env);
    if config.target.is_empty() {
        findings.push(
            Finding::note("targets", "orderly.toml names no system to look at")
                .mend("Describe yours as [[target]]; the comments in orderly.toml show how."),
        );
    }
    for problem in &resolved.problems {
        findings.push(Finding::wrong(
            format!("target {}", problem.target),
            problem.message.clone(),
        ));
    }
    let asked = resolved.targets.iter().map(|target| async move {
        let label = format!("Looking at {}", target.name);
        with_progress(&label, one(target)).await
    });
    // One after the other: a line of progress is about one of them.
    for asking in asked {
        findings.extend(asking.await);
    }
    let needs_sandbox = resolved
        .targets
        .iter()
        .any(|target| matches!(target.kind.as_str(), "host" | "git"));
    findings.push(sandbox(needs_sandbox).await);
}

async fn one(target: &Target) -> Vec<Finding> {
    let about = format!("target {}", target.name);
    let scheme = target.probe.url.split(':').next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => vec![postgres_role(&about, target).await],
        "redis" | "rediss" => redis_user(&about, target).await,
        "http" | "https" => vec![web(&about, target).await],
        _ => vec![folder(&about, Path::new(&target.probe.url))],
    }
}

async fn postgres_role(about: &str, target: &Target) -> Finding {
    match postgres::check_role(target, LIMITS).await {
        Ok(None) => Finding::ok(about, "answers, and its probe role can only read"),
        Ok(Some(powers)) => Finding::note(about, format!("answers; {powers}")).mend(format!(
            "The config accepts that. A role for probes alone: {}",
            postgres::PROPER_ROLE
        )),
        Err(failure) => failed(about, &failure),
    }
}

async fn redis_user(about: &str, target: &Target) -> Vec<Finding> {
    let asked = redis_driver::Redis
        .read(target, &json!({ "command": ["PING"] }), LIMITS)
        .await;
    if let Err(failure) = asked {
        return vec![failed(about, &failure)];
    }
    let powers = tokio::time::timeout(LIMITS.timeout, could_write(&target.probe.url)).await;
    vec![match powers {
        Ok(Ok(false)) => Finding::ok(about, "answers, and its probe user cannot write"),
        Ok(Ok(true)) if target.accept_privileged_probe => Finding::note(
            about,
            "answers; its probe user could write, and the config accepts that",
        ),
        Ok(Ok(true)) => Finding::wrong(about, "answers, but its probe user could write").mend(format!(
            "Probes never send a writing command, but give them a user of their own: {PROPER_USER}. Or say \
             accept_privileged_probe = true."
        )),
        // It answered a moment ago; what its user may do stays unknown.
        Ok(Err(_)) | Err(_) => Finding::note(
            about,
            "answers; what its probe user may do could not be found out",
        ),
    }]
}

/// Whether a writing command would be let through: the server checks that when it queues one, and nothing queued is run.
async fn could_write(url: &str) -> Result<bool, redis::RedisError> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let denied = |error: &redis::RedisError| error.code() == Some("NOPERM");
    let opened: Result<(), _> = redis::cmd("MULTI").query_async(&mut connection).await;
    match opened {
        Err(error) if denied(&error) => return Ok(false),
        other => other?,
    }
    let queued: Result<redis::Value, _> = redis::cmd("SET")
        .arg("orderly:doctor")
        .arg("never written")
        .query_async(&mut connection)
        .await;
    // DISCARD also where it was refused: the connection is left as it was found.
    let _: Result<redis::Value, _> = redis::cmd("DISCARD").query_async(&mut connection).await;
    match queued {
        Ok(_) => Ok(true),
        Err(error) if denied(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn web(about: &str, target: &Target) -> Finding {
    let driver = match http::Http::new(Arc::new(SystemClock)) {
        Ok(driver) => driver,
        Err(error) => return Finding::wrong(about, format!("the HTTP client cannot be made: {error}")),
    };
    match driver.read(target, &json!({}), LIMITS).await {
        Ok(reading) => match reading.answer.get("status").and_then(serde_json::Value::as_u64) {
            Some(status @ (401 | 403)) => {
                Finding::wrong(about, format!("answers {status}: it does not let the probe in"))
                    .mend("Check the headers below `probe` of this target, and the secret they name.")
            }
            Some(status) => Finding::ok(about, format!("answers with status {status}")),
            None => Finding::ok(about, "answers"),
        },
        Err(failure) => failed(about, &failure),
    }
}

fn folder(about: &str, path: &Path) -> Finding {
    match std::fs::read_dir(path) {
        Ok(_) => Finding::ok(about, format!("{} can be read", path.display())),
        Err(error) => Finding::wrong(about, format!("{} cannot be read: {error}", path.display()))
            .mend("Check `url` of this target, and let the user who runs Orderly read the folder."),
    }
}

fn failed(about: &str, failure: &Failure) -> Finding {
    let finding = Finding::wrong(about, failure.to_string());
    match failure {
        Failure::Unreachable(_) => {
            // The driver asks already whether it is up.
            finding
                .mend("If it should be, check `url` of this target. Probes of it will be unknown until then.")
        }
        Failure::Refused(_) => finding,
    }
}

/// Whether programs can be run behind walls, as every probe of kind host and git is.
async fn sandbox(needed: bool) -> Finding {
    let launcher = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("orderly"));
    let target = Target {
        name: "this machine".to_owned(),
        kind: "host".to_owned(),
        environment: crate::incident::Environment::Production,
        tenant: None,
        probe: crate::driver::Access {
            url: "/".to_owned(),
            headers: Vec::new(),
            env: Vec::new(),
        },
        action: None,
        facts: serde_json::Map::new(),
        accept_privileged_probe: false,
    };
    let ran = Process::new(launcher)
        .read(&target, &json!({ "argv": ["true"] }), LIMITS)
        .await;
    match ran {
        Ok(_) => Finding::ok("sandbox", "programs of probes cannot write here"),
        Err(failure) if needed => Finding::wrong("sandbox", failure.to_string()),
        Err(failure) => Finding::note("sandbox", failure.to_string())
            .mend("No target needs it now; probes of host and git would."),
    }
}
