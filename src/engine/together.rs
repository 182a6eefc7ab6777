//! Deliveries that wait for the same incident, decided in one commit: the more of them wait, the less each one costs.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use tokio::sync::SemaphorePermit;

use super::Engine;
use super::decide::{Draft, Failed, MOST_TRIES};
use super::handle::sender;
use super::intake::{Job, room_of};
use super::ports::{Act, Asking};
use crate::chat::{Incoming, Verdict};
use crate::incident::{By, Identity, IncidentId, PersonId, Refusal, Request};

/// Deliveries decided in one commit. Beyond this each costs no less, and those behind them wait longer.
pub(super) const TOGETHER: usize = 64;

/// Incidents decided at the same time. The disk takes no longer for them than for one; those behind them gather what is
/// decided in one commit.
pub(super) const AT_ONCE: usize = 4;

/// What became of the first deliveries of a line.
pub(super) enum Together {
    /// So many of them are decided; those after them are to be taken one by one.
    Decided(usize),
    /// There was but one, and this is why it could not be decided.
    Failed(Failed),
}

/// A command, and what is known of it before it is decided.
struct Command<'a> {
    job: &'a Job,
    person: PersonId,
    /// What the platform says of whoever gave it.
    may: Result<(), Refusal>,
}

impl Engine {
    /// Decides the first of these deliveries in one commit; how many that were. None when the first is more than a
    /// change of this incident, and none when the commit could not be written: one by one it shows which of them it was.
    /// The turn is given back while a platform is asked.
    pub(super) async fn handle_together(
        &self,
        incident: IncidentId,
        jobs: &[Arc<Job>],
        turn: SemaphorePermit<'_>,
    ) -> Together {
        let mut commands = pin!(self.commands(incident, jobs));
        let (commands, _turn) = match futures::poll!(&mut commands) {
            Poll::Ready(commands) => (commands, Some(turn)),
            Poll::Pending => {
                drop(turn);
                (commands.await, None)
            }
        };
        let decided = match commands.is_empty() {
            true => Ok(Vec::new()),
            false => self.decide_together(incident, &commands).await,
        };
        let verdicts = match decided {
            Ok(verdicts) => verdicts,
            Err(error) if commands.len() == 1 => return Together::Failed(error),
            Err(error) => {
                tracing::debug!(%incident, %error, "deliveries could not be decided together");
                Vec::new()
            }
        };
        for (command, verdict) in commands.iter().zip(&verdicts) {
            if !verdict.accepted {
                self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
            }
            self.tell(command.job.inbox, verdict);
        }
        Together::Decided(verdicts.len())
    }

    /// The commands at the head of the line, up to the first delivery that is something else.
    async fn commands<'a>(&self, incident: IncidentId, jobs: &'a [Arc<Job>]) -> Vec<Command<'a>> {
        let mut commands: Vec<Command<'a>> = Vec::with_capacity(jobs.len());
        let mut last: Option<&Identity> = None;
        for job in jobs {
            let from = match &job.delivery.incoming {
                Incoming::Command { .. } | Incoming::Press { .. } | Incoming::Submit { .. } => {
                    sender(&job.delivery.incoming)
                }
                _ => None,
            };
            let here = self.incident_for(job) == Some(incident) && !job.addressed.journal;
            let Some(from) = from.filter(|_| here && self.shortcut(&job.delivery).is_none()) else {
                break;
            };
            if self.takes_commands(room_of(&job.delivery.incoming)).is_err() {
                break;
            }
            let Ok(person) = self.person(from, Some(incident)) else {
                break;
            };
            // Perhaps back in a group that is to be read first.
            if self.is_missing(from) {
                break;
            }
            let may = match commands.last().filter(|_| last == Some(from)) {
                Some(before) => before.may.clone(),
                None => match self.may_command(from).await {
                    Ok(()) => Ok(()),
                    Err(Failed::Refused(refusal)) => Err(refusal),
                    Err(_) => break,
                },
            };
            last = Some(from);
            commands.push(Command { job, person, may });
        }
        commands
    }

    /// Each is decided on the state that the one before it left. If somebody else appends first, all of them are
    /// decided again.
    async fn decide_together(
        &self,
        incident: IncidentId,
        commands: &[Command<'_>],
    ) -> Result<Vec<Verdict>, Failed> {
        let loaded = self.loaded(incident);
        let mut loaded = loaded.lock().await;
        for _ in 0..MOST_TRIES {
            let mut draft = self.draft(incident, &mut loaded).await?;
            let mut verdicts = Vec::with_capacity(commands.len());
            for command in commands {
                let Some(verdict) = self.decide_one(&mut draft, command) else {
                    break;
                };
                let reply = self.reply(command.job.inbox, &command.job.delivery, &verdict);
                draft.reply(Some(command.job.inbox), reply);
                verdicts.push(verdict);
                if draft.moves_locks() {
                    break;
                }
            }
            if verdicts.is_empty() {
                draft.give_back(&mut loaded);
                return Ok(verdicts);
            }
            if self.write(incident, &mut loaded, draft).await? {
                return Ok(verdicts);
            }
        }
        Err(Failed::Overtaken)
    }

    /// `None`: it is more than a change of this incident.
    fn decide_one(&self, draft: &mut Draft, command: &Command<'_>) -> Option<Verdict> {
        let incoming = &command.job.delivery.incoming;
        let asking = Asking {
            person: &command.person,
            room: room_of(incoming),
            picks: self.picks(room_of(incoming)),
            now: draft.now,
            desk: &self.desk(),
            incident: Some(draft.state.as_ref()?),
            listed: &|| self.listed(Some(&command.person)),
            journal: None,
        };
        let request = match self.inner.parts.meaning.understand(incoming, &asking) {
            // It is about another incident as well, and has to wait for its turn.
            Ok(Act::Incident(Request::MarkDuplicate { .. })) => return None,
            // Groups are asked before approvals count; nobody else waits for that.
            Ok(Act::Incident(request)) if !self.asks_groups(&request) => request,
            Ok(_) => return None,
            Err(refusal) => return Some(self.no(&refusal)),
        };
        let by = By::Person {
            id: command.person.clone(),
        };
        let decided = command.may.clone().and_then(|()| draft.carry_out(&by, &request));
        Some(match (decided, &draft.state) {
            (Ok(written), Some(state)) => self.done(&command.job.delivery, state, &written),
            (Ok(_), None) => return None,
            (Err(refusal), _) => self.no(&refusal),
        })
    }
}
