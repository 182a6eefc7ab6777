//! A made-up incident for the tests: a scheduled action of Odoo books wrong entries at the month's end.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::incident::*;

/// Writes a journal as one would tell it: at this time, this person, this fact.
pub struct Journal {
    pub events: Vec<Recorded>,
    now: DateTime<Utc>,
}

pub fn at(text: &str) -> DateTime<Utc> {
    format!("2026-{text}:00Z")
        .parse()
        .expect("a time like 10-31T14:00")
}

impl Journal {
    pub fn new() -> Self {
        Self {
            events: Vec::new(),
            now: at("10-31T14:26"),
        }
    }

    /// `10-31T14:26`.
    pub fn at(&mut self, text: &str) -> &mut Self {
        self.now = at(text);
        self
    }

    pub fn by(&mut self, person: &str, event: Event) -> &mut Self {
        self.push(
            By::Person {
                id: PersonId::new(person),
            },
            "clock",
            self.now,
            Some(event),
        )
    }

    pub fn bot(&mut self, event: Event) -> &mut Self {
        self.push(By::Orderly, "clock", self.now, Some(event))
    }

    /// Told afterwards: happened at another time than it was written down.
    pub fn said(&mut self, person: &str, occurred: &str, source: &str, event: Event) -> &mut Self {
        self.push(
            By::Person {
                id: PersonId::new(person),
            },
            source,
            at(occurred),
            Some(event),
        )
    }

    pub fn redacted(&mut self, person: &str) -> &mut Self {
        self.push(
            By::Person {
                id: PersonId::new(person),
            },
            "clock",
            self.now,
            None,
        )
    }

    fn push(&mut self, by: By, source: &str, occurred: DateTime<Utc>, event: Option<Event>) -> &mut Self {
        let seq = self.events.len() as u64 + 1;
        let recorded = self.now;
        self.events.push(Recorded {
            seq,
            recorded,
            occurred,
            source: source.to_owned(),
            by,
            event,
        });
        self.now += TimeDelta::seconds(4);
        self
    }

    /// Asks a probe and has it answered.
    fn probe(&mut self, person: &str, run: u32, probe: &str, purpose: Purpose, answer: Answer) -> &mut Self {
        let asked = Asked {
            run: ProbeRunId(run),
            round: run,
            probe: probe.to_owned(),
            target: "odoo-prod".to_owned(),
            params: Params::from([("since".to_owned(), json!("2026-10-31T14:00Z"))]),
            purpose,
        };
        match person {
            "orderly" => self.bot(Event::ProbeAsked { asked }),
            person => self.by(person, Event::ProbeAsked { asked }),
        };
        let (by, now) = (By::Orderly, self.now);
        self.push(
            by,
            "probe",
            now,
            Some(Event::ProbeAnswered {
                run: ProbeRunId(run),
                answer,
            }),
        )
    }

    fn moment(&mut self, person: &str, moment: Moment, when: &str, provenance: &str) -> &mut Self {
        let event = Event::MomentSet {
            moment,
            at: at(when),
            provenance: provenance.to_owned(),
        };
        self.by(person, event)
    }
}

pub fn names(person: &PersonId) -> String {
    match person.0.as_str() {
        "ana" => "Ana Reyes",
        "ben" => "Ben Okafor",
        "chloe" => "Chloé Martin",
        "dev" => "Dev Patel",
        "eva" => "Eva Lind",
        other => other,
    }
    .to_owned()
}

fn answer(verdict: Verdict, summary: &str, excerpt: &str) -> Answer {
    Answer {
        verdict,
        summary: summary.to_owned(),
        excerpt: excerpt.to_owned(),
        impact: matches!(verdict, Verdict::Failing)
            .then(|| "Invoices of the month are booked twice; the closing cannot be signed.".to_owned()),
        duration_ms: 41,
        output: Some("5f".repeat(32)),
        caveats: Vec::new(),
    }
}

pub fn plan() -> Plan {
    let step = |id: &str, text: &str| Step {
        id: id.to_owned(),
        text: text.to_owned(),
        kind: StepKind::Do,
        required: true,
        branch: None,
        line: None,
    };
    Plan {
        name: "month-end-posting".to_owned(),
        title: "Month-end posting failure".to_owned(),
        digest: "ab".repeat(32),
        phases: vec![PlanPhase {
            phase: Phase::Contain,
            intro: String::new(),
            leave: None,
            steps: vec![step(
                "contain.1",
                "Stop the scheduled action that books the entries",
            )],
        }],
    }
}

pub fn opening(title: &str) -> Opening {
    Opening {
        number: IncidentId(7),
        title: title.to_owned(),
        severity: Severity::Sev2,
        process: Process::Finance,
        targets: vec!["odoo-prod".to_owned()],
        private: false,
        drill: false,
        retroactive: false,
        asked_in: None,
        here: None,
        history: false,
        plan: plan(),
        chosen_because: "the title says month-end".to_owned(),
        catalog: "cd".repeat(32),
        settings: Settings::default(),
    }
}

pub fn terms(containment: bool) -> Terms {
    let check = Check {
        probe: "odoo.cron".to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::from([("since".to_owned(), json!("2026-10-31T14:00Z"))]),
        wants: Verdict::Ok,
        expression: "rows[0].active == false".to_owned(),
    };
    Terms {
        action: "odoo.cron.disable".to_owned(),
        title: "Switch off the scheduled action “Post entries”".to_owned(),
        params: Params::from([("cron".to_owned(), json!("Post entries"))]),
        target: "odoo-prod".to_owned(),
        environment: Environment::Production,
        entry_digest: "ee".repeat(32),
        risk: Risk::Medium,
        policy: Policy {
            quorum: 1,
            role: Some(Role::Approver),
            expires_s: 3_600,
        },
        containment,
        manual_change: true,
        precondition: Some(Check {
            wants: Verdict::Failing,
            ..check.clone()
        }),
        verify: Some(check),
        undo: Some(UndoTerms {
            action: "odoo.cron.enable".to_owned(),
            params: Params::new(),
            policy: None,
        }),
        undoes: None,
    }
}

fn operation(display: &str) -> Operation {
    Operation {
        driver: "postgres".to_owned(),
        display: display.to_owned(),
        call: json!({ "statement": display }),
        guards: serde_json::Map::new(),
    }
}

pub fn message(id: &str) -> MessageRef {
    let room = RoomRef {
        platform: "local".to_owned(),
        workspace: "demo".to_owned(),
        room: "inc-7".to_owned(),
    };
    MessageRef {
        room,
        message: id.to_owned(),
    }
}

/// The whole life of an approved action.
fn act(
    journal: &mut Journal,
    id: u32,
    mut terms: Terms,
    display: &str,
    runs: [(u32, Answer); 2],
    times: [&str; 3],
) {
    let proposal = ProposalId(id);
    let operation = operation(display);
    terms.undoes = (terms.action == "odoo.cron.enable").then_some(ProposalId(1));
    let digest = digest(&terms, &operation);
    let preview = Preview {
        operation: operation.clone(),
        effect: "1 row: active true".to_owned(),
        dry_run: true,
    };
    let [(before, before_answer), (after, after_answer)] = runs;
    journal.at(times[0]).by(
        "ben",
        Event::ProposalDrafted {
            proposal,
            terms: Box::new(terms),
            reason: "It books wrong entries every ten minutes.".to_owned(),
            break_glass: false,
        },
    );
    let expires = at(times[0]) + TimeDelta::hours(1);
    journal.bot(Event::Proposed {
        proposal,
        preview: Box::new(preview),
        digest: digest.clone(),
        expires,
    });
    let reason = Some("Right job, right database.".to_owned());
    journal.at(times[1]).by(
        "chloe",
        Event::Approved {
            proposal,
            digest: digest.clone(),
            reason,
            through: None,
        },
    );
    journal.bot(Event::Cleared {
        proposal,
        approvers: vec![PersonId::new("chloe")],
    });
    journal.probe(
        "orderly",
        before,
        "odoo.cron",
        Purpose::Precondition { proposal },
        before_answer,
    );
    let attempt = AttemptId(id);
    journal.at(times[2]).bot(Event::AttemptStarted {
        proposal,
        attempt,
        operation,
        digest,
    });
    journal.bot(Event::AttemptFinished {
        attempt,
        outcome: Outcome::Done {
            report: "UPDATE 1".to_owned(),
        },
    });
    journal.probe(
        "orderly",
        after,
        "odoo.cron",
        Purpose::Verify { proposal },
        after_answer,
    );
    let grounds = format!("odoo.cron answered as wanted (P{after})");
    journal.bot(Event::Verified {
        proposal,
        run: Some(ProbeRunId(after)),
        worked: true,
        grounds,
    });
}

pub fn incident() -> Vec<Recorded> {
    let mut journal = Journal::new();
    confirm(&mut journal);
    contain(&mut journal);
    triage(&mut journal);
    decide_and_recover(&mut journal);
    learn(&mut journal);
    journal.events
}

fn confirm(journal: &mut Journal) {
    journal
        .by("ana", Event::Opened { opening: Box::new(opening("Month-end posting books entries twice")) })
        .bot(Event::RoomOpened { room: message("").room, audience: Audience::Internal, made: true })
        .bot(Event::PhaseEntered { phase: Phase::Confirm, from: None, passage: Passage::Start })
        .bot(Event::MomentSet { moment: Moment::Declared, at: at("10-31T14:26"), provenance: "the opening".to_owned() })
        .by("ana", Event::RoleTaken { role: Role::Commander, person: PersonId::new("ana") })
        .at("10-31T14:28")
        .by("ben", Event::Acknowledged)
        .bot(Event::MomentSet { moment: Moment::Acknowledged, at: at("10-31T14:28"), provenance: "said by ben".to_owned() })
        .by("ben", Event::RoleTaken { role: Role::Responder, person: PersonId::new("ben") })
        .by("chloe", Event::RoleTaken { role: Role::Approver, person: PersonId::new("chloe") })
        .at("10-31T14:31")
        .moment("ana", Moment::Onset, "10-31T14:00", "said by ana")
        .moment("ana", Moment::Detected, "10-31T14:21", "alert PostingDuplicates")
        .by(
            "ana",
            Event::Framed {
                frame: Frame {
                    trouble: Some(Trouble::Function),
                    what: Some("month-end posting".to_owned()),
                    works: Some("sales, warehouse and the portal".to_owned()),
                    who: Some("finance, 14 people".to_owned()),
                    impact: Some("the month cannot be closed".to_owned()),
                    since: Some(at("10-31T14:00")),
                },
                sentence: "Month-end posting has been wrong since 14:00 for finance, 14 people; the month cannot be closed; sales, warehouse and the portal still work.".to_owned(),
                whole: true,
            },
        )
        .at("10-31T14:33")
        .bot(Event::PhaseEntered { phase: Phase::Contain, from: Some(Phase::Confirm), passage: Passage::Gate });
}

fn contain(journal: &mut Journal) {
    journal
        .by(
            "ben",
            Event::DamageAssessed {
                ongoing: true,
                detail: Some("Every run of the job adds about 130 wrong entries.".to_owned()),
            },
        )
        .probe(
            "ben",
            1,
            "odoo.cron",
            Purpose::Ask {
                step: Some("contain.1".to_owned()),
            },
            answer(
                Verdict::Failing,
                "“Post entries” is active and ran 3 times since 14:00",
                "Post entries | active | 10 min\n",
            ),
        )
        .said(
            "ben",
            "10-31T14:22",
            "message",
            Event::MessageMarked {
                marked: Marked {
                    message: message("1001"),
                    author: "Eva Lind".to_owned(),
                    text: "finance sees invoice INV/2026/10/0412 twice".to_owned(),
                    files: vec![FileRef {
                        id: "F1".to_owned(),
                        name: "twice.png".to_owned(),
                        media_type: "image/png".to_owned(),
                        size: 48_213,
                    }],
                },
                reacted: true,
            },
        )
        .at("10-31T14:36")
        .by(
            "ana",
            Event::SeverityChanged {
                from: Severity::Sev2,
                to: Severity::Sev1,
                reason: Some("wrong entries keep being written".to_owned()),
            },
        )
        .by(
            "ana",
            Event::Paged {
                page: PageId(1),
                role: Some(Role::Approver),
                people: vec![PersonId::new("chloe")],
                message: Some("approval needed".to_owned()),
            },
        );
    let before = answer(
        Verdict::Failing,
        "“Post entries” is active",
        "Post entries | active | 10 min\nMail queue   | active | 1 min\n",
    );
    let after = answer(
        Verdict::Ok,
        "“Post entries” is switched off",
        "Post entries | off    | 10 min\nMail queue   | active | 1 min\n",
    );
    let display = "UPDATE ir_cron SET active = false WHERE id = $1 AND active -- $1 = 42";
    act(
        journal,
        1,
        terms(true),
        display,
        [(2, before), (3, after)],
        ["10-31T14:37", "10-31T14:41", "10-31T14:42"],
    );
    journal
        .by("chloe", Event::PageAcknowledged { page: PageId(1) })
        .bot(Event::MomentSet {
            moment: Moment::Contained,
            at: at("10-31T14:42"),
            provenance: "verified containment A1".to_owned(),
        })
        .by(
            "ben",
            Event::StepDone {
                step: "contain.1".to_owned(),
                note: None,
            },
        )
        .by(
            "eva",
            Event::RoleTaken {
                role: Role::Liaison,
                person: PersonId::new("eva"),
            },
        )
        .by(
            "eva",
            Event::UpdateSent {
                text: "Posting is stopped. Nothing more is booked wrongly. Please do not post by hand."
                    .to_owned(),
                next: Some(at("10-31T15:15")),
            },
        )
        .at("10-31T14:45")
        .bot(Event::PhaseEntered {
            phase: Phase::Triage,
            from: Some(Phase::Contain),
            passage: Passage::Gate,
        });
}

fn triage(journal: &mut Journal) {
    journal
        .at("10-31T14:50")
        .probe(
            "ben",
            4,
            "git.changes",
            Purpose::Ask { step: None },
            answer(
                Verdict::Suspect,
                "release 17.0.42 went out at 13:40 with 3 commits in account_posting",
                "a1b2c3d account_posting: post per journal\n",
            ),
        )
        .probe(
            "ben",
            5,
            "host.disk",
            Purpose::Ask { step: None },
            answer(Verdict::Ok, "61 % used", ""),
        )
        .probe(
            "dev",
            6,
            "carrier.health",
            Purpose::Ask { step: None },
            answer(Verdict::Unknown, "no answer within 5 s", ""),
        )
        .by(
            "ben",
            Event::FindingRecorded {
                finding: FindingId(1),
                line: Line::Resources,
                conclusion: Conclusion::Cleared,
                text: "Disk, memory and connections are fine.".to_owned(),
                evidence: vec![ProbeRunId(5)],
            },
        )
        .at("10-31T15:02")
        .by(
            "dev",
            Event::FindingRecorded {
                finding: FindingId(2),
                line: Line::Changes,
                conclusion: Conclusion::Suspect,
                text: "Release 17.0.42 runs the posting once per journal instead of once per company."
                    .to_owned(),
                evidence: vec![ProbeRunId(4)],
            },
        )
        .by(
            "dev",
            Event::FindingRecorded {
                finding: FindingId(3),
                line: Line::Logs,
                conclusion: Conclusion::Suspect,
                text: "Two workers took the job in the same second at 14:10.".to_owned(),
                evidence: vec![],
            },
        )
        .by(
            "ana",
            Event::CauseAccepted {
                finding: FindingId(2),
                reason: None,
            },
        )
        .by(
            "ana",
            Event::TriageLeft {
                lines: vec![Line::Dependencies],
                reason: "the cause is accepted".to_owned(),
            },
        )
        .at("10-31T15:05")
        .by(
            "ana",
            Event::HandedOver {
                role: Role::Commander,
                from: PersonId::new("ana"),
                to: PersonId::new("dev"),
                note: Some("end of my shift; cause is known".to_owned()),
            },
        )
        .by(
            "dev",
            Event::PhaseEntered {
                phase: Phase::Decide,
                from: Some(Phase::Triage),
                passage: Passage::Gate,
            },
        );
}

fn decide_and_recover(journal: &mut Journal) {
    journal
        .at("10-31T15:12")
        .by(
            "dev",
            Event::Decided {
                way: Way::RollBack,
                reason: "It followed a release, and the release has no migration.".to_owned(),
                facts: vec![
                    "D2: the release changed the posting".to_owned(),
                    "the release has no migration".to_owned(),
                ],
            },
        )
        .by(
            "dev",
            Event::PhaseEntered {
                phase: Phase::Recover,
                from: Some(Phase::Decide),
                passage: Passage::Gate,
            },
        )
        .by(
            "dev",
            Event::TaskAdded {
                task: TaskId(1),
                text: "Reverse the wrong entries with the finance team".to_owned(),
                owner: Some(PersonId::new("ben")),
                source: None,
                marking: Marking::Asked,
            },
        )
        .by(
            "ben",
            Event::ChangeNoted {
                change: ChangeId(2),
                text: "rolled back the deployment by hand to 17.0.41".to_owned(),
                proposal: None,
            },
        )
        .at("10-31T15:20")
        .by(
            "ben",
            Event::RecoveryChecked {
                item: RecoveryItem::Records,
                passed: false,
                count: Some(412),
                detail: Some("412 entries were booked twice".to_owned()),
            },
        )
        .at("10-31T15:25")
        .bot(Event::MomentSet {
            moment: Moment::Mitigated,
            at: at("10-31T15:25"),
            provenance: "said by dev".to_owned(),
        });
    let before = answer(
        Verdict::Ok,
        "“Post entries” is switched off",
        "Post entries | off    | 10 min\n",
    );
    let after = answer(
        Verdict::Ok,
        "“Post entries” is active",
        "Post entries | active | 10 min\n",
    );
    let mut enable = terms(false);
    enable.action = "odoo.cron.enable".to_owned();
    enable.title = "Switch on the scheduled action “Post entries”".to_owned();
    enable.undo = None;
    let display = "UPDATE ir_cron SET active = true WHERE id = $1 AND NOT active -- $1 = 42";
    act(
        journal,
        2,
        enable,
        display,
        [(7, before), (8, after)],
        ["10-31T17:30", "10-31T17:33", "10-31T17:34"],
    );
    journal
        .bot(Event::ContainmentLifted {
            proposal: ProposalId(1),
            grounds: "A2 took it back".to_owned(),
        })
        .by(
            "ben",
            Event::TaskDone {
                task: TaskId(1),
                note: None,
            },
        )
        .by(
            "ben",
            Event::RecoveryChecked {
                item: RecoveryItem::Records,
                passed: true,
                count: Some(0),
                detail: Some("all reversed, checked by finance".to_owned()),
            },
        )
        .by(
            "ben",
            Event::RecoveryChecked {
                item: RecoveryItem::SmokeTest,
                passed: true,
                count: None,
                detail: None,
            },
        )
        .by(
            "dev",
            Event::RecoveryWaived {
                item: RecoveryItem::Backlog,
                reason: "posting has no queue".to_owned(),
            },
        )
        .by(
            "dev",
            Event::ChangeReconciled {
                change: ChangeId(2),
                reference: "gitops!1187".to_owned(),
            },
        )
        .by(
            "dev",
            Event::ChangeWaived {
                change: ChangeId(1),
                reason: "switched on again, nothing is left to reconcile".to_owned(),
            },
        )
        .at("10-31T18:05")
        .bot(Event::MomentSet {
            moment: Moment::Recovered,
            at: at("10-31T18:05"),
            provenance: "said by dev".to_owned(),
        })
        .by(
            "dev",
            Event::SeverityChanged {
                from: Severity::Sev1,
                to: Severity::Sev3,
                reason: None,
            },
        )
        .by(
            "dev",
            Event::PhaseEntered {
                phase: Phase::Learn,
                from: Some(Phase::Recover),
                passage: Passage::Override {
                    reason: "the change of the deployment is in review".to_owned(),
                    open: vec!["one manual change is not reconciled".to_owned()],
                },
            },
        )
        .by(
            "dev",
            Event::Resolved {
                summary: Some("Posting runs again on 17.0.41; all 412 entries are reversed.".to_owned()),
            },
        );
}

fn learn(journal: &mut Journal) {
    journal
        .at("11-02T09:00")
        .by("ana", Event::FollowupAdded { followup: FollowupId(1), text: "Make the posting idempotent per company and period".to_owned(), owner: Some(PersonId::new("dev")), due: Some(at("11-13T00:00").date_naive()), tracker: Some("https://tracker.example/ODOO-981".to_owned()), source: None, marking: Marking::Asked })
        .by("ana", Event::FollowupAdded { followup: FollowupId(2), text: "Alert on duplicate entries within five minutes".to_owned(), owner: Some(PersonId::new("ben")), due: None, tracker: None, source: None, marking: Marking::Asked })
        .by("ana", Event::Linked { link: Link::Url { url: "https://dash.example/posting".to_owned(), title: Some("Dashboard of the posting".to_owned()) } })
        .by("ana", Event::Linked { link: Link::Related { incident: IncidentId(3) } })
        .by("ana", Event::SectionWritten { section: Section::WentWell, text: "The job was stopped 16 minutes after the declaration.\nNobody had to search for the approver.".to_owned() })
        .by("dev", Event::SectionWritten { section: Section::Prevention, text: "A second run of the same period must refuse itself.".to_owned() })
        .by("ben", Event::Noted { text: "The alert fired 21 minutes late because it counts per hour.".to_owned() })
        .redacted("ben");
    let row = journal.events.len() as u64;
    journal
        .by(
            "ana",
            Event::Redacted {
                row,
                reason: "a password was pasted".to_owned(),
                messages: Vec::new(),
                gaps: Vec::new(),
            },
        )
        .bot(Event::ClockJumped { back_ms: 61_000 })
        .by(
            "ana",
            Event::ReviewChanged {
                to: Review::InReview,
                note: None,
            },
        );
}

/// One event of each kind that the incident above does not have.
pub fn the_other_kinds() -> Vec<Event> {
    let proposal = ProposalId(1);
    let why = || "why".to_owned();
    let person = PersonId::new;
    vec![
        Event::RoomFailed {
            why: why(),
            platform: None,
            audience: None,
        },
        Event::RoomAsked {
            platform: "slack".to_owned(),
            audience: Audience::Guest,
        },
        Event::RoomLeft {
            room: message("").room,
            why: None,
        },
        Event::RoomArchived {
            room: message("").room,
        },
        Event::RoomUnarchived {
            room: message("").room,
            after: 3,
            why: None,
        },
        Event::PlatformLost {
            platform: "slack".to_owned(),
            since: at("10-31T14:00"),
        },
        Event::PlatformBack {
            platform: "slack".to_owned(),
        },
        Event::CarryChanged { on: false },
        Event::Retitled { title: why() },
        Event::ProcessChanged {
            from: Process::Finance,
            to: Process::Orders,
        },
        Event::TargetAdded {
            target: "redis-prod".to_owned(),
        },
        Event::RunbookChanged {
            plan: Box::new(plan()),
            reason: why(),
        },
        Event::MarkedDuplicate { of: IncidentId(3) },
        Event::Cancelled { reason: why() },
        Event::Reopened { reason: why() },
        Event::Closed,
        Event::StepSkipped {
            step: "contain.1".to_owned(),
            reason: why(),
        },
        Event::StepAnswered {
            step: "contain.1".to_owned(),
            answer: why(),
        },
        Event::BranchTaken {
            step: "contain.1".to_owned(),
            branch: why(),
            reason: None,
        },
        Event::PreviewFailed { proposal, why: why() },
        Event::Refused {
            proposal,
            reason: why(),
        },
        Event::Withdrawn {
            proposal,
            reason: None,
        },
        Event::Expired { proposal },
        Event::Voided { proposal, why: why() },
        Event::AskedAgain { proposal, circle: 2 },
        Event::Held { proposal, why: why() },
        Event::PreconditionFailed {
            proposal,
            run: ProbeRunId(1),
            why: why(),
        },
        Event::GlassBroken {
            proposal,
            typed_target: "odoo-prod".to_owned(),
            reason: why(),
        },
        Event::GlassReviewed {
            proposal,
            note: why(),
        },
        Event::AttemptSettled {
            attempt: AttemptId(1),
            happened: true,
            grounds: why(),
        },
        Event::ContainmentAccepted {
            proposal,
            reason: why(),
        },
        Event::ContainmentReminded {
            proposals: vec![proposal],
        },
        Event::RoleReleased {
            role: Role::Scribe,
            person: person("eva"),
        },
        Event::RoleNudged {
            role: Role::Commander,
        },
        Event::PageRepeated {
            page: PageId(1),
            times: 2,
        },
        Event::TaskAssigned {
            task: TaskId(1),
            owner: person("ben"),
        },
        Event::TaskDropped {
            task: TaskId(1),
            reason: None,
            taken_back: false,
        },
        Event::FollowupChanged {
            followup: FollowupId(1),
            owner: None,
            due: None,
            tracker: Some(why()),
        },
        Event::FollowupDone {
            followup: FollowupId(1),
            note: None,
        },
        Event::FollowupDropped {
            followup: FollowupId(1),
            reason: None,
            taken_back: true,
        },
        Event::Seconded {
            made: Made::Task(TaskId(1)),
            marking: Marking::Reaction,
        },
        Event::ReactionTakenBack {
            made: Made::Followup(FollowupId(1)),
            marking: Marking::Reaction,
        },
        Event::UpdateReminded {
            due: at("10-31T16:00"),
        },
        Event::UpdateSnoozed {
            until: at("10-31T16:00"),
        },
        Event::FileKept {
            message: message("1001"),
            file: "F1".to_owned(),
            name: why(),
            media_type: "image/png".to_owned(),
            size: 48_213,
            sha256: "77".repeat(32),
        },
        Event::FileMissed {
            message: message("1001"),
            file: "F2".to_owned(),
            name: why(),
            why: why(),
        },
        Event::GroupMissed {
            group: why(),
            why: why(),
        },
        Event::Invited {
            people: vec![person("eva")],
        },
        Event::PostmortemReminded {
            due: at("11-03T16:00"),
        },
        Event::PostmortemSnoozed {
            until: at("11-04T16:00"),
        },
        Event::MessageChanged {
            message: message("9"),
            text: why(),
        },
        Event::MessageUnmarked {
            message: message("9"),
            why: why(),
        },
    ]
}
