//! What operators and responders see of the catalog.

use serde_json::json;

use super::*;
use crate::driver::{Access, Failure, Reading, Target};
use crate::incident::{Environment, Params, Risk, Role, Verdict};

pub(crate) fn target(name: &str, kind: &str, url: &str) -> Target {
    let access = || Access {
        url: url.to_owned(),
        headers: Vec::new(),
        env: Vec::new(),
    };
    Target {
        name: name.to_owned(),
        kind: kind.to_owned(),
        environment: Environment::Drill,
        tenant: None,
        probe: access(),
        action: Some(access()),
        facts: serde_json::Map::new(),
        accept_privileged_probe: false,
    }
}

pub(crate) fn given(value: Value) -> Params {
    value.as_object().expect("a table").clone().into_iter().collect()
}

pub(crate) fn when() -> When {
    When {
        since: "2026-05-04T03:10:00Z".parse().expect("a time"),
        guessed: false,
    }
}

/// The problems of one operator's file, one a line.
fn problems(text: &str) -> String {
    match Catalog::load(&[(PathBuf::from("own.toml"), text.to_owned())]) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[test]
fn the_shipped_catalog_is_whole() {
    if let Err(problems) = Catalog::load(&[]) {
        panic!(
            "{}",
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
}

const GOOD: &str = r#"
[probe."shop.orders"]
title = "Orders"
question = "Do orders pile up?"
targets = ["http"]
params.limit = { type = "integer", min = 1, max = 100, default = 5, summary = "how many" }
failing = "answer.json.depth > params.limit"
summary = "{{ answer.json.depth }} wait"
[probe."shop.orders".http]
path = "/queue"
"#;

#[test]
fn a_good_file_adds_to_the_shipped_entries() {
    let catalog = Catalog::load(&[(PathBuf::from("own.toml"), GOOD.to_owned())]).expect("whole");
    assert!(catalog.probe("shop.orders").is_some());
    assert!(catalog.probe("http.health").is_some());
}
