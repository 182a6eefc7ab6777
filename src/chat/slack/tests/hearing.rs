//! What Slack sends, understood.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::incoming::{Heard, Own, command, event, interaction, named, typed};
use super::super::messages::{has_reaction, is_said, marked, moment};
use crate::chat::{Delivery, Incoming, Press, Reacted};
use crate::incident::Identity;

fn own() -> Own {
    Own {
        team: "T1".to_owned(),
        user: "UBOT".to_owned(),
        marks: vec!["📌".to_owned(), "✅".to_owned(), "🔁".to_owned()],
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

fn heard(inner: Value) -> Heard {
    let body = json!({ "type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner });
    event(&body, &own(), now())
}

fn delivered(inner: Value) -> Delivery {
    match heard(inner) {
        Heard::Event { delivery, .. } | Heard::Command { delivery, .. } => delivery,
        other => panic!("{other:?}"),
    }
}

fn message(text: &str) -> Value {
    json!({ "type": "message", "channel": "C1", "user": "U1", "text": text, "ts": "1700000000.000100", "team": "T1" })
}

#[test]
fn a_command_is_told_with_who_where_and_how_to_answer() {
    let body = json!({
        "command": "/incident", "text": "role take commander <@U2|ben>", "user_id": "U1", "team_id": "T1",
        "channel_id": "C1", "trigger_id": "12.34.ab", "response_url": "https://hooks.slack.com/x",
    });
    let Heard::Command { delivery, reply_to } = command(&body, &own(), now()) else {
        panic!("no command")
    };
    assert_eq!(delivery.key, "slack:command:12.34.ab");
    assert_eq!(reply_to.as_deref(), Some("https://hooks.slack.com/x"));
    let Incoming::Command {
        from,
        room,
        thread: None,
        text,
        trigger,
    } = delivery.incoming
    else {
        panic!("no command")
    };
    assert_eq!(
        (
            from.platform.as_str(),
            from.workspace.as_str(),
            from.user.as_str()
        ),
        ("slack", "T1", "U1")
    );
    assert_eq!(room.to_string(), "slack/T1/C1");
    assert_eq!(text, "role take commander @U2");
    assert_eq!(
        trigger.expect("a trigger").expires,
        now() + chrono::TimeDelta::seconds(3)
    );
}

#[test]
fn what_slack_wraps_is_unwrapped() {
    assert_eq!(typed("a &lt; b &amp;&amp; c"), "a < b && c");
    assert_eq!(
        typed("see <https://x.example/a?b=1&amp;c=2|x.example>"),
        "see https://x.example/a?b=1&c=2"
    );
    assert_eq!(typed("<#C2|ops> and <#C3>"), "#ops and #C3");
    assert_eq!(
        typed("<!here> <!subteam^S1|@oncall> <mailto:a@b.c|a@b.c>"),
        "@here @oncall a@b.c"
    );
    assert_eq!(typed("1 < 2 and no end"), "1 < 2 and no end");
    // What a person escaped by typing it stays what they typed, and fires nowhere.
    assert_eq!(typed("&lt;!channel&gt;"), "<!channel>");
}

#[test]
fn people_are_named_where_they_are_known() {
    let name = |user: &str| (user == "U2").then(|| "ben".to_owned());
    assert_eq!(
        named("page @U2, not @U3 or @ or a@U2b", name),
        "page @ben, not @U3 or @ or a@benb"
    );
    assert_eq!(named("nobody", name), "nobody");
}

#[test]
fn a_message_is_filed_once_however_it_comes() {
    let delivery = delivered(message("Ben: <@U2> look"));
    assert_eq!(delivery.key, "slack:event:Ev1");
    assert_eq!(delivery.subject.as_deref(), Some("slack:T1:C1:1700000000.000100"));
    let Incoming::Wrote { text, at, thread, .. } = delivery.incoming else {
        panic!("no message")
    };
    assert_eq!(
        (text.as_str(), thread, Some(at)),
        ("Ben: @U2 look", None, moment("1700000000.000100"))
    );
}

#[test]
fn a_reply_and_its_files_are_told() {
    let mut reply = message("the log");
    reply["thread_ts"] = json!("1699999999.000100");
    reply["subtype"] = json!("file_share");
    reply["files"] = json!([{ "id": "F1", "name": "odoo.log", "mimetype": "text/plain", "size": 12, "url_private": "https://…" }]);
    let Incoming::Wrote { thread, files, .. } = delivered(reply).incoming else {
        panic!("no message")
    };
    assert_eq!(thread.as_deref(), Some("1699999999.000100"));
    assert_eq!((files[0].name.as_str(), files[0].size), ("odoo.log", 12));
}

fn change(text: &str, before: &str, edited: Option<&str>) -> Value {
    let mut after = message(text);
    if let Some(ts) = edited {
        after["edited"] = json!({ "user": "U1", "ts": ts });
    }
    json!({
        "type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1700000009.000100",
        "message": after, "previous_message": message(before),
    })
}

#[test]
fn an_edit_is_told_and_the_preview_of_a_link_is_none() {
    let delivery = delivered(change("new", "old", Some("1700000009.000000")));
    assert_eq!(
        delivery.subject.as_deref(),
        Some("slack:T1:C1:1700000000.000100:1700000009.000000")
    );
    assert!(matches!(delivery.incoming, Incoming::Edited { text, .. } if text == "new"));
    assert!(matches!(heard(change("same", "same", None)), Heard::Nothing(_)));
    assert!(matches!(
        heard(change("same", "same", Some("1700000009.000000"))),
        Heard::Nothing(_)
    ));
}

#[test]
fn an_edit_that_overtakes_its_message_brings_it_along() {
    let Heard::Event { before, .. } = heard(change("new", "old", Some("1700000009.000000"))) else {
        panic!("no event")
    };
    let before = before.expect("the message as it was");
    assert_eq!(before.subject, delivered(message("old")).subject);
    assert!(matches!(before.incoming, Incoming::Wrote { text, .. } if text == "old"));
}

#[test]
fn an_edit_that_overtakes_an_edit_brings_along_what_stood_there_before_it() {
    let mut event = change("third", "second", Some("1700000009.000000"));
    event["previous_message"]["edited"] = json!({ "user": "U1", "ts": "1700000005.000000" });
    let Heard::Event { before, delivery } = heard(event) else {
        panic!("no event")
    };
    let before = before.expect("the message as it was");
    assert_eq!(
        before.subject.as_deref(),
        Some("slack:T1:C1:1700000000.000100:1700000005.000000"),
        "not in place of what was written first"
    );
    let whose = |delivery: Delivery| match delivery.incoming {
        Incoming::Edited { text, at, of, .. } => (text, at, of.map(|of| (of.from.user, of.at))),
        other => panic!("{other:?}"),
    };
    let ben = moment("1700000000.000100").map(|at| ("U1".to_owned(), at));
    let stamp = |ts| moment(ts).expect("a stamp");
    assert_eq!(
        whose(before),
        ("second".to_owned(), stamp("1700000005.0"), ben.clone())
    );
    assert_eq!(whose(delivery), ("third".to_owned(), stamp("1700000009.0"), ben));
}

#[test]
fn a_line_of_slack_itself_that_is_deleted_is_nobodys_message() {
    let mut line = message("<@U1> has joined the channel");
    line["subtype"] = json!("channel_join");
    let gone = json!({
        "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000000.000100",
        "event_ts": "1700000010.000100", "previous_message": line,
    });
    assert!(matches!(heard(gone), Heard::Nothing(_)));
}

fn reacted_to(users: &[&str], count: usize) -> Value {
    let mut message = message("look");
    message["reactions"] = json!([
        { "name": "pushpin", "users": users, "count": count },
        { "name": "eyes", "users": ["U7"], "count": 1 },
    ]);
    message
}

#[test]
fn a_reaction_is_what_the_message_shows_where_all_who_reacted_are_listed() {
    let own = own();
    let has = |message: &Value, user| has_reaction(message, user, "📌", &own);
    assert_eq!(has(&reacted_to(&["U1"], 1), "U1"), Some(true));
    assert_eq!(has(&reacted_to(&["U1"], 1), "U2"), Some(false));
    assert_eq!(has(&message("look"), "U2"), Some(false));
    assert_eq!(
        has(&reacted_to(&["U1"], 60), "U2"),
        None,
        "Slack lists a few of many"
    );
}

#[test]
fn history_tells_how_reactions_differ_from_what_is_known() {
    let own = own();
    let account = |user| own.identity(None, user);
    let told = |users: &[&str], known: &[Vec<Identity>]| {
        let known: Vec<_> = known
            .iter()
            .map(|who| Reacted {
                emoji: "📌".to_owned(),
                who: who.clone(),
            })
            .collect();
        let found = marked(&reacted_to(users, users.len()), "C1", &own, now(), &known);
        let told = found.into_iter().map(|delivery| match delivery.incoming {
            Incoming::Reacted { from, present, .. } => (from.user, present),
            other => panic!("{other:?}"),
        });
        told.collect::<Vec<_>>()
    };
    let said = |user: &str, present| (user.to_owned(), present);
    assert_eq!(told(&["U1"], &[]), [said("U1", true)]);
    assert_eq!(told(&["U1"], &[vec![account("U1")]]), []);
    assert_eq!(told(&[], &[vec![account("U1")]]), [said("U1", false)]);
    // Two accounts of one person: either stands for them.
    assert_eq!(told(&["U2"], &[vec![account("U1"), account("U2")]]), []);
    let of_many = marked(
        &reacted_to(&["U1"], 60),
        "C1",
        &own,
        now(),
        &[stands("📌", account("U2"))],
    );
    assert_eq!(
        of_many.len(),
        1,
        "of many Slack lists a few, and the others stand: {of_many:?}"
    );
    let another = marked(
        &reacted_to(&["U1"], 1),
        "C1",
        &own,
        now(),
        &[stands("✅", account("U1"))],
    );
    let told: Vec<_> = another.into_iter().map(|delivery| delivery.incoming).collect();
    assert!(
        matches!(&told[..], [
            Incoming::Reacted { emoji: pin, present: true, .. },
            Incoming::Reacted { emoji: tick, present: false, .. },
        ] if pin == "📌" && tick == "✅"),
        "each emoji for itself: {told:?}"
    );
}

fn stands(emoji: &str, who: Identity) -> Reacted {
    Reacted {
        emoji: emoji.to_owned(),
        who: vec![who],
    }
}

#[test]
fn a_deleted_message_is_told_also_where_its_thread_stays() {
    let gone = json!({
        "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000000.000100",
        "event_ts": "1700000010.000100", "previous_message": message("oops"),
    });
    assert!(
        matches!(delivered(gone).incoming, Incoming::Deleted { message, .. } if message.message == "1700000000.000100")
    );
    let mut tombstone = change("This message was deleted.", "oops", None);
    tombstone["message"]["subtype"] = json!("tombstone");
    assert!(matches!(delivered(tombstone).incoming, Incoming::Deleted { .. }));
}

#[test]
fn reactions_are_told_as_they_are_now() {
    let reaction = |kind: &str, user: &str| {
        json!({
            "type": kind, "user": user, "reaction": "pushpin", "event_ts": "1700000020.000100",
            "item": { "type": "message", "channel": "C1", "ts": "1700000000.000100" },
        })
    };
    let delivery = delivered(reaction("reaction_added", "U1"));
    assert_eq!(delivery.subject, None, "a reaction may come, go and come again");
    assert!(matches!(delivery.incoming, Incoming::Reacted { emoji, present: true, .. } if emoji == "📌"));
    assert!(matches!(
        delivered(reaction("reaction_removed", "U1")).incoming,
        Incoming::Reacted { present: false, .. }
    ));
    assert!(matches!(
        heard(reaction("reaction_added", "UBOT")),
        Heard::Nothing(_)
    ));
}

#[test]
fn what_bots_and_slack_itself_say_is_passed_over() {
    let mut bot = message("I am a bot");
    bot["bot_id"] = json!("B1");
    assert!(matches!(heard(bot), Heard::Nothing(_)));
    let mut joined = message("joined");
    joined["subtype"] = json!("channel_join");
    assert!(matches!(heard(joined), Heard::Nothing(_)));
}

#[test]
fn a_mention_of_the_bot_is_a_command_also_in_a_thread() {
    let mut said = message("<@UBOT> note the 14:00 run was started by hand");
    said["type"] = json!("app_mention");
    said["thread_ts"] = json!("1699999999.000100");
    let Incoming::Command { text, trigger, .. } = delivered(said).incoming else {
        panic!("no command")
    };
    assert_eq!(text, "note the 14:00 run was started by hand");
    assert_eq!(trigger, None, "a mention can open no form");
}

#[test]
fn a_stranger_is_told_with_the_workspace_they_come_from() {
    let mut said = message("hello");
    said["user_team"] = json!("T9");
    let Incoming::Wrote { from, message, .. } = delivered(said).incoming else {
        panic!("no message")
    };
    assert_eq!(
        (from.workspace.as_str(), message.room.workspace.as_str()),
        ("T9", "T1")
    );
}

fn pressed(value: &str) -> Heard {
    let body = json!({
        "type": "block_actions", "user": { "id": "U1", "team_id": "T1" }, "team": { "id": "T1" },
        "trigger_id": "12.34.ab", "response_url": "https://hooks.slack.com/x",
        "channel": { "id": "C1" }, "container": { "type": "message", "channel_id": "C1", "message_ts": "1700000000.000100" },
        "actions": [{ "type": "button", "action_id": "o1:0", "value": value, "action_ts": "1700000030.000100" }],
    });
    interaction(&body, &own(), now())
}

#[test]
fn a_button_does_what_its_value_says() {
    let Heard::Press { delivery, .. } = pressed(r#"{"o":1,"run":"approve A3"}"#) else {
        panic!("no press")
    };
    assert_eq!(delivery.key, "slack:press:12.34.ab:1700000030.000100");
    let Incoming::Press { press, message, .. } = delivery.incoming else {
        panic!("no press")
    };
    assert_eq!(
        press,
        Press::Run {
            line: "approve A3".to_owned()
        }
    );
    assert_eq!(message.message, "1700000000.000100");
    assert!(matches!(
        pressed(r#"{"o":1,"ask":"action refuse"}"#),
        Heard::Press { delivery, .. }
            if matches!(&delivery.incoming, Incoming::Press { press: Press::Ask { path, .. }, .. } if path == "action refuse")
    ));
    assert!(matches!(pressed("something else"), Heard::Nothing(_)));
}

#[test]
fn the_menu_of_a_message_files_the_message_first() {
    let body = json!({
        "type": "message_action", "callback_id": "orderly:task", "user": { "id": "U1", "team_id": "T1" },
        "team": { "id": "T1" }, "trigger_id": "12.34.ab", "action_ts": "1700000030.000100",
        "channel": { "id": "C1" }, "message": message("check the queue"),
        "response_url": "https://hooks.slack.example/1",
    });
    let Heard::Shortcut {
        message,
        press,
        reply_to,
    } = interaction(&body, &own(), now())
    else {
        panic!("no shortcut")
    };
    assert_eq!(reply_to.as_deref(), Some("https://hooks.slack.example/1"));
    assert_eq!(
        message.and_then(|message| message.subject).as_deref(),
        Some("slack:T1:C1:1700000000.000100")
    );
    assert!(
        matches!(press.incoming, Incoming::Press { press: Press::Run { line }, .. } if line == "shortcut:task")
    );
}

fn picked(message: Value) -> Option<Delivery> {
    let body = json!({
        "type": "message_action", "callback_id": "orderly:timeline", "user": { "id": "U1", "team_id": "T1" },
        "trigger_id": "12.34.ab", "action_ts": "1700000030.000100", "channel": { "id": "C1" }, "message": message,
    });
    match interaction(&body, &own(), now()) {
        Heard::Shortcut { message, .. } => message,
        other => panic!("no shortcut: {other:?}"),
    }
}

#[test]
fn what_a_webhook_says_counts_where_somebody_picks_it_and_then_all_of_it() {
    let alert = json!({
        "type": "message", "subtype": "bot_message", "bot_id": "B1", "ts": "1700000000.000100", "text": "",
        "attachments": [
            { "title": "[FIRING:1] LabelsWait", "text": "for 20 minutes", "fallback": "[FIRING:1]" },
            { "fallback": "silence it" },
        ],
    });
    let Some(Incoming::Wrote { from, text, .. }) = picked(alert.clone()).map(|delivery| delivery.incoming)
    else {
        panic!("not told")
    };
    assert_eq!(from.user, "B1");
    assert_eq!(text, "[FIRING:1] LabelsWait\nfor 20 minutes\nsilence it");
    assert!(
        is_said(&alert),
        "history shows it, so that it is not taken for deleted"
    );
    let mut ours = message("INC-1 is open");
    (ours["user"], ours["bot_id"]) = (json!(own().user), json!("B2"));
    assert_eq!(picked(ours), None, "what we say ourselves is no news");
    let mut linked = message("see <https://shop.example>");
    linked["attachments"] = json!([{ "title": "A page that nobody wrote" }]);
    assert!(matches!(
        picked(linked).map(|delivery| delivery.incoming),
        Some(Incoming::Wrote { text, .. }) if text == "see https://shop.example"
    ));
}

#[test]
fn garbage_is_passed_over() {
    for body in [json!(null), json!([]), json!({}), json!({ "type": 7 })] {
        assert!(matches!(command(&body, &own(), now()), Heard::Nothing(_)));
        assert!(matches!(interaction(&body, &own(), now()), Heard::Nothing(_)));
        assert!(matches!(event(&body, &own(), now()), Heard::Nothing(_)));
        assert!(matches!(heard(body), Heard::Nothing(_)));
    }
}

#[test]
fn a_message_of_our_own_that_somebody_deleted_is_told_and_not_kept() {
    let mut ours = message("INC-1");
    ours["user"] = json!("UBOT");
    ours["bot_id"] = json!("B1");
    let gone = json!({
        "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000000.000100",
        "event_ts": "1700000010.000100", "previous_message": ours,
    });
    let tombstone = json!({
        "type": "message", "subtype": "message_changed", "channel": "C1", "event_ts": "1700000010.000100",
        "message": { "subtype": "tombstone", "ts": "1700000000.000100" }, "previous_message": ours,
    });
    for event in [gone, tombstone] {
        let Heard::OursGone { message } = heard(event) else {
            panic!("it is ours")
        };
        assert_eq!(message.message, "1700000000.000100");
    }
}
