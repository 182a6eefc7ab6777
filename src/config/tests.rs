//! Each class of a bad config, by the whole message a person reads.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::*;
use crate::incident::{Environment, Role, Severity};

mod checked_in;
mod messages;
mod secrets;

/// Parses a config that must be good.
fn good(text: &str) -> Config {
    match Config::parse("orderly.toml", text) {
        Ok(config) => config,
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

/// The messages of a config that must be bad, one a line.
fn bad(text: &str) -> String {
    match Config::parse("orderly.toml", text) {
        Ok(_) => "(no problem)".to_owned(),
        Err(problems) => lines(&problems),
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A target with what is required, and more lines below.
fn target(more: &str) -> String {
    format!(
        "[[target]]\nname = \"odoo-db\"\nkind = \"postgres\"\nenvironment = \"production\"\n\
         url = \"postgres://db.internal:5432/odoo\"\n{more}"
    )
}

#[test]
fn an_empty_file_is_a_whole_config() {
    assert_eq!(good(""), Config::default());
    let config = Config::default();
    assert_eq!(config.web.listen, SocketAddr::from(([127, 0, 0, 1], 8470)));
    assert_eq!(config.base_url(), "http://127.0.0.1:8470");
    assert_eq!(config.updates.of(Severity::Sev1), Some(TimeDelta::minutes(30)));
    assert_eq!(config.updates.of(Severity::Sev5), None);
    assert_eq!(config.ask_again(), [3, 6, 10].map(TimeDelta::minutes));
    assert!(config.masker().is_ok());
}

#[test]
fn the_default_policies_are_those_of_the_design() {
    let told = |risk| {
        let policy = Config::default().policy(risk);
        (policy.quorum, policy.role, policy.expires_s)
    };
    assert_eq!(told(Risk::Low), (1, None, 4 * 3600));
    assert_eq!(told(Risk::Medium), (1, Some(Role::Approver), 3600));
    assert_eq!(told(Risk::High), (2, Some(Role::Approver), 1800));
}

#[test]
fn a_section_that_says_one_thing_keeps_the_rest() {
    let config =
        good("[policy.low]\nquorum = 2\n[policy.medium]\nrole = \"any\"\n[updates]\nSEV1 = \"off\"\n");
    assert_eq!(config.policy(Risk::Low).expires_s, 4 * 3600);
    assert_eq!(config.policy(Risk::Low).quorum, 2);
    assert_eq!(config.policy(Risk::Low).role, None);
    assert_eq!(config.policy(Risk::Medium).role, None);
    assert_eq!(config.updates.of(Severity::Sev1), None);
    assert_eq!(config.updates.of(Severity::Sev2), Some(TimeDelta::hours(1)));
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let text = "store.path = \"data/o.sqlite\"\nrunbooks.dir = \"runbooks\"\ncatalog.dir = \"/srv/catalog\"\n\
                [[target]]\nname = \"repo\"\nkind = \"git\"\nenvironment = \"staging\"\nurl = \"repos/shop\"\n";
    let config = Config::parse("/etc/orderly/orderly.toml", text).expect("a good config");
    assert_eq!(config.store.path, PathBuf::from("/etc/orderly/data/o.sqlite"));
    assert_eq!(config.runbooks.dir, Some(PathBuf::from("/etc/orderly/runbooks")));
    assert_eq!(config.catalog.dir, Some(PathBuf::from("/srv/catalog")));
    assert_eq!(config.target[0].url, "/etc/orderly/repos/shop");
}

#[test]
fn a_room_is_named_by_its_template() {
    let facts = RoomFacts {
        number: crate::incident::IncidentId(7),
        title: "Month-end posting FAILS — since 14:00 cron, für alle!",
        severity: Severity::Sev2,
        process: crate::incident::Process::Finance,
        declared: "2026-11-21T22:00:00Z".parse().expect("a time"),
    };
    let named = |template: &str| {
        good(&format!("room.name_template = \"{template}\""))
            .room
            .name(&facts)
    };
    assert_eq!(
        good("").room.name(&facts),
        "inc-7-month-end-posting-fails-since-14-00-cron"
    );
    assert_eq!(
        named("{{ severity }}-{{ number }} {{ process }} {{ date }}"),
        "sev2-7-finance-posting-2026-11-21"
    );
    let long = RoomFacts {
        title: &"x".repeat(500),
        ..facts
    };
    assert!(good("").room.name(&long).len() <= 80);
    assert_eq!(
        good("").room.name(&RoomFacts {
            title: "§§§", ..long
        }),
        "inc-7"
    );
}

#[test]
fn what_is_shown_parses_to_the_same_settings() {
    let text = format!(
        "command = \"inc\"\n[[person]]\nid = \"ana\"\nroles = [\"approver\"]\n{}{}",
        target(
            "[target.probe]\nuser = \"reader\"\npassword = { env = \"DB_PROBE\" }\nheaders = { X-A = { file = \"/x\", prefix = \"Bearer \" } }\n"
        ),
        "[[mask.pattern]]\nname = \"badge\"\nregex = \"badge [0-9]+\"\n"
    );
    let config = good(&text);
    assert_eq!(good(&config.show()), config);
}

#[test]
fn the_settings_are_shown_with_the_places_of_secrets() {
    let config = good(&target(
        "[target.probe]\nuser = \"reader\"\npassword = { env = \"DB_PROBE\" }\n",
    ));
    insta::assert_snapshot!(config.show(), @r#"
    command = "incident"
    timezone = "UTC"

    [store]
    path = "orderly.sqlite"

    [web]
    listen = "127.0.0.1:8470"
    behind_tls = false

    [log]
    format = "text"

    [room]
    name_template = "inc-{{ number }}-{{ slug }}"
    archive_on_close = false
    carry_over = true
    adopted_topic = false
    adopted_invite = false
    away_after = "2m"
    invite = [
        "commander",
        "deputy",
        "approver",
    ]

    [timeline]
    capture = "marked"

    [reactions]
    timeline = "📌"
    task = "✅"
    followup = "🔁"

    [runbooks]

    [catalog]

    [probes]
    per_target = 4
    timeout = "10s"
    output = "256KiB"

    [policy]
    ask_again = [
        "3m",
        "6m",
        "10m",
    ]

    [policy.low]
    quorum = 1
    role = "any"
    expires = "4h"

    [policy.medium]
    quorum = 1
    role = "approver"
    expires = "1h"

    [policy.high]
    quorum = 2
    role = "approver"
    expires = "30m"

    [updates]
    SEV1 = "30m"
    SEV2 = "1h"
    SEV3 = "4h"
    SEV4 = "off"
    SEV5 = "off"

    [nudge]
    roles_after = "5m"

    [containment]
    remind_every = "1h"

    [followup]
    due = "14d"

    [postmortem.due]
    SEV1 = "3d"
    SEV2 = "5d"
    SEV3 = "10d"
    SEV4 = "off"
    SEV5 = "off"

    [mask]

    [[target]]
    name = "odoo-db"
    kind = "postgres"
    environment = "production"
    url = "postgres://db.internal:5432/odoo"

    [target.probe]
    user = "reader"

    [target.probe.password]
    env = "DB_PROBE"
    "#);
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let problems = Config::load(Path::new("/nonexistent/orderly.toml")).expect_err("no such file");
    insta::assert_snapshot!(lines(&problems), @"/nonexistent/orderly.toml: there is no such file: `orderly init` writes one");
}

#[test]
fn a_file_that_is_not_text_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("orderly.toml");
    std::fs::write(&path, b"command = \"\xff\"").expect("written");
    let problems = Config::load(&path).expect_err("not text");
    assert_eq!(
        problems[0].message,
        "is not UTF-8 text (byte 11): save it as UTF-8"
    );
}

#[test]
fn a_target_without_an_action_table_takes_no_actions() {
    let vars = |_: &str| None;
    let plain = good(&target("")).targets(&vars);
    assert!(plain.targets[0].action.is_none());
    assert_eq!(plain.targets[0].environment, Environment::Production);
    assert!(
        good(&target("action = {}\n")).targets(&vars).targets[0]
            .action
            .is_some()
    );
}
