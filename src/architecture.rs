//! Who may use whom, held by reading the source: every path of every room against the table in [`RULES`].
//!
//! ARCHITECTURE.md says why. A room that is missing from the table, and one that the table names in vain, fail as well.
//! Tests may use any room.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and what it may use beside itself. A room inside another (`chat/local`) has a row of its own; the longest
/// name wins. `catalog::raw::OutputShape` allows no more than what it names.
const RULES: &[(&str, &[&str])] = &[
    // The core. Pure: nothing but itself, so that every rule can be read and tested without anything around it.
    ("incident", &[]),
    ("desk", &["incident"]),
    // Small things that know nothing of incidents.
    ("clock", &[]),
    ("text", &[]),
    ("mask", &[]),
    // What operators write.
    ("runbook", &["incident"]),
    ("config", &["incident", "driver", "mask", "text"]),
    ("catalog", &["incident", "driver", "mask"]),
    // The ports, and what lies behind them.
    ("store", &["incident"]),
    ("chat", &["incident", "clock", "text"]),
    ("chat/local", &["incident", "chat", "clock"]),
    ("chat/slack", &["incident", "chat", "clock", "text"]),
    ("chat/discord", &["incident", "chat", "clock", "text"]),
    ("driver", &["incident"]),
    (
        "driver/http",
        &["incident", "clock", "driver", "catalog::params::stamp"],
    ),
    ("driver/postgres", &["incident", "driver"]),
    ("driver/redis", &["incident", "driver"]),
    (
        "driver/process",
        &["incident", "driver", "catalog::raw::OutputShape"],
    ),
    ("driver/systems", &["incident", "driver", "catalog"]),
    // Reading the journal for people. A renderer sees the document and the lines of its timeline, nothing else.
    ("timeline", &["incident"]),
    ("postmortem", &["incident", "timeline"]),
    ("postmortem/render", &["postmortem::document", "timeline"]),
    // The flow.
    ("engine", &["incident", "desk", "store", "chat", "clock", "text"]),
    (
        "view",
        &[
            "incident",
            "desk",
            "chat",
            "text",
            "timeline",
            "engine::Carried",
            "engine::Listed",
            "engine::Looked",
            "engine::Words",
        ],
    ),
    (
        "inbox",
        &[
            "incident",
            "desk",
            "chat",
            "view",
            "engine::Act",
            "engine::Addressed",
            "engine::Asking",
            "engine::Listed",
            "engine::Meaning",
            "engine::Redact",
            "engine::Words",
        ],
    ),
    // Pages and webhooks push to the intake; the engine is not theirs to call.
    ("web", &["incident", "chat", "clock"]),
    ("demo", &["incident", "config", "clock"]),
    // The top: the one place that joins ports to adapters, and the verbs.
    ("app", &["*"]),
    ("cli", &["*"]),
];

/// Adapters of one port: none of them may know another.
const SIBLINGS: &[(&str, &[&str])] = &[
    ("chat", &["local", "slack", "discord"]),
    (
        "driver",
        &[
            "http",
            "postgres",
            "redis",
            "process",
            "prometheus",
            "kubernetes",
            "odoo",
        ],
    ),
];

/// A path that code uses: `engine::Listed`, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    path: String,
    file: String,
    line: usize,
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files below a folder that are not tests, by their path below `src`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "tests" {
            files(&path, found);
        } else if name.ends_with(".rs")
            && !["tests.rs", "sample.rs", "architecture.rs", "lib.rs", "main.rs"].contains(&name.as_str())
        {
            found.push(path.strip_prefix(source()).expect("below src").to_owned());
        }
    }
}

/// The module that a file is: `chat/local/mod.rs` is `chat`, `local`.
fn module_of(file: &str) -> Vec<&str> {
    let stem = file.trim_end_matches(".rs");
    stem.trim_end_matches("/mod").split('/').collect()
}

/// The text without comments and without the modules that only tests see; lines stay where they are.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut test_module = false;
    let mut attribute = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        test_module |= attribute && trimmed.starts_with("mod ") && trimmed.ends_with('{');
        attribute = trimmed == "#[cfg(test)]";
        if !test_module && !trimmed.starts_with("//") {
            kept.push_str(line.split(" // ").next().unwrap_or_default());
        }
        // Such a module ends with the brace at the start of a line, as rustfmt sets it.
        test_module &= line != "}";
        kept.push('\n');
    }
    kept
}

/// Every path that leads out of its module, written out from the crate on: `crate::…` and `super::…`.
fn used(file: &str, text: &str) -> Vec<Used> {
    let code = code(text);
    let module = module_of(file);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = ["crate::", "super::"]
        .iter()
        .filter_map(|word| code[from..].find(word).map(|at| from + at))
        .min()
    {
        let mut at = start;
        let mut climbed = 0;
        while code[at..].starts_with("super::") {
            climbed += 1;
            at += "super::".len();
        }
        let at_root = code[at..].starts_with("crate::");
        from = if at_root { at + "crate::".len() } else { at };
        let before = code[..start].chars().next_back();
        let is_word = before.is_none_or(|c| !c.is_alphanumeric() && !"_:$".contains(c));
        if is_word && (at_root || climbed <= module.len()) {
            let line = code[..start].matches('\n').count() + 1;
            let base = if at_root {
                &[][..]
            } else {
                &module[..module.len() - climbed]
            };
            found.extend(spelled_out(&code[from..]).into_iter().map(|path| Used {
                path: [base, &[path.as_str()]].concat().join("::"),
                file: file.to_owned(),
                line,
            }));
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn spelled_out(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .unwrap_or(text.len());
    let head = &text[..end];
    if !text[end..].starts_with('{') || !(head.is_empty() || head.ends_with("::")) {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut paths = Vec::new();
    let mut depth = 0;
    let mut item = end + 1;
    for (at, letter) in text[end..].char_indices().map(|(at, letter)| (end + at, letter)) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        let ends = (letter == ',' && depth == 1) || depth == 0;
        if ends {
            let inner = text[item..at].trim();
            if !inner.is_empty() {
                paths.extend(spelled_out(inner).into_iter().map(|path| format!("{head}{path}")));
            }
            item = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    paths
}

/// The row for a module: the longest name that it begins with.
fn row(module: &[&str]) -> Option<&'static (&'static str, &'static [&'static str])> {
    let path = module.join("/");
    let fits = |room: &str| path == room || path.starts_with(&format!("{room}/"));
    RULES
        .iter()
        .filter(|(room, _)| fits(room))
        .max_by_key(|(room, _)| room.len())
}

/// Whether one path lies within another: `chat::local::LOBBY` within `chat`.
fn within(path: &str, allowed: &str) -> bool {
    path == allowed || path.starts_with(&format!("{allowed}::"))
}

/// What is wrong with a use, as a sentence.
fn broken(used: &Used) -> Option<String> {
    let module = module_of(&used.file);
    let at = format!("src/{}:{} uses `{}`", used.file, used.line, used.path);
    let Some((room, allowed)) = row(&module) else {
        return Some(format!(
            "{at}, and its room is not in RULES: say what `{}` may use",
            module[0]
        ));
    };
    for (port, adapters) in SIBLINGS {
        let own = adapters
            .iter()
            .find(|adapter| within(&module.join("::"), &format!("{port}::{adapter}")));
        let other = adapters
            .iter()
            .find(|adapter| within(&used.path, &format!("{port}::{adapter}")));
        if let (Some(own), Some(other)) = (own, other)
            && own != other
        {
            return Some(format!(
                "{at}: adapters never use each other, and {port}/{own} is not {port}/{other}"
            ));
        }
    }
    let own = room.replace('/', "::");
    let may = allowed.contains(&"*")
        || within(&used.path, &own)
        || allowed.iter().any(|allowed| within(&used.path, allowed));
    if may {
        return None;
    }
    let allowed = if allowed.is_empty() {
        "no other room".to_owned()
    } else {
        allowed.join(", ")
    };
    Some(format!("{at}: {room} may use {allowed}"))
}

fn uses() -> Vec<Used> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let read = |file: PathBuf| {
        let text = fs::read_to_string(source().join(&file)).expect("readable source");
        used(&file.to_string_lossy().replace('\\', "/"), &text)
    };
    found.into_iter().flat_map(read).collect()
}

#[test]
fn every_room_uses_only_what_it_may() {
    let broken: Vec<String> = uses().iter().filter_map(broken).collect();
    assert!(
        broken.is_empty(),
        "{} lines break the rules of the house (ARCHITECTURE.md, \"Who may use whom\"):\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn every_rule_is_about_a_room_that_is_there() {
    let missing: Vec<_> = RULES
        .iter()
        .map(|(room, _)| *room)
        .filter(|room| !source().join(room).exists() && !source().join(format!("{room}.rs")).exists())
        .collect();
    assert!(missing.is_empty(), "RULES names rooms that are gone: {missing:?}");
}

#[test]
fn no_rule_allows_more_than_is_used() {
    let uses = uses();
    let mut idle = BTreeSet::new();
    for (room, allowed) in RULES {
        for path in allowed.iter().filter(|path| **path != "*") {
            let is_used = |used: &&Used| {
                row(&module_of(&used.file)).is_some_and(|(of, _)| of == room) && within(&used.path, path)
            };
            if !uses.iter().any(|used| is_used(&used)) {
                idle.insert(format!("{room} may use {path}, and does not"));
            }
        }
    }
    assert!(idle.is_empty(), "take these out of RULES: {idle:#?}");
}

/// Everything that ARCHITECTURE.md names in code is looked up: files and folders on the disk, names in the source.
#[test]
fn the_page_names_only_what_is_there() {
    let root = source().join("..");
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the page");
    let mut sources = Vec::new();
    files(&source(), &mut sources);
    let mut text: String = sources
        .iter()
        .map(|file| fs::read_to_string(source().join(file)).expect("readable source"))
        .collect();
    text.push_str(&fs::read_to_string(root.join("commands/src/lib.rs")).expect("readable source"));
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let spans = page.split('`').skip(1).step_by(2);
    let missing: Vec<&str> = spans
        .filter(|span| {
            let is_name = span.chars().all(|c| c.is_alphanumeric() || "_:".contains(c));
            let is_path =
                span.contains(['/', '.']) && span.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
            let ends_so = |file: &PathBuf| file.ancestors().any(|part| part.ends_with(span));
            let on_disk =
                root.join(span).exists() || source().join(span).exists() || sources.iter().any(ends_so);
            let known = words.contains(span.rsplit("::").next().unwrap_or_default());
            (is_name && !known && !on_disk) || (is_path && !on_disk)
        })
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names what is not there (any more): {missing:#?}"
    );
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = "//! crate::comment\nuse crate::{engine::{Act, Listed}, store};\nuse super::super::web::App;\n\
                fn f() -> crate::chat::local::Room { g() } // crate::comment\n\
                use super::local::x;\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\nuse crate::text;\n";
    let found: Vec<_> = used("chat/port.rs", text)
        .into_iter()
        .map(|used| format!("{}:{}", used.line, used.path))
        .collect();
    assert_eq!(
        found,
        [
            "2:engine::Act",
            "2:engine::Listed",
            "2:store",
            "3:web::App",
            "4:chat::local::Room",
            "5:chat::local::x",
            "10:text"
        ]
    );
}

#[test]
fn a_broken_rule_is_told_with_its_line_and_what_would_be_allowed() {
    let told = |file: &str, path: &str| {
        broken(&Used {
            path: path.to_owned(),
            file: file.to_owned(),
            line: 7,
        })
    };
    assert_eq!(
        told("incident/react.rs", "store::Store").as_deref(),
        Some("src/incident/react.rs:7 uses `store::Store`: incident may use no other room")
    );
    assert_eq!(
        told("web/api.rs", "engine::Engine").as_deref(),
        Some("src/web/api.rs:7 uses `engine::Engine`: web may use incident, chat, clock")
    );
    assert_eq!(
        told("chat/slack/mod.rs", "chat::local::LOBBY").as_deref(),
        Some(
            "src/chat/slack/mod.rs:7 uses `chat::local::LOBBY`: adapters never use each other, and chat/slack is not chat/local"
        )
    );
    assert_eq!(
        told("kitchen/mod.rs", "text").as_deref(),
        Some("src/kitchen/mod.rs:7 uses `text`, and its room is not in RULES: say what `kitchen` may use")
    );
    assert_eq!(told("inbox/mod.rs", "engine::Act"), None);
    assert_eq!(told("cli/serve.rs", "engine::Engine"), None);
}
