//! The runbooks at hand: those shipped in the program, and the operator's, which replace shipped ones by name.

use std::collections::BTreeMap;
use std::path::Path;

use super::choose::{self, Choice, Hints};
use super::problem::{Place, Problems};
use super::{Problem, Runbook, parse, source};
use crate::incident::{Step, StepKind};

/// The runbook that leads when no other is made for what has happened.
pub const GENERAL: &str = "production-incident";

/// Most runbook files in one folder: all are read at each reload, and a list of more can be chosen from by nobody.
const MAX_FILES: usize = 200;

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../runbooks/", $file)))),*]
    };
}

/// For every installation.
const SHIPPED: &[(&str, &str)] = shipped![
    "production-incident.md",
    "month-end-posting.md",
    "stuck-job-queue.md",
    "carrier-api.md",
    "faulty-release.md",
    "postgres-locks.md",
];

/// For `orderly demo` alone: its probes exist nowhere else.
const DEMO: &[(&str, &str)] = shipped!["demo-shop.md"];

/// Runbooks by name.
#[derive(Debug, Clone)]
pub struct Shelf {
    runbooks: BTreeMap<String, Runbook>,
}

impl Shelf {
    /// The runbooks in the program.
    pub fn shipped() -> Self {
        Self {
            runbooks: SHIPPED.iter().map(built_in).collect(),
        }
    }

    /// The runbooks in the program and the one for the demo's shop.
    pub fn demo() -> Self {
        Self {
            runbooks: SHIPPED.iter().chain(DEMO).map(built_in).collect(),
        }
    }

    /// File names and texts of the shipped runbooks, for `orderly init` to write down.
    pub fn shipped_files() -> &'static [(&'static str, &'static str)] {
        SHIPPED
    }

    /// The shipped runbooks with those of a folder in front: one of the same name replaces the shipped one. All of them
    /// or, if one cannot be used, none.
    ///
    /// Reads the `*.md` files of the folder itself, not of folders in it; `README.md` is for people.
    pub fn load(folder: &Path) -> Result<Self, Vec<Problem>> {
        let mut shelf = Self::shipped();
        let mut problems = Vec::new();
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        for path in files(folder)? {
            let name = path.display().to_string();
            let runbook = match read(&path).and_then(|text| parse(&name, &text)) {
                Ok(runbook) => runbook,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            if let Some(other) = own.insert(runbook.front.name.clone(), name.clone()) {
                let message = format!("`{}` is the name of {other} too: rename one.", runbook.front.name);
                problems.extend(one(&name, runbook.place_of_key("name"), message));
            }
            shelf.runbooks.insert(runbook.front.name.clone(), runbook);
        }
        if problems.is_empty() {
            Ok(shelf)
        } else {
            Err(problems)
        }
    }

    /// The same runbooks, citing the slash command by the name it has here. In the files it is `/incident`, so that they
    /// can be shared.
    pub fn citing(mut self, command: &str) -> Self {
        for runbook in self.runbooks.values_mut() {
            runbook.source = cited(&runbook.source, command);
            for phase in &mut runbook.plan.phases {
                phase.intro = cited(&phase.intro, command);
                for step in &mut phase.steps {
                    cite(step, command);
                }
                if let Some(leave) = &mut phase.leave {
                    leave.text = cited(&leave.text, command);
                }
            }
        }
        self
    }

    pub fn get(&self, name: &str) -> Option<&Runbook> {
        self.runbooks.get(name)
    }

    /// By name.
    pub fn list(&self) -> impl Iterator<Item = &Runbook> {
        self.runbooks.values()
    }

    /// The runbook to begin with; the general one when none or several fit.
    pub fn choose(&self, hints: &Hints) -> Choice {
        choose::choose(self.list().map(|runbook| &runbook.front), hints)
    }
}

/// How files write the slash command.
const WRITTEN: &str = "/incident";

fn cite(step: &mut Step, command: &str) {
    step.text = cited(&step.text, command);
    match &mut step.kind {
        StepKind::Ask { question } => *question = cited(question, command),
        StepKind::Branch { question, branches } => {
            *question = cited(question, command);
            for branch in branches {
                branch.label = cited(&branch.label, command);
            }
        }
        StepKind::Do | StepKind::Probe { .. } | StepKind::Action { .. } => {}
    }
}

/// The text with the slash command's own name, where it stands for itself and not in an address or a longer word.
fn cited(text: &str, command: &str) -> String {
    let in_word = |c: char| c.is_alphanumeric() || "-_/.:".contains(c);
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(WRITTEN) {
        let (before, after) = (&rest[..at], &rest[at + WRITTEN.len()..]);
        let begins = !before.chars().next_back().is_some_and(in_word);
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || "-_/".contains(c));
        said.push_str(before);
        match begins && ends {
            true => {
                said.push('/');
                said.push_str(command);
            }
            false => said.push_str(WRITTEN),
        }
        rest = after;
    }
    said.push_str(rest);
    said
}

/// A runbook of the program itself; a test holds that each is sound.
fn built_in((file, text): &(&str, &str)) -> (String, Runbook) {
    match parse(file, text) {
        Ok(runbook) => (runbook.front.name.clone(), runbook),
        Err(problems) => unreachable!("shipped runbook: {}", problems[0]),
    }
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Vec<Problem>> {
    let shown = folder.display().to_string();
    let failed = |error: std::io::Error| {
        let message =
            format!("The folder of runbooks cannot be read: {error}. Check `runbooks` in the config.");
        one(&shown, Place::START, message)
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.ends_with(".md") && !name.starts_with('.') && name != "README.md" && path.is_file() {
            paths.push(path);
        }
    }
    if paths.len() > MAX_FILES {
        let message = format!("{} runbooks are too many: {MAX_FILES} is the most.", paths.len());
        return Err(one(&shown, Place::START, message));
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, Vec<Problem>> {
    let shown = path.display().to_string();
    let failed =
        |error: std::io::Error| one(&shown, Place::START, format!("The file cannot be read: {error}."));
    // Asked before reading, so that a stray dump beside the runbooks does not fill the memory.
    if let Some(message) = source::too_long(std::fs::metadata(path).map_err(failed)?.len()) {
        return Err(one(&shown, Place::START, message));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let sound =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let line = sound.matches('\n').count() + 1;
        let column = sound.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        one(
            &shown,
            Place { line, column },
            "The file is not UTF-8 from here on: save it as UTF-8.".to_owned(),
        )
    })
}

fn one(file: &str, place: Place, message: String) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    problems.error(place, message);
    problems.sorted()
}
