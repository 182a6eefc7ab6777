//! Groups of a platform that give roles. What the desk knows of them is what was read last; before an approval counts,
//! a role is taken or the glass is broken they are read again, and one that cannot be read counts for nobody.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;

use super::Engine;
use super::decide::{Failed, With};
use crate::chat;
use crate::desk;
use crate::incident::{
    By, Identity, IncidentId, PersonId, Proposal, ProposalId, Purpose, Request, Role, Stage, State, TimerKey,
};

/// A group as the config names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSource {
    pub platform: String,
    /// As the platform's people call it: `@approvers`, or its id.
    pub group: String,
    pub roles: std::collections::BTreeSet<Role>,
}

impl GroupSource {
    /// Its name on the desk: `slack/@approvers`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.platform, self.group)
    }
}

/// Longest wait for a group. Whoever pressed "Approve" waits for it, and so does their incident.
const READ_MAX: TimeDelta = TimeDelta::seconds(5);

/// Between two looks for somebody whom nobody knows: a stranger who types must not use up what approvals need.
pub(super) const STRANGERS_EVERY: TimeDelta = TimeDelta::seconds(60);

/// An action on its way from its approvals to its attempt looks again after this. It asks probes meanwhile, and a held one
/// looks every ten seconds: not each of those is a call.
const ON_ITS_WAY: TimeDelta = TimeDelta::seconds(5);

impl Engine {
    /// The desk forgets the groups that the config no longer names.
    pub async fn keep_groups(&self) -> Result<(), Failed> {
        let groups = &self.inner.parts.options.groups;
        let groups = groups.iter().map(GroupSource::name).collect();
        self.learn(&desk::Request::KeepGroups { groups }).await
    }

    /// Reads all groups, for a start; nobody waits for it.
    pub(super) fn read_groups_soon(&self) {
        if self.inner.parts.options.groups.is_empty() {
            return;
        }
        let (engine, busy) = (self.clone(), self.busy());
        tokio::spawn(async move {
            if let Err(error) = engine.read_groups(TimeDelta::zero(), |_| true).await {
                tracing::error!(%error, "what the groups say could not be stored");
            }
            drop(busy);
        });
    }

    /// Somebody whom nobody knows, or no group vouches for any more, may have come into a group a moment ago.
    pub(super) async fn look_for(&self, who: &Identity) -> Result<(), Failed> {
        if !self.is_missing(who) {
            return Ok(());
        }
        self.read_groups(STRANGERS_EVERY, |group| group.platform == who.platform)
            .await
    }

    /// Whether nobody knows them, or no group vouches for them any more.
    pub(super) fn is_missing(&self, who: &Identity) -> bool {
        let desk = self.desk();
        let known = desk.person_of(who).and_then(|person| desk.people.get(person));
        known.is_none_or(|known| known.left)
    }

    /// Reads what a decision is about to count on, and tells the room what could not be read.
    pub(super) async fn groups_before(
        &self,
        incident: IncidentId,
        by: &By,
        request: &Request,
    ) -> Result<(), Failed> {
        if !self.asks_groups(request) {
            return Ok(());
        }
        let Some(state) = self.state(incident).await? else {
            return Ok(());
        };
        let Some(Counted { on, age }) = counted(&state, by, request) else {
            return Ok(());
        };
        let on: Vec<Option<Role>> = on
            .into_iter()
            .filter(|(person, wanted)| !self.needs_no_group(person, *wanted))
            .map(|(_, wanted)| wanted)
            .collect();
        if on.is_empty() {
            return Ok(());
        }
        // Where every member counts, a group decides who is one.
        let gives = |group: &GroupSource| {
            let mut wanted = on.iter();
            wanted.any(|wanted| wanted.is_none_or(|role| group.roles.contains(&role)))
        };
        self.read_groups(age, gives).await?;
        let desk = self.desk();
        for group in self
            .inner
            .parts
            .options
            .groups
            .iter()
            .filter(|group| gives(group))
        {
            let name = group.name();
            let Some(why) = desk.groups.get(&name).and_then(|known| known.lost.clone()) else {
                continue;
            };
            let request = Request::MissGroup { group: name, why };
            // Written only if the room was not told a moment ago.
            self.decide(incident, &By::Orderly, &request, With::default(), None)
                .await?;
        }
        Ok(())
    }

    /// Whether groups may have to be read before a request is decided.
    pub(super) fn asks_groups(&self, request: &Request) -> bool {
        !self.inner.parts.options.groups.is_empty() && may_count(request)
    }

    /// Whether somebody counts whatever the groups say.
    fn needs_no_group(&self, person: &PersonId, wanted: Option<Role>) -> bool {
        let desk = self.desk();
        desk.people.get(person).is_some_and(|known| match wanted {
            Some(role) => known.roles.contains(&role),
            None => !known.by_group,
        })
    }

    /// Reads groups side by side and brings what they say onto the desk. One that was read within `age` is left as it is.
    pub(super) async fn read_groups(
        &self,
        age: TimeDelta,
        wanted: impl Fn(&GroupSource) -> bool,
    ) -> Result<(), Failed> {
        let mut read_at = self.inner.groups_read.lock().await;
        let now = self.now();
        let all = self.inner.parts.options.groups.iter();
        let old = |group: &&GroupSource| {
            let read = read_at.get(&group.name());
            read.is_none_or(|read| now - *read >= age || now < *read)
        };
        let due: Vec<&GroupSource> = all.filter(|group| wanted(group)).filter(old).collect();
        read_at.extend(due.iter().map(|group| (group.name(), now)));
        let asked = due.iter().map(|group| self.read_group(group));
        for request in join_all(asked).await {
            self.learn(&request).await?;
        }
        Ok(())
    }

    async fn read_group(&self, group: &GroupSource) -> desk::Request {
        let (name, roles) = (group.name(), group.roles.clone());
        let lost = |why: String| desk::Request::LoseGroup {
            group: name.clone(),
            roles: roles.clone(),
            why,
        };
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats.iter().find(|chat| chat.platform() == group.platform) else {
            return lost(format!("{} is not connected", group.platform));
        };
        let read = tokio::select! {
            read = chat.members(&group.group) => read,
            () = self.inner.parts.clock.until(self.now() + READ_MAX) => Err(chat::Error::Retry {
                why: format!("no answer within {} s", READ_MAX.num_seconds()),
                after: None::<Duration>,
            }),
        };
        match read {
            Ok(members) => desk::Request::ReadGroup {
                group: name.clone(),
                roles: roles.clone(),
                members: members
                    .into_iter()
                    .map(|member| desk::Member {
                        identity: member.who,
                        name: member.name,
                    })
                    .collect(),
            },
            Err(chat::Error::Retry { why, .. } | chat::Error::Gone { why }) => lost(why),
        }
    }

    /// Brings something onto the desk, unless it stands there already.
    async fn learn(&self, request: &desk::Request) -> Result<(), Failed> {
        let mut desk = (*self.desk()).clone();
        let new = desk::carry_out(&mut desk, &By::Orderly, request, self.now())?;
        if new.is_empty() {
            return Ok(());
        }
        self.on_desk(&By::Orderly, request).await?;
        Ok(())
    }
}

/// Requests that may count on what a group says of somebody.
fn may_count(request: &Request) -> bool {
    matches!(
        request,
        Request::Approve { .. }
            | Request::BreakGlass { .. }
            | Request::TakeRole { .. }
            | Request::HandOver { .. }
            | Request::AnswerProbe { .. }
            | Request::Timer {
                key: TimerKey::Held { .. }
            }
    )
}

/// Whom a decision counts on, and as what; `None`: as a member. And how old what is known of groups may be for that.
struct Counted<'a> {
    on: Vec<(&'a PersonId, Option<Role>)>,
    age: TimeDelta,
}

fn counted<'a>(state: &'a State, by: &'a By, request: &'a Request) -> Option<Counted<'a>> {
    let approvers = |proposal: &'a Proposal, age| {
        let wanted = proposal.terms.policy.role;
        let people = proposal.approvals.iter().map(|approval| &approval.by);
        Counted {
            on: people.chain(by.person()).map(|person| (person, wanted)).collect(),
            age,
        }
    };
    let on_its_way = |proposal: &ProposalId| {
        let proposal = state.proposals.get(proposal)?;
        matches!(proposal.stage, Stage::Cleared { .. }).then(|| approvers(proposal, ON_ITS_WAY))
    };
    let waiting = |proposal: &ProposalId| {
        let proposal = state.proposals.get(proposal)?;
        matches!(proposal.stage, Stage::Waiting { .. }).then_some(proposal)
    };
    let now = |on| Counted {
        on,
        age: TimeDelta::zero(),
    };
    let leading = by.person().map(|person| (person, None));
    match request {
        Request::Approve { proposal, .. } => Some(approvers(waiting(proposal)?, TimeDelta::zero())),
        Request::BreakGlass { proposal, .. } => {
            waiting(proposal)?;
            Some(now(leading.into_iter().collect()))
        }
        // Nobody need be entitled to a role that is free, but the one of approving.
        Request::TakeRole { role, person } => {
            let is_held = role.is_single() && state.roles.get(role).is_some_and(|held| !held.is_empty());
            let wanted = (is_held || *role == Role::Approver).then_some(*role);
            Some(now(leading.into_iter().chain([(person, wanted)]).collect()))
        }
        Request::HandOver { role, to, .. } => {
            let wanted = (*role == Role::Approver).then_some(*role);
            Some(now(leading.into_iter().chain([(to, wanted)]).collect()))
        }
        Request::AnswerProbe { run, .. } => match &state.runs.get(run)?.asked.purpose {
            Purpose::Precondition { proposal } | Purpose::Before { proposal } => on_its_way(proposal),
            Purpose::Ask { .. } | Purpose::Verify { .. } => None,
        },
        Request::Timer {
            key: TimerKey::Held { proposal },
        } => on_its_way(proposal),
        _ => None,
    }
}
