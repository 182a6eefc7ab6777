//! People and what they did and said: roles, pages, work, updates, links; and what the record itself lacks.

use std::collections::BTreeMap;

use super::Facts;
use crate::incident::*;
use crate::postmortem::document::*;
use crate::timeline::{full_stop, minute};

impl Facts<'_> {
    pub(super) fn people(&self) -> Vec<Person> {
        let mut people: BTreeMap<PersonId, Person> = BTreeMap::new();
        for id in &self.state.involved {
            let person = Person {
                id: id.clone(),
                name: self.name(id),
                roles: Vec::new(),
                events: 0,
                first: None,
            };
            people.insert(id.clone(), person);
        }
        for recorded in self.events {
            if let Some(person) = recorded.by.person().and_then(|id| people.get_mut(id)) {
                person.events += 1;
                person.first.get_or_insert(recorded.seq);
            }
            hold(&mut people, recorded);
        }
        let mut people: Vec<Person> = people.into_values().collect();
        // Those with a role first, in the order of the roles; then by name.
        people.sort_by_key(|person| {
            let first = person.roles.iter().map(|held| held.role).min();
            (first.is_none(), first, person.id.clone())
        });
        people
    }

    pub(super) fn pages(&self) -> Vec<Fact> {
        let mut told: BTreeMap<PageId, Fact> = BTreeMap::new();
        for recorded in self.events {
            let page = match &recorded.event {
                Some(
                    Event::Paged { page, .. }
                    | Event::PageRepeated { page, .. }
                    | Event::PageAcknowledged { page },
                ) => *page,
                _ => continue,
            };
            let fact = told
                .entry(page)
                .or_insert_with(|| self.fact(self.page_text(page), []));
            if fact.events.len() < super::impact::MOST_CITED {
                fact.events.push(recorded.seq);
            }
        }
        told.into_values().collect()
    }

    fn page_text(&self, id: PageId) -> String {
        let Some(page) = self.state.pages.get(&id) else {
            return format!("Page {id}.");
        };
        let whom: Vec<String> = page.people.iter().map(|person| self.name(person)).collect();
        let role = page.role.map(|role| format!("{role}: ")).unwrap_or_default();
        let times = if page.times > 1 {
            format!(", {} times", page.times)
        } else {
            String::new()
        };
        let answer = match &page.acknowledged {
            Some(person) if page.people.contains(person) => format!("{} answered", self.name(person)),
            Some(person) => format!("{} answered in their place", self.name(person)),
            None => "nobody answered".to_owned(),
        };
        format!(
            "{id}: {} paged {role}{}{times}; {answer}.",
            self.who(&page.by),
            whom.join(", ")
        )
    }

    pub(super) fn tasks(&self) -> Vec<Work> {
        let work = |(id, task): (&TaskId, &Task)| {
            let (state, note) = ended(task.end.as_ref());
            Work {
                id: id.to_string(),
                text: task.text.clone(),
                owner: task.owner.as_ref().map(|owner| self.name(owner)),
                due: None,
                tracker: None,
                tracker_url: None,
                state,
                note,
                events: cited(task.event, self.tasks.get(id)),
            }
        };
        self.state.tasks.iter().map(work).collect()
    }

    pub(super) fn followups(&self) -> Vec<Work> {
        let work = |(id, followup): (&FollowupId, &Followup)| {
            let (state, note) = ended(followup.end.as_ref());
            Work {
                id: id.to_string(),
                text: followup.text.clone(),
                owner: followup.owner.as_ref().map(|owner| self.name(owner)),
                due: followup.due,
                tracker: followup.tracker.clone(),
                tracker_url: followup.tracker.as_deref().and_then(safe_url),
                state,
                note,
                events: cited(followup.event, self.followups.get(id)),
            }
        };
        self.state.followups.iter().map(work).collect()
    }

    pub(super) fn updates(&self) -> Vec<Words> {
        let words = |update: &Update| Words {
            text: update.text.clone(),
            by: self.who(&update.by),
            at: update.at,
            event: update.event,
        };
        self.state.updates.iter().map(words).collect()
    }

    pub(super) fn links(&self) -> Vec<LinkRecord> {
        let mut links = Vec::new();
        for recorded in self.events {
            let (text, url) = match &recorded.event {
                Some(Event::Linked {
                    link: Link::Url { url, title },
                }) => (title.clone().unwrap_or_else(|| url.clone()), safe_url(url)),
                Some(Event::Linked {
                    link: Link::Related { incident },
                }) => (format!("{incident}, related"), None),
                Some(Event::MarkedDuplicate { of }) => (format!("{of}, of which this is a duplicate"), None),
                _ => continue,
            };
            links.push(LinkRecord {
                text,
                url,
                events: vec![recorded.seq],
            });
        }
        links
    }

    pub(super) fn detours(&self) -> Vec<Detour> {
        self.state
            .passages
            .iter()
            .filter_map(|passage| {
                let (how, reason, open) = match &passage.passage {
                    Passage::Override { reason, open } => ("override", reason, open.clone()),
                    Passage::Back { reason } => ("back", reason, Vec::new()),
                    Passage::Start | Passage::Gate => return None,
                };
                let reason = Words {
                    text: reason.clone(),
                    by: self.who(&passage.by),
                    at: passage.at,
                    event: passage.event,
                };
                Some(Detour {
                    phase: passage.phase,
                    how: how.to_owned(),
                    reason,
                    open,
                })
            })
            .collect()
    }

    pub(super) fn gaps(&self) -> Gaps {
        let mut gaps = Gaps {
            redacted: self.told(|event| matches!(event, Event::Redacted { .. })),
            ..Gaps::default()
        };
        for recorded in self.events.iter().filter(|recorded| recorded.event.is_none()) {
            let text = format!(
                "What #{} said was removed from the journal; it was written down on {}.",
                recorded.seq,
                minute(recorded.recorded)
            );
            gaps.redacted.push(Said {
                at: recorded.occurred,
                text,
                words: None,
                event: recorded.seq,
            });
        }
        gaps.redacted.sort_by_key(|said| said.event);
        let jumps = self.told(|event| matches!(event, Event::ClockJumped { .. }));
        gaps.clock = jumps
            .into_iter()
            .map(|said| self.fact(said.text, [said.event]))
            .collect();
        gaps.taken_back = self
            .lines
            .iter()
            .filter_map(|line| {
                let why = line.removed.as_ref()?;
                // Its own line is left out, so it is told here where it can be looked up.
                let events: Vec<u64> = std::iter::once(line.event)
                    .chain(line.also.iter().copied())
                    .collect();
                Some(self.fact(
                    format!("A marked message is left out: {}", full_stop(why)),
                    events,
                ))
            })
            .collect();
        gaps
    }
}

fn hold(people: &mut BTreeMap<PersonId, Person>, recorded: &Recorded) {
    match &recorded.event {
        Some(Event::RoleTaken { role, person }) => {
            if role.is_single() {
                let others: Vec<PersonId> = people.keys().filter(|id| *id != person).cloned().collect();
                others.iter().for_each(|id| release(people, id, *role, recorded));
            }
            take(people, person, *role, recorded);
        }
        Some(Event::RoleReleased { role, person }) => release(people, person, *role, recorded),
        Some(Event::HandedOver { role, from, to, .. }) => {
            release(people, from, *role, recorded);
            take(people, to, *role, recorded);
        }
        _ => {}
    }
}

fn take(people: &mut BTreeMap<PersonId, Person>, id: &PersonId, role: Role, recorded: &Recorded) {
    let Some(person) = people.get_mut(id) else { return };
    if person
        .roles
        .iter()
        .any(|held| held.role == role && held.until.is_none())
    {
        return;
    }
    person.roles.push(Held {
        role,
        from: recorded.occurred,
        until: None,
        events: vec![recorded.seq],
    });
}

fn release(people: &mut BTreeMap<PersonId, Person>, id: &PersonId, role: Role, recorded: &Recorded) {
    let Some(person) = people.get_mut(id) else { return };
    if let Some(held) = person
        .roles
        .iter_mut()
        .rfind(|held| held.role == role && held.until.is_none())
    {
        held.until = Some(recorded.occurred);
        held.events.push(recorded.seq);
    }
}

fn ended(end: Option<&Ended>) -> (String, Option<String>) {
    match end {
        None => ("open".to_owned(), None),
        Some(Ended::Done { note, .. }) => ("done".to_owned(), note.clone()),
        Some(Ended::Dropped { taken_back: true, .. }) => (
            "dropped".to_owned(),
            Some("the reaction was taken back".to_owned()),
        ),
        Some(Ended::Dropped { reason, .. }) => ("dropped".to_owned(), reason.clone()),
    }
}

/// The first event and the last further one of the same thing.
fn cited(first: u64, last: Option<&u64>) -> Vec<u64> {
    std::iter::once(first).chain(last.copied()).collect()
}

pub(super) fn task_of(event: &Event) -> Option<TaskId> {
    match event {
        Event::TaskAssigned { task, .. } | Event::TaskDone { task, .. } | Event::TaskDropped { task, .. } => {
            Some(*task)
        }
        _ => None,
    }
}

pub(super) fn followup_of(event: &Event) -> Option<FollowupId> {
    match event {
        Event::FollowupChanged { followup, .. }
        | Event::FollowupDone { followup, .. }
        | Event::FollowupDropped { followup, .. } => Some(*followup),
        _ => None,
    }
}

/// Only what a browser opens as a page: a `javascript:` address must stay text.
pub(super) fn safe_url(url: &str) -> Option<String> {
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    let web = url.starts_with("https://") || url.starts_with("http://");
    (plain && web).then(|| url.to_owned())
}
