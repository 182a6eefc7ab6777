//! What is said when a line is not understood: the spot, the nearest right one, an example.

use std::collections::BTreeMap;

use orderly_commands::{Parsed, parse};

fn said(line: &str) -> String {
    match parse(line) {
        Ok(parsed) => panic!("understood as `{}`", parsed.to_line()),
        Err(error) => error.to_string(),
    }
}

/// What is offered instead of a line; it must be a command.
fn offered(line: &str) -> Option<String> {
    let offered = parse(line).err()?.suggestion?;
    parse(&offered).unwrap_or_else(|error| panic!("offered `{offered}`, and then: {error}"));
    Some(offered)
}

#[test]
fn a_mistyped_command_is_marked_and_the_nearest_offered() {
    insta::assert_snapshot!(said("aprove A3"), @r"
    There is no command `aprove`. `help` lists them.
        aprove A3
        ^^^^^^
    Did you mean `/incident approve A3`?
    Example: `/incident approve A3`
    ");
}

#[test]
fn a_mistyped_second_word_is_marked() {
    insta::assert_snapshot!(said("probe rnu postgres.blocking"), @r"
    `probe` has no `rnu`; it has `run`, `list`, `show`, `compare`.
        probe rnu postgres.blocking
              ^^^
    Did you mean `/incident probe run postgres.blocking`?
    Example: `/incident probe run postgres.blocking odoo-prod seconds=30`
    ");
}

#[test]
fn an_unknown_word_before_a_thing_s_number_is_asked_about_and_not_filed() {
    insta::assert_snapshot!(said("INC-7 task take T2"), @r"
    `task` has no `take`; it has `add`, `done`, `assign`, `drop`, `list`. For a text that begins so: `task add take T2`.
        INC-7 task take T2
                   ^^^^
    Did you mean `/incident INC-7 task assign T2 me`?
    Example: `/incident task assign T3 @ana`
    ");
    insta::assert_snapshot!(said("task check A3"), @r"
    `task` has no `check`; it has `add`, `done`, `assign`, `drop`, `list`. For a text that begins so: `task add check A3`.
        task check A3
             ^^^^^
    Example: `/incident task add check the queue owner=@ana`
    ");
    insta::assert_snapshot!(said("task fone T2 it is printed"), @r"
    `task` has no `fone`; it has `add`, `done`, `assign`, `drop`, `list`. For a text that begins so: `task add fone T2 it is printed`.
        task fone T2 it is printed
             ^^^^
    Did you mean `/incident task done T2 it is printed`?
    Example: `/incident task done T3`
    ");
}

#[test]
fn what_is_said_elsewhere_of_a_thing_leads_to_its_command() {
    let pairs = [
        ("task claim t2", "task assign t2 me"),
        ("task finish T2 it is printed", "task done T2 it is printed"),
        ("task remove T2", "task drop T2"),
        ("task give T2 @ana", "task assign T2 @ana"),
        ("task assi T2 @ana", "task assign T2 @ana"),
        ("followup take F3", "followup change F3 owner=me"),
        ("followup assign F3 owner=@ana", "followup change F3 owner=@ana"),
        ("followup close F3", "followup done F3"),
        ("finding confirm D3", "finding accept D3"),
        ("step finish contain.2", "step done contain.2"),
    ];
    for (typed, right) in pairs {
        assert_eq!(offered(typed).as_deref(), Some(right), "{typed}");
    }
    assert_eq!(
        offered("task take T2 and T3"),
        None,
        "what more is there has no place"
    );
}

#[test]
fn a_sentence_that_speaks_of_a_thing_is_still_one() {
    for line in [
        "task check the queue",
        "task check A3 on the other shop",
        "task buy A4 paper",
        "task call T-Systems",
        "task follow 2",
        "followup write down what A3 did",
        "followup retry P5 weekly",
        "update A3 ran",
        "page approver A3",
        "page ana N3 is hers",
    ] {
        let parsed = parse(line).unwrap_or_else(|error| panic!("{error}"));
        let (group, text) = line.split_once(' ').unwrap_or_default();
        let kept = ["text", "message"].iter().find_map(|name| parsed.text(name));
        assert!(parsed.path.starts_with(group), "{line}: {}", parsed.path);
        assert!(kept.is_some_and(|kept| text.ends_with(kept)), "{line}: {kept:?}");
    }
}

#[test]
fn a_group_that_cannot_stand_alone_says_what_follows() {
    insta::assert_snapshot!(said("mark"), @r"
    `mark` needs one more word: `resolved`, `reopened`, `closed`, `cancelled`, `duplicate`, `related`.
        mark
        ^^^^
    Example: `/incident resolve posting works again since 15:20`
    ");
}

#[test]
fn a_mistyped_option_does_not_end_up_in_the_title() {
    insta::assert_snapshot!(said("open Posting fails sevrity=SEV1"), @r"
    `sevrity` is not an option of `open`. If it is text, put the text in quotes.
        open Posting fails sevrity=SEV1
                           ^^^^^^^
    Did you mean `/incident open Posting fails severity=SEV1`?
    Example: `/incident open Month-end posting fails severity=SEV2 process=finance-posting since=14:00`
    ");
}

#[test]
fn a_value_after_a_quoted_title_does_not_end_up_in_it() {
    insta::assert_snapshot!(said(r#"open "Posting fails" SEV1"#), @r#"
    After a text, `severity` is given by its name.
        open "Posting fails" SEV1
                             ^^^^
    Did you mean `/incident open "Posting fails" severity=SEV1`?
    Example: `/incident open Month-end posting fails severity=SEV2 process=finance-posting since=14:00`
    "#);
}

#[test]
fn an_unknown_choice_lists_the_right_ones() {
    insta::assert_snapshot!(said("back contian it runs again"), @r"
    `contian` does not fit `phase`: it takes confirm, contain, triage, decide, recover or learn.
        back contian it runs again
             ^^^^^^^
    Did you mean `/incident back contain it runs again`?
    Example: `/incident back contain the job is running again`
    ");
}

#[test]
fn a_number_out_of_bounds_says_the_bounds() {
    insta::assert_snapshot!(said("timeline 900"), @r"
    `900` does not fit `last`: it takes a whole number from 1 to 200.
        timeline 900
                 ^^^
    Example: `/incident timeline 20`
    ");
}

#[test]
fn a_missing_argument_is_named_and_its_place_marked() {
    insta::assert_snapshot!(said("INC-7 refuse A3"), @r"
    `refuse` needs `reason`: why.
        INC-7 refuse A3
                       ^
    Example: `/incident refuse A3 the import is still running`
    ");
}

#[test]
fn an_unclosed_quotation_mark_is_marked_itself() {
    insta::assert_snapshot!(said("note text=“it broke at=now"), @r"
    This quotation mark is never closed.
        note text=“it broke at=now
                  ^
    Example: `/incident note the 14:00 run was started by hand`
    ");
}

#[test]
fn too_many_words_show_what_the_command_takes() {
    insta::assert_snapshot!(said("release scribe @ana now"), @r"
    `now` is one too many; the command is `release <role> [person]`.
        release scribe @ana now
                            ^^^
    Example: `/incident release scribe`
    ");
}

#[test]
fn a_stray_word_does_not_override_a_gate() {
    insta::assert_snapshot!(said("next please"), @r"
    `please` is one too many; the command is `next [reason=…]`.
        next please
             ^^^^^^
    Example: `/incident next`
    ");
}

#[test]
fn words_after_an_option_in_a_text_ask_for_quotes() {
    insta::assert_snapshot!(said("update We stopped it next=30m and wait"), @r"
    `and` is left over after an option. Put the whole text in quotes.
        update We stopped it next=30m and wait
                                      ^^^
    Example: `/incident update send Posting is stopped, no wrong invoices go out next=30m`
    ");
}

#[test]
fn a_thing_of_another_kind_is_called_by_its_name() {
    insta::assert_snapshot!(said("approve T3"), @r"
    `T3` does not fit `proposal`: that is a task, and it takes a proposal such as A3.
        approve T3
                ^^
    Example: `/incident approve A3`
    ");
}

#[test]
fn a_sentence_in_the_place_of_an_optional_value_is_offered_as_the_text() {
    insta::assert_snapshot!(said("handover @ana you have it now"), @r#"
    `you` does not fit `role`: it takes commander, deputy, scribe, responder, approver or liaison.
        handover @ana you have it now
                      ^^^
    Did you mean `/incident handover @ana note="you have it now"`?
    Example: `/incident handover @ana commander the carrier calls back at six`
    "#);
}

#[test]
fn an_option_without_a_value_or_given_twice_is_refused() {
    insta::assert_snapshot!(said("approve A3 --reason"), @r"
    `reason` is given no value: it takes some words.
        approve A3 --reason
                   ^^^^^^^^
    Example: `/incident approve A3`
    ");
    insta::assert_snapshot!(said("approve A3 proposal=A4"), @r"
    `proposal` is given twice.
        approve A3 proposal=A4
                   ^^^^^^^^
    Example: `/incident approve A3`
    ");
}

#[test]
fn a_parameter_cannot_take_the_name_of_an_option() {
    insta::assert_snapshot!(said(r#"propose redis.flush params="target=b""#), @r#"
    `target` cannot be a parameter: it is an option of `propose`.
        propose redis.flush params="target=b"
                                   ^^^^^^^^^^
    Example: `/incident propose odoo.cron.disable odoo-prod cron="Post entries" reason="it writes wrong records"`
    "#);
}

#[test]
fn slips_and_words_from_elsewhere_lead_to_the_right_command() {
    let pairs = [
        ("opne Posting fails", "open Posting fails"),
        ("declare Posting fails", "open Posting fails"),
        ("New Posting fails", "open Posting fails"),
        ("sev 1", "severity 1"),
        ("pm", "postmortem"),
        ("acknowledge", "ack"),
        ("aprpove a3", "approve a3"),
        ("statsu", "status"),
        ("rollback it is new", "decide roll-back it is new"),
        ("lgtm A3", "approve A3"),
        ("taks done T3", "task done T3"),
        ("task lsit", "task list"),
        ("action aprove A3", "action approve A3"),
        ("set severty 3", "set severity 3"),
        ("use carrier-api why", "runbook use carrier-api why"),
        ("approve A3 --raeson fine", "approve A3 --reason fine"),
        ("role comander", "role commander"),
        ("finding chagnes suspect x", "finding changes suspect x"),
        ("approve --help", "help approve"),
    ];
    for (typed, right) in pairs {
        assert_eq!(offered(typed).as_deref(), Some(right), "{typed}");
    }
}

#[test]
fn nothing_is_offered_where_nothing_is_near() {
    for typed in ["xyzzy", "42", "🔥", "action foo", &"a".repeat(100_000)] {
        assert_eq!(offered(typed), None, "{typed}");
    }
}

#[test]
fn what_cannot_be_seen_is_made_visible() {
    insta::assert_snapshot!(said("app\u{202e}rove\0 A3\u{200b}\n\u{7}"), @r"
    There is no command `app�rove␀`. `help` lists them.
        app�rove␀ A3�␊␇
        ^^^^^^^^^
    Did you mean `/incident approve A3�␊␇`?
    Example: `/incident approve A3`
    ");
}

#[test]
fn only_the_surroundings_of_the_spot_are_shown_of_a_long_line() {
    let line = format!(
        "note {} at=soon {}",
        "before ".repeat(10_000),
        "after ".repeat(10_000)
    );
    insta::assert_snapshot!(said(&line), @r"
    `soon` does not fit `at`: it takes a time such as 14:00, 10m ago or 2026-11-21 14:00.
        … before before before before  at=soon after after after after after af…
                                          ^^^^
    Example: `/incident note the 14:00 run was started by hand`
    ");
    let word = "x".repeat(100_000);
    insta::assert_snapshot!(said(&format!("approve {word}")), @r"
    `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` does not fit `proposal`: it takes a proposal such as A3.
        approve xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Example: `/incident approve A3`
    ");
}

#[test]
fn carets_stand_under_wide_letters() {
    insta::assert_snapshot!(said("handover @ana 指揮官"), @r"
    `指揮官` does not fit `role`: it takes commander, deputy, scribe, responder, approver or liaison.
        handover @ana 指揮官
                      ^^^^^^
    Example: `/incident handover @ana commander the carrier calls back at six`
    ");
}

#[test]
fn backticks_do_not_break_out_of_the_code() {
    insta::assert_snapshot!(said("`@everyone` A3"), @r"
    There is no command `'@everyone'`. `help` lists them.
        '@everyone' A3
        ^^^^^^^^^^^
    Example: `/incident help`
    ");
}

#[test]
fn the_slash_commands_name_is_the_configured_one() {
    let error = parse("aprove A3").unwrap_err();
    insta::assert_snapshot!(error.render("oops"), @r"
    There is no command `aprove`. `help` lists them.
        aprove A3
        ^^^^^^
    Did you mean `/oops approve A3`?
    Example: `/oops approve A3`
    ");
}

#[test]
fn a_form_points_at_the_field() {
    let options = BTreeMap::from([
        ("way".to_owned(), "rolbakc".to_owned()),
        ("reason".to_owned(), "new".to_owned()),
    ]);
    let error = Parsed::from_options("decide", options).unwrap_err();
    assert_eq!(error.option, Some("way"));
    insta::assert_snapshot!(error, @r"
    `rolbakc` does not fit `way`: it takes fix-forward or roll-back. Did you mean `roll-back`?
        rolbakc
        ^^^^^^^
    Example: `/incident decide roll-back the release can be undone cleanly facts=D3`
    ");

    let error = Parsed::from_options(
        "decide",
        BTreeMap::from([("way".to_owned(), "roll-back".to_owned())]),
    )
    .unwrap_err();
    assert_eq!(error.option, Some("reason"));
    insta::assert_snapshot!(error, @r"
    `decide` needs `reason`: why.
    Example: `/incident decide roll-back the release can be undone cleanly facts=D3`
    ");

    let error =
        Parsed::from_options("ack", BTreeMap::from([("colour".to_owned(), "red".to_owned())])).unwrap_err();
    insta::assert_snapshot!(error, @r"
    `colour` is not an option of `ack`.
    Example: `/incident ack`
    ");
    insta::assert_snapshot!(Parsed::from_options("reboot", BTreeMap::new()).unwrap_err(), @r"
    There is no command `reboot`.
        reboot
        ^^^^^^
    Example: `/incident help`
    ");
}
