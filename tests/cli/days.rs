//! Bad days: a journal that was tampered with, a file of a newer program, a disk that takes nothing.

use super::Place;

fn with_an_incident() -> Place {
    let place = Place::with_ana();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    place
        .run(&["incident", "INC-1", "note", "it began after lunch"])
        .exits(0);
    place
}

#[test]
fn the_first_event_that_was_changed_is_named() {
    let place = with_an_incident();
    place.run(&["journal", "verify"]).exits(0);
    place.sql("UPDATE events SET payload = replace(payload, 'after lunch', 'before lunch') WHERE stream = 1");
    let said = place.run(&["journal", "verify"]).exits(4);
    let event = said.out.lines().next().unwrap().to_owned();
    assert!(
        event.starts_with("inc-1: event ") && event.contains("was changed"),
        "{}",
        said.out
    );
    let json = place.run(&["journal", "verify", "--json"]).exits(4).json();
    assert_eq!(json["sound"], false);
    assert_eq!(json["faults"][0]["stream"], "inc-1");
}

#[test]
fn a_journal_that_was_cut_off_is_found_by_a_noted_head() {
    let place = with_an_incident();
    let json = place.run(&["journal", "verify", "--json"]).exits(0).json();
    let heads = json["heads"].as_array().unwrap();
    let head = heads.iter().find(|head| head["stream"] == "inc-1").unwrap();
    let head = format!("INC-1@{}:{}", head["event"], head["hash"].as_str().unwrap());
    place.run(&["journal", "verify", "--head", &head]).exits(0);
    place.sql("DELETE FROM events WHERE stream = 1 AND seq = (SELECT max(seq) FROM events WHERE stream = 1)");
    place.run(&["journal", "verify"]).exits(0);
    let said = place.run(&["journal", "verify", "--head", &head]).exits(4);
    assert!(said.out.contains("was cut off"), "{}", said.out);
    let said = place.run(&["journal", "verify", "--head", "INC-1"]).exits(1);
    assert!(said.err.contains("is no head"), "{}", said.err);
}

#[test]
fn what_is_redacted_is_gone_and_the_chain_holds() {
    let place = with_an_incident();
    let said = place
        .run(&["journal", "redact", "INC-1", "6", "--reason", "it names somebody"])
        .exits(3);
    assert!(
        said.err.contains("orderly incident INC-1 role take commander"),
        "{}",
        said.err
    );
    place
        .run(&["incident", "INC-1", "role", "take", "commander"])
        .exits(0);
    let events = place.run(&["journal", "show", "INC-1", "--json"]).exits(0).json();
    let noted = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event.to_string().contains("after lunch"));
    let seq = noted.unwrap()["seq"].to_string();
    place
        .run(&[
            "journal",
            "redact",
            "INC-1",
            &seq,
            "--reason",
            "it names somebody",
        ])
        .exits(0);
    let events = place.run(&["journal", "show", "INC-1", "--json"]).exits(0);
    assert!(!events.out.contains("after lunch"), "{}", events.out);
    let said = place.run(&["journal", "verify"]).exits(0);
    assert!(
        said.out.contains("1 event was redacted; its place is in order"),
        "{}",
        said.out
    );
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let place = with_an_incident();
    place.sql("PRAGMA user_version = 99");
    let said = place.run(&["serve"]).exits(1);
    assert!(
        said.err
            .contains("has schema version 99, this program knows up to"),
        "{}",
        said.err
    );
    let doctor = place.run(&["doctor"]).exits(4);
    assert!(doctor.out.contains("schema version 99"), "{}", doctor.out);
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let place = Place::made();
    place.sql("CREATE TABLE theirs (id INTEGER)");
    let said = place.run(&["serve"]).exits(1);
    assert!(
        said.err.contains("is not a database of this program"),
        "{}",
        said.err
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_said_at_once() {
    let place = Place::made();
    // Not by its mode, which would not hold the superuser back: a folder cannot be made inside a file.
    place.write("full", "");
    place.change(
        "orderly.toml",
        "#path = \"orderly.sqlite\"",
        "path = \"full/orderly.sqlite\"",
    );
    let said = place.run(&["serve"]).exits(1);
    assert!(said.err.contains("full/orderly.sqlite"), "{}", said.err);
    let doctor = place.run(&["doctor"]).exits(4);
    assert!(doctor.out.contains("mend  database"), "{}", doctor.out);
}

#[test]
fn a_broken_backup_is_not_restored_and_what_is_there_stays() {
    let place = with_an_incident();
    place.run(&["backup", "copy.sqlite"]).exits(0);
    let whole = std::fs::read(place.path("copy.sqlite")).unwrap();
    std::fs::write(place.path("copy.sqlite"), &whole[..whole.len() / 2]).unwrap();
    place.run(&["restore", "copy.sqlite"]).exits(1);
    place.run(&["restore", "nothing.sqlite"]).exits(1);
    place.run(&["incident", "INC-1", "status"]).exits(0);
}

#[test]
fn a_backup_holds_journal_and_chat_and_restores_both() {
    let place = Place::with_ana();
    let served = place.serve();
    place.run(&["incident", "open", "Labels stop printing"]).exits(0);
    let said = place.run(&["backup", "copy.sqlite"]).exits(0);
    assert!(
        said.out.contains("copy.sqlite") && said.out.contains("copy.chat.sqlite"),
        "{}",
        said.out
    );
    place.run(&["incident", "open", "After the backup"]).exits(0);
    assert_eq!(served.stop(), Some(0));

    let back = place.run(&["restore", "copy.sqlite"]).exits(0);
    assert!(back.out.contains("the page's chat with"), "{}", back.out);
    let rooms = |file: &str| place.asked(file, "SELECT group_concat(id) FROM room");
    let now = rooms("orderly.chat.sqlite");
    assert!(
        now.contains("labels-stop-printing") && !now.contains("after-the-backup"),
        "{now}"
    );
    assert!(rooms("orderly.chat.sqlite.before-restore").contains("after-the-backup"));
    place.run(&["incident", "INC-1", "status"]).exits(0);
    place.run(&["journal", "verify"]).exits(0);
}

/// A folder with what lies there of the journal, in which nobody may write.
fn put_away(place: &Place, folder: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = place.path(folder);
    std::fs::create_dir(&folder).unwrap();
    for file in ["orderly.sqlite", "orderly.sqlite-wal"] {
        if super::exists(&place.path(file)) {
            std::fs::copy(place.path(file), folder.join(file)).unwrap();
        }
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
}

#[test]
fn a_journal_that_was_put_away_read_only_is_verified_and_told() {
    let place = with_an_incident();
    put_away(&place, "clean");
    let served = place.serve();
    place
        .run(&["incident", "INC-1", "note", "the label printer is back"])
        .exits(0);
    // As after a power cut: what was said last lies in the log alone.
    served.signal("KILL");
    drop(served);
    put_away(&place, "cut");
    assert!(super::exists(&place.path("cut/orderly.sqlite-wal")));

    let config = std::fs::read_to_string(place.path("orderly.toml")).unwrap();
    for (folder, last) in [("clean", false), ("cut", true)] {
        let file = format!("{folder}/orderly.sqlite");
        let said = place
            .run_held_back(&["journal", "verify", "--file", &file])
            .exits(0);
        assert!(said.out.contains("The journal is whole"), "{}", said.out);
        place.write(
            "orderly.toml",
            &config.replace("#path = \"orderly.sqlite\"", &format!("path = \"{file}\"")),
        );
        for words in [["postmortem", "INC-1"].as_slice(), &["journal", "show", "INC-1"]] {
            let told = place.run_held_back(words).exits(0);
            assert_eq!(
                told.out.contains("the label printer is back"),
                last,
                "{}",
                told.out
            );
        }
        // Whoever would change something is told what is in the way.
        let said = place.run_held_back(&["incident", "open", "Another"]).exits(1);
        assert!(
            said.err.contains("make the file and its folder writable"),
            "{}",
            said.err
        );
    }
}

#[test]
fn scripts_read_what_was_copied_and_what_was_restored() {
    let place = with_an_incident();
    let copied = place.run(&["backup", "copy.sqlite", "--json"]).exits(0).json();
    assert_eq!(copied["journal"], "[folder]/copy.sqlite");
    assert_eq!(copied["chat"], "[folder]/copy.chat.sqlite");

    let verified = place
        .run(&["journal", "verify", "--file", "copy.sqlite", "--json"])
        .exits(0)
        .json();
    let back = place.run(&["restore", "copy.sqlite", "--json"]).exits(0).json();
    assert_eq!(back["heads"], verified["heads"]);
    assert!(back["chat"]["rooms"].as_u64().is_some(), "{back}");
    let alone = place
        .run(&["restore", "copy.sqlite", "--journal-only", "--json"])
        .exits(0)
        .json();
    assert_eq!(alone["chat"], serde_json::Value::Null);
    // What went wrong is said to people, and told scripts by the exit code.
    assert_eq!(place.run(&["backup", "copy.sqlite", "--json"]).exits(1).out, "");
}

#[test]
fn half_a_backup_replaces_nothing() {
    let place = with_an_incident();
    place.run(&["backup", "copy.sqlite"]).exits(0);
    // A copy under a name that is taken is refused, and leaves nothing of itself behind.
    place.write("other.chat.sqlite", "mine");
    place.run(&["backup", "other.sqlite"]).exits(1);
    assert!(!super::exists(&place.path("other.sqlite")));

    let chat = place.path("copy.chat.sqlite");
    let whole = std::fs::read(&chat).unwrap();
    std::fs::write(&chat, &whole[..whole.len() / 2]).unwrap();
    place.run(&["restore", "copy.sqlite"]).exits(1);
    std::fs::remove_file(&chat).unwrap();
    let said = place.run(&["restore", "copy.sqlite"]).exits(1);
    assert!(
        said.err.contains("copy.chat.sqlite beside it") && said.err.contains("--journal-only"),
        "{}",
        said.err
    );
    for left in [
        "orderly.sqlite.before-restore",
        "orderly.sqlite.restoring",
        "orderly.chat.sqlite.restoring",
    ] {
        assert!(!super::exists(&place.path(left)), "{left}");
    }
    let alone = place.run(&["restore", "copy.sqlite", "--journal-only"]).exits(0);
    assert!(alone.out.contains("was left as it is"), "{}", alone.out);
    place.run(&["incident", "INC-1", "status"]).exits(0);
}

#[test]
fn an_event_from_the_future_is_a_finding_about_the_clock() {
    let place = with_an_incident();
    place.sql("UPDATE events SET recorded = 4102444800000000000");
    let doctor = place.run(&["doctor"]).exits(4);
    assert!(
        doctor
            .out
            .contains("mend  clock: the newest event of the journal lies"),
        "{}",
        doctor.out
    );
}

#[test]
fn looking_at_a_journal_that_is_not_there_makes_none() {
    let place = Place::made();
    let said = place.run(&["postmortem", "INC-1"]).exits(1);
    assert!(said.err.contains("there is no journal at"), "{}", said.err);
    assert!(!super::exists(&place.path("orderly.sqlite")));
}

/// A state whose checksums fit, and which is not what the journal says.
fn tampered(place: &Place) {
    use orderly::engine::journal;
    use orderly::incident::IncidentId;
    use orderly::store::{Store, Stream, sqlite};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = sqlite::OpenOptions::default();
        let store = sqlite::open(place.path("orderly.sqlite"), options).await.unwrap();
        let head = store.head(Stream::Incident(IncidentId(1))).await.unwrap();
        let read = journal::load_state(&store, IncidentId(1)).await.unwrap();
        let mut state = read.state.unwrap();
        state.title = "All is well".to_owned();
        let snapshot = journal::snapshot(&state, &head.hash).unwrap();
        store.put_snapshot(snapshot).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn a_kept_state_that_does_not_agree_with_its_journal_is_found_and_dropped() {
    let place = with_an_incident();
    tampered(&place);
    let listed = place.run(&["incident", "INC-1", "status"]).exits(0);
    assert!(
        listed.out.contains("All is well"),
        "it is gone on from: {}",
        listed.out
    );
    let said = place.run(&["journal", "verify"]).exits(4);
    for words in [
        "is not what the journal says",
        "nothing is lost without it",
        "orderly journal verify --drop-kept",
    ] {
        assert!(said.out.contains(words), "{}", said.out);
    }
    let json = place.run(&["journal", "verify", "--json"]).exits(4).json();
    assert_eq!(
        (&json["sound"], &json["kept"][0]["believed"]),
        (&true.into(), &true.into())
    );
    let dropped = place.run(&["journal", "verify", "--drop-kept"]).exits(0);
    assert!(dropped.out.contains("It is dropped"), "{}", dropped.out);
    let said = place.run(&["journal", "verify"]).exits(0);
    assert!(!said.out.contains("kept"), "{}", said.out);
    let listed = place.run(&["incident", "INC-1", "status"]).exits(0);
    assert!(!listed.out.contains("All is well"), "{}", listed.out);
}

#[test]
fn a_broken_kept_state_is_told_and_not_believed() {
    let place = with_an_incident();
    tampered(&place);
    place.sql("UPDATE snapshots SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)");
    let said = place.run(&["journal", "verify"]).exits(0);
    assert!(said.out.contains("It is not believed"), "{}", said.out);
    let listed = place.run(&["incident", "INC-1", "status"]).exits(0);
    assert!(!listed.out.contains("All is well"), "{}", listed.out);
}

#[test]
fn a_mistyped_command_is_marked_and_what_is_right_can_be_typed_as_it_stands() {
    let place = Place::with_ana();
    let said = place.run(&["incident", "severty", "1"]).exits(3);
    insta::assert_snapshot!(said.err, @"
    There is no command `severty`. `help` lists them.
    severty 1
    ^^^^^^^
    Did you mean `orderly incident severity 1`?
    Example: `orderly incident severity SEV1 all warehouses stand still`
    ");
}

#[test]
fn the_full_output_of_an_answer_is_printed() {
    let place = with_an_incident();
    let said = place.run(&["probe", "output", "INC-1", "P1"]).exits(3);
    insta::assert_snapshot!(said.err, @"There is no output of P1 here; there is none yet.");
    place.run(&["probe", "output", "INC-9", "P1"]).exits(3);
    place.run(&["probe", "output", "INC-1", "seven"]).exits(2);
}

#[test]
fn a_row_that_only_says_that_it_was_redacted_was_changed() {
    let place = with_an_incident();
    place.sql(
        "UPDATE events SET redacted = 1, payload = replace(payload, 'after lunch', 'before lunch') WHERE kind = 'noted'",
    );
    let said = place.run(&["journal", "verify"]).exits(4);
    assert!(
        said.out
            .contains("was changed: it is marked as redacted, and no event of the journal tells that it was"),
        "{}",
        said.out
    );
    place.run(&["backup", "copy.sqlite"]).exits(0);
    let said = place.run(&["restore", "copy.sqlite", "--journal-only"]).exits(1);
    assert!(said.err.contains("it is marked as redacted"), "{}", said.err);
}

#[test]
fn what_stands_in_place_of_redacted_words_cannot_be_changed_either() {
    let place = with_an_incident();
    place
        .run(&["incident", "INC-1", "role", "take", "commander"])
        .exits(0);
    let events = place.run(&["journal", "show", "INC-1", "--json"]).exits(0).json();
    let mut events = events.as_array().unwrap().iter();
    let noted = events.find(|event| event["kind"] == "noted").unwrap()["seq"].to_string();
    place
        .run(&["journal", "redact", "INC-1", &noted, "--reason", "a name"])
        .exits(0);
    place.run(&["journal", "verify"]).exits(0);
    place.sql(
        "UPDATE events SET payload = replace(payload, '[redacted]', 'all is well') WHERE kind = 'noted'",
    );
    let said = place.run(&["journal", "verify"]).exits(4);
    assert!(said.out.contains("marked as redacted"), "{}", said.out);
}

#[test]
fn an_init_without_space_leaves_nothing_in_the_way_of_the_next() {
    let place = Place::empty();
    let said = place.run_with_little_space(&["init"]).exits(1);
    assert!(said.err.contains("is there space?"), "{}", said.err);
    for left in ["orderly.toml", "runbooks", "catalog"] {
        assert!(!super::exists(&place.path(left)), "{left}");
    }
    place.run(&["init"]).exits(0);
}

#[test]
fn a_document_for_which_there_is_no_space_leaves_the_one_before() {
    let place = Place::with_ana();
    let served = place.serve();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    place.write("pm.html", "the one before");
    let words = ["postmortem", "INC-1", "--format", "html", "-o", "pm.html"];
    let said = place.run_with_little_space(&words).exits(1);
    assert!(said.err.contains("pm.html cannot be written"), "{}", said.err);
    assert_eq!(
        std::fs::read_to_string(place.path("pm.html")).unwrap(),
        "the one before"
    );
    assert!(!super::exists(&place.path("pm.html.partial")));
    place.run(&words).exits(0);
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn an_incident_may_be_about_a_target_whose_secret_cannot_be_read() {
    let place = Place::with_ana();
    place.add(
        "orderly.toml",
        "\n[[target]]\nname = \"odoo-db\"\nkind = \"postgres\"\nenvironment = \"production\"\n\
         url = \"postgres://127.0.0.1/odoo\"\n[target.probe]\nuser = \"orderly_probe\"\n\
         password = { env = \"ORDERLY_TEST_NEVER_SET\" }\n",
    );
    place
        .run(&["incident", "open", "Posting hangs", "target=odoo-db"])
        .exits(0);
    for words in [
        &["incident", "INC-1", "probe", "postgres.blocking"][..],
        &[
            "incident",
            "INC-1",
            "probe",
            "postgres.blocking",
            "target=odoo-db",
        ],
        &["probe", "run", "postgres.blocking"],
    ] {
        let said = place.run(words).exits(3);
        assert!(
            said.err.contains("ORDERLY_TEST_NEVER_SET is not set"),
            "{words:?}: {}",
            said.err
        );
    }
}
