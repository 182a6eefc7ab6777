//! What the bot and people can rely on when they meet in this chat.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use sha2::Digest as _;

use super::*;
use crate::chat::{
    Asker, Block, Button, Chat, Delivery, Error, Form, Found, Incoming, Message, Press, Refused, Rich,
    RoomSpec, Style, Trigger, Upload, Verdict,
};
use crate::clock::ManualClock;
use crate::incident::Audience;

/// An inbox that keeps what it is given, and can be full.
#[derive(Default)]
struct Inbox {
    taken: Mutex<Vec<Delivery>>,
    full: AtomicBool,
}

impl Inbox {
    fn taken(&self) -> Vec<Delivery> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Intake for Inbox {
    async fn take(&self, delivery: Delivery) -> Result<Option<u64>, Refused> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Refused::Full);
        }
        let mut taken = self.taken.lock().unwrap();
        taken.push(delivery);
        Ok(Some(taken.len() as u64))
    }

    async fn decided(&self, _: u64) -> Verdict {
        Verdict {
            accepted: true,
            message: said("done"),
            field: None,
            incident: None,
        }
    }

    fn masked(&self, typed: &str) -> String {
        typed.to_owned()
    }

    async fn complete(&self, _: &Identity, _: &RoomRef, typed: &str) -> Vec<(String, String)> {
        vec![(format!("{typed}!"), "more".into())]
    }
}

struct Scene {
    chat: Arc<LocalChat>,
    inbox: Arc<Inbox>,
    clock: ManualClock,
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

async fn scene_at(place: Place) -> Scene {
    let clock = ManualClock::at(start());
    let chat = LocalChat::open(place, "incident", Arc::new(clock.clone()))
        .await
        .unwrap();
    let inbox = Arc::new(Inbox::default());
    chat.connect(inbox.clone());
    Scene { chat, inbox, clock }
}

async fn scene() -> Scene {
    scene_at(Place::Memory).await
}

fn said(text: &str) -> Message {
    Message {
        fallback: text.into(),
        blocks: vec![Block::Text {
            text: Rich::from(text),
        }],
    }
}

fn lobby() -> RoomRef {
    room_ref(LOBBY)
}

fn ana() -> Identity {
    identity("ana")
}

fn ben() -> Identity {
    identity("ben")
}

fn spec(name: &str, private: bool) -> RoomSpec {
    RoomSpec {
        name: name.into(),
        topic: "carriers".into(),
        private,
        audience: Audience::Internal,
        invite: vec![ana()],
    }
}

fn number(message: &MessageRef) -> i64 {
    message.message.parse().unwrap()
}

async fn texts(chat: &LocalChat, room: &str) -> Vec<String> {
    let messages = chat.messages(room, None, 100).await.unwrap();
    let text = |stored: &Stored| match &stored.body {
        Body::Text(text) => text.clone(),
        Body::Bot(message) => message.fallback.clone(),
        Body::Deleted => "(deleted)".into(),
    };
    messages.iter().map(text).collect()
}

#[tokio::test]
async fn the_lobby_is_there_from_the_start_and_shows_to_everybody() {
    let s = scene().await;
    let rooms: Vec<String> = s.chat.rooms(&ana()).iter().map(|room| room.id.clone()).collect();
    assert_eq!(rooms, ["lobby"]);
}

#[tokio::test]
async fn a_call_with_the_same_key_is_done_once() {
    let s = scene().await;
    let first = s.chat.post("k", &lobby(), None, &said("one")).await.unwrap();
    let again = s.chat.post("k", &lobby(), None, &said("two")).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(texts(&s.chat, LOBBY).await, ["two"], "once, and as it is now");

    let room = s
        .chat
        .open_room("r", &spec("INC 7: Carriers!", false))
        .await
        .unwrap();
    assert_eq!(s.chat.open_room("r", &spec("other", false)).await.unwrap(), room);
    assert_eq!(room.room, "inc-7-carriers");

    let file = Upload {
        name: "a.txt".into(),
        media_type: "text/plain".into(),
        bytes: b"a".to_vec(),
        comment: "".into(),
    };
    let sent = s.chat.upload("u", &room, &file).await.unwrap();
    assert_eq!(s.chat.upload("u", &room, &file).await.unwrap(), sent);

    s.chat.whisper("w", &room, &ana(), &said("psst")).await.unwrap();
    s.chat.whisper("w", &room, &ana(), &said("psst")).await.unwrap();
    assert_eq!(s.chat.whispers("ana", &room.room).len(), 1);

    s.chat.direct("d", &ana(), &said("hello")).await.unwrap();
    s.chat.direct("d", &ana(), &said("hello")).await.unwrap();
    assert_eq!(texts(&s.chat, "@ana").await, ["hello"]);
}

#[tokio::test]
async fn messages_posted_together_keep_their_order_and_are_each_posted_once() {
    let Scene { chat, .. } = scene().await;
    let texts_of = ["one", "two", "three", "two"];
    let messages = texts_of.map(said);
    let posts: Vec<_> = texts_of
        .iter()
        .map(|text| (*text).to_owned())
        .zip(&messages)
        .collect();
    let posted = chat.post_all(&lobby(), &posts).await;
    let posted: Vec<_> = posted.into_iter().map(|posted| posted.unwrap()).collect();
    assert_eq!(posted[1], posted[3], "the same key is the same message");
    assert_eq!(texts(&chat, "lobby").await, ["one", "two", "three"]);
    let again = chat.post_all(&lobby(), &posts[..2]).await;
    assert_eq!(again, [Ok(posted[0].clone()), Ok(posted[1].clone())]);
    assert_eq!(texts(&chat, "lobby").await, ["one", "two", "three"]);

    let nowhere = chat.post_all(&room_ref("nowhere"), &posts[..2]).await;
    assert!(matches!(
        nowhere[..],
        [Err(Error::Gone { .. }), Err(Error::Gone { .. })]
    ));
    chat.faults().next(1, &Fault::Retry { after: None });
    let failed = chat.post_all(&lobby(), &posts).await;
    assert!(matches!(failed[..], [Err(Error::Retry { .. })]), "{failed:?}");
}

#[tokio::test]
async fn a_taken_name_gets_a_suffix_and_reserved_ones_are_never_given() {
    let s = scene().await;
    let names = ["carriers", "Carriers", "lobby", "@ana", "///", "ÄRGER über Zoll"];
    let mut given = Vec::new();
    for (index, name) in names.iter().enumerate() {
        given.push(
            s.chat
                .open_room(&index.to_string(), &spec(name, false))
                .await
                .unwrap()
                .room,
        );
    }
    assert_eq!(
        given,
        [
            "carriers",
            "carriers-2",
            "room-lobby",
            "ana",
            "room",
            "ärger-über-zoll"
        ]
    );
}

#[tokio::test]
async fn a_private_room_shows_to_its_members_alone() {
    let s = scene().await;
    let room = s.chat.open_room("r", &spec("payroll", true)).await.unwrap();
    let refused = s
        .chat
        .say(&ben(), &room.room, None, "hi", None)
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "There is no such room, or you are not in it."
    );
    assert!(matches!(
        s.chat.whisper("w", &room, &ben(), &said("x")).await,
        Err(Error::Gone { .. })
    ));
    assert_eq!(s.chat.rooms(&ben()).len(), 1);

    s.chat.invite(&room, &[ben()]).await.unwrap();
    s.chat.say(&ben(), &room.room, None, "hi", None).await.unwrap();
    assert_eq!(texts(&s.chat, &room.room).await, ["hi"]);
}

#[tokio::test]
async fn a_private_room_is_found_by_its_members_and_from_inside_it() {
    let s = scene().await;
    let room = s.chat.open_room("r", &spec("payroll", true)).await.unwrap();
    let asker = |who: Identity, reads: Vec<RoomRef>| Asker {
        who: vec![who],
        reads,
    };
    let hidden = s.chat.find_room("payroll", &asker(ben(), Vec::new())).await;
    let absent = s.chat.find_room("nowhere", &asker(ben(), Vec::new())).await;
    let words = |found: Result<Found, Error>| found.unwrap_err().to_string();
    assert_eq!(words(hidden).replace("payroll", "nowhere"), words(absent));
    for asker in [asker(ana(), Vec::new()), asker(ben(), vec![room.clone()])] {
        let found = s.chat.find_room("#payroll", &asker).await.unwrap();
        assert_eq!((found.room, found.readable), (room.clone(), false));
    }
}

#[tokio::test]
async fn an_archived_room_is_read_but_not_written() {
    let s = scene().await;
    let room = s.chat.open_room("r", &spec("old", false)).await.unwrap();
    s.chat.archive(&room).await.unwrap();
    assert!(matches!(
        s.chat.post("p", &room, None, &said("x")).await,
        Err(Error::Gone { .. })
    ));
    let refused = s.chat.say(&ana(), "old", None, "x", None).await.unwrap_err();
    assert!(
        refused.to_string().starts_with("This room is archived"),
        "{refused}"
    );
    assert!(
        s.chat
            .command(&ana(), "old", "reopen", None, None)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn what_people_do_reaches_the_bot_in_order_with_its_own_time() {
    let s = scene().await;
    let message = s.chat.say(&ana(), LOBBY, None, "it is slow", None).await.unwrap();
    let id = number(&message);
    s.clock.advance(TimeDelta::seconds(5));
    s.chat.edit(&ana(), LOBBY, id, "it is down").await.unwrap();
    s.chat.react(&ben(), LOBBY, id, "📌", true).await.unwrap();
    s.chat.react(&ben(), LOBBY, id, "📌", true).await.unwrap();
    s.chat.react(&ben(), LOBBY, id, "📌", false).await.unwrap();
    let reply = s
        .chat
        .say(&ben(), LOBBY, Some(id), "here too", None)
        .await
        .unwrap();
    s.chat.delete(&ana(), LOBBY, id).await.unwrap();
    s.chat.settled().await.unwrap();

    let later = start() + TimeDelta::seconds(5);
    let seen: Vec<Incoming> = s
        .inbox
        .taken()
        .into_iter()
        .map(|delivery| delivery.incoming)
        .collect();
    let reacted = |present| Incoming::Reacted {
        from: ben(),
        message: message.clone(),
        emoji: "📌".into(),
        present,
        at: later,
    };
    assert_eq!(
        seen,
        [
            Incoming::Wrote {
                from: ana(),
                message: message.clone(),
                thread: None,
                text: "it is slow".into(),
                at: start(),
                files: vec![],
            },
            Incoming::Edited {
                message: message.clone(),
                text: "it is down".into(),
                at: later,
                of: None,
            },
            reacted(true),
            reacted(false),
            Incoming::Wrote {
                from: ben(),
                message: reply,
                thread: Some(message.message.clone()),
                text: "here too".into(),
                at: later,
                files: vec![],
            },
            Incoming::Deleted {
                message,
                at: later,
                found_gone: false
            },
        ]
    );
    let versions = s.chat.versions(id).await.unwrap();
    assert_eq!(
        versions,
        [("it is slow".into(), later), ("it is down".into(), later)]
    );
    let (keys, subjects): (Vec<_>, Vec<_>) = s
        .inbox
        .taken()
        .into_iter()
        .map(|delivery| (delivery.key, delivery.subject.unwrap()))
        .unzip();
    for names in [keys, subjects] {
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }
}

#[tokio::test]
async fn nothing_said_is_lost_while_the_inbox_is_full() {
    let s = scene().await;
    s.inbox.full.store(true, Ordering::SeqCst);
    s.chat.say(&ana(), LOBBY, None, "first", None).await.unwrap();
    s.chat.say(&ana(), LOBBY, None, "second", None).await.unwrap();
    let refused = s
        .chat
        .command(&ana(), LOBBY, "status", None, None)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("Nothing was lost"), "{refused}");
    assert!(s.inbox.taken().is_empty());

    s.inbox.full.store(false, Ordering::SeqCst);
    s.chat.say(&ana(), LOBBY, None, "third", None).await.unwrap();
    s.chat.settled().await.unwrap();
    let texts: Vec<String> = s
        .inbox
        .taken()
        .into_iter()
        .map(|delivery| match delivery.incoming {
            Incoming::Wrote { text, .. } => text,
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["first", "second", "third"]);
}

#[tokio::test]
async fn what_was_said_before_a_stop_is_delivered_after_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("orderly.chat.sqlite"));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(start()));
    let chat = LocalChat::open(place.clone(), "incident", clock).await.unwrap();
    let id = number(
        &chat
            .say(&ana(), LOBBY, None, "nobody listens", None)
            .await
            .unwrap(),
    );
    chat.react(&ana(), LOBBY, id, "✅", true).await.unwrap();
    let room = chat.open_room("r", &spec("payroll", true)).await.unwrap();
    chat.close().await;
    drop(chat);

    let s = scene_at(place).await;
    s.chat.settled().await.unwrap();
    assert_eq!(s.inbox.taken().len(), 2);
    assert!(s.chat.shows("ana", &room.room));
    assert!(!s.chat.shows("ben", &room.room));
    assert_eq!(
        s.chat.message(LOBBY, id).await.unwrap().unwrap().reactions,
        [("✅".into(), vec!["ana".into()])]
    );
    assert_eq!(s.chat.open_room("r", &spec("payroll", true)).await.unwrap(), room);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.sqlite");
    let s = scene_at(Place::File(path.clone())).await;
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&s.chat.pool)
        .await
        .unwrap();
    s.chat.close().await;
    let clock = Arc::new(ManualClock::at(start()));
    let error = LocalChat::open(Place::File(path), "incident", clock)
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("newer Orderly (schema 99"), "{error}");
}

#[tokio::test]
async fn only_the_author_changes_or_deletes_a_message() {
    let s = scene().await;
    let id = number(&s.chat.say(&ana(), LOBBY, None, "mine", None).await.unwrap());
    let bots = number(&s.chat.post("k", &lobby(), None, &said("ours")).await.unwrap());
    for id in [id, bots] {
        assert!(matches!(
            s.chat.edit(&ben(), LOBBY, id, "stolen").await,
            Err(ActError::NotYours)
        ));
        assert!(matches!(
            s.chat.delete(&ben(), LOBBY, id).await,
            Err(ActError::NotYours)
        ));
    }
    s.chat.delete(&ana(), LOBBY, id).await.unwrap();
    assert!(matches!(
        s.chat.edit(&ana(), LOBBY, id, "back").await,
        Err(ActError::NoMessage)
    ));
    assert_eq!(texts(&s.chat, LOBBY).await, ["(deleted)", "ours"]);
}

#[tokio::test]
async fn a_message_of_another_room_cannot_be_reached_through_this_one() {
    let s = scene().await;
    let room = s.chat.open_room("r", &spec("payroll", true)).await.unwrap();
    let id = number(
        &s.chat
            .say(&ana(), &room.room, None, "salaries", None)
            .await
            .unwrap(),
    );
    assert!(s.chat.message(LOBBY, id).await.unwrap().is_none());
    assert!(matches!(
        s.chat.react(&ben(), LOBBY, id, "📌", true).await,
        Err(ActError::NoMessage)
    ));
    assert!(matches!(
        s.chat.say(&ben(), LOBBY, Some(id), "x", None).await,
        Err(ActError::NoMessage)
    ));
    assert!(matches!(s.chat.thread(LOBBY, id).await, Err(ActError::NoMessage)));
    assert!(matches!(
        s.chat.say(&ben(), LOBBY, Some(9_999), "x", None).await,
        Err(ActError::NoMessage)
    ));
}

#[tokio::test]
async fn a_command_is_told_from_a_message_and_from_a_mistyped_command() {
    let s = scene().await;
    assert_eq!(s.chat.typed("/incident"), Typed::Command(""));
    assert_eq!(s.chat.typed("/Incident  probe run "), Typed::Command("probe run"));
    assert_eq!(s.chat.typed("/incidnt open"), Typed::Unknown("incidnt"));
    assert_eq!(
        s.chat.typed("/var/log/odoo.log is full"),
        Typed::Message("/var/log/odoo.log is full")
    );
    assert_eq!(s.chat.typed("/ 2"), Typed::Message("/ 2"));
    assert_eq!(s.chat.typed("hello"), Typed::Message("hello"));
}

#[tokio::test]
async fn a_script_that_sends_a_command_again_sends_the_same_delivery() {
    let s = scene().await;
    for key in [Some("deploy-7"), Some("deploy-7"), None, None] {
        s.chat.command(&ana(), LOBBY, "status", None, key).await.unwrap();
    }
    s.chat
        .command(&ben(), LOBBY, "status", None, Some("deploy-7"))
        .await
        .unwrap();
    let keys: Vec<String> = s.inbox.taken().into_iter().map(|delivery| delivery.key).collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[2], keys[3]);
    assert_ne!(keys[0], keys[4], "another person's key is another key");
    assert!(matches!(
        s.chat.command(&ana(), LOBBY, "x", None, Some("")).await,
        Err(ActError::Key)
    ));
}

#[tokio::test]
async fn a_button_that_is_no_longer_shown_cannot_be_pressed() {
    let s = scene().await;
    let button = |line: &str| Button {
        label: line.into(),
        style: Style::Plain,
        press: Press::Run { line: line.into() },
    };
    let card = |line: &str| Message {
        fallback: "card".into(),
        blocks: vec![Block::Buttons {
            buttons: vec![button(line)],
        }],
    };
    let posted = s
        .chat
        .post("k", &lobby(), None, &card("action approve A1"))
        .await
        .unwrap();
    let mark = button_mark(&Press::Run {
        line: "action approve A1".into(),
    });
    s.chat
        .press(&ana(), LOBBY, &posted.message, &mark, Some("tab1"))
        .await
        .unwrap();
    s.chat.update(&posted, &card("action refuse A1")).await.unwrap();
    let refused = s
        .chat
        .press(&ana(), LOBBY, &posted.message, &mark, None)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().starts_with("That button is no longer there"),
        "{refused}"
    );

    s.chat
        .whisper("w", &lobby(), &ana(), &card("help"))
        .await
        .unwrap();
    let whisper = format!("w{}", s.chat.whispers("ana", LOBBY)[0].id);
    let mark = button_mark(&Press::Run { line: "help".into() });
    s.chat.press(&ana(), LOBBY, &whisper, &mark, None).await.unwrap();
    assert!(matches!(
        s.chat.press(&ben(), LOBBY, &whisper, &mark, None).await,
        Err(ActError::NoMessage)
    ));

    let presses: Vec<_> = s
        .inbox
        .taken()
        .into_iter()
        .filter_map(|delivery| match delivery.incoming {
            Incoming::Press {
                press: Press::Run { line },
                trigger,
                ..
            } => Some((line, trigger.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(
        presses,
        [("action approve A1".into(), true), ("help".into(), false)]
    );
}

#[tokio::test]
async fn a_form_opens_in_the_tab_that_asked_and_not_too_late() {
    let s = scene().await;
    let form = Form {
        path: "open".into(),
        fixed: BTreeMap::new(),
        title: "Open".into(),
        intro: None,
        fields: vec![],
        submit: "Open".into(),
    };
    let trigger = Trigger {
        token: "tab1".into(),
        expires: start(),
    };
    let before = s.chat.read_mark(&s.chat.mark()).unwrap();
    s.chat.ask(&trigger, &lobby(), &ana(), &form).await.unwrap();
    let changes = s.chat.changes_since(before).unwrap();
    assert!(matches!(&changes[0].what, What::Form { to, asked } if &**to == "ana" && asked.tab == "tab1"));
    assert_eq!(s.chat.forms("ana").len(), 1);
    s.chat.submitted(&ana(), "open", &BTreeMap::new());
    assert!(s.chat.forms("ana").is_empty());

    s.clock.advance(TimeDelta::seconds(1));
    assert!(matches!(
        s.chat.ask(&trigger, &lobby(), &ana(), &form).await,
        Err(Error::Gone { .. })
    ));
}

#[tokio::test]
async fn whispers_and_forms_are_bounded_for_each_person() {
    let s = scene().await;
    for count in 0..200 {
        s.chat
            .whisper(&count.to_string(), &lobby(), &ana(), &said(&count.to_string()))
            .await
            .unwrap();
    }
    let kept = s.chat.whispers("ana", LOBBY);
    assert_eq!(kept.len(), 50);
    assert_eq!(kept.last().unwrap().message.fallback, "199");
    s.chat.dismiss("ana", kept[0].id);
    assert_eq!(s.chat.whispers("ana", LOBBY).len(), 49);
}

#[tokio::test]
async fn a_page_that_was_away_gets_what_it_missed_or_is_told_to_reload() {
    let s = scene().await;
    let mark = s.chat.read_mark(&s.chat.mark()).unwrap();
    s.chat.post("1", &lobby(), None, &said("one")).await.unwrap();
    assert_eq!(s.chat.changes_since(mark).unwrap().len(), 1);
    assert!(s.chat.changes_since(mark + 1).unwrap().is_empty());
    assert!(
        s.chat.changes_since(mark + 2).is_none(),
        "a mark from the future is another run's"
    );
    assert!(s.chat.read_mark("other-1").is_none());
    for count in 0..3_000 {
        s.chat
            .whisper(&format!("w{count}"), &lobby(), &ana(), &said("x"))
            .await
            .unwrap();
    }
    assert!(s.chat.changes_since(mark).is_none());
}

#[tokio::test]
async fn saying_the_same_again_changes_nothing_on_the_page() {
    let s = scene().await;
    let at = s.chat.post("1", &lobby(), None, &said("card")).await.unwrap();
    let mark = s.chat.mark();
    s.chat.update(&at, &said("card")).await.unwrap();
    assert_eq!(s.chat.mark(), mark);
    s.chat.update(&at, &said("new card")).await.unwrap();
    assert_ne!(s.chat.mark(), mark);
    s.chat.pin(&at).await.unwrap();
    assert_eq!(s.chat.pinned(LOBBY).await.unwrap().unwrap().id, number(&at));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_cut_at_a_block_and_says_so() {
    let s = scene().await;
    let code = |_| Block::Code {
        text: "x".repeat(100_000),
        diff: false,
    };
    let message = Message {
        fallback: "big".into(),
        blocks: (0..10).map(code).collect(),
    };
    let id = number(&s.chat.post("1", &lobby(), None, &message).await.unwrap());
    let Body::Bot(kept) = s.chat.message(LOBBY, id).await.unwrap().unwrap().body else {
        panic!("not the bot's")
    };
    assert_eq!(kept.blocks.len(), 6);
    let Some(Block::Context { text }) = kept.blocks.last() else {
        panic!("no note")
    };
    assert_eq!(
        text.plain(),
        "5 more parts were too long for one message and were left out."
    );
}

#[tokio::test]
async fn files_are_kept_as_received_and_go_with_their_message() {
    let s = scene().await;
    let bytes = vec![0u8, 159, 146, 150];
    let file = Upload {
        name: "odoo.log".into(),
        media_type: "text/plain".into(),
        bytes: bytes.clone(),
        comment: "look".into(),
    };
    let id = number(&s.chat.attach(&ana(), LOBBY, None, file.clone()).await.unwrap());
    let stored = s.chat.message(LOBBY, id).await.unwrap().unwrap();
    let kept = s.chat.file(&stored.files[0].id).await.unwrap().unwrap();
    assert_eq!((kept.bytes, kept.name.as_str()), (bytes.clone(), "odoo.log"));
    assert_eq!(kept.sha256, hex::encode(sha2::Sha256::digest(&bytes)));
    s.chat.settled().await.unwrap();
    assert!(
        matches!(&s.inbox.taken()[0].incoming, Incoming::Wrote { files, text, .. } if files.len() == 1 && text == "look")
    );
    s.chat.delete(&ana(), LOBBY, id).await.unwrap();
    assert!(s.chat.file(&stored.files[0].id).await.unwrap().is_none());

    let large = Upload {
        bytes: vec![0; FILE_MAX + 1],
        ..file
    };
    assert!(matches!(
        s.chat.attach(&ana(), LOBBY, None, large.clone()).await,
        Err(ActError::FileTooLarge(_))
    ));
    assert!(matches!(
        s.chat.upload("u", &lobby(), &large).await,
        Err(Error::Gone { .. })
    ));
}

#[tokio::test]
async fn faults_come_in_order_and_a_timeout_after_the_deed_posts_once() {
    let s = scene().await;
    s.chat
        .faults()
        .next_of(Call::Post, 1, &Fault::Retry { after: None });
    s.chat.faults().next_of(Call::Post, 1, &Fault::DoneThenTimeout);
    s.chat.set_topic(&lobby(), "not a post").await.unwrap();
    for _ in 0..2 {
        assert!(matches!(
            s.chat.post("1", &lobby(), None, &said("one")).await,
            Err(Error::Retry { .. })
        ));
    }
    s.chat.post("1", &lobby(), None, &said("one")).await.unwrap();
    assert_eq!(texts(&s.chat, LOBBY).await, ["one"]);
    s.chat.faults().next(1, &Fault::Gone);
    assert!(matches!(
        s.chat.post("2", &lobby(), None, &said("two")).await,
        Err(Error::Gone { .. })
    ));

    let gate = Gate::closed();
    s.chat.faults().next(1, &Fault::Held(gate.clone()));
    let chat = Arc::clone(&s.chat);
    let held = tokio::spawn(async move { chat.post("3", &lobby(), None, &said("three")).await });
    tokio::task::yield_now().await;
    assert_eq!(texts(&s.chat, LOBBY).await, ["one"]);
    gate.open();
    held.await.unwrap().unwrap();
    assert_eq!(texts(&s.chat, LOBBY).await, ["one", "three"]);
    assert_eq!(s.chat.faults().left(), 0);
}

#[tokio::test]
async fn many_writers_at_once_are_all_kept_and_numbered_apart() {
    let folder = tempfile::tempdir().unwrap();
    let s = scene_at(Place::File(folder.path().join("chat.sqlite"))).await;
    let posts = (0..300).map(|count| {
        let chat = Arc::clone(&s.chat);
        async move {
            chat.say(&ana(), LOBBY, None, &count.to_string(), None)
                .await
                .unwrap()
                .message
        }
    });
    let ids: std::collections::BTreeSet<String> =
        futures::future::join_all(posts).await.into_iter().collect();
    assert_eq!(ids.len(), 300);
    s.chat.settled().await.unwrap();
    assert_eq!(s.inbox.taken().len(), 300);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_says_so_and_the_next_try_works() {
    let s = scene().await;
    sqlx::raw_sql("PRAGMA query_only = 1")
        .execute(&s.chat.pool)
        .await
        .unwrap();
    let refused = s.chat.say(&ana(), LOBBY, None, "x", None).await.unwrap_err();
    assert!(
        refused.to_string().contains("It was not taken; check the disk"),
        "{refused}"
    );
    assert!(matches!(
        s.chat.post("1", &lobby(), None, &said("x")).await,
        Err(Error::Retry { .. })
    ));
    sqlx::raw_sql("PRAGMA query_only = 0")
        .execute(&s.chat.pool)
        .await
        .unwrap();
    s.chat.post("1", &lobby(), None, &said("x")).await.unwrap();
}

#[tokio::test]
async fn after_a_full_disk_the_chat_goes_on() {
    let s = scene().await;
    let disk = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&s.chat.pool).await.unwrap();
    };
    // On a full disk SQLite takes the whole transaction back by itself; nothing is left to roll back.
    disk(
        "CREATE TRIGGER full BEFORE INSERT ON message BEGIN \
         SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    )
    .await;
    for _ in 0..2 {
        let refused = s.chat.say(&ana(), LOBBY, None, "lost", None).await.unwrap_err();
        assert!(refused.to_string().contains("disk is full"), "{refused}");
    }
    disk("DROP TRIGGER full").await;
    s.chat
        .say(&ana(), LOBBY, None, "there is room again", None)
        .await
        .unwrap();
    assert_eq!(texts(&s.chat, LOBBY).await, ["there is room again"]);
}

#[tokio::test]
async fn while_the_file_stands_still_what_people_say_waits() {
    let chat = scene().await.chat;
    let still = chat.still().await;
    let saying = {
        let chat = Arc::clone(&chat);
        tokio::spawn(async move { chat.say(&identity("ana"), LOBBY, None, "hello", None).await })
    };
    tokio::task::yield_now().await;
    assert!(chat.messages(LOBBY, None, 10).await.unwrap().is_empty());
    drop(still);
    saying.await.unwrap().unwrap();
    assert_eq!(chat.messages(LOBBY, None, 10).await.unwrap().len(), 1);
}
