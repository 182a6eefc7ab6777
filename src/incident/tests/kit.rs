//! An incident in the hand: people, a clock, and requests with their outcome.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::invariants::Invariants;
use crate::incident::*;

/// The four who respond, with what they are entitled to. `guest` may read only.
pub const PEOPLE: [(&str, &[Role]); 5] = [
    ("ana", &[Role::Approver]),
    ("ben", &[Role::Approver]),
    ("cleo", &[Role::Approver, Role::Commander]),
    ("dan", &[]),
    ("guest", &[]),
];

pub fn person(name: &str) -> PersonId {
    PersonId::new(name)
}

pub fn start() -> DateTime<Utc> {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

pub fn around() -> Surroundings {
    let people = PEOPLE.iter().map(|(name, roles)| {
        let standing = Standing {
            name: (*name).to_owned(),
            roles: roles.iter().copied().collect(),
            may_command: *name != "guest",
        };
        (person(name), standing)
    });
    Surroundings {
        people: people.collect(),
        groups: Vec::new(),
        freezes: Vec::new(),
        locks: BTreeMap::new(),
        entries: ["stop", "start", "restart", "note"]
            .map(|action| (action.to_owned(), entry(action)))
            .into(),
    }
}

/// Digest of a catalog entry.
pub fn entry(action: &str) -> String {
    format!("entry-of-{action}")
}

pub struct Story {
    pub state: Option<State>,
    pub journal: Vec<Recorded>,
    pub clock: DateTime<Utc>,
    pub around: Surroundings,
    pub invariants: Invariants,
}

impl Story {
    pub fn blank() -> Self {
        Self {
            state: None,
            journal: Vec::new(),
            clock: start(),
            around: around(),
            invariants: Invariants::default(),
        }
    }

    /// Opened by ana with these steps in the runbook; nobody has a role.
    pub fn opened_with(plan: Plan) -> Self {
        let opening = Opening { plan, ..opening() };
        Self::opened_as(opening, Frame::default())
    }

    pub fn opened_as(opening: Opening, frame: Frame) -> Self {
        let mut story = Self::blank();
        story.does(
            "ana",
            Request::Open {
                opening: Box::new(opening),
                frame,
                detected: None,
            },
        );
        story
    }

    pub fn opened() -> Self {
        Self::opened_with(plan(Vec::new()))
    }

    /// Framed and in Contain, with cleo in command.
    pub fn framed() -> Self {
        let mut story = Self::opened();
        story.does("cleo", take("cleo", Role::Commander));
        story.does("ana", Request::Frame { frame: whole_frame() });
        story
    }

    /// Past Contain, without damage.
    pub fn in_triage() -> Self {
        let mut story = Self::framed();
        story.does("ana", damage(false));
        story
    }

    pub fn in_decide() -> Self {
        let mut story = Self::in_triage();
        story.does(
            "ana",
            finding(Line::Changes, Conclusion::Suspect, "the deploy at two"),
        );
        story.does(
            "ana",
            Request::AcceptCause {
                finding: FindingId(1),
                reason: None,
            },
        );
        story.does("ana", next());
        story
    }

    pub fn in_recover() -> Self {
        let mut story = Self::in_decide();
        story.does("cleo", decide(Way::RollBack));
        story.does("cleo", next());
        story
    }

    pub fn in_learn() -> Self {
        let mut story = Self::in_recover();
        for item in RecoveryItem::ALL {
            story.does("ana", check(*item, true));
        }
        story.does("ana", next());
        story
    }

    pub fn closed() -> Self {
        let mut story = Self::in_learn();
        story.review();
        story.does("cleo", Request::Close { reason: None });
        story
    }

    /// Takes the post-mortem through its review.
    pub fn review(&mut self) {
        for to in [Review::InReview, Review::Reviewed] {
            self.does("cleo", Request::Review { to, note: None });
        }
    }

    pub fn state(&self) -> &State {
        self.state.as_ref().expect("the incident is open")
    }

    pub fn proposal(&self, id: u32) -> &Proposal {
        self.state().proposal(ProposalId(id)).expect("the proposal")
    }

    /// Where an action stands, in the word people read.
    pub fn stage(&self, id: u32) -> &'static str {
        self.proposal(id).stage.word()
    }

    pub fn later(&mut self, by: TimeDelta) {
        self.clock += by;
    }

    /// Asks, and hands back what was written or refused; the invariants are held in both cases.
    pub fn ask(&mut self, by: &By, request: &Request) -> Result<Vec<Recorded>, Refusal> {
        let before = self.state.clone();
        let result = carry_out(&mut self.state, by, request, self.clock, &self.around);
        match &result {
            Ok(written) => {
                self.journal.extend(written.iter().cloned());
                self.invariants.after(
                    written,
                    self.clock,
                    &self.around,
                    &self.journal,
                    self.state.as_ref(),
                );
                self.keep_locks(written);
            }
            Err(_) => assert_eq!(self.state, before, "a refusal leaves the state as it was"),
        }
        result
    }

    /// What the store does with locks, so that the surroundings stay true.
    fn keep_locks(&mut self, written: &[Recorded]) {
        let Some(state) = &self.state else { return };
        for recorded in written {
            for effect in react(state, recorded) {
                match effect {
                    Effect::TakeLock { target, attempt } => {
                        let holder = (state.opening.number, attempt);
                        assert_eq!(
                            self.around.locks.insert(target, holder),
                            None,
                            "one attempt per target"
                        );
                    }
                    Effect::ReleaseLock { target, .. } => {
                        self.around.locks.remove(&target);
                    }
                    _ => {}
                }
            }
        }
    }

    /// A person asks and it is done.
    #[track_caller]
    pub fn does(&mut self, name: &str, request: Request) -> Vec<Recorded> {
        match self.ask(&By::Person { id: person(name) }, &request) {
            Ok(written) => written,
            Err(refusal) => panic!("{name} was refused: {}", refusal.words),
        }
    }

    /// A person asks and is refused, with these words.
    #[track_caller]
    pub fn refused(&mut self, name: &str, request: Request) -> String {
        match self.ask(&By::Person { id: person(name) }, &request) {
            Ok(written) => panic!("{name} was not refused: {:?}", kinds(&written)),
            Err(refusal) => refusal.words,
        }
    }

    /// A result or a timer comes back to the bot.
    #[track_caller]
    pub fn returns(&mut self, request: Request) -> Vec<Recorded> {
        match self.ask(&By::Orderly, &request) {
            Ok(written) => written,
            Err(refusal) => panic!("the bot was refused: {}", refusal.words),
        }
    }

    #[track_caller]
    pub fn fires(&mut self, key: TimerKey) -> Vec<Recorded> {
        self.returns(Request::Timer { key })
    }

    /// Proposed by ana and shown.
    pub fn proposed(&mut self, terms: Terms) -> ProposalId {
        self.does("ana", propose(terms));
        let id = ProposalId(self.state().proposals.len() as u32);
        self.shown(id)
    }

    pub fn shown(&mut self, id: ProposalId) -> ProposalId {
        let preview = Box::new(preview("update the row"));
        self.returns(Request::Previewed {
            proposal: id,
            preview,
        });
        id
    }

    /// Proposed, approved by ben, and answered by every check until it runs.
    pub fn running(&mut self, terms: Terms) -> ProposalId {
        let id = self.proposed(terms);
        self.does("ben", approve(id));
        self.answer_all(Verdict::Ok);
        assert_eq!(self.stage(id.0), "running");
        id
    }

    /// Done, and verified where there is a probe for it.
    pub fn verified(&mut self, terms: Terms) -> ProposalId {
        let id = self.running(terms);
        self.ends(id, done());
        self.answer_all(Verdict::Ok);
        id
    }

    pub fn ends(&mut self, id: ProposalId, outcome: Outcome) -> Vec<Recorded> {
        let attempt = self.proposal(id.0).stage.attempt().expect("an attempt");
        self.returns(Request::EndAttempt { attempt, outcome })
    }

    /// Every probe that waits for an answer gets this one.
    pub fn answer_all(&mut self, verdict: Verdict) {
        let waiting = |state: &State| {
            let mut runs = state.runs.iter().filter(|(_, run)| run.answer.is_none());
            runs.next().map(|(run, _)| *run)
        };
        while let Some(run) = waiting(self.state()) {
            self.answers(run, verdict);
        }
    }

    pub fn answers(&mut self, run: ProbeRunId, verdict: Verdict) -> Vec<Recorded> {
        self.returns(Request::AnswerProbe {
            run,
            answer: answer(verdict),
        })
    }

    pub fn freeze(&mut self, target: Option<&str>) {
        self.around.freezes.push(Freeze {
            target: target.map(str::to_owned),
            by: person("dan"),
            reason: "inventory count".to_owned(),
        });
    }

    pub fn lose_role(&mut self, name: &str, role: Role) {
        if let Some(standing) = self.around.people.get_mut(&person(name)) {
            standing.roles.remove(&role);
        }
    }
}

/// Kinds of events, for assertions that read.
pub fn kinds(written: &[Recorded]) -> Vec<&'static str> {
    written
        .iter()
        .filter_map(|recorded| recorded.event.as_ref().map(Event::kind))
        .collect()
}

pub fn opening() -> Opening {
    Opening {
        number: IncidentId(7),
        title: "Labels do not print".to_owned(),
        severity: Severity::Sev2,
        process: Process::Warehouse,
        targets: vec!["odoo-prod".to_owned()],
        private: false,
        drill: false,
        retroactive: false,
        asked_in: Some(room("lobby")),
        here: None,
        history: false,
        plan: plan(Vec::new()),
        chosen_because: "it is the general one".to_owned(),
        catalog: "catalog".to_owned(),
        settings: Settings::default(),
    }
}

pub fn room(name: &str) -> RoomRef {
    RoomRef {
        platform: "local".to_owned(),
        workspace: "local".to_owned(),
        room: name.to_owned(),
    }
}

pub fn message(id: &str) -> MessageRef {
    MessageRef {
        room: room("inc-7"),
        message: id.to_owned(),
    }
}

/// A plan with these steps, each in the phase its id names.
pub fn plan(steps: Vec<Step>) -> Plan {
    let phases = Phase::ALL.iter().map(|phase| PlanPhase {
        phase: *phase,
        intro: String::new(),
        steps: steps
            .iter()
            .filter(|step| step.id.starts_with(phase.word()))
            .cloned()
            .collect(),
        leave: None,
    });
    Plan {
        name: "general".to_owned(),
        title: "Something is wrong".to_owned(),
        digest: "plan".to_owned(),
        phases: phases.collect(),
    }
}

pub fn step(id: &str, kind: StepKind) -> Step {
    Step {
        id: id.to_owned(),
        text: format!("the step {id}"),
        kind,
        required: true,
        branch: None,
        line: None,
    }
}

pub fn whole_frame() -> Frame {
    Frame {
        trouble: Some(Trouble::Down),
        what: Some("label printing".to_owned()),
        works: Some("picking".to_owned()),
        who: Some("the night shift".to_owned()),
        impact: Some("forty trucks wait".to_owned()),
        since: Some(start() - TimeDelta::minutes(20)),
    }
}

pub fn take(name: &str, role: Role) -> Request {
    Request::TakeRole {
        role,
        person: person(name),
    }
}

pub fn damage(ongoing: bool) -> Request {
    Request::AssessDamage {
        ongoing,
        detail: None,
    }
}

pub fn next() -> Request {
    Request::Next { reason: None }
}

pub fn next_because(reason: &str) -> Request {
    Request::Next {
        reason: Some(reason.to_owned()),
    }
}

pub fn back(to: Phase) -> Request {
    Request::Back {
        to,
        reason: "it came back".to_owned(),
    }
}

pub fn decide(way: Way) -> Request {
    Request::Decide {
        way,
        reason: "it followed the deploy".to_owned(),
        facts: Vec::new(),
    }
}

pub fn finding(line: Line, conclusion: Conclusion, text: &str) -> Request {
    Request::RecordFinding {
        line,
        conclusion,
        text: text.to_owned(),
        evidence: Vec::new(),
    }
}

pub fn check(item: RecoveryItem, passed: bool) -> Request {
    Request::CheckRecovery {
        item,
        passed,
        count: (item == RecoveryItem::Records).then_some(0),
        detail: None,
    }
}

/// An action that changes nothing else than its target: one approval by an approver, an hour, no probes, no undo.
pub fn terms(action: &str, target: &str) -> Terms {
    Terms {
        action: action.to_owned(),
        title: format!("{action} the job"),
        params: Params::new(),
        target: target.to_owned(),
        environment: Environment::Production,
        entry_digest: entry(action),
        risk: Risk::Medium,
        policy: Policy {
            quorum: 1,
            role: Some(Role::Approver),
            expires_s: 3_600,
        },
        containment: false,
        manual_change: false,
        precondition: None,
        verify: None,
        undo: None,
        undoes: None,
    }
}

/// Stops damage, with a probe before and after, and an undo.
pub fn stopping() -> Terms {
    Terms {
        containment: true,
        precondition: Some(probe("job.runs", Verdict::Ok)),
        verify: Some(probe("job.stopped", Verdict::Ok)),
        undo: Some(UndoTerms {
            action: "start".to_owned(),
            params: Params::new(),
            policy: None,
        }),
        ..terms("stop", "odoo-prod")
    }
}

/// What takes a proposal back.
pub fn undoing(undone: ProposalId) -> Terms {
    Terms {
        undoes: Some(undone),
        ..terms("start", "odoo-prod")
    }
}

pub fn probe(name: &str, wants: Verdict) -> Check {
    Check {
        probe: name.to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::new(),
        wants,
        expression: format!("{name} holds"),
    }
}

pub fn propose(terms: Terms) -> Request {
    Request::Propose {
        terms: Box::new(terms),
        reason: "wrong records every minute".to_owned(),
    }
}

pub fn preview(display: &str) -> Preview {
    Preview {
        operation: Operation {
            driver: "postgres".to_owned(),
            display: display.to_owned(),
            call: serde_json::json!({ "sql": display }),
            guards: serde_json::Map::new(),
        },
        effect: "active: true -> false".to_owned(),
        dry_run: true,
    }
}

pub fn approve(proposal: ProposalId) -> Request {
    Request::Approve {
        proposal,
        digest: None,
        reason: None,
    }
}

pub fn done() -> Outcome {
    Outcome::Done {
        report: "1 row".to_owned(),
    }
}

pub fn unknown() -> Outcome {
    Outcome::Unknown {
        why: "the connection was lost".to_owned(),
    }
}

pub fn confirm(proposal: ProposalId, worked: bool) -> Request {
    Request::Confirm {
        proposal,
        worked,
        grounds: "no new wrong records for five minutes".to_owned(),
    }
}

pub fn answer(verdict: Verdict) -> Answer {
    Answer {
        verdict,
        summary: format!("it is {verdict}"),
        excerpt: String::new(),
        impact: None,
        duration_ms: 12,
        output: None,
        caveats: Vec::new(),
    }
}

pub fn roles(names: &[Role]) -> BTreeSet<Role> {
    names.iter().copied().collect()
}
