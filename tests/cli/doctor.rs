//! `orderly doctor` against real servers: what is wrong with each, and how to mend it.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use orderly_testbed::{Postgres, Redis};

use super::{Place, Said};

/// A target, with a user for its probes whose password lies in a file.
fn add_target(place: &Place, name: &str, kind: &str, url: &str, user: &str, password: &str) {
    place.write(&format!("{name}.password"), password);
    let file = place.path(&format!("{name}.password"));
    place.add(
        "orderly.toml",
        &format!(
            "\n[[target]]\nname = \"{name}\"\nkind = \"{kind}\"\nenvironment = \"drill\"\nurl = \"{url}\"\n\
             [target.probe]\nuser = \"{user}\"\npassword = {{ file = \"{}\" }}\n",
            file.display()
        ),
    );
}

/// Grade, what was found, and how to mend it.
fn found(said: &Said, about: &str) -> (String, String) {
    let findings = said.json();
    let of = |finding: &&serde_json::Value| finding["about"] == about;
    let finding = findings.as_array().expect("findings").iter().find(of);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {about}: {findings}"));
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    (text("grade"), format!("{} {}", text("what"), text("mend")))
}

#[track_caller]
fn says(said: &Said, about: &str, grade: &str, words: &[&str]) {
    let (given, text) = found(said, about);
    assert_eq!(given, grade, "{about}: {text}");
    for word in words {
        assert!(text.contains(word), "{about} does not say `{word}`: {text}");
    }
}

#[tokio::test]
async fn a_postgres_role_that_can_do_more_than_read_is_found_and_mended() {
    let server = Postgres::start().await;
    let place = Place::made();
    let url = format!("postgres://127.0.0.1:{}/odoo", server.port());
    for (name, user, password) in [
        ("proper", "orderly_probe", "orderly_probe"),
        ("owner", "odoo", "odoo"),
        ("superuser", "postgres", "postgres"),
        ("mistyped", "orderly_probe", "wrong"),
    ] {
        add_target(&place, name, "postgres", &url, user, password);
    }
    let said = place.run(&["doctor", "--json"]).exits(4);
    says(&said, "target proper", "ok", &["can only read"]);
    let proper_role = ["CREATE ROLE", "pg_read_all_data"];
    says(&said, "target owner", "mend", &proper_role);
    says(
        &said,
        "target superuser",
        "mend",
        &[&["superuser"], proper_role.as_slice()].concat(),
    );
    says(&said, "target mistyped", "mend", &["password"]);
    assert!(
        !said.out.contains("wrong\""),
        "no password is repeated: {}",
        said.out
    );
}

#[tokio::test]
async fn a_redis_user_who_could_write_is_found_and_mended() {
    let server = Redis::start().await;
    for acl in [
        "ACL SETUSER orderly_probe on >probing ~* &* -@all +@read -@dangerous +info +slowlog|get +slowlog|len \
         +latency|latest +latency|history +ping +client|list",
        "ACL SETUSER writer on >writing ~* &* +@all",
    ] {
        server.run(&acl.split(' ').collect::<Vec<_>>()).await;
    }
    let place = Place::made();
    let url = format!("redis://127.0.0.1:{}", server.port());
    for (name, user, password) in [
        ("proper", "orderly_probe", "probing"),
        ("writing", "writer", "writing"),
        ("mistyped", "orderly_probe", "wrong"),
    ] {
        add_target(&place, name, "redis", &url, user, password);
    }
    let said = place.run(&["doctor", "--json"]).exits(4);
    says(&said, "target proper", "ok", &["cannot write"]);
    says(&said, "target writing", "mend", &["could write", "ACL SETUSER"]);
    says(&said, "target mistyped", "mend", &["password"]);
}

#[test]
fn a_target_that_nobody_answers_at_is_found() {
    let place = Place::made();
    // Bound and let go: nobody listens there now.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (kind, url) in [
        ("postgres", format!("postgres://127.0.0.1:{free}/odoo")),
        ("redis", format!("redis://127.0.0.1:{free}")),
        ("http", format!("http://127.0.0.1:{free}")),
    ] {
        add_target(&place, kind, kind, &url, "orderly_probe", "secret");
    }
    let said = place.run(&["doctor", "--json"]).exits(4);
    for kind in ["postgres", "redis", "http"] {
        says(
            &said,
            &format!("target {kind}"),
            "mend",
            &["If it should be, check `url` of this target"],
        );
        let (_, text) = found(&said, &format!("target {kind}"));
        let asked = text.matches("Is it up").count() + text.matches("Is the server up").count();
        assert_eq!(asked, 1, "{text}");
    }
}

#[test]
fn a_journal_ahead_of_the_clock_is_found() {
    let place = Place::with_ana();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    place.sql("UPDATE events SET recorded = 4102444800000000000");
    let said = place.run(&["doctor", "--json"]).exits(4);
    says(&said, "clock", "mend", &["in the future", "timedatectl"]);
}

#[test]
fn a_read_only_folder_is_found() {
    let place = Place::made();
    let held = place.path("held");
    std::fs::create_dir(&held).unwrap();
    std::fs::set_permissions(&held, Permissions::from_mode(0o555)).unwrap();
    place.change(
        "orderly.toml",
        "#path = \"orderly.sqlite\"",
        "path = \"held/orderly.sqlite\"",
    );
    let said = place.run_held_back(&["doctor", "--json"]).exits(4);
    let words = [
        "held cannot be written",
        "let the user who runs Orderly write there",
    ];
    says(&said, "database", "mend", &words);
}

#[test]
fn slack_over_http_that_has_no_address_to_call_is_told() {
    let place = Place::made();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    place.write("bot", "xoxb-1-2-nothing");
    place.write("signing", "8f742231b10e8888abcd99yyyzzz85a5");
    place.add(
        "orderly.toml",
        &format!(
            "\n[slack]\napi_url = \"http://127.0.0.1:{port}/api\"\ntransport = \"http\"\nbot_token = {{ file = \"{}\" }}\n\
             signing_secret = {{ file = \"{}\" }}\n",
            place.path("bot").display(),
            place.path("signing").display(),
        ),
    );
    let said = place.run(&["doctor", "--json"]).exits(4);
    says(
        &said,
        "slack",
        "mend",
        &[
            "nothing says where Slack reaches this bot",
            "Set public_url",
            "orderly manifest slack",
        ],
    );
}
