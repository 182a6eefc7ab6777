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

async fn notes(slack: &SlackServer, settings: &Settings) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let found = check(settings, slack.now()).await;
    let notes = found.into_iter().filter_map(|check| match check {
        Check::Note { what, mend } => Some(format!("{what} → {mend}")),
        Check::Fine(_) | Check::Wrong { .. } => None,
    });
    notes.collect()
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
async fn a_channel_where_nothing_can_be_announced_is_told_with_what_to_do() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    let ana = slack.person("ana");
    let settings = settings(&slack);
    let announced = |channel: &str| Settings {
        announce: Some(channel.to_owned()),
        ..settings.clone()
    };
    let archived = slack.channel("old-incidents", &[&ana]);
    ana.archives(&archived);
    let private = slack.private_channel("board", &[&ana]);
    let public = slack.channel("all", &[&ana]);
    slack.without_bot(&private);
    slack.without_bot(&public);
    for (channel, what, mend) in [
        (
            "C0NOTHERE",
            "channel_not_found",
            "the end of the channel's details",
        ),
        (&archived, "is archived", "Unarchive it"),
        // To whom is not in it, Slack does not say that it is there.
        (
            &private,
            "channel_not_found",
            "type /invite @orderly in that channel",
        ),
        (&public, "the bot is not in", "Type /invite @orderly in #all."),
    ] {
        let told = wrong(&slack, &announced(channel)).await;
        assert!(
            told.len() == 1 && told[0].contains(what) && told[0].contains(mend),
            "{told:?}"
        );
    }
    ana.invites(&slack.bot_user(), &public);
    assert_eq!(wrong(&slack, &announced(&public)).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_no_token_shows_is_said_with_its_page_and_switch() {
    let slack = SlackServer::start().await;
    slack.install(&manifest(&installed()));
    let settings = settings(&slack);
    let told = notes(&slack, &settings).await.join("\n");
    for named in [
        "page Event Subscriptions, Enable Events",
        "Subscribe to bot events",
        "message.channels",
        "reaction_added",
        "page Interactivity & Shortcuts",
        "page Slash Commands",
        "page App Home",
    ] {
        assert!(told.contains(named), "{named}: {told}");
    }
    assert!(!told.contains("Socket Mode"), "that one can be looked at: {told}");
    let over_http = Settings {
        app_token: None,
        signing_secret: Some(slack.signing_secret()),
        page: Some("https://orderly.example.com".to_owned()),
        ..settings
    };
    let told = notes(&slack, &over_http).await.join("\n");
    for named in [
        "https://orderly.example.com/slack/events",
        "https://orderly.example.com/slack/interactions",
        "https://orderly.example.com/slack/commands",
        "page Socket Mode, Enable Socket Mode must be off",
    ] {
        assert!(told.contains(named), "{named}: {told}");
    }
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
        told.len() == 2
            && told.iter().all(|told| told
                .contains("it is disabled → In Slack, Directories, User groups, choose Enable group")),
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
