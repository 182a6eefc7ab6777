//! Tasks and follow-ups, also those that people make of a message, and take back.

use super::order::ids;
use super::{Deciding, Facts, maybe_said, said};
use crate::incident::event::Event;
use crate::incident::fold::after;
use crate::incident::refusal::Refusal;
use crate::incident::request::{MarkedAt, Request};
use crate::incident::state::{Ended, State, Wanted};
use crate::incident::words::*;

impl Deciding<'_> {
    pub(super) fn decide_work(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::AddTask { text, owner, source } => {
                self.add_task(state, text, owner.as_ref(), source.as_ref())
            }
            Request::AssignTask { task, owner } => state.open_task(*task).and_then(|()| {
                self.is_member(Some(owner))?;
                Ok(vec![
                    Event::TaskAssigned {
                        task: *task,
                        owner: owner.clone(),
                    }
                    .into(),
                ])
            }),
            Request::FinishTask { task, note } => state.open_task(*task).and_then(|()| {
                let note = maybe_said("note", "The note", note.as_ref())?;
                Ok(vec![Event::TaskDone { task: *task, note }.into()])
            }),
            Request::DropTask { task, reason } => state.open_task(*task).and_then(|()| {
                let reason = maybe_said("reason", "The reason", reason.as_ref())?;
                Ok(vec![
                    Event::TaskDropped {
                        task: *task,
                        reason,
                        taken_back: false,
                    }
                    .into(),
                ])
            }),
            Request::TakeTaskBack { source } => Ok(self.take_task_back(state, source)),
            _ => return self.decide_followups(state, request),
        })
    }

    fn decide_followups(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::AddFollowup { .. } => self.add_followup(state, request),
            Request::ChangeFollowup {
                followup,
                owner,
                due,
                tracker,
            } => state.open_followup(*followup).and_then(|()| {
                self.is_member(owner.as_ref())?;
                if owner.is_none() && due.is_none() && tracker.is_none() {
                    return Err(Refusal::new(
                        "Say what changes: the owner, the due day or the tracker link.",
                    ));
                }
                let owner = owner.clone();
                let tracker = maybe_said("tracker", "The tracker link", tracker.as_ref())?;
                Ok(vec![
                    Event::FollowupChanged {
                        followup: *followup,
                        owner,
                        due: *due,
                        tracker,
                    }
                    .into(),
                ])
            }),
            Request::FinishFollowup { followup, note } => state.open_followup(*followup).and_then(|()| {
                let note = maybe_said("note", "The note", note.as_ref())?;
                Ok(vec![
                    Event::FollowupDone {
                        followup: *followup,
                        note,
                    }
                    .into(),
                ])
            }),
            Request::DropFollowup { followup, reason } => state.open_followup(*followup).and_then(|()| {
                let reason = maybe_said("reason", "The reason", reason.as_ref())?;
                Ok(vec![
                    Event::FollowupDropped {
                        followup: *followup,
                        reason,
                        taken_back: false,
                    }
                    .into(),
                ])
            }),
            Request::TakeFollowupBack { source } => Ok(self.take_followup_back(state, source)),
            _ => return None,
        })
    }

    fn add_task(
        &self,
        state: &State,
        text: &str,
        owner: Option<&PersonId>,
        source: Option<&MarkedAt>,
    ) -> Facts {
        let text = said("text", "The task", text)?;
        self.is_member(owner)?;
        if let Some(source) = source
            && let Some((made, wanted)) = state.task_of(&source.message)
        {
            return Ok(self.second(made, wanted, source.marking));
        }
        Ok(vec![
            Event::TaskAdded {
                task: TaskId(state.tasks.len() as u32 + 1),
                text,
                owner: owner.cloned(),
                source: source.map(|source| source.message.clone()),
                marking: source.map_or(Marking::Asked, |source| source.marking),
            }
            .into(),
        ])
    }

    fn add_followup(&self, state: &State, request: &Request) -> Facts {
        let Request::AddFollowup {
            text,
            owner,
            due,
            tracker,
            source,
        } = request
        else {
            return Ok(Vec::new());
        };
        let text = said("text", "The follow-up", text)?;
        self.is_member(owner.as_ref())?;
        if let Some(source) = source
            && let Some((made, wanted)) = state.followup_of(&source.message)
        {
            return Ok(self.second(made, wanted, source.marking));
        }
        let usual = state.opening.settings.followup_due_s;
        let usual = usual.map(|due_s| after(self.clock, due_s).date_naive());
        let tracker = maybe_said("tracker", "The tracker link", tracker.as_ref())?;
        Ok(vec![
            Event::FollowupAdded {
                followup: FollowupId(state.followups.len() as u32 + 1),
                text,
                owner: owner.clone(),
                due: due.or(usual),
                tracker,
                source: source.as_ref().map(|source| source.message.clone()),
                marking: source.as_ref().map_or(Marking::Asked, |source| source.marking),
            }
            .into(),
        ])
    }

    /// Two people marking one message mean one thing; it is known of each, so that it stays until the last takes it back.
    fn second(&self, made: Made, wanted: &Wanted, marking: Marking) -> Vec<super::Fact> {
        match self.by.person() {
            Some(person) if !wanted.by.contains(&(person.clone(), marking)) => {
                vec![Event::Seconded { made, marking }.into()]
            }
            _ => Vec::new(),
        }
    }

    fn take_task_back(&self, state: &State, source: &MarkedAt) -> Vec<super::Fact> {
        let mut of_message = state.tasks.iter().rev();
        let mine = of_message.find(|(_, task)| {
            task.source.as_ref() == Some(&source.message) && self.wants(&task.wanted, source.marking)
        });
        mine.map(|(task, known)| match known.wanted.goes() && known.end.is_none() {
            true => Event::TaskDropped {
                task: *task,
                reason: None,
                taken_back: true,
            },
            false => Event::ReactionTakenBack {
                made: Made::Task(*task),
                marking: source.marking,
            },
        })
        .map(Into::into)
        .into_iter()
        .collect()
    }

    fn take_followup_back(&self, state: &State, source: &MarkedAt) -> Vec<super::Fact> {
        let mut of_message = state.followups.iter().rev();
        let mine = of_message.find(|(_, followup)| {
            followup.source.as_ref() == Some(&source.message) && self.wants(&followup.wanted, source.marking)
        });
        mine.map(
            |(followup, known)| match known.wanted.goes() && known.end.is_none() {
                true => Event::FollowupDropped {
                    followup: *followup,
                    reason: None,
                    taken_back: true,
                },
                false => Event::ReactionTakenBack {
                    made: Made::Followup(*followup),
                    marking: source.marking,
                },
            },
        )
        .map(Into::into)
        .into_iter()
        .collect()
    }

    /// Whether a mark of whoever asks stands for it that can be taken back; what was asked for in words is dropped in words.
    fn wants(&self, wanted: &Wanted, marking: Marking) -> bool {
        let person = self.by.person().filter(|_| !marking.is_asked());
        person.is_some_and(|person| wanted.by.contains(&(person.clone(), marking)))
    }
}

impl Wanted {
    /// Whether it goes with the reaction of one who wants it: nobody else does, and it is still no more than a mark.
    fn goes(&self) -> bool {
        self.by.len() == 1 && !self.changed
    }
}

impl State {
    /// The task that a message has become. One that has ended and that nobody's mark stands for is over: the next mark
    /// makes a new one.
    fn task_of(&self, message: &MessageRef) -> Option<(Made, &Wanted)> {
        let mut made = self.tasks.iter().rev();
        let found = made.find(|(_, task)| {
            task.source.as_ref() == Some(message) && !(task.end.is_some() && task.wanted.by.is_empty())
        });
        found.map(|(task, known)| (Made::Task(*task), &known.wanted))
    }

    fn followup_of(&self, message: &MessageRef) -> Option<(Made, &Wanted)> {
        let mut made = self.followups.iter().rev();
        let found = made.find(|(_, followup)| {
            followup.source.as_ref() == Some(message)
                && !(followup.end.is_some() && followup.wanted.by.is_empty())
        });
        found.map(|(followup, known)| (Made::Followup(*followup), &known.wanted))
    }

    fn open_task(&self, id: TaskId) -> Result<(), Refusal> {
        ended("task", id, self.tasks.get(&id).map(|task| &task.end), || {
            ids(self.tasks.keys())
        })
    }

    fn open_followup(&self, id: FollowupId) -> Result<(), Refusal> {
        ended(
            "follow-up",
            id,
            self.followups.get(&id).map(|followup| &followup.end),
            || ids(self.followups.keys()),
        )
    }
}

fn ended(
    what: &str,
    id: impl std::fmt::Display,
    end: Option<&Option<Ended>>,
    known: impl Fn() -> Vec<String>,
) -> Result<(), Refusal> {
    match end {
        None => Err(Refusal::unknown(what, id, &known())),
        Some(None) => Ok(()),
        Some(Some(Ended::Done { .. })) => Err(Refusal::new(format!("{id} is done already."))),
        Some(Some(Ended::Dropped { .. })) => Err(Refusal::new(format!("{id} was dropped."))),
    }
}
