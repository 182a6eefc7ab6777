//! Roles, hand-over and pages.

use super::order::ids;
use super::{Deciding, Fact, Facts, maybe_said};
use crate::incident::event::{Event, Recorded};
use crate::incident::refusal::Refusal;
use crate::incident::request::{Request, TimerKey};
use crate::incident::state::{Life, State};
use crate::incident::words::*;

impl Deciding<'_> {
    pub(super) fn decide_people(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::Acknowledge { page } => self.acknowledge(state, *page),
            Request::TakeRole { role, person } => self.take_role(state, *role, person),
            Request::ReleaseRole { role, person } => match state.holds(*role, person) {
                true => self.may_release(state, person).map(|()| {
                    vec![
                        Event::RoleReleased {
                            role: *role,
                            person: person.clone(),
                        }
                        .into(),
                    ]
                }),
                false => Err(Refusal::new(format!(
                    "{person} does not hold the role {role} here."
                ))),
            },
            Request::HandOver { role, to, note } => self.hand_over(state, *role, to, note.clone()),
            Request::Invite { people } => self.invite(state, people),
            Request::Page {
                role,
                people,
                message,
            } => self.page(state, *role, people, message.clone()),
            _ => return self.decide_work(state, request),
        })
    }

    pub(super) fn is_member(&self, person: Option<&PersonId>) -> Result<(), Refusal> {
        match person {
            Some(person) if !self.around.may_command(person) => Err(Refusal::new(format!(
                "{person} is not a member here, so it cannot be theirs."
            ))
            .at("owner")),
            _ => Ok(()),
        }
    }

    fn acknowledge(&self, state: &State, page: Option<PageId>) -> Facts {
        let mut facts = self.first_responder(state);
        let mine = |page: &crate::incident::Page| {
            page.acknowledged.is_none() && self.by.person().is_none_or(|person| page.people.contains(person))
        };
        let waiting: Vec<PageId> = match page {
            Some(id) => match state.pages.get(&id) {
                None => return Err(Refusal::unknown("page", id, &ids(state.pages.keys()))),
                Some(known) if known.acknowledged.is_some() => Vec::new(),
                Some(_) => vec![id],
            },
            None => state
                .pages
                .iter()
                .filter(|(_, page)| mine(page))
                .map(|(id, _)| *id)
                .collect(),
        };
        facts.extend(
            waiting
                .into_iter()
                .map(|page| Event::PageAcknowledged { page }.into()),
        );
        match (facts.is_empty(), page) {
            (false, _) => Ok(facts),
            (true, None) => Err(self.nothing_for_me(state)),
            (true, Some(_)) => Err(Refusal::new("It is acknowledged already; no page waits for you.")
                .offer("Show the card", "status")),
        }
    }

    /// No page waits for whoever asks. Anybody may take over what waits for somebody else, by its number.
    fn nothing_for_me(&self, state: &State) -> Refusal {
        let waiting = state.pages.iter().rfind(|(_, page)| page.acknowledged.is_none());
        let Some((id, page)) = waiting else {
            return Refusal::new("It is acknowledged already; no page waits for you.")
                .offer("Show the card", "status");
        };
        let whom: Vec<String> = page.people.iter().map(ToString::to_string).collect();
        Refusal::new(format!(
            "No page waits for you. {id} waits for {}; `/ack {id}` takes it over in their place.",
            whom.join(", ")
        ))
        .offer("Take it over", format!("page ack {id}"))
    }

    /// The first who takes it up acknowledges it.
    fn first_responder(&self, state: &State) -> Vec<Fact> {
        let Some(person) = self
            .by
            .person()
            .filter(|_| !state.moments.contains_key(&Moment::Acknowledged))
            // Written down afterwards: when it was taken up, somebody has to say.
            .filter(|_| !state.opening.retroactive)
        else {
            return Vec::new();
        };
        let provenance = format!("taken up by {person}");
        vec![
            Event::Acknowledged.into(),
            Event::MomentSet {
                moment: Moment::Acknowledged,
                at: self.now,
                provenance,
            }
            .into(),
        ]
    }

    /// A role is given back by who holds it, or taken off them by who leads.
    fn may_release(&self, state: &State, holder: &PersonId) -> Result<(), Refusal> {
        match self.by.person() == Some(holder) {
            true => Ok(()),
            false => self.leads(state, "take a role off somebody"),
        }
    }

    fn take_role(&self, state: &State, role: Role, person: &PersonId) -> Facts {
        self.is_member(Some(person))
            .map_err(|refusal| refusal.at("person"))?;
        if role == Role::Approver && !self.around.holds(person, Role::Approver) {
            return Err(Refusal::new(format!(
                "{person} is not entitled to approve. The operator gives that with `orderly person grant {person} approver`; \
                 nobody can give it in a room."
            )));
        }
        if state.holds(role, person) {
            return Err(Refusal::new(format!("{person} holds the role {role} already.")));
        }
        if let Some(holder) = state.roles.get(&role).and_then(|holders| holders.first())
            && role.is_single()
            && self.by.person() != Some(holder)
            && self.leads(state, "reassign a role").is_err()
            && !self.around.holds(person, role)
        {
            return Err(Refusal::new(format!(
                "{holder} holds the role {role}. They can hand it over, or somebody entitled to it takes it."
            ))
            .offer("Page them", format!("page {role}")));
        }
        let mut facts = self.first_responder(state);
        facts.push(
            Event::RoleTaken {
                role,
                person: person.clone(),
            }
            .into(),
        );
        Ok(facts)
    }

    fn hand_over(&self, state: &State, role: Role, to: &PersonId, note: Option<String>) -> Facts {
        self.is_member(Some(to)).map_err(|refusal| refusal.at("person"))?;
        let Some(from) = state.roles.get(&role).and_then(|holders| {
            let mine = self.by.person().filter(|person| holders.contains(*person));
            mine.or_else(|| holders.first().filter(|_| role.is_single()))
        }) else {
            let words =
                format!("Nobody holds the role {role}, so there is nothing to hand over. Assign it instead.");
            return Err(Refusal::new(words).offer("Assign it", format!("role assign {role} {to}")));
        };
        if self.by.person() != Some(from) {
            self.leads(state, "hand over somebody else's role")?;
        }
        if role == Role::Approver && !self.around.holds(to, Role::Approver) {
            return Err(Refusal::new(format!(
                "{to} is not entitled to approve, so this role cannot be theirs."
            )));
        }
        if state.holds(role, to) {
            return Err(Refusal::new(format!("{to} holds the role {role} already.")));
        }
        let (from, to) = (from.clone(), to.clone());
        let note = maybe_said("note", "The note", note.as_ref())?;
        Ok(vec![Event::HandedOver { role, from, to, note }.into()])
    }

    /// Whoever sees an incident may bring somebody in; who is in already stays in, and nothing is said twice.
    fn invite(&self, state: &State, people: &[PersonId]) -> Facts {
        if let Some(stranger) = people.iter().find(|person| !self.around.may_command(person)) {
            return Err(Refusal::new(format!(
                "{stranger} is no member here and cannot be invited. Ask the operator to add them with `orderly person add`."
            ))
            .at("person"));
        }
        let members = state.members();
        let fresh: Vec<PersonId> = people
            .iter()
            .filter(|person| !members.contains(person))
            .cloned()
            .collect();
        if fresh.is_empty() {
            let names: Vec<_> = people.iter().map(ToString::to_string).collect();
            return Err(Refusal::new(format!("{} is in already.", names.join(", "))).at("person"));
        }
        Ok(vec![Event::Invited { people: fresh }.into()])
    }

    fn page(&self, state: &State, role: Option<Role>, people: &[PersonId], message: Option<String>) -> Facts {
        let mut paged: Vec<PersonId> = people.to_vec();
        if let Some(role) = role {
            let holders: Vec<_> = state.roles.get(&role).into_iter().flatten().cloned().collect();
            match holders.is_empty() {
                // Nobody took it here: everybody who could.
                true => {
                    let entitled = self
                        .around
                        .people
                        .keys()
                        .filter(|person| self.around.holds(person, role));
                    paged.extend(entitled.cloned());
                }
                false => paged.extend(holders),
            }
        }
        paged.sort();
        paged.dedup();
        if paged.is_empty() {
            let whom = role.map_or("anybody".to_owned(), |role| format!("a {role}"));
            return Err(Refusal::new(format!(
                "There is nobody to page: no one holds or is entitled to be {whom}. Name a person: `/page ana`."
            )));
        }
        if let Some(stranger) = paged.iter().find(|person| !self.around.may_command(person)) {
            return Err(Refusal::new(format!(
                "{stranger} is no member here and cannot be paged. Name somebody else, or ask the operator to add them."
            ))
            .at("people"));
        }
        let message = maybe_said("message", "The message", message.as_ref())?;
        let page = PageId(state.pages.len() as u32 + 1);
        Ok(vec![
            Event::Paged {
                page,
                role,
                people: paged,
                message,
            }
            .into(),
        ])
    }

    pub(super) fn timer_of_people(&self, state: &State, key: &TimerKey) -> Facts {
        if state.is_over() {
            return Ok(Vec::new());
        }
        Ok(match key {
            TimerKey::Nudge { role } => {
                let unclaimed = state.roles.get(role).is_none_or(|holders| holders.is_empty());
                let grave = state.severity.is_grave() && state.life == Life::Open;
                if unclaimed && (*role == Role::Commander || grave) {
                    vec![Fact::by_rule(Event::RoleNudged { role: *role })]
                } else {
                    Vec::new()
                }
            }
            TimerKey::Page { page } => match state.pages.get(page) {
                Some(waiting) if waiting.acknowledged.is_none() => {
                    vec![Fact::by_rule(Event::PageRepeated {
                        page: *page,
                        times: waiting.times + 1,
                    })]
                }
                _ => Vec::new(),
            },
            TimerKey::Update => match state.update_due {
                Some(due) if due <= self.clock => vec![Fact::by_rule(Event::UpdateReminded { due })],
                _ => Vec::new(),
            },
            TimerKey::Postmortem => match (state.postmortem_waits(), state.postmortem_due) {
                (Some(at), Some(due)) if at <= self.clock => {
                    vec![Fact::by_rule(Event::PostmortemReminded { due })]
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    /// The first command of somebody other than the opener takes the incident up, whatever the command was.
    pub(super) fn taken_up(&self, state: &State, just: &[Recorded]) -> Vec<Fact> {
        let by_another = just
            .iter()
            .any(|recorded| recorded.by.person().is_some() && recorded.by != state.opened_by);
        match by_another && state.life == Life::Open {
            true => self.first_responder(state),
            false => Vec::new(),
        }
    }
}

impl State {
    pub fn holds(&self, role: Role, person: &PersonId) -> bool {
        self.roles
            .get(&role)
            .is_some_and(|holders| holders.contains(person))
    }
}
