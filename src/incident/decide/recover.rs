//! Recovering fully, resolving, closing, and ending what was no incident.

use super::{Deciding, Fact, Facts, maybe_said, said};
use crate::incident::event::{Event, Passage};
use crate::incident::refusal::Refusal;
use crate::incident::request::Request;
use crate::incident::state::{Life, State};
use crate::incident::words::*;

impl Deciding<'_> {
    pub(super) fn decide_recover(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::CheckRecovery {
                item,
                passed,
                count,
                detail,
            } => self.check_recovery(state, *item, *passed, *count, detail.clone()),
            Request::WaiveRecovery { item, reason } => {
                self.leads(state, "waive a part of the recovery").and_then(|()| {
                    Ok(vec![
                        Event::RecoveryWaived {
                            item: *item,
                            reason: said("reason", "The reason", reason)?,
                        }
                        .into(),
                    ])
                })
            }
            Request::NoteChange { text } => said("text", "The change", text).map(|text| {
                let change = ChangeId(state.changes.len() as u32 + 1);
                vec![
                    Event::ChangeNoted {
                        change,
                        text,
                        proposal: None,
                    }
                    .into(),
                ]
            }),
            Request::ReconcileChange { change, reference } => state.open_change(*change).and_then(|()| {
                let reference = said("reference", "The commit or pull request", reference)?;
                Ok(vec![
                    Event::ChangeReconciled {
                        change: *change,
                        reference,
                    }
                    .into(),
                ])
            }),
            Request::WaiveChange { change, reason } => state.open_change(*change).and_then(|()| {
                self.leads(state, "waive the reconciliation of a change")?;
                let reason = said("reason", "The reason", reason)?;
                Ok(vec![
                    Event::ChangeWaived {
                        change: *change,
                        reason,
                    }
                    .into(),
                ])
            }),
            Request::Resolve { summary, reason } => self.resolve(state, summary.clone(), reason.as_deref()),
            Request::Reopen { reason } => self.reopen(state, reason),
            Request::Close { reason } => self.close(state, reason.as_deref()),
            Request::Cancel { reason } => self.cancel(state, reason),
            Request::MarkDuplicate { of } => self.mark_duplicate(state, *of),
            _ => return None,
        })
    }

    fn check_recovery(
        &self,
        state: &State,
        item: RecoveryItem,
        passed: bool,
        count: Option<u64>,
        detail: Option<String>,
    ) -> Facts {
        if state.phase < Phase::Recover {
            return Err(Refusal::new(format!(
                "The incident is in {}. Recovery is checked once the way out is decided.",
                state.phase
            ))
            .offer("Go on", "next"));
        }
        if item == RecoveryItem::Records && count.is_none() {
            let words = "Count the records to repair, and give the number: `/recovery check records count=0 …`. \
                         None is 0.";
            return Err(Refusal::new(words).at("count"));
        }
        let detail = maybe_said("detail", "The detail", detail.as_ref())?;
        let mut facts: Vec<Fact> = vec![
            Event::RecoveryChecked {
                item,
                passed,
                count,
                detail,
            }
            .into(),
        ];
        if item == RecoveryItem::SmokeTest && passed && !state.opening.retroactive {
            let provenance = "smoke test passed".to_owned();
            facts.push(Fact::by_rule(Event::MomentSet {
                moment: Moment::Validated,
                at: self.now,
                provenance: provenance.clone(),
            }));
            if !state.moments.contains_key(&Moment::Mitigated) {
                facts.push(Fact::by_rule(Event::MomentSet {
                    moment: Moment::Mitigated,
                    at: self.now,
                    provenance,
                }));
            }
        }
        Ok(facts)
    }

    fn resolve(&self, state: &State, summary: Option<String>, reason: Option<&str>) -> Facts {
        if state.life == Life::Resolved {
            return Err(
                Refusal::new("It is resolved already. What is left is the post-mortem.")
                    .offer("Open the post-mortem", "postmortem show"),
            );
        }
        let summary = maybe_said("summary", "The summary", summary.as_ref())?;
        let mut conditions = state.open_conditions();
        let passage = match (state.phase, conditions.is_empty()) {
            (Phase::Recover, true) => Passage::Gate,
            (Phase::Learn, _) => return Ok(self.resolved(state, summary)),
            (phase, _) => {
                if phase != Phase::Recover {
                    conditions.push(crate::incident::Condition {
                        words: format!("The incident is in {phase}; recovery was not walked through."),
                        offer: Some(("Go on", "next".to_owned())),
                    });
                }
                self.override_gate(state, "resolve", &conditions, reason)?
            }
        };
        let mut facts = self.resolved(state, summary);
        facts.push(
            Event::PhaseEntered {
                phase: Phase::Learn,
                from: Some(state.phase),
                passage,
            }
            .into(),
        );
        Ok(facts)
    }

    pub(super) fn resolved(&self, state: &State, summary: Option<String>) -> Vec<Fact> {
        let mut facts = vec![Event::Resolved { summary }.into()];
        // Written down afterwards: when it was over, somebody has to say.
        if !state.moments.contains_key(&Moment::Recovered) && !state.opening.retroactive {
            let provenance = "recovery closed".to_owned();
            facts.push(Fact::by_rule(Event::MomentSet {
                moment: Moment::Recovered,
                at: self.now,
                provenance,
            }));
        }
        facts
    }

    fn reopen(&self, state: &State, reason: &str) -> Facts {
        if state.life == Life::Open {
            return Err(Refusal::new(
                "It is open. To go back to an earlier phase, use `/back`.",
            ));
        }
        let reason = said("reason", "The reason for reopening", reason)?;
        let passage = Passage::Back {
            reason: reason.clone(),
        };
        // Whatever came back, the first question is what it is: the frame is looked at anew.
        Ok(vec![
            Event::Reopened { reason }.into(),
            Event::PhaseEntered {
                phase: Phase::Confirm,
                from: Some(state.phase),
                passage,
            }
            .into(),
        ])
    }

    fn close(&self, state: &State, reason: Option<&str>) -> Facts {
        if state.phase != Phase::Learn {
            return Err(Refusal::new(format!(
                "The incident is in {}. It can be closed after Learn, or cancelled if it was none.",
                state.phase
            ))
            .offer("Go on", "next"));
        }
        // A broken glass is looked at before the incident may go out of sight, whatever the reason.
        if let Some(glass) = state.unreviewed_glass().into_iter().next() {
            let refusal = Refusal::new(format!("{} That cannot be skipped.", glass.words));
            return Err(match glass.offer {
                Some((label, line)) => refusal.offer(label, line),
                None => refusal,
            });
        }
        if let Some(open) = state
            .proposals
            .values()
            .find(|proposal| !proposal.stage.is_over())
        {
            let words = format!(
                "Action {} {}. Settle or withdraw it first.",
                open.id,
                open.stage.says()
            );
            return Err(Refusal::new(words).offer("Show it", format!("action show {}", open.id)));
        }
        let conditions = state.open_conditions();
        let mut facts = Vec::new();
        if !conditions.is_empty() {
            let passage = self.override_gate(state, "close", &conditions, reason)?;
            facts.push(
                Event::PhaseEntered {
                    phase: Phase::Learn,
                    from: Some(Phase::Learn),
                    passage,
                }
                .into(),
            );
        }
        if state.life == Life::Open {
            facts.extend(self.resolved(state, None));
        }
        // What was reviewed is the last word; what was not stays as far as it came, and says so.
        if state.review == Review::Reviewed {
            facts.push(Fact::by_rule(Event::ReviewChanged {
                to: Review::Closed,
                note: None,
            }));
        }
        let provenance = "closed".to_owned();
        facts.push(Event::Closed.into());
        facts.push(Fact::by_rule(Event::MomentSet {
            moment: Moment::Closed,
            at: self.now,
            provenance,
        }));
        Ok(facts)
    }

    fn cancel(&self, state: &State, reason: &str) -> Facts {
        self.nothing_open(state, "cancelled")?;
        let reason = said("reason", "The reason", reason)?;
        Ok(vec![Event::Cancelled { reason }.into()])
    }

    fn mark_duplicate(&self, state: &State, of: IncidentId) -> Facts {
        if of == state.opening.number {
            return Err(
                Refusal::new("An incident cannot be a duplicate of itself. Name the other one.")
                    .at("incident"),
            );
        }
        self.nothing_open(state, "marked a duplicate")?;
        Ok(vec![Event::MarkedDuplicate { of }.into()])
    }

    /// What was changed on a system must not go out of sight with an incident that "was none".
    fn nothing_open(&self, state: &State, wanted: &str) -> Result<(), Refusal> {
        let open: Vec<_> = state
            .proposals
            .values()
            .filter(|proposal| !proposal.stage.is_over())
            .map(|proposal| format!("{} {}", proposal.id, proposal.stage.says()))
            .chain(
                state
                    .containment_in_force()
                    .map(|id| format!("containment {id} is in force")),
            )
            .chain(
                state
                    .unsettled_changes()
                    .map(|(id, _)| format!("manual change {id} is not in version control")),
            )
            .chain(state.unreviewed_glass().into_iter().map(|glass| glass.words))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(format!(
            "It cannot be {wanted} yet: {}. Undo, settle, review or withdraw that first.",
            open.join("; ").trim_end_matches('.')
        )))
    }
}

impl State {
    fn open_change(&self, id: ChangeId) -> Result<(), Refusal> {
        match self.changes.get(&id) {
            None => Err(Refusal::unknown(
                "change",
                id,
                &super::order::ids(self.changes.keys()),
            )),
            Some(change) if change.settled.is_some() => {
                Err(Refusal::new(format!("{id} is settled already.")))
            }
            Some(_) => Ok(()),
        }
    }

    /// Nothing reminds or nudges any more.
    pub fn is_over(&self) -> bool {
        !matches!(self.life, Life::Open | Life::Resolved)
    }
}
