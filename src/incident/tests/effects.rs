//! Which effects events have.

use chrono::TimeDelta;

use super::kit::*;
use crate::incident::*;

/// The effects of what was written, in the state after it.
fn effects(story: &Story, written: &[Recorded]) -> Vec<Effect> {
    written
        .iter()
        .flat_map(|recorded| react(story.state(), recorded))
        .collect()
}

fn timer(effects: &[Effect], wanted: &TimerKey) -> Option<TimeDelta> {
    effects.iter().find_map(|effect| match effect {
        Effect::SetTimer { key, at } if key == wanted => Some(*at - start()),
        _ => None,
    })
}

#[test]
fn opening_opens_a_room_and_asks_for_a_commander_after_a_while() {
    let story = Story::opened();
    let effects = effects(&story, &story.journal);
    assert!(effects.contains(&Effect::OpenRoom));
    assert_eq!(
        timer(
            &effects,
            &TimerKey::Nudge {
                role: Role::Commander
            }
        ),
        Some(TimeDelta::minutes(5))
    );
}

#[test]
fn a_new_room_shows_what_was_asked_before_it_was_there() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let written = story.returns(Request::RoomOpened {
        room: room("inc-7"),
        audience: Audience::Internal,
    });
    let effects = effects(&story, &written);
    for slot in [Slot::Card, Slot::Announcement, Slot::Proposal { proposal: id }] {
        assert!(effects.contains(&Effect::Show { slot }), "{slot}");
    }
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Show {
            slot: Slot::Prompt { .. }
        }
    )));
    assert!(
        story
            .returns(Request::RoomOpened {
                room: room("inc-7"),
                audience: Audience::Internal
            })
            .is_empty()
    );
}

#[test]
fn who_joins_is_let_into_the_rooms() {
    let mut story = Story::opened();
    story.returns(Request::RoomOpened {
        room: room("inc-7"),
        audience: Audience::Internal,
    });
    let written = story.does(
        "ana",
        Request::Page {
            role: None,
            people: vec![person("dan")],
            message: None,
        },
    );
    assert!(effects(&story, &written).contains(&Effect::Invite {
        person: person("dan")
    }));
    let written = story.does("cleo", take("cleo", Role::Commander));
    assert!(effects(&story, &written).contains(&Effect::Invite {
        person: person("cleo")
    }));
}

#[test]
fn starting_takes_the_target_and_runs_once() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let written = story.does("ben", approve(id));
    let effects = effects(&story, &written);
    let attempt = AttemptId(1);
    assert!(effects.contains(&Effect::TakeLock {
        target: "odoo-prod".to_owned(),
        attempt
    }));
    assert_eq!(
        effects
            .iter()
            .filter(|effect| **effect == Effect::Attempt { attempt })
            .count(),
        1
    );
}

#[test]
fn an_unknown_end_is_told_at_once_and_keeps_the_target() {
    let mut story = Story::framed();
    let id = story.running(terms("stop", "odoo-prod"));
    let written = story.ends(id, unknown());
    let effects = effects(&story, &written);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Notice { urgent: true, .. }))
    );
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::ReleaseLock { .. }))
    );
}

#[test]
fn broken_glass_is_told_outside_the_room() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let reason = "nobody is awake".to_owned();
    let written = story.does(
        "cleo",
        Request::BreakGlass {
            proposal: id,
            target: "odoo-prod".to_owned(),
            reason,
        },
    );
    let told: Vec<_> = effects(&story, &written)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Direct { person, .. } => Some(person),
            _ => None,
        })
        .collect();
    assert_eq!(told, [person("ana"), person("cleo")]);
}

#[test]
fn a_proposal_asks_again_after_three_six_and_ten_minutes() {
    let mut story = Story::framed();
    story.does("ana", propose(terms("stop", "odoo-prod")));
    let proposal = ProposalId(1);
    let preview = Box::new(preview("update"));
    let mut written = story.returns(Request::Previewed { proposal, preview });
    let mut asked = Vec::new();
    for circle in 1..=3 {
        let wait = timer(
            &effects(&story, &written),
            &TimerKey::AskAgain { proposal, circle },
        )
        .expect("asks again");
        asked.push(wait.num_minutes());
        story.clock = start() + wait;
        written = story.fires(TimerKey::AskAgain { proposal, circle });
    }
    assert_eq!(asked, [3, 6, 10]);
    let more = effects(&story, &written);
    assert!(
        !more
            .iter()
            .any(|effect| matches!(effect, Effect::SetTimer { .. })),
        "three times is enough"
    );
}

#[test]
fn what_is_decided_is_no_longer_asked_about() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let written = story.does("ben", approve(id));
    let effects = effects(&story, &written);
    assert!(effects.contains(&Effect::ClearTimer {
        key: TimerKey::Expire { proposal: id }
    }));
}

#[test]
fn a_command_given_back_is_asked_for_again() {
    let mut story = Story::opened();
    story.does("cleo", take("cleo", Role::Commander));
    let written = story.does(
        "cleo",
        Request::ReleaseRole {
            role: Role::Commander,
            person: person("cleo"),
        },
    );
    assert!(
        timer(
            &effects(&story, &written),
            &TimerKey::Nudge {
                role: Role::Commander
            }
        )
        .is_some()
    );
}

#[test]
fn reopening_reminds_of_containment_again() {
    let mut story = Story::framed();
    story.verified(stopping());
    story.does(
        "cleo",
        Request::Resolve {
            summary: None,
            reason: Some("over".to_owned()),
        },
    );
    story.does(
        "cleo",
        Request::Close {
            reason: Some("over".to_owned()),
        },
    );
    let written = story.does(
        "cleo",
        Request::Reopen {
            reason: "it is back".to_owned(),
        },
    );
    assert!(timer(&effects(&story, &written), &TimerKey::Containment).is_some());
}

#[test]
fn a_timer_that_woke_too_early_looks_again_at_its_deadline() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let expires = start() + TimeDelta::hours(1);
    let key = TimerKey::Expire { proposal: id };
    assert_eq!(story.state().rearm(&key, start()), Some(expires));
    assert_eq!(story.state().rearm(&key, expires), None);
    story.does(
        "ana",
        Request::SendUpdate {
            text: "we look".to_owned(),
            next_s: Some(600),
        },
    );
    assert_eq!(
        story.state().rearm(&TimerKey::Update, start()),
        Some(start() + TimeDelta::minutes(10))
    );
}

#[test]
fn a_config_that_means_never_does_not_overflow() {
    let settings = Settings {
        nudge_after_s: u64::MAX,
        update_every_s: [u64::MAX; 5],
        ..Settings::default()
    };
    let mut story = Story::opened_as(
        Opening {
            settings,
            ..opening()
        },
        Frame::default(),
    );
    story.fires(TimerKey::Nudge {
        role: Role::Commander,
    });
    assert!(!effects(&story, &story.journal).is_empty());
}

#[test]
fn the_prompt_of_a_phase_that_was_left_is_shown_once_more() {
    let mut story = Story::opened();
    let first = story.state().passages[0].event;
    story.does("cleo", take("cleo", Role::Commander));
    let written = story.does("ana", Request::Frame { frame: whole_frame() });
    let effects = effects(&story, &written);
    let entered = story.state().passages[1].event;
    for entered in [first, entered] {
        let slot = Slot::Prompt { entered };
        assert!(effects.contains(&Effect::Show { slot }), "{slot}");
    }
}
