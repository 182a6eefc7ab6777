use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use insta::assert_snapshot;

use super::{Event, Member, Recorded, Request, State, carry_out};
use crate::incident::{By, Identity, PersonId, Refusal, Role};

fn now() -> DateTime<Utc> {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

fn person(name: &str) -> PersonId {
    PersonId::new(name)
}

fn identity(user: &str) -> Identity {
    Identity {
        platform: "slack".to_owned(),
        workspace: "T1".to_owned(),
        user: user.to_owned(),
    }
}

fn put(name: &str, roles: &[Role], users: &[&str]) -> Request {
    Request::PutPerson {
        person: person(name),
        name: name.to_owned(),
        roles: roles.iter().copied().collect(),
        guest: false,
        identities: users.iter().map(|user| identity(user)).collect(),
    }
}

fn as_guest(request: Request) -> Request {
    match request {
        Request::PutPerson {
            person,
            name,
            roles,
            identities,
            ..
        } => Request::PutPerson {
            person,
            name,
            roles,
            identities,
            guest: true,
        },
        other => other,
    }
}

fn code(sha256: &str, user: &str) -> Request {
    Request::ProveLink {
        sha256: sha256.to_owned(),
        identity: Identity {
            platform: "discord".to_owned(),
            ..identity(user)
        },
    }
}

fn offer(name: &str, sha256: &str) -> Request {
    Request::OfferLink {
        person: person(name),
        sha256: sha256.to_owned(),
    }
}

#[derive(Default)]
struct Desk {
    state: State,
    journal: Vec<Recorded>,
}

impl Desk {
    fn with(people: &[&str]) -> Self {
        let mut desk = Self::default();
        for name in people {
            desk.operator(put(name, &[], &[name]));
        }
        desk
    }

    fn ask(&mut self, by: &By, request: &Request) -> Result<Vec<Event>, Refusal> {
        let before = self.state.clone();
        match carry_out(&mut self.state, by, request, now()) {
            Ok(written) => {
                self.journal.extend(written.iter().cloned());
                assert_eq!(
                    State::replay(&self.journal),
                    self.state,
                    "the state is the fold of the journal"
                );
                Ok(written
                    .into_iter()
                    .filter_map(|recorded| recorded.event)
                    .collect())
            }
            Err(refusal) => {
                assert_eq!(self.state, before, "a refusal changes nothing");
                Err(refusal)
            }
        }
    }

    #[track_caller]
    fn operator(&mut self, request: Request) -> Vec<Event> {
        self.ask(&By::Orderly, &request)
            .unwrap_or_else(|refusal| panic!("{}", refusal.words))
    }

    #[track_caller]
    fn does(&mut self, name: &str, request: Request) -> Vec<Event> {
        let by = By::Person { id: person(name) };
        self.ask(&by, &request)
            .unwrap_or_else(|refusal| panic!("{}", refusal.words))
    }

    #[track_caller]
    fn refused(&mut self, by: &By, request: Request) -> String {
        self.ask(by, &request).expect_err("it was not refused").words
    }

    #[track_caller]
    fn refuses(&mut self, name: &str, request: Request) -> String {
        self.refused(&By::Person { id: person(name) }, request)
    }
}

fn freeze(target: Option<&str>, reason: &str) -> Request {
    Request::Freeze {
        target: target.map(str::to_owned),
        reason: reason.to_owned(),
    }
}

fn thaw(target: Option<&str>) -> Request {
    Request::Thaw {
        target: target.map(str::to_owned),
        reason: None,
    }
}

#[test]
fn numbers_are_given_out_once() {
    let mut desk = Desk::with(&["ana"]);
    desk.does("ana", Request::Number);
    desk.does("ana", Request::Number);
    assert_eq!(desk.state.last_incident, 2);
}

#[test]
fn a_person_described_twice_changes_only_what_differs() {
    let mut desk = Desk::default();
    desk.operator(put("ana", &[Role::Approver], &["U1"]));
    assert!(desk.operator(put("ana", &[Role::Approver], &["U1"])).is_empty());
    let changed = desk.operator(put("ana", &[], &["U2"]));
    let kinds: Vec<_> = changed.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["roles_changed", "identity_linked", "identity_unlinked"]);
}

#[test]
fn one_identity_is_one_person_and_several_are_still_one_vote() {
    let mut desk = Desk::default();
    desk.operator(put("ana", &[], &["U1", "U2"]));
    assert_eq!(
        desk.state.person_of(&identity("U1")),
        desk.state.person_of(&identity("U2"))
    );
    assert_snapshot!(desk.refused(&By::Orderly, put("ben", &[], &["U2"])), @"slack/T1/U2 belongs to ana already. One identity is one person.");
}

#[test]
fn an_id_is_short_and_plain() {
    let mut desk = Desk::default();
    assert_snapshot!(desk.refused(&By::Orderly, put("Ana B", &[], &[])), @"`Ana B` cannot be a person's id: use 1 to 32 lower-case letters, digits, `-`, `_` or `.`.");
    assert!(desk.ask(&By::Orderly, &put(&"a".repeat(33), &[], &[])).is_err());
    assert!(
        desk.ask(&By::Orderly, &put("orderly:", &[], &[])).is_err(),
        "the bot's own name stays its own"
    );
}

#[test]
fn who_becomes_a_guest_commands_no_longer() {
    let mut desk = Desk::with(&["ana"]);
    assert!(desk.state.standings()[&person("ana")].may_command);
    desk.operator(as_guest(put("ana", &[], &["ana"])));
    assert!(!desk.state.standings()[&person("ana")].may_command);
    assert_snapshot!(desk.refuses("ana", freeze(None, "count")), @"ana may read here, not command. A member can do it, or the operator adds them with `orderly person add`.");
    assert!(desk.ask(&By::Person { id: person("ana") }, &thaw(None)).is_err());
}

#[test]
fn who_is_deactivated_neither_commands_nor_signs_in() {
    let mut desk = Desk::with(&["ana"]);
    let token = || Request::IssueToken {
        person: person("ana"),
        sha256: "ab".to_owned(),
    };
    desk.operator(token());
    let leave = || Request::Deactivate {
        person: person("ana"),
        reason: "left".to_owned(),
    };
    desk.operator(leave());
    assert_eq!(desk.state.people[&person("ana")].token_sha256, None);
    assert!(!desk.state.standings()[&person("ana")].may_command);
    assert_snapshot!(desk.refused(&By::Orderly, token()), @"ana is deactivated and cannot sign in. Add them again with `orderly person add ana`.");
    assert_snapshot!(desk.refused(&By::Orderly, leave()), @"ana is deactivated already.");
    desk.operator(put("ana", &[], &["ana"]));
    assert!(desk.state.standings()[&person("ana")].may_command);
}

#[test]
fn who_is_who_is_the_operators_to_say() {
    let mut desk = Desk::with(&["ana"]);
    let requests = [
        put("ana", &[Role::Approver], &["ana"]),
        Request::Grant {
            person: person("ana"),
            role: Role::Approver,
        },
        Request::Revoke {
            person: person("ana"),
            role: Role::Approver,
        },
        Request::Deactivate {
            person: person("ana"),
            reason: "x".to_owned(),
        },
        Request::IssueToken {
            person: person("ana"),
            sha256: "ab".to_owned(),
        },
    ];
    for request in requests {
        assert!(desk.refuses("ana", request).starts_with("Only the operator"));
    }
    desk.operator(Request::Grant {
        person: person("ana"),
        role: Role::Approver,
    });
    assert_eq!(
        desk.state.people[&person("ana")].roles,
        BTreeSet::from([Role::Approver])
    );
    assert_snapshot!(desk.refused(&By::Orderly, Request::Grant { person: person("ana"), role: Role::Approver }), @"ana has the role approver already.");
    assert_snapshot!(desk.refused(&By::Orderly, Request::Grant { person: person("eve"), role: Role::Approver }), @"There is no person eve here; there is ana.");
}

#[test]
fn a_freeze_has_a_reason_and_a_name_and_is_lifted_once() {
    let mut desk = Desk::with(&["ana", "ben"]);
    assert_snapshot!(desk.refuses("ana", freeze(None, " ")), @"Say why: a freeze without a reason is lifted by the first who wonders.");
    desk.does("ana", freeze(Some("odoo-prod"), "count"));
    assert_snapshot!(desk.refuses("ben", freeze(Some("odoo-prod"), "again")), @"odoo-prod is frozen already, by ana: count.");
    assert_snapshot!(desk.refuses("ben", thaw(None)), @"Everything is not frozen. Frozen now: odoo-prod.");
    desk.does("ben", thaw(Some("odoo-prod")));
    assert_snapshot!(desk.refuses("ben", thaw(Some("odoo-prod"))), @"odoo-prod is not frozen. Nothing is frozen.");
    assert_snapshot!(desk.refused(&By::Orderly, freeze(None, "count")), @"Only a person can freeze.");
}

#[test]
fn the_desks_time_never_runs_backwards() {
    let mut desk = Desk::with(&["ana"]);
    let earlier = now() - TimeDelta::hours(1);
    let written = carry_out(&mut desk.state, &By::Orderly, &Request::Number, earlier).expect("no refusal");
    assert_eq!(written[0].recorded, now());
}

#[test]
fn a_code_typed_by_another_account_makes_it_the_same_person_once() {
    let mut desk = Desk::with(&["ana", "ben"]);
    desk.does("ana", offer("ana", "c1"));
    desk.operator(code("c1", "A9"));
    let theirs = Identity {
        platform: "discord".to_owned(),
        ..identity("A9")
    };
    assert_eq!(desk.state.person_of(&theirs), Some(&person("ana")));
    assert_snapshot!(desk.refused(&By::Orderly, code("c1", "A10")), @"That code is not known, or it has run out. Type `/role link` where Orderly knows you to get another one.");
    desk.operator(put("ana", &[], &["ana"]));
    assert_eq!(
        desk.state.person_of(&theirs),
        Some(&person("ana")),
        "the config does not undo it"
    );
    desk.does("ben", offer("ben", "c2"));
    assert_snapshot!(desk.refused(&By::Orderly, code("c2", "A9")), @"This account is ana's already. One account is one person; the operator can take it off them with `orderly person unlink`.");
    let unlink = Request::Unlink {
        person: person("ana"),
        platform: "discord".to_owned(),
    };
    desk.operator(unlink);
    assert_eq!(desk.state.person_of(&theirs), None);
}

#[test]
fn a_code_runs_out_is_replaced_and_is_only_ever_ones_own() {
    let mut desk = Desk::with(&["ana", "ben"]);
    desk.does("ana", offer("ana", "c1"));
    desk.does("ana", offer("ana", "c2"));
    assert!(desk.refused(&By::Orderly, code("c1", "A9")).contains("not known"));
    let late = now() + super::LINK_LASTS;
    let refusal = carry_out(&mut desk.state.clone(), &By::Orderly, &code("c2", "A9"), late);
    assert!(refusal.expect_err("it has run out").words.contains("run out"));
    assert!(
        desk.refuses("ben", offer("ana", "c3"))
            .contains("Only the operator")
    );
    assert!(
        desk.refuses("ben", code("c2", "A9"))
            .contains("Only the operator")
    );
}

const APPROVERS: &str = "slack/@approvers";

fn group(name: &str, users: &[&str]) -> Request {
    let member = |user: &&str| Member {
        identity: identity(user),
        name: format!("Person {user}"),
    };
    Request::ReadGroup {
        group: name.to_owned(),
        roles: BTreeSet::from([Role::Approver]),
        members: users.iter().map(member).collect(),
    }
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}

#[test]
fn a_group_makes_its_members_people_with_its_roles() {
    let mut desk = Desk::default();
    desk.operator(put("ana", &[], &["U1"]));
    let events = desk.operator(group(APPROVERS, &["U1", "U2"]));
    assert_eq!(kinds(&events), ["member_added", "group_read"]);
    assert!(
        desk.operator(group(APPROVERS, &["U1", "U2"])).is_empty(),
        "read again"
    );
    let brought = person("slack.u2");
    assert_eq!(desk.state.person_of(&identity("U2")), Some(&brought));
    assert_eq!(desk.state.people[&brought].name, "Person U2");
    assert!(desk.state.standings()[&brought].may_command);
    let approvers: Vec<_> = desk
        .state
        .holders(Role::Approver)
        .map(|(id, _)| id.0.as_str())
        .collect();
    assert_eq!(approvers, ["ana", "slack.u2"]);
    assert!(
        desk.state.people[&person("ana")].roles.is_empty(),
        "her own are the operator's to give"
    );
}

#[test]
fn who_leaves_the_last_group_commands_no_longer_until_they_are_back() {
    let mut desk = Desk::default();
    desk.operator(group(APPROVERS, &["U1", "U2"]));
    desk.operator(group("slack/@leads", &["U2"]));
    let left = desk.operator(group(APPROVERS, &["U1"]));
    assert_eq!(
        kinds(&left),
        ["group_read"],
        "another group still vouches for them"
    );
    let left = desk.operator(group("slack/@leads", &[]));
    assert_eq!(kinds(&left), ["group_read", "member_left"]);
    assert!(!desk.state.standings()[&person("slack.u2")].may_command);
    let back = desk.operator(group(APPROVERS, &["U1", "U2"]));
    assert_eq!(kinds(&back), ["member_returned", "group_read"]);
    assert!(desk.state.standings()[&person("slack.u2")].may_command);
}

#[test]
fn a_group_that_cannot_be_read_gives_its_roles_to_nobody_and_keeps_its_people() {
    let mut desk = Desk::default();
    desk.operator(group(APPROVERS, &["U1"]));
    let lose = || Request::LoseGroup {
        group: APPROVERS.to_owned(),
        roles: BTreeSet::from([Role::Approver]),
        why: "it is disabled".to_owned(),
    };
    assert_eq!(kinds(&desk.operator(lose())), ["group_lost"]);
    assert!(desk.operator(lose()).is_empty());
    assert_eq!(desk.state.holders(Role::Approver).count(), 0);
    assert!(desk.state.standings()[&person("slack.u1")].may_command);
    assert_eq!(kinds(&desk.operator(group(APPROVERS, &["U1"]))), ["group_read"]);
    assert_eq!(desk.state.holders(Role::Approver).count(), 1);
}

#[test]
fn a_group_that_the_config_no_longer_names_is_forgotten_with_those_it_brought() {
    let mut desk = Desk::with(&["ana"]);
    desk.operator(group(APPROVERS, &["ana", "U2"]));
    let groups = BTreeSet::new();
    let events = desk.operator(Request::KeepGroups { groups });
    assert_eq!(kinds(&events), ["member_left", "group_dropped"]);
    let standings = desk.state.standings();
    assert!(standings[&person("ana")].may_command && !standings[&person("slack.u2")].may_command);
}

#[test]
fn whom_the_operator_deactivated_no_group_brings_back() {
    let mut desk = Desk::default();
    desk.operator(group(APPROVERS, &["U1"]));
    desk.operator(Request::Deactivate {
        person: person("slack.u1"),
        reason: "left the company".to_owned(),
    });
    desk.operator(group(APPROVERS, &[]));
    desk.operator(group(APPROVERS, &["U1"]));
    assert!(!desk.state.standings()[&person("slack.u1")].may_command);
    assert_eq!(desk.state.holders(Role::Approver).count(), 0);
}

#[test]
fn the_operator_says_who_somebody_is_whom_a_group_had_brought() {
    let mut desk = Desk::default();
    desk.operator(group(APPROVERS, &["U1"]));
    let events = desk.operator(put("ana", &[], &["U1"]));
    assert_eq!(
        kinds(&events),
        [
            "identity_unlinked",
            "member_left",
            "person_added",
            "identity_linked"
        ]
    );
    assert_eq!(desk.state.person_of(&identity("U1")), Some(&person("ana")));
    assert!(
        !desk.state.standings()[&person("slack.u1")].may_command,
        "one human, one vote"
    );
    assert_eq!(
        desk.state.roles_of(&person("ana")),
        BTreeSet::from([Role::Approver])
    );
    assert!(desk.operator(group(APPROVERS, &["U1"])).is_empty());
}

#[test]
fn only_the_bot_says_who_is_in_a_group() {
    let mut desk = Desk::with(&["ana"]);
    assert!(
        desk.refuses("ana", group(APPROVERS, &["ana"]))
            .starts_with("Only the operator")
    );
}
