//! On a real Redis.

mod entries;

use std::time::Duration;

use orderly_testbed::{Cut, Redis as Server, Then};
use serde_json::{Map, Value, json};

use super::{PROPER_USER, Redis};
use crate::driver::{Access, Driver, Failure, Limits, Reading, Target};
use crate::incident::{Approved, Environment, Outcome, Preview};

fn access(url: String) -> Access {
    Access {
        url,
        headers: Vec::new(),
        env: Vec::new(),
    }
}

fn at(url: String) -> Target {
    Target {
        name: "shop-cache".to_owned(),
        kind: "redis".to_owned(),
        environment: Environment::Staging,
        tenant: None,
        probe: access(url.clone()),
        action: Some(access(url)),
        facts: Map::new(),
        accept_privileged_probe: false,
    }
}

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(10),
    output: 64 * 1024,
};

async fn ask(target: &Target, argv: &[&str]) -> Result<Reading, Failure> {
    Redis.read(target, &json!({ "command": argv }), LIMITS).await
}

async fn answer(target: &Target, argv: &[&str]) -> Value {
    ask(target, argv)
        .await
        .unwrap_or_else(|why| panic!("{argv:?}: {why}"))
        .answer
}

#[tokio::test]
async fn reading_commands_are_answered_in_shapes_that_expressions_can_read() {
    let server = Server::start_with(&[
        ("latency-monitor-threshold", "1"),
        ("slowlog-log-slower-than", "0"),
    ])
    .await;
    server.run(&["SET", "greeting", "hello"]).await;
    server.run(&["DEBUG", "SLEEP", "0.02"]).await;
    let target = at(server.url());

    let info = answer(&target, &["INFO"]).await;
    assert_eq!(info["redis_mode"], "standalone");
    assert!(info["used_memory"].is_i64() && info["mem_fragmentation_ratio"].is_number());
    assert_eq!(info["db0"]["keys"], 1);
    assert!(info["redis_version"].is_string());

    let clients = answer(&target, &["client", "list"]).await;
    assert!(
        clients[0]["id"].is_i64() && clients[0]["addr"].is_string(),
        "{clients}"
    );
    let latest = answer(&target, &["LATENCY", "LATEST"]).await;
    assert_eq!(latest[0]["event"], "command");
    assert!(latest[0]["max_ms"].as_i64() >= Some(20), "{latest}");
    let slow = answer(&target, &["SLOWLOG", "GET", "50"]).await;
    let commands: Vec<&str> = slow
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["command"].as_str())
        .collect();
    assert!(
        commands.contains(&"SET greeting … 1 more"),
        "the value stays out of it: {commands:?}"
    );

    assert_eq!(answer(&target, &["PING"]).await, "PONG");
    assert_eq!(answer(&target, &["GET", "greeting"]).await, "hello");
    assert_eq!(answer(&target, &["get", "nothing"]).await, Value::Null);
    assert_eq!(answer(&target, &["DBSIZE"]).await, 1);
    assert_eq!(
        answer(&target, &["Object", "encoding", "greeting"]).await,
        "embstr"
    );

    let call = json!({ "commands": { "memory": ["INFO", "memory"], "size": ["DBSIZE"] } });
    let several = Redis.read(&target, &call, LIMITS).await.unwrap();
    assert_eq!(several.answer["size"], 1);
    assert!(several.answer["memory"]["used_memory"].is_i64());
    assert!(
        String::from_utf8(several.raw)
            .unwrap()
            .starts_with("> INFO memory\n# Memory")
    );
}

/// Each writes, waits, runs a program, or holds the server up.
const ATTEMPTS: &[&[&str]] = &[
    &["SET", "k", "v"],
    &["sEt", "k", "v"],
    &["set", "k", "v", "GET"],
    &["GETSET", "k", "v"],
    &["GETDEL", "k"],
    &["GETEX", "k", "EX", "1"],
    &["getex", "k"],
    &["DEL", "k"],
    &["UNLINK", "k"],
    &["EXPIRE", "k", "1"],
    &["PERSIST", "k"],
    &["RENAME", "k", "l"],
    &["COPY", "k", "l"],
    &["MOVE", "k", "1"],
    &["RESTORE", "l", "0", "x"],
    &["SORT", "list"],
    &["SORT", "list", "STORE", "k"],
    &["BITFIELD", "k", "SET", "u8", "0", "1"],
    &["GEORADIUS", "g", "0", "0", "1", "m", "STORE", "k"],
    &["GEORADIUSBYMEMBER", "g", "a", "1", "m", "STOREDIST", "k"],
    &[
        "GEOSEARCHSTORE",
        "k",
        "g",
        "FROMMEMBER",
        "a",
        "BYRADIUS",
        "1",
        "m",
    ],
    &["ZRANGESTORE", "k", "z", "0", "-1"],
    &["SUNIONSTORE", "k", "s"],
    &["PFCOUNT", "hll"],
    &["PFADD", "hll", "x"],
    &["Touch", "k"],
    &["XADD", "x", "*", "a", "b"],
    &["XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"],
    &["XREAD", "BLOCK", "0", "STREAMS", "x", "$"],
    &["BLPOP", "list", "0"],
    &["LPOP", "list"],
    &["KEYS", "*"],
    &["keys", "*"],
    &["FLUSHALL"],
    &["FlushDB"],
    &["SWAPDB", "0", "1"],
    &["EVAL", "return redis.call('SET','k','v')", "0"],
    &["EVAL_RO", "return 1", "0"],
    &["EVALSHA", "0000000000000000000000000000000000000000", "0"],
    &["EVALSHA_RO", "0000000000000000000000000000000000000000", "0"],
    &["FCALL", "f", "0"],
    &["FCALL_RO", "f", "0"],
    &["FUNCTION", "FLUSH"],
    &["FUNCTION", "LIST"],
    &["SCRIPT", "FLUSH"],
    &["CONFIG", "SET", "maxmemory", "1"],
    &["CONFIG", "GET", "requirepass"],
    &["config", "rewrite"],
    &["CONFIG", "RESETSTAT"],
    &["CONFIG"],
    &["DEBUG", "SLEEP", "1"],
    &["DEBUG", "FLUSHALL"],
    &["SHUTDOWN", "NOSAVE"],
    &["SAVE"],
    &["BGSAVE"],
    &["BGREWRITEAOF"],
    &["REPLICAOF", "NO", "ONE"],
    &["SLAVEOF", "127.0.0.1", "1"],
    &["FAILOVER"],
    &["MIGRATE", "127.0.0.1", "1", "k", "0", "1"],
    &["MODULE", "LOAD", "/tmp/x.so"],
    &["ACL", "SETUSER", "mallory", "on", "nopass", "+@all"],
    &["ACL", "LIST"],
    &["CLIENT", "KILL", "ID", "1"],
    &["CLIENT", "PAUSE", "10000"],
    &["client", "no-evict", "on"],
    &["CLIENT"],
    &["CLIENT LIST"],
    &["SLOWLOG", "RESET"],
    &["SLOWLOG"],
    &["LATENCY", "RESET"],
    &["LATENCY", "DOCTOR"],
    &["MEMORY", "PURGE"],
    &["MEMORY"],
    &["MEMORY|PURGE"],
    &["config|set", "maxmemory", "1"],
    &["PUBLISH", "c", "m"],
    &["SUBSCRIBE", "c"],
    &["MONITOR"],
    &["MULTI"],
    &["EXEC"],
    &["WATCH", "k"],
    &["SELECT", "1"],
    &["AUTH", "x"],
    &["HELLO", "3"],
    &["RESET"],
    &["QUIT"],
    &["SYNC"],
    &["PSYNC", "?", "-1"],
    &["COMMAND", "INFO", "GET"],
    &["INFO\r\nFLUSHALL"],
    &["INFO\r\nFLUSHALL\r\n"],
    &["*1\r\n$8\r\nFLUSHALL\r\n"],
    &[" SET", "k", "v"],
    &["ＳＥＴ", "k", "v"],
    &[""],
    &[],
    &["NOSUCHCOMMAND"],
];

#[tokio::test]
async fn no_way_of_writing_known_to_us_passes_a_probe() {
    let server = Server::start().await;
    server.run(&["SET", "k", "before"]).await;
    server.run(&["RPUSH", "list", "1", "2"]).await;
    server.run(&["CONFIG", "RESETSTAT"]).await;
    let target = at(server.url());
    for argv in ATTEMPTS {
        match ask(&target, argv).await {
            Err(Failure::Refused(_)) => {}
            other => panic!("{argv:?} was not refused: {other:?}"),
        }
    }
    assert_eq!(answer(&target, &["GET", "k"]).await, "before");
    assert_eq!(answer(&target, &["DBSIZE"]).await, 2);
    // Not one of them was even sent.
    let sent = answer(&target, &["INFO", "commandstats"]).await;
    let sent: Vec<&String> = sent.as_object().unwrap().keys().collect();
    let expected = [
        "cmdstat_command|info",
        "cmdstat_config|resetstat",
        "cmdstat_dbsize",
        "cmdstat_get",
    ];
    assert!(
        sent.iter().all(|name| expected.contains(&name.as_str())),
        "a refused command reached the server: {sent:?}"
    );
}

#[tokio::test]
async fn one_bad_command_among_several_stops_all_of_them() {
    let server = Server::start().await;
    server.run(&["CONFIG", "RESETSTAT"]).await;
    let target = at(server.url());
    let call = json!({ "commands": { "a": ["GET", "k"], "b": ["FLUSHALL"] } });
    let why = Redis.read(&target, &call, LIMITS).await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "a probe may not send FLUSHALL: the server counts it as `write`; nothing was sent"
    );
    let sent = answer(&target, &["INFO", "commandstats"]).await;
    assert!(sent.get("cmdstat_get").is_none(), "{sent}");
}

#[tokio::test]
async fn the_user_we_recommend_answers_every_fixed_command_and_no_more() {
    let server = Server::start().await;
    let rule = PROPER_USER.replace(">…", ">secret");
    server.run(&rule.split(' ').collect::<Vec<_>>()).await;
    let target = at(server.url_for("orderly_probe", "secret"));
    for argv in [
        &["INFO"][..],
        &["PING"],
        &["SLOWLOG", "GET"],
        &["SLOWLOG", "LEN"],
        &["LATENCY", "LATEST"],
        &["LATENCY", "HISTORY", "command"],
        &["CLIENT", "LIST"],
        &["LLEN", "jobs"],
    ] {
        answer(&target, argv).await;
    }
    let mut direct = redis::Client::open(server.url_for("orderly_probe", "secret"))
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    for argv in [
        &["SET", "k", "v"][..],
        &["FLUSHALL"],
        &["KEYS", "*"],
        &["CONFIG", "GET", "*"],
        &["SLOWLOG", "RESET"],
    ] {
        let sent: Result<redis::Value, _> =
            redis::cmd(argv[0]).arg(&argv[1..]).query_async(&mut direct).await;
        assert_eq!(sent.unwrap_err().code(), Some("NOPERM"), "{argv:?}");
    }
}

#[tokio::test]
async fn a_user_with_too_little_is_told_the_rule_it_needs() {
    let server = Server::start().await;
    server
        .run(&["ACL", "SETUSER", "poor", "on", ">secret", "-@all", "+ping"])
        .await;
    let why = ask(&at(server.url_for("poor", "secret")), &["INFO"])
        .await
        .unwrap_err();
    assert!(matches!(why, Failure::Refused(_)));
    assert!(why.to_string().contains("ACL SETUSER orderly_probe"), "{why}");
    let why = ask(&at(server.url_for("poor", "hunter2")), &["PING"])
        .await
        .unwrap_err();
    assert!(
        why.to_string()
            .contains("Check user and password in the url of shop-cache"),
        "{why}"
    );
    assert!(!why.to_string().contains("hunter2"), "{why}");
}

#[tokio::test]
async fn a_reply_above_the_output_limit_is_not_taken_in() {
    let server = Server::start().await;
    server.run(&["SETRANGE", "big", "50000000", "x"]).await;
    let why = ask(&at(server.url()), &["GET", "big"]).await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "the reply to GET big is larger than the output limit of 65536 bytes; ask for less, or raise output_limit"
    );
}

#[tokio::test]
async fn a_server_that_is_held_up_or_away_is_unreachable_in_words() {
    let server = Server::start().await;
    let target = at(server.url());
    let mut busy = server.connect().await;
    let sleeping = tokio::spawn(async move {
        let _: Result<redis::Value, _> = redis::cmd("DEBUG")
            .arg("SLEEP")
            .arg(2)
            .query_async(&mut busy)
            .await;
    });
    let hurry = Limits {
        timeout: Duration::from_millis(300),
        ..LIMITS
    };
    let mut late = None;
    // The sleeper may not have arrived yet.
    while late.is_none() {
        late = Redis
            .read(&target, &json!({ "command": ["PING"] }), hurry)
            .await
            .err();
    }
    let why = late.unwrap();
    assert!(matches!(why, Failure::Unreachable(_)));
    assert!(
        why.to_string()
            .starts_with("shop-cache gave no answer within 300ms"),
        "{why}"
    );
    sleeping.abort();

    let why = ask(&at("redis://user:hunter2@127.0.0.1:1".to_owned()), &["PING"])
        .await
        .unwrap_err();
    assert!(why.to_string().contains("Is the server up"), "{why}");
    assert!(!why.to_string().contains("hunter2"), "{why}");
    let why = ask(&at("redis:/hunter2".to_owned()), &["PING"])
        .await
        .unwrap_err();
    assert!(
        why.to_string().contains("cannot be read; write redis://"),
        "{why}"
    );
}

fn kill(id: i64) -> Value {
    json!({
        "preview": { "command": ["CLIENT", "LIST", "ID", id.to_string()] },
        "guards": { "addr": "0.addr" },
        "command": ["CLIENT", "KILL", "ID", id.to_string(), "ADDR", { "guard": "addr" }],
    })
}

async fn victim(server: &Server) -> (redis::aio::MultiplexedConnection, i64) {
    let mut victim = server.connect().await;
    let id = redis::cmd("CLIENT")
        .arg("ID")
        .query_async(&mut victim)
        .await
        .unwrap();
    (victim, id)
}

async fn preview(target: &Target, call: &Value) -> Preview {
    Redis.preview(target, call, LIMITS).await.unwrap()
}

async fn attempt(target: &Target, preview: &Preview, limits: Limits) -> Outcome {
    let approved = Approved::for_tests(&target.name, preview.operation.clone());
    Redis.attempt(target, &approved, limits).await
}

#[tokio::test]
async fn a_change_runs_as_previewed_and_a_second_time_finds_nothing() {
    let server = Server::start().await;
    let target = at(server.url());
    let (mut victim, id) = victim(&server).await;
    let preview = preview(&target, &kill(id)).await;
    let addr = preview.operation.guards["addr"].as_str().unwrap().to_owned();
    assert_eq!(
        preview.operation.display,
        format!(
            "CLIENT KILL ID {id} ADDR {addr}\non shop-cache as default@127.0.0.1:{}/0",
            server.port()
        )
    );
    assert!(
        preview.effect.contains(&format!("addr={addr}")),
        "{}",
        preview.effect
    );
    let alive: String = redis::cmd("PING").query_async(&mut victim).await.unwrap();
    assert_eq!(alive, "PONG");

    let done = attempt(&target, &preview, LIMITS).await;
    assert_eq!(
        done,
        Outcome::Done {
            report: "1".to_owned()
        }
    );
    let gone: Result<String, _> = redis::cmd("PING").query_async(&mut victim).await;
    assert!(gone.is_err());
    let Outcome::NotDone { why } = attempt(&target, &preview, LIMITS).await else {
        panic!()
    };
    assert!(
        why.starts_with("the server found nothing that fits any more"),
        "{why}"
    );
}

#[tokio::test]
async fn what_is_not_there_cannot_be_proposed() {
    let server = Server::start().await;
    let why = Redis
        .preview(&at(server.url()), &kill(987_654), LIMITS)
        .await
        .unwrap_err();
    assert!(why.to_string().starts_with("nothing here fits"), "{why}");
}

#[tokio::test]
async fn the_servers_no_is_not_done_and_a_broken_line_is_unknown() {
    let server = Server::start().await;
    let target = at(server.url());
    let refused = preview(&target, &json!({ "command": ["CLIENT", "KILL", "ID", "x"] })).await;
    let Outcome::NotDone { why } = attempt(&target, &refused, LIMITS).await else {
        panic!()
    };
    assert!(why.contains("refused and nothing was changed"), "{why}");

    for (then, after) in [(Then::Lose, "2"), (Then::Drop, "1"), (Then::Stall, "2")] {
        server.run(&["SET", "n", "1"]).await;
        let cut = Cut::before(server.port(), "INCR", then).await;
        let far = at(format!("redis://127.0.0.1:{}", cut.port()));
        let once = preview(&far, &json!({ "command": ["INCR", "n"] })).await;
        let hurry = Limits {
            timeout: Duration::from_secs(1),
            ..LIMITS
        };
        let Outcome::Unknown { why } = attempt(&far, &once, hurry).await else {
            panic!("{then:?}")
        };
        assert!(why.contains("may or may not have happened"), "{why}");
        assert_eq!(
            answer(&target, &["GET", "n"]).await,
            after,
            "{then:?}: never sent twice"
        );
    }
}

#[tokio::test]
async fn what_never_left_is_not_done() {
    let server = Server::start().await;
    let target = at(server.url());
    let once = preview(&target, &json!({ "command": ["INCR", "n"] })).await;
    let elsewhere = at("redis://127.0.0.1:1".to_owned());
    let Outcome::NotDone { why } = attempt(&elsewhere, &once, LIMITS).await else {
        panic!()
    };
    assert!(why.contains("this was approved for default@127.0.0.1"), "{why}");
    drop(server);
    let Outcome::NotDone { why } = attempt(&target, &once, LIMITS).await else {
        panic!()
    };
    assert!(why.starts_with("nothing was sent: no connection to"), "{why}");
}
