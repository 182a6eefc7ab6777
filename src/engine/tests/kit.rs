//! A house with an engine in it: people who type, a chat that remembers what it showed, hands that remember what they did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use futures::FutureExt;
use serde::{Deserialize, Serialize};

pub use super::fakes::{Call, EDITS_WAIT, TestChat, TestHands};
use super::fakes::{TestDocuments, TestMeaning, TestWords};
use crate::chat::{Delivery, Incoming, Intake, Refused, Verdict};
use crate::clock::{Clock, ManualClock};
use crate::desk;
use crate::engine::{Engine, GroupSource, Listed, Options, Parts, journal};
use crate::incident::Verdict as Answered;
pub use crate::incident::tests::kit::{propose, start, terms, whole_frame};
use crate::incident::*;
use crate::store::{Memory, Store, Stream};

/// Who may respond, and as what.
pub const PEOPLE: [(&str, &[Role]); 4] = [
    ("ana", &[Role::Approver]),
    ("ben", &[Role::Approver]),
    ("cleo", &[Role::Approver, Role::Commander]),
    ("dan", &[]),
];

/// What a person types: the request itself, so that these tests need no grammar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Said {
    Do(Box<Request>),
    Open(Box<Request>),
    Desk(Box<desk::Request>),
    /// A channel of the other platform.
    AddRoom {
        channel: String,
        audience: Audience,
    },
    Tell(String),
    Export(String),
    Redact {
        /// The number of a row, or the id of a message.
        what: String,
        reason: String,
    },
    Link(Option<String>),
    Panic,
}

/// How long a platform may be away in these tests before the others are told.
pub const AWAY_AFTER: TimeDelta = TimeDelta::minutes(2);

pub struct House {
    pub store: Memory,
    pub clock: ManualClock,
    pub chat: Arc<TestChat>,
    /// Where there are two platforms.
    pub slack: Option<Arc<TestChat>>,
    pub hands: Arc<TestHands>,
    pub engine: Engine,
}

/// Numbers deliveries over restarts, as a platform does.
static SAID: AtomicU64 = AtomicU64::new(0);

impl House {
    /// Everybody known, nothing open.
    pub async fn new() -> Self {
        let house = Self::on(
            Memory::default(),
            ManualClock::at(start()),
            Arc::default(),
            Arc::default(),
        )
        .await;
        house.know_everybody().await;
        house
    }

    /// The same with a group of the platform, whose members are approvers.
    pub async fn with_a_group() -> Self {
        let (store, clock) = (Memory::default(), ManualClock::at(start()));
        let (chat, hands) = (Arc::default(), Arc::default());
        let mut parts = parts(&store, &clock, &chat, &hands);
        parts.options.groups.push(GroupSource {
            platform: "local".to_owned(),
            group: "@on-call".to_owned(),
            roles: [Role::Approver].into(),
        });
        let engine = Engine::load(parts).await.expect("the engine loads");
        engine.start().await.expect("the engine starts");
        let house = Self {
            store,
            clock,
            chat,
            slack: None,
            hands,
            engine,
        };
        house.know_everybody().await;
        house
    }

    /// The same on two platforms; on both everybody has an account.
    pub async fn on_two_platforms() -> Self {
        let slack = Some(Arc::new(TestChat::on("slack")));
        let (store, clock) = (Memory::default(), ManualClock::at(start()));
        let house = Self::with(store, clock, Arc::default(), slack, Arc::default()).await;
        let house = house.expect("the engine starts");
        house.know_everybody().await;
        house
    }

    pub async fn on(store: Memory, clock: ManualClock, chat: Arc<TestChat>, hands: Arc<TestHands>) -> Self {
        let house = Self::try_on(store, clock, chat, hands).await;
        house.expect("the engine starts")
    }

    /// The same; `None` where the process ended before it had started.
    pub async fn try_on(
        store: Memory,
        clock: ManualClock,
        chat: Arc<TestChat>,
        hands: Arc<TestHands>,
    ) -> Option<Self> {
        Self::with(store, clock, chat, None, hands).await
    }

    async fn with(
        store: Memory,
        clock: ManualClock,
        chat: Arc<TestChat>,
        slack: Option<Arc<TestChat>>,
        hands: Arc<TestHands>,
    ) -> Option<Self> {
        let mut parts = parts(&store, &clock, &chat, &hands);
        parts
            .chats
            .extend(slack.iter().map(|slack| Arc::clone(slack) as _));
        let engine = Engine::load(parts).await.ok()?;
        engine.start().await.ok()?;
        Some(Self {
            store,
            clock,
            chat,
            slack,
            hands,
            engine,
        })
    }

    /// The chat of the other platform.
    pub fn slack(&self) -> &TestChat {
        self.slack.as_deref().expect("two platforms")
    }

    pub async fn know_everybody(&self) {
        for (name, roles) in PEOPLE {
            self.know(name, roles).await.expect("a person is added");
        }
        self.engine.quiet().await;
    }

    pub async fn know(&self, name: &str, roles: &[Role]) -> Result<(), crate::engine::Failed> {
        let request = desk::Request::PutPerson {
            person: PersonId::new(name),
            name: name.to_owned(),
            roles: roles.iter().copied().collect(),
            guest: false,
            identities: [identity(name), on_slack(name)].into(),
        };
        self.engine.on_desk(&By::Orderly, &request).await.map(drop)
    }

    /// The same house after its process ended and was started again.
    pub async fn again(self) -> Self {
        let disk = self.store.as_on_disk();
        // The old process is gone: whatever of it still moves finds no store.
        let _ = self.store.close().now_or_never();
        let again = Self::with(disk, self.clock, self.chat, self.slack, self.hands).await;
        again.expect("the engine starts")
    }

    /// Somebody says something about an incident, under a key of its own.
    pub async fn takes(
        &self,
        name: &str,
        incident: Option<u64>,
        said: &Said,
    ) -> Result<Option<u64>, Refused> {
        let key = format!("said-{}", SAID.fetch_add(1, Ordering::SeqCst));
        self.engine.take(command(&key, name, incident, said)).await
    }

    /// The same, decided.
    pub async fn says(&self, name: &str, incident: Option<u64>, said: Said) -> Verdict {
        let inbox = self
            .takes(name, incident, &said)
            .await
            .expect("taken")
            .expect("kept");
        let verdict = self.engine.decided(inbox).await;
        self.engine.quiet().await;
        verdict
    }

    /// Somebody asks something of INC-1 and it is done.
    #[track_caller]
    pub fn does<'a>(&'a self, name: &'a str, request: Request) -> impl Future<Output = ()> + 'a {
        self.does_in(1, name, request)
    }

    pub async fn does_in(&self, incident: u64, name: &str, request: Request) {
        let verdict = self.says(name, Some(incident), Said::Do(Box::new(request))).await;
        assert!(
            verdict.accepted,
            "{name} was refused: {}",
            verdict.message.fallback
        );
    }

    pub async fn refused(&self, name: &str, request: Request) -> String {
        let verdict = self.says(name, Some(1), Said::Do(Box::new(request))).await;
        assert!(!verdict.accepted, "{name} was not refused");
        verdict.message.fallback
    }

    /// Opened by ana; the number it got.
    pub async fn opens(&self, opening: Opening) -> u64 {
        let said = Said::Open(Box::new(open(opening)));
        let verdict = self.says("ana", None, said).await;
        verdict
            .incident
            .unwrap_or_else(|| panic!("not opened: {}", verdict.message.fallback))
    }

    /// Framed, in Contain, with cleo in command.
    pub async fn framed(&self) -> u64 {
        let incident = self.opens(opening()).await;
        let take = Request::TakeRole {
            role: Role::Commander,
            person: PersonId::new("cleo"),
        };
        self.does_in(incident, "cleo", take).await;
        self.does_in(incident, "ana", Request::Frame { frame: whole_frame() })
            .await;
        incident
    }

    pub async fn state(&self, incident: u64) -> State {
        let state = self.engine.state(IncidentId(incident)).await;
        Arc::unwrap_or_clone(state.expect("it loads").expect("it is there"))
    }

    /// What was noted, up to where the state in memory stands.
    pub async fn notes(&self, incident: u64) -> Vec<String> {
        let seen = self.state(incident).await.seq;
        journal::notes(&self.store, IncidentId(incident), seen).await
    }

    pub async fn stage(&self, incident: u64, proposal: u32) -> &'static str {
        let state = self.state(incident).await;
        state
            .proposal(ProposalId(proposal))
            .expect("the proposal")
            .stage
            .word()
    }

    pub async fn journal(&self, incident: u64) -> Vec<Recorded> {
        journal::load(&self.store, IncidentId(incident))
            .await
            .expect("the journal reads")
    }

    pub async fn kinds(&self, incident: u64) -> Vec<&'static str> {
        let journal = self.journal(incident).await;
        journal
            .iter()
            .filter_map(|recorded| Some(recorded.event.as_ref()?.kind()))
            .collect()
    }

    pub async fn count(&self, incident: u64, kind: &str) -> usize {
        self.kinds(incident)
            .await
            .iter()
            .filter(|known| **known == kind)
            .count()
    }

    pub async fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
        self.engine.quiet().await;
    }

    /// Something happens in a room.
    pub async fn hears(&self, key: &str, subject: Option<&str>, incoming: Incoming) -> Option<u64> {
        let delivery = Delivery {
            key: key.to_owned(),
            subject: subject.map(str::to_owned),
            received: self.clock.now(),
            incoming,
        };
        let inbox = self.engine.take(delivery).await.expect("taken");
        self.engine.quiet().await;
        inbox
    }

    pub async fn waits_in_outbox(&self) -> u64 {
        self.store.depths().await.expect("depths").outbox
    }

    pub async fn head(&self, incident: u64) -> u64 {
        self.store
            .head(Stream::Incident(IncidentId(incident)))
            .await
            .expect("a head")
            .seq
    }
}

fn parts(store: &Memory, clock: &ManualClock, chat: &Arc<TestChat>, hands: &Arc<TestHands>) -> Parts {
    Parts {
        store: Arc::new(store.clone()),
        clock: Arc::new(clock.clone()),
        hands: hands.clone(),
        words: Arc::new(TestWords),
        meaning: Arc::new(TestMeaning),
        documents: Arc::new(TestDocuments),
        chats: vec![chat.clone()],
        code: Arc::new(|| Some("ABCDE-FGHJK".to_owned())),
        mask: Arc::new(|text| text.replace("hunter2", "•••")),
        options: Options {
            timeline_emoji: "pushpin".to_owned(),
            task_emoji: "todo".to_owned(),
            followup_emoji: "later".to_owned(),
            announce: Some(lobby()),
            away_after: AWAY_AFTER,
            whole_log: false,
            groups: Vec::new(),
            invite: Vec::new(),
        },
    }
}

pub fn identity(name: &str) -> Identity {
    Identity {
        platform: "local".to_owned(),
        workspace: "local".to_owned(),
        user: name.to_owned(),
    }
}

pub fn on_slack(name: &str) -> Identity {
    Identity {
        platform: "slack".to_owned(),
        workspace: "slack".to_owned(),
        user: format!("U-{name}"),
    }
}

pub fn slack_room(name: &str) -> RoomRef {
    RoomRef {
        platform: "slack".to_owned(),
        workspace: "slack".to_owned(),
        room: name.to_owned(),
    }
}

pub fn lobby() -> RoomRef {
    room("lobby")
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
        room: room("inc-1"),
        message: id.to_owned(),
    }
}

pub fn command(key: &str, name: &str, incident: Option<u64>, said: &Said) -> Delivery {
    let json = serde_json::to_string(said).expect("JSON");
    let text = match incident {
        Some(incident) => format!("INC-{incident} {json}"),
        None => json,
    };
    Delivery {
        key: key.to_owned(),
        subject: None,
        received: start(),
        incoming: Incoming::Command {
            from: identity(name),
            room: lobby(),
            thread: None,
            text,
            trigger: None,
        },
    }
}

pub fn open(opening: Opening) -> Request {
    Request::Open {
        opening: Box::new(opening),
        frame: Frame::default(),
        detected: None,
    }
}

pub fn opening() -> Opening {
    let phases = Phase::ALL.iter().map(|phase| PlanPhase {
        phase: *phase,
        intro: String::new(),
        steps: Vec::new(),
        leave: None,
    });
    Opening {
        number: IncidentId(0),
        title: "Labels do not print".to_owned(),
        severity: Severity::Sev2,
        process: Process::Warehouse,
        targets: vec!["odoo-prod".to_owned()],
        private: false,
        drill: false,
        retroactive: false,
        asked_in: Some(lobby()),
        here: None,
        history: false,
        plan: Plan {
            name: "general".to_owned(),
            title: "Something is wrong".to_owned(),
            digest: "plan".to_owned(),
            phases: phases.collect(),
        },
        chosen_because: "it is the general one".to_owned(),
        catalog: "catalog".to_owned(),
        settings: Settings::default(),
    }
}

/// Stops damage, looked at before and after.
pub fn stopping() -> Terms {
    let probe = |name: &str| Check {
        probe: name.to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::new(),
        wants: Answered::Ok,
        expression: String::new(),
    };
    Terms {
        containment: true,
        precondition: Some(probe("job.runs")),
        verify: Some(probe("job.stopped")),
        ..terms("stop", "odoo-prod")
    }
}

pub fn approve(proposal: u32) -> Request {
    Request::Approve {
        proposal: ProposalId(proposal),
        digest: None,
        reason: None,
    }
}

pub fn note(text: &str) -> Request {
    Request::Note {
        text: text.to_owned(),
    }
}

pub fn titles(listed: &[Arc<Listed>]) -> Vec<String> {
    listed.iter().map(|line| line.title.clone()).collect()
}
