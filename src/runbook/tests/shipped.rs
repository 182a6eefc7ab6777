//! The runbooks in the program.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Entries, shown};
use crate::incident::{Phase, StepKind};
use crate::runbook::{Shelf, check, lint};

fn at_root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_shipped_runbook_is_clean() {
    for runbook in Shelf::demo().list() {
        assert_eq!(shown(&lint(runbook, &Entries::real())), "", "{}", runbook.file);
    }
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = std::fs::read_dir(at_root("runbooks")).expect("runbooks");
    let files: BTreeSet<String> = folder
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let shipped: BTreeSet<String> = Shelf::demo().list().map(|runbook| runbook.file.clone()).collect();
    assert_eq!(files, shipped);
}

#[test]
fn every_shipped_runbook_walks_through_all_six_phases_and_says_when_to_leave() {
    for runbook in Shelf::demo().list() {
        for phase in &runbook.plan.phases {
            let name = &runbook.plan.name;
            assert!(!phase.steps.is_empty(), "{name} has no {}", phase.phase);
            assert!(
                phase.leave.is_some() || phase.phase == Phase::Learn,
                "{name} never leaves {}",
                phase.phase
            );
        }
    }
}

#[test]
fn every_shipped_runbook_looks_with_a_probe_after_it_has_acted() {
    for runbook in Shelf::demo().list() {
        let contain = super::steps(runbook, Phase::Contain);
        let acts = contain
            .iter()
            .position(|step| matches!(step.kind, StepKind::Action { .. }));
        let checks = contain
            .iter()
            .rposition(|step| matches!(step.kind, StepKind::Probe { .. } | StepKind::Ask { .. }));
        assert!(acts.is_some() && checks > acts, "{}", runbook.plan.name);
    }
}

#[test]
fn every_shipped_runbook_fits_a_few_screens() {
    for runbook in Shelf::demo().list() {
        let lines = runbook.source.lines().count();
        assert!((60..=140).contains(&lines), "{} has {lines} lines", runbook.file);
        let longest = runbook.source.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(125), "{} has a line of {longest:?}", runbook.file);
    }
}

#[test]
fn the_examples_in_the_reference_for_authors_are_clean() {
    let page = std::fs::read_to_string(at_root("docs/runbooks.md")).expect("the page");
    let examples: Vec<&str> = page.split("````markdown\n").skip(1).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let text = example.split("\n````\n").next().expect("a first part");
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("name: "))
            .expect("a name");
        let told = shown(&check(
            &format!("{name}.md"),
            &format!("{text}\n"),
            &Entries::real(),
        ));
        let without_contain = told
            .lines()
            .filter(|line| !line.contains("Nothing here stops the damage"));
        assert_eq!(without_contain.collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

/// `UPDATE_SCHEMAS=1 cargo test` writes the file anew.
#[test]
fn the_schema_of_the_front_matter_is_the_one_checked_in() {
    let schema = format!("{:#}\n", crate::runbook::schema());
    let path = at_root("schemas/runbook.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &schema).expect("a writable folder");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        schema, known,
        "schemas/runbook.schema.json is old: run this test with UPDATE_SCHEMAS=1"
    );
}

#[test]
fn shipped_front_matters_pass_the_schema_and_misspelled_ones_do_not() {
    let validator = jsonschema::validator_for(&crate::runbook::schema()).expect("a schema");
    for runbook in Shelf::demo().list() {
        let yaml = runbook.source.split("---\n").nth(1).expect("front matter");
        let front: serde_json::Value = serde_saphyr::from_str(yaml).expect("YAML");
        assert!(validator.is_valid(&front), "{}", runbook.file);
        let mut misspelled = front;
        misspelled["titel"] = "x".into();
        assert!(!validator.is_valid(&misspelled));
    }
}

#[test]
fn runbooks_cite_the_slash_command_by_the_name_it_has_here() {
    let shelf = Shelf::demo().citing("inc");
    for runbook in shelf.list() {
        let plan = serde_json::to_string(&runbook.plan).expect("JSON");
        assert!(!plan.contains("/incident"), "{}", runbook.file);
        assert!(!runbook.source.contains("/incident "), "{}", runbook.file);
    }
    let demo = shelf.get("demo-shop").expect("the demo's");
    assert!(
        demo.plan.phases[0].intro.contains("`/inc frame`"),
        "{:?}",
        demo.plan.phases[0]
    );
    let digest = |shelf: &Shelf| shelf.get("demo-shop").map(|runbook| runbook.plan.digest.clone());
    assert_eq!(digest(&shelf), digest(&Shelf::demo()), "the file is the same one");

    let text = "---\nname: links\ntitle: Links\nsummary: Links stay.\n---\n## Confirm\n\n\
                Type /incident, or see https://example.org/incident and /incidents/7.\n\n1. Look: (/incident note)\n";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("links.md"), text).expect("written");
    let shelf = Shelf::load(folder.path())
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .citing("inc");
    let links = &shelf.get("links").expect("ours").plan.phases[0];
    assert!(
        links
            .intro
            .starts_with("Type /inc, or see https://example.org/incident and /incidents/7"),
        "{links:?}"
    );
    assert!(links.steps[0].text.contains("(/inc note)"), "{links:?}");
}
