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

#[test]
fn an_operators_entry_replaces_the_shipped_one_of_the_same_name() {
    let own = GOOD.replace("shop.orders", "http.health");
    let catalog = Catalog::load(&[(PathBuf::from("own.toml"), own)]).expect("whole");
    assert_eq!(catalog.probe("http.health").expect("there").raw.title, "Orders");
    assert_ne!(catalog.digest(), Catalog::shipped().digest());
}

#[test]
fn the_same_name_in_two_files_of_the_operator_is_a_problem() {
    let file = |name: &str| (PathBuf::from(name), GOOD.to_owned());
    let problems = Catalog::load(&[file("one.toml"), file("two.toml")]).expect_err("twice");
    assert_eq!(
        problems[0].to_string(),
        "two.toml:2:8: probe `shop.orders` is defined twice. The other one is in one.toml; give one of them another name."
    );
}

#[test]
fn every_problem_is_reported_with_its_spot_and_what_would_be_right() {
    let text = r#"
[probe."a.one"]
title = "One"
question = "?"
targets = ["http"]
failng = "true"
summary = ""
http = { path = "/x" }

[probe."a.two"]
title = "Two"
question = "?"
targets = ["http"]
failing = "answr.status > 1"
summary = ""
http = { path = "/x" }

[probe."a.three"]
title = "Three"
question = "?"
targets = ["http"]
timeout = "5 parsecs"
failing = "true"
summary = ""
http = { path = "/x" }

[probe.four]
title = "Four"

[action."a.five"]
title = "Five"
targets = ["http"]
risk = "enormous"
http = { method = "POST" }

[probes."a.six"]
"#;
    insta::assert_snapshot!(problems(text));
}

#[test]
fn what_the_types_cannot_say_is_checked_too() {
    let text = r#"
[probe."a.no_verdict"]
title = "t"
question = "?"
targets = []
summary = ""
sensitivity = "restricted"
params.since = { type = "text", summary = "" }
params.n = { type = "integer", min = 5, max = 1, summary = "" }
params.m = { type = "integer", max = 10, default = 11, summary = "" }
params.p = { type = "text", pattern = "(", summary = "" }
params.c = { type = "choice", summary = "" }
http = { path = "queue?x=1" }
redis = { command = ["PING"] }

[probe."a.names"]
title = "t"
question = "?"
targets = ["http"]
failing = "true"
summary = ""
params.job = { type = "text", summary = "" }
[probe."a.names".http]
path = "/jobs/{jop}"
query = { x = "$jop" }

[probe."a.program"]
title = "t"
question = "?"
targets = ["host"]
failing = "true"
summary = ""
params.job = { type = "text", summary = "" }
process = { argv = ["$job"] }

[probe."a.sql"]
title = "t"
question = "?"
targets = ["postgres"]
failing = "true"
summary = ""
postgres = { sql = "SELECT $1, $2", binds = ["since"] }

[action."a.guards"]
title = "t"
targets = ["http"]
risk = "low"
http = { method = "POST", path = "/x/{since}", guards = { a = "json.a" } }
"#;
    insta::assert_snapshot!(problems(text));
}

#[test]
fn what_an_action_refers_to_must_be_there() {
    let text = r#"
[action."a.off"]
title = "t"
targets = ["http"]
risk = "low"
params.job = { type = "text", summary = "" }
precondition = { probe = "http.jop", wants = "ok" }
verify = { probe = "http.job", params = { jobb = { from = "job" } }, wants = "ok" }
undo = { action = "a.onn" }
http = { method = "POST" }
"#;
    insta::assert_snapshot!(problems(text));
}

#[test]
fn syntax_errors_say_where() {
    assert!(
        problems("[probe.\"a.b\"\ntitle = ").starts_with("own.toml:1:"),
        "{}",
        problems("[probe.\"a.b\"\ntitle = ")
    );
}

#[test]
fn broken_expressions_and_templates_are_problems_and_no_more() {
    use super::verdict::{Expression, Template};
    for broken in [
        "",
        "(",
        "a ?",
        "'open",
        "answer.",
        "1 +",
        "answer[",
        "@",
        "answer.x = 1",
        "\u{0}",
        "((((((((((((",
        "if x",
    ] {
        assert!(Expression::try_from(broken.to_owned()).is_err(), "{broken}");
    }
    for good in [
        "size(answer) > 0",
        "answer.map(x, x + 1).exists(y, y > 2)",
        "has(target.version)",
        "type(params.n) == int",
    ] {
        assert!(Expression::try_from(good.to_owned()).is_ok(), "{good}");
    }
    for broken in ["{{", "{% if %}", "{{ a | nofilter }}{%", "{% for %}"] {
        assert!(Template::try_from(broken.to_owned()).is_err(), "{broken}");
    }
}

fn resolve(name: &str, params: Value) -> Result<ProbeCall, String> {
    let target = target("shop", "demo", "http://127.0.0.1:1");
    Catalog::shipped()
        .resolve_probe(name, &target, &given(params), &when())
        .map_err(|problem| problem.to_string())
}

#[test]
fn a_mistyped_probe_is_answered_with_the_nearest_one() {
    assert_eq!(
        resolve("demo.wrong_record", json!({})).expect_err("mistyped"),
        "there is no probe `demo.wrong_record`. Did you mean `demo.wrong_records`?"
    );
}

#[test]
fn a_probe_for_another_kind_of_target_is_refused() {
    assert_eq!(
        resolve("host.disk", json!({})).expect_err("another kind"),
        "probe `host.disk` does not fit `shop`, which is of kind `demo`. Name a target of kind `host`."
    );
}

#[test]
fn parameters_that_do_not_fit_are_refused_with_what_is_allowed() {
    let refused = |params| resolve("demo.queue", params).expect_err("refused");
    assert_eq!(
        refused(json!({ "suspect_from": "many" })),
        "`suspect_from` cannot be `many`. Give a whole number of at least 1."
    );
    assert_eq!(
        refused(json!({ "suspect_from": 0 })),
        "`suspect_from` cannot be `0`. Give a whole number of at least 1."
    );
    assert_eq!(
        refused(json!({ "suspect_form": "5" })),
        "`demo.queue` has no parameter `suspect_form`. Did you mean `suspect_from`?"
    );
    assert_eq!(
        resolve("http.job", json!({})).expect_err("missing"),
        "`http.job` needs `job`. Add job=…: name of the job (text of at most 100 characters on one line)."
    );
}

#[test]
fn text_from_the_command_line_becomes_what_the_parameter_is() {
    let call = resolve("demo.queue", json!({ "suspect_from": "7" })).expect("fits");
    assert_eq!(
        json!(call.params),
        json!({ "failing_from": 100, "suspect_from": 7 })
    );
}

#[test]
fn a_value_that_looks_like_a_secret_is_refused_and_not_repeated() {
    for secret in [
        "ghp_0123456789abcdef0123456789abcdef0123",
        "postgres://odoo:hunter2@db/prod",
        "password=hunter2",
        "AKIAIOSFODNN7EXAMPLE",
    ] {
        let refused = resolve("http.job", json!({ "job": secret })).expect_err("a secret");
        assert!(
            refused.starts_with("the value of `job` looks like a secret"),
            "{refused}"
        );
        assert!(
            !refused.contains("hunter2") && !refused.contains("ghp_"),
            "{refused}"
        );
    }
    for harmless in [
        "Post entries",
        "sk-route",
        "1Z999AA10123456784",
        "d0be2dc421be4fcd0172e5afceea3970e2f3d940",
        "token bucket",
    ] {
        resolve("http.job", json!({ "job": harmless })).expect(harmless);
    }
}

#[test]
fn a_name_in_a_path_stays_one_segment() {
    let catalog = Catalog::shipped();
    let target = target("shop", "demo", "http://127.0.0.1:1");
    let path = |job: &str| {
        let terms =
            catalog.resolve_action("http.job.pause", &target, &given(json!({ "job": job })), &when())?;
        catalog
            .render_action(&terms, &target)
            .map(|call| call.call["path"].clone())
    };
    assert_eq!(
        path("a/../../admin?x=1#y").expect("encoded"),
        json!("/jobs/a%2F..%2F..%2Fadmin%3Fx%3D1%23y/pause")
    );
    assert_eq!(
        path("..").expect_err("leaves").to_string(),
        "`job` cannot be `..` in an address. Give the name of one thing."
    );
}

#[test]
fn an_argument_stays_one_argument_and_cannot_become_an_option() {
    let catalog = Catalog::shipped();
    let mut target = target("web1", "host", "/");
    target.facts.insert("script".to_owned(), json!("/opt/x.sh"));
    let argv = |argument: &str| {
        let terms = catalog.resolve_action(
            "script.run",
            &target,
            &given(json!({ "argument": argument })),
            &when(),
        )?;
        catalog
            .render_action(&terms, &target)
            .map(|call| call.call["argv"].clone())
    };
    assert_eq!(
        argv("a b; rm -rf / $(id)").expect("whole"),
        json!(["/opt/x.sh", "a b; rm -rf / $(id)"])
    );
    assert_eq!(
        argv("--output=/etc/passwd").expect_err("an option").to_string(),
        "`argument` cannot start with a dash. A program would read it as an option; leave the dash out."
    );
}

#[test]
fn a_missing_fact_says_where_to_add_it() {
    let problem = Catalog::shipped().resolve_action(
        "script.run",
        &target("web1", "host", "/"),
        &Params::new(),
        &when(),
    );
    assert_eq!(
        problem.expect_err("no fact").to_string(),
        "nothing says what `script` is for `web1`. Add `script` to the facts of `web1` in orderly.toml."
    );
}

#[test]
fn the_onset_goes_into_calls_and_a_guess_is_said() {
    let call = resolve("demo.log", json!({})).expect("fits");
    assert_eq!(call.call["query"], json!({ "since": "2026-05-04T03:10:00Z" }));
    let call = resolve("demo.log", json!({ "since": "2026-05-04T05:00:00+02:00" })).expect("fits");
    assert_eq!(call.call["query"], json!({ "since": "2026-05-04T03:00:00Z" }));
    let guess = When::new(None, "2026-05-04T04:00:00Z".parse().expect("a time"));
    let target = target("repo", "git", "/srv/repo");
    let call = Catalog::shipped()
        .resolve_probe("git.changes", &target, &Params::new(), &guess)
        .expect("fits");
    assert_eq!(json!(call.params), json!({ "since": "2026-05-03T03:00:00Z" }));
    assert_eq!(
        call.caveats,
        ["Nobody has said yet when it began; this looks back to 2026-05-03T03:00:00Z."]
    );
}

#[test]
fn terms_of_an_action_are_complete() {
    let target = target("shop", "demo", "http://127.0.0.1:1");
    let terms = Catalog::shipped()
        .resolve_action(
            "http.job.pause",
            &target,
            &given(json!({ "job": "reprice" })),
            &when(),
        )
        .expect("fits");
    let mut shown = json!(terms);
    shown["entry_digest"] = json!("…");
    insta::assert_json_snapshot!(shown);
}

#[test]
fn the_risk_sets_who_must_approve() {
    let policy = |risk| serde_json::to_value(default_policy(risk)).expect("plain");
    assert_eq!(
        policy(Risk::Low),
        json!({ "quorum": 1, "role": null, "expires_s": 14_400 })
    );
    assert_eq!(
        policy(Risk::Medium),
        json!({ "quorum": 1, "role": Role::Approver, "expires_s": 3_600 })
    );
    assert_eq!(
        policy(Risk::High),
        json!({ "quorum": 2, "role": Role::Approver, "expires_s": 1_800 })
    );
}

#[test]
fn nobody_to_ask_must_be_written_out() {
    let action = |policy: &str| {
        let text = format!(
            "[action.\"a.b\"]\ntitle = \"t\"\ntargets = [\"demo\"]\nrisk = \"high\"\n{policy}\nhttp = {{ method = \"POST\" }}"
        );
        let catalog = Catalog::load(&[(PathBuf::from("own.toml"), text)]).expect("whole");
        let target = target("shop", "demo", "http://127.0.0.1:1");
        catalog
            .resolve_action("a.b", &target, &Params::new(), &when())
            .expect("fits")
            .policy
            .quorum
    };
    assert_eq!(action("policy = { expires = \"1h\" }"), 2);
    assert_eq!(action("policy = { quorum = 0 }"), 0);
}

#[test]
fn an_undo_takes_what_the_preview_had_read() {
    let catalog = Catalog::shipped();
    let target = target("shop", "demo", "http://127.0.0.1:1");
    let given = given(json!({ "flag": "new-router", "enabled": "off" }));
    let terms = catalog
        .resolve_action("flag.set", &target, &given, &when())
        .expect("fits");
    let guards = json!({ "enabled": true }).as_object().expect("a table").clone();
    let undo = catalog
        .resolve_undo(&terms, &guards, &target, &when())
        .expect("fits")
        .expect("undoable");
    assert_eq!(
        json!(undo.params),
        json!({ "flag": "new-router", "enabled": true })
    );
    assert_eq!((undo.policy.quorum, undo.policy.expires_s), (1, 14_400));
    let problem = catalog
        .resolve_undo(&terms, &serde_json::Map::new(), &target, &when())
        .expect_err("unread");
    assert_eq!(
        problem.to_string(),
        "nobody read what `enabled` was before. Undo it by hand and note what you did."
    );
}

#[test]
fn a_changed_entry_voids_what_was_proposed() {
    let target = target("shop", "demo", "http://127.0.0.1:1");
    let given = given(json!({ "job": "reprice" }));
    let terms = Catalog::shipped()
        .resolve_action("http.job.pause", &target, &given, &when())
        .expect("fits");
    let own = "[action.\"http.job.pause\"]\ntitle = \"t\"\ntargets = [\"demo\"]\nrisk = \"low\"\n\
               params.job = { type = \"text\", summary = \"\" }\nhttp = { method = \"DELETE\", path = \"/jobs/{job}\" }";
    let changed = Catalog::load(&[(PathBuf::from("own.toml"), own.to_owned())]).expect("whole");
    assert_eq!(
        changed
            .render_action(&terms, &target)
            .expect_err("changed")
            .to_string(),
        "the catalog entry of `http.job.pause` changed since it was proposed. \
         Propose it again, so that people approve what would run now."
    );
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_keys_but_on_every_value() {
    let (one, two) = (
        json!({ "a": 1, "b": [2, { "c": 3, "d": 4 }] }),
        json!({ "b": [2, { "d": 4, "c": 3 }], "a": 1 }),
    );
    assert_eq!(digest_of(&one), digest_of(&two));
    assert_ne!(
        digest_of(&one),
        digest_of(&json!({ "a": 1, "b": [2, { "c": 3, "d": 5 }] }))
    );
    let digest = |text: &str| {
        let catalog = Catalog::load(&[(PathBuf::from("own.toml"), text.to_owned())]).expect("whole");
        catalog.probe("shop.orders").expect("there").digest.clone()
    };
    assert_eq!(digest(GOOD), digest(&format!("# a comment\n{GOOD}")));
    assert_ne!(digest(GOOD), digest(&GOOD.replace("default = 5", "default = 6")));
}

#[test]
fn sql_gets_binds_with_types_and_identifiers_apart() {
    let own = r#"
[probe."a.sql"]
title = "t"
question = "?"
targets = ["postgres"]
failing = "size(answer) > 0"
summary = ""
params.who = { type = "identifier", of = "role", summary = "" }
params.wait = { type = "duration", default = "5m", summary = "" }
[probe."a.sql".postgres]
sql = "SELECT 1 FROM pg_roles WHERE rolname = {who} AND $1 > 2 AND $2 < now()"
binds = ["wait", "since"]
"#;
    let catalog = Catalog::load(&[(PathBuf::from("own.toml"), own.to_owned())]).expect("whole");
    let target = target("db", "postgres", "postgres://x");
    let given = given(json!({ "who": "odoo\"; DROP ROLE x; --" }));
    let call = catalog
        .resolve_probe("a.sql", &target, &given, &when())
        .expect("fits");
    insta::assert_json_snapshot!(call.call);
}

fn judged(entry: &str, answer: Result<Value, Failure>, params: Value) -> crate::incident::Answer {
    let target = target("shop", "demo", "http://127.0.0.1:1");
    let call = Catalog::shipped()
        .resolve_probe(entry, &target, &given(params), &when())
        .expect("fits");
    let reading = answer.map(|answer| Reading {
        answer,
        raw: Vec::new(),
        caveats: Vec::new(),
    });
    let catalog = Catalog::shipped();
    let entry = catalog.probe(entry).expect("there");
    judge(
        entry,
        reading.as_ref(),
        std::time::Duration::from_millis(12),
        &call.params,
        &target,
    )
}

#[test]
fn a_bad_answer_comes_with_its_numbers_and_what_it_means() {
    let answer = json!({ "json": { "total": 900, "wrong": 12, "repaired": 3, "last_wrong_at": null } });
    let answer = judged("demo.wrong_records", Ok(answer), json!({}));
    assert_eq!(answer.verdict, Verdict::Failing);
    assert_eq!(answer.summary, "12 of 900 records are wrong, 3 repaired");
    assert_eq!(
        answer.impact.as_deref(),
        Some("Customers pay wrong prices until these records are repaired.")
    );
    assert_eq!(answer.excerpt, "wrong: 12\nrepaired: 3\ntotal: 900");
}

#[test]
fn a_good_answer_names_no_impact() {
    let answer = json!({ "json": { "total": 900, "wrong": 0, "repaired": 12, "last_wrong_at": null } });
    let answer = judged("demo.wrong_records", Ok(answer), json!({}));
    assert_eq!((answer.verdict, answer.impact), (Verdict::Ok, None));
}

#[test]
fn silence_is_unknown_and_never_health() {
    let why = Failure::Unreachable("connection refused".to_owned());
    let answer = judged("demo.wrong_records", Err(why), json!({}));
    assert_eq!(
        (answer.verdict, answer.summary.as_str()),
        (Verdict::Unknown, "connection refused")
    );
    assert_eq!(answer.impact, None);
    let answer = judged("demo.wrong_records", Ok(Value::Null), json!({}));
    assert_eq!(
        (answer.verdict, answer.summary.as_str()),
        (Verdict::Unknown, "No answer came back.")
    );
}

#[test]
fn an_expression_that_does_not_fit_the_answer_is_unknown_and_says_why() {
    let answer = judged(
        "demo.wrong_records",
        Ok(json!({ "json": { "total": 1 } })),
        json!({}),
    );
    assert_eq!(
        (answer.verdict, answer.summary.as_str()),
        (Verdict::Unknown, "No verdict: the answer has no `wrong`")
    );
    let answer = judged(
        "demo.wrong_records",
        Ok(json!({ "json": { "wrong": "many" } })),
        json!({}),
    );
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(
        answer.summary.starts_with("No verdict: `answer.json.wrong > 0`"),
        "{}",
        answer.summary
    );
}

#[test]
fn an_answer_that_is_neither_good_nor_bad_is_unknown() {
    let jobs = json!({ "json": [{ "name": "other", "running": true }] });
    let answer = judged("http.job", Ok(jobs), json!({ "job": "reprice" }));
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert_eq!(
        answer.summary,
        "No verdict: the answer is neither good nor bad by the rules of this probe"
    );
}

#[test]
fn a_table_is_cut_and_hostile_text_cannot_move_anything() {
    let row = |n: usize| json!({ "at": n, "by": "ana\u{202e}\u{1b}[2J", "what": "x".repeat(200) });
    let rows: Vec<Value> = (0..30).map(row).collect();
    let answer = judged("demo.changes", Ok(json!({ "json": rows })), json!({}));
    insta::assert_snapshot!(format!("{}\n\n{}", answer.summary, answer.excerpt));
}

#[test]
fn the_checked_in_schema_is_the_one_of_this_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/catalog.schema.json");
    let now = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &now).expect("the schema can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "schemas/catalog.schema.json is old; run this test with UPDATE_SCHEMAS=1 and look at the change"
    );
}

#[test]
fn the_schema_accepts_the_shipped_files_and_refuses_a_mistyped_key() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    for (name, text) in Catalog::shipped_files() {
        let file: Value = toml::from_str(text).expect("TOML");
        let errors: Vec<String> = validator
            .iter_errors(&file)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    let file: Value = toml::from_str(&GOOD.replace("failing", "failng")).expect("TOML");
    assert!(!validator.is_valid(&file));
}

#[test]
fn periods_and_sizes_are_read_and_written_alike() {
    use super::units::{Bytes, Period};
    for text in ["250ms", "5s", "90s", "15m", "2h", "1d"] {
        assert_eq!(Period::try_from(text.to_owned()).expect(text).to_string(), text);
    }
    for text in ["1B", "64KiB", "1MiB"] {
        assert_eq!(Bytes::try_from(text.to_owned()).expect(text).to_string(), text);
    }
    for wrong in [
        "",
        "5",
        "s",
        "-5s",
        "0s",
        "5 weeks",
        "99999999999999999999d",
        "9999999999999999d",
    ] {
        assert!(Period::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
    for wrong in ["64KB", "0B", "1GiB", "99999999MiB"] {
        assert!(Bytes::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}
