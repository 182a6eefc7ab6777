//! The database: there or makeable, of a version this program knows, with room to grow, and in step with the clock.

use std::path::Path;

use chrono::TimeDelta;

use super::Finding;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::store::Error;
use crate::store::sqlite::{self, Inspection};
use crate::text::{human_bytes, human_duration};

/// Less free space than this is soon none: a busy incident with its evidence and the copy before a migration.
const LEAST_FREE: u64 = 200 << 20;

/// Clocks of one machine differ by less between two readings.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// Says whether the bot runs.
pub async fn look(config: &Config, findings: &mut Vec<Finding>) -> bool {
    let path = &config.store.path;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    space(folder, findings);
    if !path.exists() {
        missing(path, folder, findings);
        return false;
    }
    match sqlite::inspect(path).await {
        Ok(inspection) => {
            found(path, &inspection, findings);
            clock(&inspection, findings);
            inspection.owner.is_some()
        }
        Err(error) => {
            findings.push(broken(&error));
            false
        }
    }
}

fn missing(path: &Path, folder: &Path, findings: &mut Vec<Finding>) {
    use rustix::fs::{Access, access};
    let finding = match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(
            "database",
            format!("{} will be made by the first start", path.display()),
        ),
        Err(error) => Finding::wrong(
            "database",
            format!("{} cannot be written: {error}", folder.display()),
        )
        .mend("Make the folder, and let the user who runs Orderly write there."),
    };
    findings.push(finding);
}

fn found(path: &Path, inspection: &Inspection, findings: &mut Vec<Finding>) {
    let Inspection { version, known, .. } = inspection;
    let whose = match inspection.owner {
        Some(Some(pid)) => format!(", in use by process {pid}"),
        Some(None) => ", in use".to_owned(),
        None => String::new(),
    };
    let what = format!("{} has schema version {version}{whose}", path.display());
    findings.push(match version < known {
        true => Finding::note("database", what).mend(format!(
            "The next start copies it and brings it to version {known}. Nothing to do."
        )),
        false => Finding::ok("database", what),
    });
}

fn clock(inspection: &Inspection, findings: &mut Vec<Finding>) {
    let ahead = inspection.last.map(|last| last - SystemClock.now());
    findings.push(match ahead.filter(|ahead| *ahead > SKEW) {
        Some(ahead) => Finding::wrong(
            "clock",
            format!(
                "the newest event of the journal lies {} in the future",
                human_duration(ahead)
            ),
        )
        .mend("The clock was set back, or was wrong before. Set it right (timedatectl), then start Orderly."),
        None => Finding::ok("clock", "in step with the journal"),
    });
}

fn broken(error: &Error) -> Finding {
    let finding = Finding::wrong("database", error.to_string());
    match error {
        Error::Foreign { .. } => finding.mend("Set another file at `path` in [store]."),
        _ => finding,
    }
}

fn space(folder: &Path, findings: &mut Vec<Finding>) {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        // A folder that is missing is told with the database.
        return;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    findings.push(match free < LEAST_FREE {
        true => Finding::wrong(
            "disk",
            format!("{} free at {}", human_bytes(free), folder.display()),
        )
        .mend("Free some space: when there is none, nothing is taken any more."),
        false => Finding::ok("disk", format!("{} free", human_bytes(free))),
    });
}
