//! The files an operator writes: made by `init`, checked with a place and with what would be right.

use insta::assert_snapshot;

use super::Place;

#[test]
fn what_init_writes_is_in_order_as_it_stands() {
    let place = Place::new();
    assert_snapshot!(place.run(&["config", "check"]).exits(0).out, @"");
    assert_snapshot!(place.run(&["runbook", "lint", "--strict"]).exits(0).out, @"");
    let doctor = place.run(&["doctor"]).exits(0);
    assert!(doctor.out.contains("Nothing needs mending."), "{}", doctor.out);
    assert!(
        doctor.out.contains("will be made by the first start"),
        "{}",
        doctor.out
    );
}

#[test]
fn init_writes_over_nothing_and_names_what_is_in_the_way() {
    let place = Place::empty();
    place.write("orderly.toml", "# mine");
    let said = place.run(&["init"]).exits(1);
    assert_snapshot!(said.err, @"");
    assert!(!super::exists(&place.path("runbooks")));
    assert_eq!(
        std::fs::read_to_string(place.path("orderly.toml")).unwrap(),
        "# mine"
    );
}

#[test]
fn without_a_config_the_next_step_is_named() {
    let said = Place::empty().run(&["serve"]).exits(1);
    assert_snapshot!(said.err, @"");
}

#[test]
fn a_wrong_config_is_told_with_its_places() {
    let place = Place::new();
    place.write(
        "orderly.toml",
        "comand = \"incident\"\n\n[policy.high]\nquorum = \"two\"\n\n[[target]]\nname = \"shop\"\nkind = \"http\"\n\
         environment = \"production\"\nurl = \"https://ana:hunter2@shop.example\"\n",
    );
    assert_snapshot!(place.run(&["config", "check"]).exits(4).out, @"");
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @"");
    let json = place.run(&["config", "check", "--json"]).exits(4).json();
    assert_eq!(json[0]["line"], 1);
    assert!(place.run(&["doctor"]).exits(4).out.contains("needs mending"));
}

#[test]
fn a_broken_runbook_is_told_with_its_places_and_serve_does_not_start_on_it() {
    let place = Place::new();
    place.write(
        "runbooks/mine.md",
        "---\nname: mine\ntitle: Mine\nsummary: Mine.\nmatch:\n  title: [mine]\n---\n# Mine\n\n## Confirm\n\n\
         1. See: `probe postgres.blockng`\n2. `probe`\n",
    );
    assert_snapshot!(place.run(&["runbook", "lint", "runbooks/mine.md"]).exits(4).out, @"");
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @"");
}

#[test]
fn a_broken_catalog_is_told_with_its_places_and_serve_does_not_start_on_it() {
    let place = Place::new();
    place.write(
        "catalog/mine.toml",
        "[probe.\"mine.one\"]\ntitle = \"One\"\nquestion = \"Is it one?\"\ntargets = [\"http\"]\nsumary = \"one\"\n",
    );
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @"");
    let doctor = place.run(&["doctor"]).exits(4);
    assert!(doctor.out.contains("catalog/mine.toml:5:1"), "{}", doctor.out);
}

#[test]
fn doctor_says_of_each_target_how_to_mend_it() {
    let place = Place::new();
    place.add(
        "orderly.toml",
        "\n[[target]]\nname = \"odoo-db\"\nkind = \"postgres\"\nenvironment = \"production\"\n\
         url = \"postgres://127.0.0.1:1/odoo\"\n\
         [target.probe]\nuser = \"orderly_probe\"\npassword = { env = \"ORDERLY_TEST_NOT_SET\" }\n\
         \n[[target]]\nname = \"web\"\nkind = \"http\"\nenvironment = \"production\"\nurl = \"http://127.0.0.1:1\"\n\
         \n[[target]]\nname = \"box\"\nkind = \"host\"\nenvironment = \"production\"\nurl = \"nowhere\"\n",
    );
    let findings = place.run(&["doctor", "--json"]).exits(4).json();
    let of = |about: &str| {
        let found = findings
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["about"] == about);
        found
            .unwrap_or_else(|| panic!("nothing about {about}: {findings:#}"))
            .clone()
    };
    assert_eq!(of("target odoo-db")["grade"], "mend");
    assert!(
        of("target odoo-db")["what"]
            .as_str()
            .unwrap()
            .contains("ORDERLY_TEST_NOT_SET is not set")
    );
    assert_eq!(of("target web")["grade"], "mend");
    assert!(of("target web")["mend"].as_str().unwrap().contains("Is it up"));
    assert_eq!(of("target box")["grade"], "mend");
}

#[test]
fn people_who_cannot_fulfil_a_policy_are_a_finding() {
    let place = Place::with_ana();
    let said = place.run(&["doctor"]).exits(4);
    assert!(said.out.contains("lower the quorum in"), "{}", said.out);
}

#[test]
fn a_probe_runs_without_an_incident_and_its_verdict_is_the_exit_code() {
    let place = Place::new();
    place.add(
        "orderly.toml",
        "\n[[target]]\nname = \"web\"\nkind = \"http\"\nenvironment = \"production\"\nurl = \"http://127.0.0.1:1\"\n",
    );
    let listed = place.run(&["probe", "list", "--json"]).exits(0).json();
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .all(|probe| probe["targets"] == serde_json::json!(["web"]))
    );
    let said = place
        .run(&["probe", "run", "http.health", "--json"])
        .exits(4)
        .json();
    assert_eq!(said["answer"]["verdict"], "failing");
    let said = place.run(&["probe", "run", "http.helth"]).exits(3);
    assert!(said.err.contains("http.health"), "{}", said.err);
    assert!(!super::exists(&place.path("orderly.sqlite")));
}

#[test]
fn an_action_is_shown_with_its_approvals_and_never_run() {
    let place = Place::new();
    let said = place.run(&["action", "show", "odoo.cron.disable"]).exits(0);
    assert!(said.out.contains("1, from the role approver"), "{}", said.out);
    place.run(&["action", "show", "odoo.cron.destroy"]).exits(3);
}
