//! What the types of an entry cannot say: one driver, known names, sensible bounds, references that exist.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde_json::{Value, json};

use super::params::{self, When};
use super::problem::{Problem, did_you_mean, listed};
use super::raw::{
    Action, HttpRead, Lookup, Param, ParamKind, PostgresRead, PostgresVariant, Probe, ProcessRead, RedisRead,
    Sensitivity,
};
use super::render::{EPOCH, braced, reference, references as names_in};

/// Takes a problem and the keys below the entry that lead to it.
pub(super) type Report<'a> = &'a mut dyn FnMut(&[&str], Problem);

/// What a call may name.
struct Known<'a> {
    params: &'a BTreeMap<String, Param>,
    /// The onset as well: only for probes, because what was approved must not move with it.
    since: bool,
}

impl Deref for Known<'_> {
    type Target = BTreeMap<String, Param>;

    fn deref(&self) -> &Self::Target {
        self.params
    }
}

const DRIVERS: &str = "Give exactly one of the tables `postgres`, `redis`, `http` and `process`.";

pub(super) fn probe(name: &str, probe: &Probe, report: Report<'_>) {
    common(&probe.targets, &probe.params, report);
    if probe.failing.is_none() && probe.suspect.is_none() && probe.ok.is_none() {
        let right = "Add `failing`, `suspect` or `ok`, else everything would be well always.";
        report(&[], Problem::new(format!("`{name}` has no verdict"), right));
    }
    if probe.sensitivity == Sensitivity::Restricted && probe.role.is_none() {
        let right = "Add `role`: the one that may see the full output.";
        report(&["sensitivity"], Problem::new("restricted to nobody", right));
    }
    let lookup = Lookup {
        postgres: probe.postgres.clone(),
        redis: probe.redis.clone(),
        http: probe.http.clone(),
        process: probe.process.clone(),
    };
    if drivers(&lookup).len() != 1 {
        report(
            &[],
            Problem::new(
                format!("`{name}` has {} drivers", drivers(&lookup).len()),
                DRIVERS,
            ),
        );
    }
    let known = Known {
        params: &probe.params,
        since: true,
    };
    self::lookup(&lookup, &known, &[], report);
}

pub(super) fn action(name: &str, action: &Action, report: Report<'_>) {
    common(&action.targets, &action.params, report);
    let own: Vec<&str> = [
        ("postgres", action.postgres.is_some()),
        ("redis", action.redis.is_some()),
        ("http", action.http.is_some()),
        ("process", action.process.is_some()),
    ]
    .into_iter()
    .filter_map(|(driver, there)| there.then_some(driver))
    .collect();
    if own.len() != 1 {
        report(
            &[],
            Problem::new(format!("`{name}` has {} drivers", own.len()), DRIVERS),
        );
        return;
    }
    if let Some(read) = &action.preview {
        if drivers(read) != own {
            let right = format!(
                "Give the preview exactly one table, `{}` as the action has.",
                own[0]
            );
            report(
                &["preview"],
                Problem::new("the preview speaks another protocol than the action", right),
            );
        }
        let known = Known {
            params: &action.params,
            since: false,
        };
        self::lookup(read, &known, &["preview"], report);
    }
    write(action, report);
    if let Some(check) = &action.precondition {
        own_params(&check.params, &action.params, false, &["precondition"], report);
    }
    if let Some(check) = &action.verify {
        own_params(&check.params, &action.params, false, &["verify"], report);
    }
    if let Some(undo) = &action.undo {
        own_params(&undo.params, &action.params, true, &["undo"], report);
    }
}

/// What a call of an action names, and that its guards are read by something.
fn write(action: &Action, report: Report<'_>) {
    let known = &Known {
        params: &action.params,
        since: false,
    };
    let mut guards = 0;
    if let Some(write) = &action.postgres {
        guards = write.guards.len();
        statements(
            write.sql.as_deref(),
            &write.binds,
            &write.variants,
            known,
            &["postgres"],
            report,
        );
        let binds = write
            .binds
            .iter()
            .chain(write.variants.iter().flat_map(|variant| &variant.binds));
        for guard in binds.filter_map(|bind| bind.strip_prefix("guard.")) {
            if !write.guards.iter().any(|known| known == guard) {
                let right = format!(
                    "Add it to `guards`, which has {}.",
                    listed(write.guards.iter().map(String::as_str))
                );
                report(
                    &["postgres", "binds"],
                    Problem::new(format!("nothing reads the guard `{guard}`"), right),
                );
            }
        }
    }
    if let Some(write) = &action.redis {
        guards = write.guards.len();
        words(&write.command, known, &["redis", "command"], report);
    }
    if let Some(write) = &action.http {
        guards = write.guards.len() + usize::from(write.if_match);
        path(&write.path, known, false, &["http", "path"], report);
        let values = write.query.values().chain(&write.body);
        values.for_each(|value| names(value, known, &["http"], report));
    }
    if let Some(write) = &action.process {
        guards = write.guards.len();
        words(&write.argv, known, &["process", "argv"], report);
    }
    if guards > 0 && action.preview.is_none() {
        let right = "Add a `preview` table that reads what is to be guarded.";
        report(
            &[],
            Problem::new("there are guards, and nothing reads them", right),
        );
    }
}

fn drivers(lookup: &Lookup) -> Vec<&'static str> {
    let there = [
        ("postgres", lookup.postgres.is_some()),
        ("redis", lookup.redis.is_some()),
        ("http", lookup.http.is_some()),
        ("process", lookup.process.is_some()),
    ];
    there
        .into_iter()
        .filter_map(|(driver, there)| there.then_some(driver))
        .collect()
}

fn common(targets: &[String], params: &BTreeMap<String, Param>, report: Report<'_>) {
    if targets.is_empty() {
        let right = "List the kinds of target it fits, such as [\"postgres\"].";
        report(&["targets"], Problem::new("it fits no target", right));
    }
    for (name, param) in params {
        if let Err(problem) = self::param(name, param) {
            report(&["params", name], problem);
        }
    }
}

/// The names commands give a meaning of their own; a parameter would never be reached.
const TAKEN: &[&str] = &["since", "target", "fact", "guard", "param"];

fn param(name: &str, param: &Param) -> Result<(), Problem> {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let taken_type = name == "since" && param.kind == ParamKind::Timestamp;
    if !plain || (TAKEN.contains(&name) && !taken_type) {
        let right = "Use small letters, digits and underscores; `since` must be a timestamp.";
        return Err(Problem::new(format!("`{name}` cannot name a parameter"), right));
    }
    let numeric = matches!(
        param.kind,
        ParamKind::Integer | ParamKind::Number | ParamKind::Duration
    );
    let text = param.kind == ParamKind::Text;
    let misfit = [
        ("min", param.min.is_some() && !numeric),
        ("max", param.max.is_some() && !numeric),
        ("max_length", param.max_length.is_some() && !text),
        ("pattern", param.pattern.is_some() && !text),
        (
            "options",
            !param.options.is_empty() && param.kind != ParamKind::Choice,
        ),
        ("of", param.of.is_some() && param.kind != ParamKind::Identifier),
    ];
    if let Some((key, _)) = misfit.iter().find(|(_, wrong)| *wrong) {
        return Err(Problem::new(
            format!("`{key}` means nothing for this type"),
            "Leave it out.",
        ));
    }
    if param.kind == ParamKind::Choice && param.options.is_empty() {
        return Err(Problem::new("a choice of nothing", "Add `options = [\"…\"]`."));
    }
    if param.kind == ParamKind::Identifier && param.of.is_none() {
        let right = "Add `of = \"role\"`, or what else it names on the server.";
        return Err(Problem::new("an identifier of what?", right));
    }
    if let (Some(min), Some(max)) = (param.min, param.max)
        && min > max
    {
        return Err(Problem::new(
            format!("nothing is at least {min} and at most {max}"),
            "Swap `min` and `max`.",
        ));
    }
    if let Some(error) = param
        .pattern
        .as_deref()
        .and_then(|pattern| params::whole(pattern).err())
    {
        return Err(Problem::new(
            format!(
                "`pattern` is no regular expression: {}",
                last_line(&error.to_string())
            ),
            "",
        ));
    }
    match &param.default {
        Some(_) if param.optional => Err(Problem::new(
            "optional and with a default",
            "Keep one of the two.",
        )),
        Some(default) => params::one(name, param, default, &any_time()).map(drop),
        None => Ok(()),
    }
}

/// A time to check defaults with; its value is seen by nobody.
pub(super) fn any_time() -> When {
    When {
        since: chrono::DateTime::UNIX_EPOCH,
        guessed: false,
    }
}

fn lookup(lookup: &Lookup, known: &Known<'_>, at: &[&str], report: Report<'_>) {
    let at = |more: &[&'static str]| -> Vec<&str> { [at, more].concat() };
    if let Some(PostgresRead {
        sql, binds, variants, ..
    }) = &lookup.postgres
    {
        statements(sql.as_deref(), binds, variants, known, &at(&["postgres"]), report);
    }
    if let Some(RedisRead { command, commands }) = &lookup.redis {
        if command.is_empty() == commands.is_empty() {
            report(
                &at(&["redis"]),
                Problem::new("which command?", "Give either `command` or `commands`."),
            );
        }
        words(command, known, &at(&["redis", "command"]), report);
        commands
            .values()
            .for_each(|command| words(command, known, &at(&["redis", "commands"]), report));
    }
    if let Some(HttpRead {
        path: address, query, ..
    }) = &lookup.http
    {
        path(address, known, true, &at(&["http", "path"]), report);
        query
            .values()
            .for_each(|value| names(value, known, &at(&["http", "query"]), report));
    }
    if let Some(ProcessRead { argv, .. }) = &lookup.process {
        if argv.is_empty() {
            report(
                &at(&["process", "argv"]),
                Problem::new("no program", "Give the program and its arguments."),
            );
        }
        words(argv, known, &at(&["process", "argv"]), report);
        let program = argv.first().and_then(Value::as_str).and_then(reference);
        if program.is_some_and(|name| known.contains_key(name)) {
            let right = "Write the program out, or take it from a fact of the target.";
            report(
                &at(&["process", "argv"]),
                Problem::new("a parameter chooses the program", right),
            );
        }
    }
}

fn statements(
    sql: Option<&str>,
    binds: &[String],
    variants: &[PostgresVariant],
    known: &Known<'_>,
    at: &[&str],
    report: Report<'_>,
) {
    if sql.is_none() && variants.is_empty() {
        report(
            at,
            Problem::new("no statement", "Give `sql`, or `variants` that have one each."),
        );
    }
    let all = sql.map(|sql| (sql, binds)).into_iter();
    for (sql, binds) in all.chain(variants.iter().map(|it| (it.sql.as_str(), it.binds.as_slice()))) {
        let places = highest_place(sql);
        if places != binds.len() {
            let what = format!(
                "the statement has {places} places and `binds` fills {}",
                binds.len()
            );
            report(
                at,
                Problem::new(what, "Name one value for each of $1, $2, …, in that order."),
            );
        }
        for bind in binds.iter().filter(|bind| !bind.starts_with("guard.")) {
            name(bind, known, &[at, &["binds"]].concat(), report);
        }
    }
}

/// The highest `$n` of a statement.
fn highest_place(sql: &str) -> usize {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    sql.split('$')
        .skip(1)
        .filter_map(|part| digits(part).parse().ok())
        .max()
        .unwrap_or(0)
}

fn words(words: &[Value], known: &Known<'_>, at: &[&str], report: Report<'_>) {
    words.iter().for_each(|word| names(word, known, at, report));
}

fn names(value: &Value, known: &Known<'_>, at: &[&str], report: Report<'_>) {
    let mut found = Vec::new();
    names_in(value, &mut found);
    found.iter().for_each(|found| name(found, known, at, report));
}

fn name(name: &str, known: &Known<'_>, at: &[&str], report: Report<'_>) {
    if (name == "since" && known.since) || name.starts_with("fact.") || known.contains_key(name) {
        return;
    }
    if let Some(moment) = name.strip_suffix(EPOCH) {
        let is_time = |param: &Param| param.kind == ParamKind::Timestamp;
        if (moment == "since" && known.since) || known.get(moment).is_some_and(is_time) {
            return;
        }
    }
    let right = match known.is_empty() {
        true => "Declare it under `params`, or write `$$` for a plain dollar sign.".to_owned(),
        false => did_you_mean(name, known.keys().map(String::as_str)),
    };
    report(at, Problem::new(format!("there is no parameter `{name}`"), right));
}

fn path(path: &str, known: &Known<'_>, whole: bool, at: &[&str], report: Report<'_>) {
    if let Some(name) = reference(path) {
        let is_path =
            known.get(name).is_some_and(|param| param.kind == ParamKind::Path) || name.starts_with("fact.");
        if !(whole && is_path) {
            let right = "Only a probe's parameter of type `path` may be a whole path; write `/things/{name}` instead.";
            report(at, Problem::new(format!("`${name}` cannot be the path"), right));
        }
        return;
    }
    if !(path.is_empty() || path.starts_with('/')) || path.contains(['?', '#']) {
        let right = "Start it with a slash, and put what follows a question mark into `query`.";
        report(at, Problem::new(format!("`{path}` is no path"), right));
    }
    braced(path)
        .into_iter()
        .for_each(|found| name(found, known, at, report));
}

/// `from`, `not` and `guard` of a check or an undo name what the action has.
fn own_params(
    params: &BTreeMap<String, Value>,
    known: &BTreeMap<String, Param>,
    guards: bool,
    at: &[&str],
    report: Report<'_>,
) {
    for (key, value) in params {
        let Value::Object(table) = value else { continue };
        let place = [at, &["params", key]].concat();
        match table
            .iter()
            .next()
            .map(|(verb, name)| (verb.as_str(), name.as_str()))
        {
            Some(("from", Some(from))) if table.len() == 1 => {
                name(
                    from,
                    &Known {
                        params: known,
                        since: false,
                    },
                    &place,
                    report,
                );
            }
            Some(("not", Some(from))) if table.len() == 1 => {
                if known
                    .get(from)
                    .is_none_or(|param| param.kind != ParamKind::Boolean)
                {
                    let right = "`not` turns a boolean parameter of this action round.";
                    report(
                        &place,
                        Problem::new(format!("`{from}` has no other way round"), right),
                    );
                }
            }
            Some(("guard", Some(_))) if table.len() == 1 && guards => {}
            _ => {
                let right = "Write a value, { from = \"name\" } or { not = \"name\" }; an undo also knows { guard = \"name\" }.";
                report(
                    &place,
                    Problem::new(format!("{} is not understood", json!(table)), right),
                );
            }
        }
    }
}

/// A regular expression's error draws a picture first and says it last.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim()
}
