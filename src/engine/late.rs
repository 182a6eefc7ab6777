//! What comes too late to be said for itself: a room that was away for long gets one digest of it.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::end::End;
use super::plan::{Place, Task};
use super::{Engine, plan};
use crate::incident::Effect;
use crate::store::{Commit, StoredEffect};

/// Effects looked through for what else is too late: more than a room gets in a day.
const MOST_LATE: usize = 10_000;

impl Engine {
    pub(super) fn is_late(&self, stored: &StoredEffect) -> bool {
        stored
            .effect
            .deadline
            .is_some_and(|deadline| deadline < self.now())
    }

    /// A notice that came too late is told in a digest, together with all others of its room that are late by now.
    pub(super) async fn too_late(&self, stored: &StoredEffect, task: &Task) -> End {
        let (incident, room, mut told, mut said) = match task.clone() {
            Task::Incident {
                incident,
                effect: Effect::Notice { event, .. },
                place,
            } => {
                let room = match place {
                    Some(Place::Room(room)) => Some(room),
                    _ => None,
                };
                (incident, room, Some((event, event)), Vec::new())
            }
            Task::Carry {
                incident,
                message,
                room,
                ..
            } => (incident, Some(room), None, vec![message]),
            Task::Form { room, to, form, .. } => {
                return self.form_too_late(stored, &room, &to, &form).await;
            }
            _ => return End::Done,
        };
        let now = self.now();
        let store = &self.inner.parts.store;
        // Also those that wait for their next try; none waits for a day.
        let waiting = match store.due_effects(now + TimeDelta::days(1), &[], MOST_LATE).await {
            Ok(waiting) => waiting,
            Err(error) => return End::again(error.to_string()),
        };
        let mut done = vec![stored.id];
        let covers = |told: Option<(u64, u64)>, from: u64, to: u64| match told {
            Some((first, last)) => Some((first.min(from), last.max(to))),
            None => Some((from, to)),
        };
        let late = |other: &StoredEffect| other.effect.deadline.is_some_and(|deadline| deadline < now);
        let here = |other: &StoredEffect| other.effect.channel == stored.effect.channel;
        for other in waiting.into_iter().filter(here) {
            match serde_json::from_str::<Task>(&other.effect.body) {
                Ok(Task::Incident {
                    incident: of,
                    effect: Effect::Notice { event, .. },
                    ..
                }) if of == incident && late(&other) => {
                    told = covers(told, event, event);
                    done.push(other.id);
                }
                Ok(Task::Carry {
                    incident: of,
                    message,
                    ..
                }) if of == incident && late(&other) => {
                    said.push(message);
                    done.push(other.id);
                }
                // One that was not posted yet is replaced by this one, which covers it.
                Ok(Task::Digest {
                    incident: of,
                    from,
                    to,
                    said: earlier,
                    ..
                }) if of == incident => {
                    told = if to > 0 { covers(told, from, to) } else { told };
                    said.splice(0..0, earlier);
                }
                _ => {}
            }
        }
        done.sort();
        done.dedup();
        let mut told_once = BTreeSet::new();
        said.retain(|message| told_once.insert(message.clone()));
        // Only people spoke: the digest is about no event.
        let (from, to) = told.unwrap_or_default();
        let commit = Commit {
            at: now,
            effects: vec![plan::digest(incident, from, to, room, said)],
            effects_done: done,
            ..Commit::default()
        };
        match self.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::again(error.to_string()),
        }
    }
}
