//! Secrets: read late, from their places, and never told to anybody.

use super::*;

fn vars(name: &str) -> Option<String> {
    match name {
        "PROBE" => Some("p@ss/w:rd".to_owned()),
        "ACTION" => Some("other".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn problems(text: &str) -> String {
    let resolved = good(text).targets(&vars);
    resolved
        .problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_password_goes_into_the_address_encoded() {
    let text = target(
        "user = \"odoo\"\n[target.probe]\nuser = \"reader\"\npassword = { env = \"PROBE\" }\n[target.action]\npassword = { env = \"ACTION\" }\n",
    );
    let resolved = good(&text).targets(&vars);
    let target = &resolved.targets[0];
    assert_eq!(
        target.probe.url,
        "postgres://reader:p%40ss%2Fw%3Ard@db.internal:5432/odoo"
    );
    let action = target.action.as_ref().map(|action| action.url.as_str());
    assert_eq!(action, Some("postgres://odoo:other@db.internal:5432/odoo"));
}

#[test]
fn a_database_behind_a_unix_socket_gets_its_user_in_the_query() {
    let text = "[[target]]\nname = \"db\"\nkind = \"postgres\"\nenvironment = \"drill\"\n\
                url = \"postgres:///odoo?host=/run/postgresql\"\nprobe = { user = \"r\", password = { env = \"ACTION\" } }\n";
    let resolved = good(text).targets(&vars);
    assert_eq!(
        resolved.targets[0].probe.url,
        "postgres:///odoo?host=/run/postgresql&user=r&password=other"
    );
}

#[test]
fn redis_takes_a_password_without_a_user() {
    let text = "[[target]]\nname = \"cache\"\nkind = \"redis\"\nenvironment = \"drill\"\nurl = \"redis://cache:6379/0\"\n\
                probe = { password = { env = \"ACTION\" } }\n";
    assert_eq!(
        good(text).targets(&vars).targets[0].probe.url,
        "redis://:other@cache:6379/0"
    );
}

#[test]
fn headers_and_variables_are_put_together() {
    let text = "[[target]]\nname = \"odoo\"\nkind = \"odoo\"\nenvironment = \"staging\"\nurl = \"https://odoo.example/\"\n\
                headers = { X-Odoo-Database = \"shop\" }\nenv = { LANG = \"C\" }\nfacts = { version = \"17.0\", workers = 4 }\n\
                [target.probe]\nheaders = { Authorization = { env = \"PROBE\", prefix = \"Bearer \" } }\n\
                env = { LANG = \"C.UTF-8\", API_TOKEN = { env = \"ACTION\" } }\n";
    let resolved = good(text).targets(&vars);
    let probe = &resolved.targets[0].probe;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        probe.headers,
        [
            pair("X-Odoo-Database", "shop"),
            pair("Authorization", "Bearer p@ss/w:rd")
        ]
    );
    assert_eq!(probe.env, [pair("API_TOKEN", "other"), pair("LANG", "C.UTF-8")]);
    assert_eq!(resolved.targets[0].facts["workers"], 4);
}

#[test]
fn a_secret_is_read_from_a_file_without_its_last_line_break() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("secret"), "s3cret\n").expect("written");
    let text = target(&format!(
        "user = \"r\"\nprobe.password = {{ file = \"{}/secret\" }}\n",
        folder.path().display()
    ));
    assert_eq!(
        good(&text).targets(&vars).targets[0].probe.url,
        "postgres://r:s3cret@db.internal:5432/odoo"
    );
}

#[test]
fn a_secret_that_cannot_be_read_is_a_problem_of_its_target_alone() {
    let two = [
        target("user = \"r\"\nprobe.password = { env = \"NOT_SET\" }\n"),
        target("user = \"r\"\naction.password = { env = \"EMPTY\" }\n").replace("odoo-db", "second"),
        target("").replace("odoo-db", "third"),
    ]
    .concat();
    assert_eq!(good(&two).targets(&vars).targets.len(), 1);
    insta::assert_snapshot!(problems(&two), @r#"
    target odoo-db: environment variable NOT_SET is not set: export it before you start orderly, or name a file instead: { file = "/path" }
    target second: environment variable EMPTY is empty: export it with its value
    "#);
    insta::assert_snapshot!(problems(&target("user = \"r\"\nprobe.password = { file = \"/nonexistent/secret\" }\n")), @"target odoo-db: cannot read the secret from /nonexistent/secret: No such file or directory (os error 2). Let the file hold the secret and nothing else, readable by the user who runs orderly");
}

#[test]
fn a_resolved_secret_is_in_nothing_that_is_written() {
    let config = good(&target("user = \"r\"\nprobe.password = { env = \"PROBE\" }\n"));
    assert_eq!(config.targets(&vars).targets.len(), 1);
    for written in [format!("{config:?}"), config.show()] {
        assert!(
            !written.contains("p@ss") && !written.contains("p%40ss"),
            "{written}"
        );
    }
}

#[test]
fn an_inline_secret_is_refused_and_never_repeated() {
    let texts = [
        target("user = \"r\"\nprobe.password = \"hunter2\"\n"),
        target("user = \"r\"\nprobe.password = { env = \"hunter2\" }\n"),
        target("password = \"hunter2\"\n"),
        target("facts = { db_password = \"hunter2\" }\n"),
        target("probe.headers = { Authorization = \"hunter2\" }\n"),
        target("headers = { X-Api-Key = \"hunter2\" }\n"),
        target("env = { ODOO_TOKEN = \"hunter2\" }\n"),
        target("").replace("db.internal", "odoo:hunter2@db.internal"),
        target("").replace("5432/odoo", "5432/odoo?password=hunter2"),
        "[teams]\ntoken = \"hunter2\"\n".to_owned(),
        "[slack]\nbot_token = \"xoxb-hunter2\"\n".to_owned(),
        "[discord]\ntoken = \"hunter2\"\n".to_owned(),
        "web.public_url = \"https://ana:hunter2@orderly.example\"\n".to_owned(),
        "password=hunter2\n".to_owned(),
    ];
    let told = texts.map(|text| bad(&text)).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @r#"
    orderly.toml:7:18: `password` is a secret and may not stand in this file. Name the place where it is: password = { env = "ODOO_DB_PROBE_PASSWORD" } or password = { file = "/etc/orderly/odoo-db-probe-password" }
    orderly.toml:7:26: `env` is the name of an environment variable, in capitals, such as ODOO_DB_PROBE_PASSWORD: the secret itself goes into that variable
    orderly.toml:6:1: [[target]] has no setting `password`. It belongs under [target.probe] or under [target.action]. And a secret may not stand in this file: write password = { env = "ODOO_DB_PASSWORD" }.
    orderly.toml:6:25: `db_password` holds what looks like a secret (password), and that may not stand in this file. Take it out and name its place below [target.probe] or [target.action]: password = { env = "ODOO_DB_PROBE_PASSWORD" }
    orderly.toml:6:35: `Authorization` holds what looks like a secret (authorization), and that may not stand in this file. Name the place where it is: Authorization = { env = "ODOO_DB_PROBE_HEADERS_AUTHORIZATION" } or Authorization = { file = "/etc/orderly/odoo-db-probe-headers-authorization" }
    orderly.toml:6:25: `X-Api-Key` holds what looks like a secret (API key), and that may not stand in this file. Below [target.probe] or [target.action], name the place where it is: headers = { X-Api-Key = { env = "ODOO_DB_HEADERS_X_API_KEY" } }
    orderly.toml:6:22: `ODOO_TOKEN` holds what looks like a secret (token), and that may not stand in this file. Below [target.probe] or [target.action], name the place where it is: env = { ODOO_TOKEN = { env = "ODOO_DB_ENV_ODOO_TOKEN" } }
    orderly.toml:5:7: `url` holds what looks like a secret (password), and that may not stand in this file. Take it out and name its place below [target.probe] or [target.action]: password = { env = "ODOO_DB_PROBE_PASSWORD" }
    orderly.toml:5:7: `url` holds what looks like a secret (password), and that may not stand in this file. Take it out and name its place below [target.probe] or [target.action]: password = { env = "ODOO_DB_PROBE_PASSWORD" }
    orderly.toml:1:2: this file has no setting `teams`. It knows: command, timezone, store, web, slack, discord, log, room, timeline, reactions, runbooks, catalog, probes, policy, updates, nudge, containment, followup, postmortem, mask, process, person, group, target.
    orderly.toml:2:13: `bot_token` is a secret and may not stand in this file. Name the place where it is: bot_token = { env = "SLACK_BOT_TOKEN" } or bot_token = { file = "/etc/orderly/slack-bot-token" }
    orderly.toml:1:1: [discord] lacks `guild`: add guild = "…"
    orderly.toml:1:1: [discord] lacks `category`: add category = "…"
    orderly.toml:2:9: `token` is a secret and may not stand in this file. Name the place where it is: token = { env = "DISCORD_TOKEN" } or token = { file = "/etc/orderly/discord-token" }
    orderly.toml:1:18: `public_url` holds what looks like a secret (password), and that may not stand in this file. Take it out: only targets, Slack and Discord have secrets
    orderly.toml:1:10: this is not TOML: string values must be quoted, expected literal string. Text, durations and addresses stand in quotes: "15m"
    "#);
}
