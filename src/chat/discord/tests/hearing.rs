//! What Discord sends, as the port tells it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::accounts::standing;
use super::super::incoming::{Did, interaction, named};
use super::super::messages::{edited, written};
use super::super::places::{Spot, spot_of};
use super::{ANA, BOT, GUILD, ROOM, names, own};
use crate::chat::{Incoming, Press, Standing};

fn now() -> DateTime<Utc> {
    "2026-11-21T03:04:05Z".parse().expect("a time")
}

fn room() -> Spot {
    Spot {
        room: ROOM.to_owned(),
        thread: None,
    }
}

fn message(more: Value) -> Value {
    let mut message = json!({
        "id": "1300000000000000000", "type": 0, "channel_id": ROOM, "content": "the 14:00 run was started by hand",
        "author": { "id": ANA, "username": "ana" }, "attachments": [], "edited_timestamp": null,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        message[key] = value.clone();
    }
    message
}

fn told(more: Value) -> Option<Incoming> {
    written(&message(more), &room(), &own(), &names(), now()).map(|delivery| delivery.incoming)
}

#[test]
fn a_message_is_told_with_its_files_and_its_own_time() {
    let Some(Incoming::Wrote {
        from,
        message,
        text,
        at,
        files,
        thread,
    }) = told(json!({
        "attachments": [{ "id": "77", "filename": "odoo.log", "content_type": "text/plain", "size": 12, "url": "https://x" }],
    }))
    else {
        panic!("nothing was told");
    };
    assert_eq!((from.workspace.as_str(), from.user.as_str()), (GUILD, ANA));
    assert_eq!(
        (message.room.room.as_str(), message.message.as_str()),
        (ROOM, "1300000000000000000")
    );
    assert_eq!(text, "the 14:00 run was started by hand");
    assert_eq!(at.to_rfc3339(), "2024-10-27T07:35:52.832+00:00");
    assert_eq!(
        (files.len(), files[0].name.as_str(), thread),
        (1, "odoo.log", None)
    );
}

#[test]
fn a_message_of_a_thread_belongs_to_the_thread_s_room() {
    let spot = spot_of(&json!({ "id": "5", "type": 11, "parent_id": ROOM })).expect("a spot");
    let delivery = written(&message(json!({})), &spot, &own(), &names(), now()).expect("told");
    let Incoming::Wrote { message, thread, .. } = delivery.incoming else {
        panic!("not written");
    };
    assert_eq!(
        (message.room.room.as_str(), message.message.as_str()),
        (ROOM, "5/1300000000000000000")
    );
    assert_eq!(thread.as_deref(), Some("5"));
}

#[test]
fn what_bots_webhooks_and_discord_itself_say_is_not_told() {
    assert!(told(json!({ "author": { "id": BOT } })).is_none());
    assert!(told(json!({ "author": { "id": "9", "bot": true } })).is_none());
    assert!(told(json!({ "webhook_id": "9" })).is_none());
    assert!(told(json!({ "type": 6 })).is_none());
    assert!(
        told(json!({ "type": 19 })).is_some(),
        "a reply is written by a person"
    );
}

#[test]
fn an_edit_has_a_stamp_and_a_preview_of_a_link_has_none() {
    let edit = |more: Value| edited(&message(more), &room(), &own(), &names(), now());
    assert!(edit(json!({ "embeds": [{ "title": "preview" }] })).is_none());
    let stamp = json!({ "edited_timestamp": "2024-10-27T08:00:00.123000+00:00" });
    let (one, two) = (edit(stamp.clone()), edit(stamp));
    assert_eq!(
        one.as_ref().map(|delivery| &delivery.subject),
        two.as_ref().map(|delivery| &delivery.subject)
    );
    assert!(one.is_some());
}

#[test]
fn people_channels_and_emoji_in_a_text_read_as_names() {
    let raw =
        format!("<@{ANA}> and <@!99> in <#{ROOM}> <:party:12> <@&5> <t:1:f> a < b > c <https://x.example>");
    assert_eq!(
        named(&raw, &names()),
        "@ana and @99 in #inc-7 :party: @role 5 <t:1:f> a < b > c <https://x.example>"
    );
}

fn pressed(data: Value, more: Value) -> Option<super::super::incoming::Interaction> {
    let mut body = json!({
        "id": "42", "token": "tok", "type": 3, "guild_id": GUILD, "channel_id": ROOM,
        "channel": { "id": ROOM, "type": 0 },
        "member": { "user": { "id": ANA, "username": "ana" }, "roles": ["7"], "flags": 0 },
        "message": { "id": "8" }, "data": data,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    interaction(&body, &own(), &names(), now())
}

#[test]
fn a_button_in_a_thread_is_a_press_in_its_room() {
    let heard = pressed(
        json!({ "component_type": 2, "custom_id": "o1:0:r:approve A3" }),
        json!({ "channel_id": "5", "channel": { "id": "5", "type": 11, "parent_id": ROOM } }),
    )
    .expect("heard");
    assert_eq!(heard.spot.room, ROOM);
    assert_eq!(
        (heard.roles, heard.standing),
        (vec!["7".to_owned()], Some(Standing::Member))
    );
    let Did::Pressed { message, press } = heard.did else {
        panic!("{:?}", heard.did);
    };
    assert_eq!(message.message, "5/8");
    assert_eq!(
        press,
        Press::Run {
            line: "approve A3".to_owned()
        }
    );
}

#[test]
fn what_comes_from_another_server_is_nobody_s() {
    let data = json!({ "component_type": 2, "custom_id": "o1:0:r:approve A3" });
    assert!(pressed(data, json!({ "guild_id": "1999999999999999999" })).is_none());
}

#[test]
fn an_entry_of_a_message_s_menu_brings_the_message_along() {
    let heard = pressed(
        json!({ "type": 3, "name": "Make a task", "target_id": "1300000000000000000",
                "resolved": { "messages": { "1300000000000000000": message(json!({})) } } }),
        json!({ "type": 2 }),
    )
    .expect("heard");
    let Did::Picked {
        before,
        press,
        message,
    } = heard.did
    else {
        panic!("{:?}", heard.did);
    };
    assert!(before.is_some_and(|before| before.key.ends_with("42:message")));
    assert_eq!(
        press,
        Press::Run {
            line: "shortcut:task".to_owned()
        }
    );
    assert_eq!(message.message, "1300000000000000000");
}

#[test]
fn a_mark_is_told_as_the_config_wrote_it() {
    let own = own();
    assert_eq!(
        own.mark(&json!({ "id": null, "name": "📌" })).as_deref(),
        Some("📌")
    );
    assert_eq!(
        own.mark(&json!({ "id": null, "name": "✔" })).as_deref(),
        Some("✔️")
    );
    assert_eq!(
        own.mark(&json!({ "id": "5", "name": "todo" })).as_deref(),
        Some(":todo:")
    );
}

#[test]
fn bots_guests_the_silenced_and_those_who_did_not_accept_the_rules_only_read() {
    let member = |more: Value| {
        let mut member = json!({ "user": { "id": ANA }, "flags": 0 });
        for (key, value) in more.as_object().into_iter().flatten() {
            member[key] = value.clone();
        }
        standing(&member, now())
    };
    assert_eq!(member(json!({})), Standing::Member);
    for less in [
        json!({ "user": { "id": ANA, "bot": true } }),
        json!({ "flags": 16 }),
        json!({ "pending": true }),
        json!({ "communication_disabled_until": "2026-11-21T04:00:00Z" }),
        json!({ "user": {} }),
    ] {
        assert_eq!(member(less.clone()), Standing::Reader, "{less}");
    }
    assert_eq!(
        member(json!({ "communication_disabled_until": "2026-11-21T03:00:00Z" })),
        Standing::Member
    );
}
