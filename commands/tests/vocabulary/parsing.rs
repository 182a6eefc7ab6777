//! What is understood.

use std::collections::BTreeMap;

use orderly_commands::{Parsed, When, parse, partial, quoted};

fn read(line: &str) -> Parsed {
    parse(line).unwrap_or_else(|error| panic!("{error}"))
}

/// The one way of writing what was typed.
fn line(typed: &str) -> String {
    read(typed).to_line()
}

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn an_empty_line_is_no_command_and_no_mistake() {
    assert_eq!(read("").path, "");
    assert_eq!(read(" \u{a0}\t").path, "");
    assert_eq!(read("").to_line(), "");
}

#[test]
fn the_first_word_alone_is_enough() {
    let understood = [
        ("open", "open"),
        ("frame", "frame"),
        ("damage no", "damage"),
        ("next", "next"),
        ("back triage why", "back"),
        ("step", "step show"),
        ("probe", "probe run"),
        ("finding", "finding list"),
        ("propose odoo.cron.disable", "action propose"),
        ("approve A3", "action approve"),
        ("refuse A3 why", "action refuse"),
        ("withdraw A3", "action withdraw"),
        ("undo A3", "action undo"),
        ("freeze", "action freeze"),
        ("thaw", "action thaw"),
        ("decide roll-back why", "decide"),
        ("severity 2", "set severity"),
        ("role", "role list"),
        ("handover @ana", "role handover"),
        ("task", "task list"),
        ("followup", "followup list"),
        ("note it broke", "journal note"),
        ("update it broke", "update send"),
        ("page commander", "page send"),
        ("ack", "page ack"),
        ("timeline", "journal timeline"),
        ("brief", "journal brief"),
        ("status", "status"),
        ("list", "list"),
        ("runbook", "runbook show"),
        ("link https://tracker.example/42", "set link"),
        ("duplicate INC-7", "mark duplicate"),
        ("resolve", "mark resolved"),
        ("reopen why", "mark reopened"),
        ("close", "mark closed"),
        ("cancel why", "mark cancelled"),
        ("post-mortem", "postmortem show"),
        ("export", "postmortem export"),
        ("drill", "drill"),
        ("redact e12 why", "journal redact"),
        ("help", "help"),
    ];
    for (typed, path) in understood {
        assert_eq!(read(typed).path, path, "{typed}");
    }
}

#[test]
fn after_a_group_its_usual_command_may_be_left_out() {
    assert_eq!(line("probe postgres.blocking"), "probe run postgres.blocking");
    assert_eq!(line("task check the queue"), r#"task add "check the queue""#);
    assert_eq!(line("role commander"), "role take commander");
    assert_eq!(
        line("finding logs cleared nothing"),
        "finding add logs cleared nothing"
    );
    assert_eq!(
        line("finding line=logs verdict=cleared text=nothing"),
        "finding add logs cleared nothing"
    );
    assert_eq!(line("step contain.2"), "step show contain.2");
    assert_eq!(line("role --incident INC-7"), "INC-7 role list");
    assert_eq!(
        line(r#"task "done with the queue""#),
        r#"task add "done with the queue""#
    );
}

#[test]
fn case_and_underscores_do_not_matter() {
    assert_eq!(line("Approve a3"), "action approve A3");
    assert_eq!(
        line("BREAK_GLASS a3 odoo-prod Reason=alone"),
        "action break-glass A3 odoo-prod alone"
    );
    assert_eq!(
        line("Open Posting fails Severity=Sev2"),
        r#"open "Posting fails" severity=SEV2"#
    );
}

#[test]
fn options_come_in_any_order_and_spelling() {
    let same = r#"open "Posting fails" severity=SEV2 process=finance-posting --private"#;
    for typed in [
        "open Posting fails severity=2 process=finance --private",
        "open severity=SEV2 --private process=finance-posting Posting fails",
        "open --severity sev-2 --process=finance-posting —private Posting fails",
        "open severity:sev2 private=yes process:finance title:“Posting fails”",
        "open 'Posting fails' –private –severity 2 process=Finance_Posting",
    ] {
        assert_eq!(line(typed), same, "{typed}");
    }
    assert!(!read("open x private=no").flag("private"));
}

#[test]
fn text_runs_to_the_next_option_the_command_knows() {
    let parsed = read("update We stopped the job, limit=5 is set next=30m");
    assert_eq!(parsed.text("text"), Some("We stopped the job, limit=5 is set"));
    assert_eq!(parsed.duration_secs("next"), Some(1_800));

    let parsed = read(r#"note he said "at=5 is fine" and 'left"#);
    assert_eq!(parsed.text("text"), Some(r#"he said "at=5 is fine" and 'left"#));

    let parsed = read("next reason=the smoke test cannot run");
    assert_eq!(parsed.text("reason"), Some("the smoke test cannot run"));
}

#[test]
fn text_keeps_its_lines_and_signs() {
    let parsed = read("note ERROR: deadlock\n  at 0x7f — O'Brien's job -- again");
    assert_eq!(
        parsed.text("text"),
        Some("ERROR: deadlock\n  at 0x7f — O'Brien's job -- again")
    );
    assert_eq!(
        read(r#"note "Post entries" is the job"#).text("text"),
        Some(r#""Post entries" is the job"#)
    );
}

#[test]
fn every_kind_of_quotation_mark_quotes() {
    for quoted in [
        "\"a  b\"",
        "'a  b'",
        "“a  b”",
        "„a  b“",
        "„a  b”",
        "‘a  b’",
        "«a  b»",
        "»a  b«",
        "“a  b\"",
    ] {
        assert_eq!(
            read(&format!("note text={quoted} at=now")).text("text"),
            Some("a  b"),
            "{quoted}"
        );
    }
    assert_eq!(
        read(r#"note "say \"no\" in C:\temp \\""#).text("text"),
        Some(r#"say "no" in C:\temp \"#)
    );
    assert_eq!(read("note 'it doesn't'").text("text"), Some("it doesn't"));
}

#[test]
fn choices_may_be_spelled_apart_or_begun() {
    assert_eq!(
        line("decide roll back it is new"),
        r#"decide roll-back "it is new""#
    );
    assert_eq!(line("decide rollback reason=new"), "decide roll-back new");
    assert_eq!(
        line("settle A3 did not happen I looked"),
        r#"action settle A3 did-not-happen "I looked""#
    );
    assert_eq!(
        line("check smoke test passed"),
        "recovery check smoke-test passed"
    );
    assert_eq!(
        line("finding dep suspect carrier answers 503"),
        r#"finding add dependencies suspect "carrier answers 503""#
    );
    assert_eq!(
        line("set process warehouse execution"),
        "set process warehouse-execution"
    );
}

#[test]
fn what_is_counted_is_named_with_or_without_its_letter() {
    for typed in [
        "approve A3",
        "approve a3",
        "approve 3",
        "approve #3",
        "approve proposal=A3",
    ] {
        assert_eq!(read(typed).number("proposal"), Some(3), "{typed}");
    }
    for typed in ["duplicate INC-7", "duplicate inc7", "duplicate #7", "duplicate 7"] {
        assert_eq!(read(typed).number("original"), Some(7), "{typed}");
    }
    for typed in ["export as-of=#12", "export as-of=e12", "export as-of=12"] {
        assert_eq!(read(typed).number("as-of"), Some(12), "{typed}");
    }
    assert_eq!(read("finding accept d3").number("finding"), Some(3));
    assert_eq!(read("followup done f4").number("followup"), Some(4));
    assert_eq!(
        read("finding clear logs nothing evidence=P5,p6").numbers("evidence"),
        [5, 6]
    );
    assert_eq!(read("severity sev2").number("level"), Some(2));
}

#[test]
fn an_incident_is_named_in_front_or_as_an_option() {
    for typed in [
        "INC-7 approve A3",
        "approve A3 --incident INC-7",
        "approve incident=7 A3",
        "inc7 approve A3",
    ] {
        let parsed = read(typed);
        assert_eq!(
            (parsed.path, parsed.incident),
            ("action approve", Some(7)),
            "{typed}"
        );
    }
    assert_eq!(line("inc-7"), "INC-7 status");
}

#[test]
fn parameters_go_to_the_catalog_as_they_are() {
    let parsed = read(r#"propose odoo.cron.disable odoo-prod cron="Post entries" Max=5 reason=wrong rows"#);
    let params: Vec<_> = parsed
        .params("params")
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(params, [("Max", "5"), ("cron", "Post entries")]);
    assert_eq!(parsed.text("target"), Some("odoo-prod"));
    assert_eq!(parsed.text("reason"), Some("wrong rows"));

    let separate = read(r#"probe run postgres.blocking params="seconds=30 user='a b'" --limit 5"#);
    assert_eq!(
        separate.to_line(),
        r#"probe run postgres.blocking limit=5 seconds=30 user="a b""#
    );
}

#[test]
fn targets_may_be_joined_or_repeated() {
    let parsed = read("open Slow target=odoo-prod,redis-prod target=pg-prod");
    assert_eq!(parsed.list("target"), ["odoo-prod", "redis-prod", "pg-prod"]);
}

#[test]
fn mentions_are_kept_by_their_id() {
    assert_eq!(
        read("handover <@U123|Ana Ruiz> scribe").text("person"),
        Some("<@U123>")
    );
    assert_eq!(read("handover @ana").text("person"), Some("@ana"));
    assert_eq!(
        read("page <!subteam^S1|@ops> come").text("who"),
        Some("<!subteam^S1>")
    );
    assert_eq!(read("room <#C123|carrier-help>").text("room"), Some("<#C123>"));
    assert_eq!(
        read("link <https://t.example/4|the ticket>").text("url"),
        Some("https://t.example/4")
    );
}

#[test]
fn an_entry_is_an_event_or_a_message() {
    assert_eq!(read("redact e12 a password").number("entry"), Some(12));
    let message = "https://discord.com/channels/1/2/1312345678901234567";
    assert_eq!(
        read(&format!("redact {message} a password")).text("entry"),
        Some(message)
    );
    assert_eq!(
        read("redact 1312345678901234567 a password").text("entry"),
        Some("1312345678901234567")
    );
}

#[test]
fn a_form_and_a_line_mean_the_same() {
    let typed = read("followup add test the restore owner=@ana due=2026-12-01");
    let form = options(&[
        ("text", " test the restore "),
        ("owner", "@ana"),
        ("due", "2026-12-01"),
        ("url", ""),
    ]);
    assert_eq!(Parsed::from_options("followup add", form), Ok(typed));

    let button = Parsed::from_options("approve", options(&[("proposal", "A3"), ("incident", "INC-7")]));
    assert_eq!(
        button.map(|parsed| parsed.to_line()),
        Ok("INC-7 action approve A3".to_owned())
    );
    assert_eq!(Parsed::from_options("", BTreeMap::new()), parse(""));
}

#[test]
fn a_line_that_lacks_something_fills_a_form_so_far() {
    let so_far = partial("INC-7 recovery reconcile c3").unwrap();
    assert_eq!(
        so_far,
        (
            "recovery reconcile",
            options(&[("change", "C3"), ("incident", "INC-7")])
        )
    );
    assert_eq!(partial("refuse"), Some(("action refuse", options(&[]))));
    assert_eq!(partial("refuse T3"), None);
    assert_eq!(partial(""), None);
}

#[test]
fn a_value_is_put_into_a_line_so_that_it_stays_one_value() {
    for value in [
        "root.labels",
        "Post entries",
        r#"a "b" \"#,
        "--x",
        "a=b",
        "",
        "“”",
        "<@U1>",
    ] {
        let parsed = read(&format!("probe run odoo.crons channel={}", quoted(value)));
        assert_eq!(
            parsed.params("params").get("channel").map(String::as_str),
            Some(value)
        );
    }
}

#[test]
fn a_command_is_kept_as_json_and_read_again() {
    let parsed = read(r#"INC-7 propose odoo.cron.disable cron="Post entries" reason="wrong rows""#);
    let json = serde_json::to_string(&parsed).unwrap();
    insta::assert_snapshot!(json, @r#"{"path":"action propose","incident":7,"args":{"action":"odoo.cron.disable","params":"cron=\"Post entries\"","reason":"wrong rows"}}"#);
    assert_eq!(serde_json::from_str::<Parsed>(&json).unwrap(), parsed);
    assert!(serde_json::from_str::<Parsed>(r#"{"path":"reboot","incident":null,"args":{}}"#).is_err());
}

#[test]
fn a_moment_is_kept_as_it_was_meant() {
    assert_eq!(read("brief since=10m ago").when("since"), Some(When::Ago(600)));
    assert_eq!(
        read("moment detected 2026-11-21 14:10")
            .when("at")
            .map(|at| at.to_string()),
        Some("2026-11-21 14:10".into())
    );
}

#[test]
fn two_words_that_are_natural_mean_a_command_of_another_path() {
    let path = |line: &str| parse(line).map(|parsed| parsed.path);
    assert_eq!(path("room add #carrier-help guest"), Ok("set room"));
    assert_eq!(path("room remove #carrier-help"), Ok("set leave"));
    assert_eq!(path("Room LIST"), Ok("journal rooms"));
    assert_eq!(path("INC-7 room"), Ok("set room"));
    let parsed = parse("room add <#C012|carrier> guest").expect("it parses");
    assert_eq!(
        (parsed.text("room"), parsed.text("audience")),
        (Some("<#C012>"), Some("guest"))
    );
    assert_eq!(
        parse("room slack").expect("it parses").text("room"),
        Some("slack")
    );
}
