//! The files an operator writes: made by `init`, checked with a place and with what would be right.

use insta::assert_snapshot;

use super::Place;

#[test]
fn what_init_writes_is_in_order_as_it_stands() {
    let place = Place::made();
    assert_snapshot!(place.run(&["config", "check"]).exits(0).out, @"orderly.toml is in order. `orderly doctor` also looks at what it names.");
    assert_snapshot!(place.run(&["runbook", "lint", "--strict"]).exits(0).out, @"Nothing to mend.");
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
    assert_snapshot!(said.err, @"orderly: nothing was written, because this folder has this already: orderly.toml. Name another folder, or move it away");
    assert!(!super::exists(&place.path("runbooks")));
    assert_eq!(
        std::fs::read_to_string(place.path("orderly.toml")).unwrap(),
        "# mine"
    );
}

#[test]
fn without_a_config_the_next_step_is_named() {
    let said = Place::empty().run(&["serve"]).exits(1);
    assert_snapshot!(said.err, @"orderly.toml: there is no such file: `orderly init` writes one");
}

#[test]
fn a_wrong_config_is_told_with_its_places() {
    let place = Place::made();
    place.write(
        "orderly.toml",
        "comand = \"incident\"\n\n[policy.high]\nquorum = \"two\"\n\n[[target]]\nname = \"shop\"\nkind = \"http\"\n\
         environment = \"production\"\nurl = \"https://ana:hunter2@shop.example\"\n",
    );
    assert_snapshot!(place.run(&["config", "check"]).exits(4).out, @r#"
    orderly.toml:1:1: this file has no setting `comand`. Did you mean `command`?
    orderly.toml:4:10: `quorum` must be a whole number from 0 to 9
    orderly.toml:10:7: `url` holds what looks like a secret (password), and that may not stand in this file. Take it out and name its place below [target.probe] or [target.action]: password = { env = "SHOP_PROBE_PASSWORD" }
    "#);
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @r#"
    orderly.toml:1:1: this file has no setting `comand`. Did you mean `command`?
    orderly.toml:4:10: `quorum` must be a whole number from 0 to 9
    orderly.toml:10:7: `url` holds what looks like a secret (password), and that may not stand in this file. Take it out and name its place below [target.probe] or [target.action]: password = { env = "SHOP_PROBE_PASSWORD" }
    "#);
    let json = place.run(&["config", "check", "--json"]).exits(4).json();
    assert_eq!(json[0]["line"], 1);
    assert!(place.run(&["doctor"]).exits(4).out.contains("need mending."));
}

#[test]
fn a_broken_runbook_is_told_with_its_places_and_serve_does_not_start_on_it() {
    let place = Place::made();
    place.write(
        "runbooks/mine.md",
        "---\nname: mine\ntitle: Mine\nsummary: Mine.\nmatch:\n  title: [mine]\n---\n# Mine\n\n## Confirm\n\n\
         1. See: `probe postgres.blockng`\n2. `probe`\n",
    );
    assert_snapshot!(place.run(&["runbook", "lint", "runbooks/mine.md"]).exits(4).out, @"
    runbooks/mine.md:12:16: error: The catalog has no probe `postgres.blockng`. Did you mean `postgres.blocking`?
    runbooks/mine.md:13:5: error: `probe` needs the name of an entry of the catalog, such as `probe postgres.blocking failing_after=5s`.
    ");
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @"runbooks/mine.md:13:5: error: `probe` needs the name of an entry of the catalog, such as `probe postgres.blocking failing_after=5s`.");
}

#[test]
fn a_broken_catalog_is_told_with_its_places_and_serve_does_not_start_on_it() {
    let place = Place::made();
    place.write(
        "catalog/mine.toml",
        "[probe.\"mine.one\"]\ntitle = \"One\"\nquestion = \"Is it one?\"\ntargets = [\"http\"]\nsumary = \"one\"\n",
    );
    assert_snapshot!(place.run(&["serve"]).exits(1).err, @"catalog/mine.toml:5:1: `sumary` is not known here. Did you mean `summary`?");
    let doctor = place.run(&["doctor"]).exits(4);
    assert!(doctor.out.contains("catalog/mine.toml:5:1"), "{}", doctor.out);
}

#[test]
fn doctor_says_of_each_target_how_to_mend_it() {
    let place = Place::made();
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
    assert!(of("target web")["what"].as_str().unwrap().contains("Is it up"));
    assert!(of("target web")["mend"].as_str().unwrap().contains("check `url`"));
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
    let place = Place::made();
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
    let place = Place::made();
    let said = place.run(&["action", "show", "odoo.cron.disable"]).exits(0);
    assert!(said.out.contains("1, from the role approver"), "{}", said.out);
    place.run(&["action", "show", "odoo.cron.destroy"]).exits(3);
}
