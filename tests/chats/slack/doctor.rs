//! What `orderly doctor` says of a workspace that is not set up right.

use chrono::TimeDelta;
use orderly::chat::Check;
use orderly::chat::slack::{Settings, Wanted, check, manifest};
use orderly::clock::{Clock, SystemClock};
use orderly_testbed::slack::SlackServer;

fn settings(slack: &SlackServer) -> Settings {
    Settings {
        api_url: slack.api_url(),
        bot_token: slack.bot_token(),
        app_token: Some(slack.app_token()),
        signing_secret: None,
        connections: 2,
        announce: Some(slack.channel("incidents", &[])),
        groups: Vec::new(),
        marks: vec!["📌".to_owned()],
        page: None,
    }
}

async fn wrong(slack: &SlackServer, settings: &Settings) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let found = check(settings, slack.now()).await;
    let wrong = found.into_iter().filter_map(|check| match check {
        Check::Wrong { what, mend } => Some(format!("{what} → {mend}")),
        Check::Fine(_) | Check::Note { .. } => None,
    });
    wrong.filter(|what| !what.contains("clock")).collect()
}

fn installed() -> Wanted<'static> {
    Wanted {
        command: "incident",
        description: "Incident response",
        hint: "open",
        address: None,
    }
}

#[tokio::test]
async fn an_app_made_from_the_manifest_has_everything() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    let settings = settings(&slack);
    assert_eq!(wrong(&slack, &settings).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_page_that_mends_it() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    slack.take_scope("pins:write");
    let settings = settings(&slack);
    let told = wrong(&slack, &settings).await;
    assert!(
        told.len() == 1 && told[0].contains("pins:write") && told[0].contains("App Manifest"),
        "{told:?}"
    );
    let swapped = Settings {
        bot_token: slack.app_token(),
        announce: Some("C0NOTHERE".to_owned()),
        ..settings
    };
    let told = wrong(&slack, &swapped).await.join("\n");
    assert!(
        told.contains("begin with xoxb-") && told.contains("OAuth & Permissions"),
        "{told}"
    );
    slack.take_violations();
}

#[tokio::test]
async fn socket_mode_that_is_switched_off_is_told_although_a_socket_opens() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    slack.socket_mode(false);
    let told = wrong(&slack, &settings(&slack)).await;
    assert!(
        told.len() == 1 && told[0].contains("page Socket Mode"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_revoked_token_is_told_with_how_to_get_another() {
    let slack = SlackServer::start().await;
    let settings = settings(&slack);
    slack.revoke_token(Some("token_revoked"));
    let told = wrong(&slack, &settings).await.join("\n");
    assert!(
        told.contains("token_revoked") && told.contains("Install App"),
        "{told}"
    );
    slack.take_violations();
}

#[tokio::test]
async fn a_user_group_that_gives_roles_must_be_there_and_readable() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    let group = slack.group("approvers", &[&slack.person("ana")]);
    let settings = Settings {
        groups: vec!["@approvers".to_owned(), group.clone()],
        ..settings(&slack)
    };
    assert_eq!(wrong(&slack, &settings).await, Vec::<String>::new());
    slack.change_group(&group, |group| group.disabled = true);
    let told = wrong(&slack, &settings).await;
    assert!(
        told.len() == 2 && told.iter().all(|told| told.contains("it is disabled")),
        "{told:?}"
    );
    slack.take_scope("usergroups:read");
    let told = wrong(&slack, &settings).await;
    assert!(
        told.len() == 3 && told[2].contains("the scope usergroups:read is missing"),
        "{told:?}"
    );
    let none = Settings {
        groups: vec!["@nobody".to_owned()],
        ..settings
    };
    slack.grant_only(&["usergroups:read"]);
    let told = wrong(&slack, &none).await.join("\n");
    assert!(
        told.contains(
            "the user group @nobody cannot be read, so it counts for nobody: there is no such user group"
        ),
        "{told}"
    );
    slack.take_violations();
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_before_slack_refuses_anything() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The workspace's answers carry the machine's own time.
    let now = SystemClock.now();
    let slack = SlackServer::start_at(now).await;
    slack.install(&manifest(&installed()));
    let settings = settings(&slack);
    for (ahead, wrong) in [(TimeDelta::zero(), false), (TimeDelta::minutes(3), true)] {
        let found = check(&settings, now + ahead).await;
        let told = found.iter().any(|check| {
            matches!(check, Check::Wrong { what, mend } if what.contains("clock") && mend.contains("chrony"))
        });
        assert_eq!(told, wrong, "{found:?}");
    }
}
