//! That the testbed gives what it promises.

use std::process::{Command, Stdio};
use std::time::Duration;

use orderly_testbed::{Postgres, Redis, odoo};

#[tokio::test]
async fn two_servers_run_side_by_side_and_are_gone_when_dropped() {
    let (one, two) = tokio::join!(Postgres::start(), Postgres::start());
    one.run("odoo", "CREATE TABLE here (n int)").await;
    let there: i64 = two
        .value("odoo", "SELECT count(*) FROM pg_class WHERE relname = 'here'")
        .await;
    assert_eq!(there, 0);
    let port = one.port();
    drop(one);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn every_odoo_schema_loads_with_its_grants() {
    let server = Postgres::start().await;
    for (database, version) in [("v16", odoo::V16), ("v17", odoo::V17), ("v18", odoo::V18)] {
        server
            .run("postgres", &format!("CREATE DATABASE {database} OWNER odoo"))
            .await;
        for script in [version, odoo::QUEUE_JOB, odoo::GRANTS] {
            server.run(database, script).await;
        }
        let version: String = server
            .value(
                database,
                "SELECT 'v' || left(latest_version, 2) FROM ir_module_module WHERE name = 'base'",
            )
            .await;
        assert_eq!(version, database);
    }
}

/// Set in the process that is to be killed.
const VICTIM: &str = "ORDERLY_TESTBED_VICTIM";

/// No clean-up of ours runs when a test is killed: the kernel ends its servers.
#[tokio::test]
async fn servers_end_with_a_test_that_is_killed() {
    if std::env::var_os(VICTIM).is_some() {
        let (postgres, redis) = (Postgres::start().await, Redis::start().await);
        println!("\nports {} {}", postgres.port(), redis.port());
        return std::future::pending().await;
    }
    let mut victim = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "servers_end_with_a_test_that_is_killed", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test a second time");
    let said = std::io::BufRead::lines(std::io::BufReader::new(victim.stdout.take().expect("its output")))
        .map_while(Result::ok)
        .find(|line| line.starts_with("ports "))
        .expect("the ports of its servers");
    let ports: Vec<u16> = said
        .split(' ')
        .skip(1)
        .filter_map(|port| port.parse().ok())
        .collect();
    assert_eq!(ports.len(), 2);
    victim.kill().expect("a process to kill");
    victim.wait().expect("a killed process");
    let gone = async {
        for port in ports {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("the servers to end with the test");
}
