//! The shipped Redis entries, healthy and sick.

use chrono::DateTime;

use super::*;
use crate::catalog::{Catalog, When, judge};
use crate::incident::{Answer, Params, Verdict};

fn given(values: Value) -> Params {
    values
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn when() -> When {
    When::new(None, DateTime::UNIX_EPOCH)
}

async fn probe(server: &Server, name: &str, params: Value) -> Answer {
    let (catalog, target) = (Catalog::shipped(), at(server.url()));
    let call = catalog
        .resolve_probe(name, &target, &given(params), &when())
        .unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(call.driver, "redis");
    let reading = Redis.read(&target, &call.call, call.limits).await;
    judge(
        catalog.probe(name).unwrap(),
        reading.as_ref(),
        Duration::from_millis(1),
        &call.params,
        &target,
    )
}

async fn says(server: &Server, name: &str, params: Value, verdict: Verdict, words: &str) -> Answer {
    let answer = probe(server, name, params).await;
    assert_eq!(answer.verdict, verdict, "{answer:#?}");
    assert!(answer.summary.contains(words), "{answer:#?}");
    assert!(answer.caveats.is_empty(), "{answer:#?}");
    answer
}

#[tokio::test]
async fn a_server_that_answers_is_well_and_one_that_loads_or_is_gone_is_unknown() {
    let server = Server::start().await;
    says(&server, "redis.ping", json!({}), Verdict::Ok, "PONG in 1 ms").await;
    server.run(&["CONFIG", "SET", "requirepass", "secret"]).await;
    says(
        &server,
        "redis.ping",
        json!({}),
        Verdict::Unknown,
        "Put user and password into the url of shop-cache",
    )
    .await;
}

#[tokio::test]
async fn memory_that_is_full_is_failing_and_keys_thrown_out_are_suspect() {
    let server = Server::start().await;
    says(
        &server,
        "redis.memory",
        json!({}),
        Verdict::Ok,
        "of no limit used, policy noeviction",
    )
    .await;
    server.run(&["SETRANGE", "big", "8000000", "x"]).await;
    server.run(&["CONFIG", "SET", "maxmemory", "9mb"]).await;
    says(
        &server,
        "redis.memory",
        json!({}),
        Verdict::Failing,
        "of 9.00M used",
    )
    .await;
    server
        .run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
        .await;
    server.run(&["CONFIG", "SET", "maxmemory", "4mb"]).await;
    server.run(&["SET", "small", "x"]).await;
    server.run(&["CONFIG", "SET", "maxmemory", "100mb"]).await;
    says(
        &server,
        "redis.memory",
        json!({}),
        Verdict::Suspect,
        "1 keys thrown out",
    )
    .await;
}

#[tokio::test]
async fn a_command_that_held_the_server_up_is_named() {
    let server = Server::start_with(&[("latency-monitor-threshold", "10")]).await;
    says(
        &server,
        "redis.latency",
        json!({}),
        Verdict::Ok,
        "no slow events noted",
    )
    .await;
    server.run(&["DEBUG", "SLEEP", "0.15"]).await;
    let slow = says(
        &server,
        "redis.latency",
        json!({}),
        Verdict::Suspect,
        "command 15",
    )
    .await;
    assert!(slow.excerpt.contains("DEBUG SLEEP"), "{}", slow.excerpt);
    says(
        &server,
        "redis.latency",
        json!({ "failing_ms": 100 }),
        Verdict::Failing,
        "in the slow log",
    )
    .await;
}

async fn info(connection: &mut redis::aio::MultiplexedConnection) -> String {
    redis::cmd("INFO")
        .arg("clients")
        .query_async(connection)
        .await
        .expect("a reply")
}

#[tokio::test]
async fn clients_are_counted_against_their_limit() {
    let server = Server::start_with(&[("maxclients", "10")]).await;
    says(&server, "redis.clients", json!({}), Verdict::Ok, "of 10 clients").await;
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(server.connect().await);
    }
    let busy = says(
        &server,
        "redis.clients",
        json!({}),
        Verdict::Suspect,
        "of 10 clients",
    )
    .await;
    assert!(busy.excerpt.contains("127.0.0.1"), "{}", busy.excerpt);
    held.push(server.connect().await);
    held.push(server.connect().await);
    // The last probe's connection may still be closing; the next one needs its place.
    while !info(&mut held[0]).await.contains("connected_clients:9\r") {}
    says(
        &server,
        "redis.clients",
        json!({}),
        Verdict::Failing,
        "10 of 10 clients",
    )
    .await;
    // The probe's own connection may still be closing.
    let client = redis::Client::open(server.url()).unwrap();
    while held.len() < 10 {
        if let Ok(mut another) = client.get_multiplexed_async_connection().await
            && redis::cmd("PING")
                .query_async::<String>(&mut another)
                .await
                .is_ok()
        {
            held.push(another);
        }
    }
    // A full server refuses, or closes before it has said so: either way there is no answer to read.
    let answer = probe(&server, "redis.clients", json!({})).await;
    assert_eq!(answer.verdict, Verdict::Unknown, "{answer:#?}");
}

#[tokio::test]
async fn a_save_that_failed_is_failing() {
    let server = Server::start().await;
    says(
        &server,
        "redis.persistence",
        json!({}),
        Verdict::Ok,
        "last save ok, append-only file off",
    )
    .await;
    // A folder stands where the file should be.
    std::fs::create_dir_all(server.folder().join("dump.rdb/in-the-way")).unwrap();
    server.run(&["SET", "k", "v"]).await;
    server.run(&["BGSAVE"]).await;
    server.until_info("rdb_last_bgsave_status:err").await;
    says(
        &server,
        "redis.persistence",
        json!({}),
        Verdict::Failing,
        "last save err",
    )
    .await;
}

#[tokio::test]
async fn a_replica_that_lost_its_primary_is_failing() {
    let primary = Server::start().await;
    let replica = primary.replica().await;
    says(
        &primary,
        "redis.replication",
        json!({ "replicas": 1 }),
        Verdict::Ok,
        "primary with 1 replicas",
    )
    .await;
    says(&replica, "redis.replication", json!({}), Verdict::Ok, "link up").await;
    says(
        &primary,
        "redis.replication",
        json!({ "replicas": 2 }),
        Verdict::Failing,
        "primary with 1 replicas",
    )
    .await;
    drop(primary);
    replica.until_info("master_link_status:down").await;
    says(
        &replica,
        "redis.replication",
        json!({}),
        Verdict::Failing,
        "link down",
    )
    .await;
}

#[tokio::test]
async fn a_client_is_disconnected_as_the_catalog_says() {
    let server = Server::start().await;
    let target = at(server.url());
    let (mut victim, id) = victim(&server).await;
    let catalog = Catalog::shipped();
    let terms = catalog
        .resolve_action("redis.client_kill", &target, &given(json!({ "id": id })), &when())
        .unwrap();
    let call = catalog.render_action(&terms, &target).unwrap();
    let preview = Redis.preview(&target, &call.call, call.limits).await.unwrap();
    assert!(
        preview
            .operation
            .display
            .starts_with(&format!("CLIENT KILL ID {id} ADDR 127.0.0.1:"))
    );
    assert!(matches!(
        attempt(&target, &preview, LIMITS).await,
        Outcome::Done { .. }
    ));
    let gone: Result<String, _> = redis::cmd("PING").query_async(&mut victim).await;
    assert!(gone.is_err());
}
