//! Probes, actions, recovery.

use orderly_commands::Parsed;

use super::order::counted;
use super::{Inbox, Translated};
use crate::engine::Asking;
use crate::incident::{ChangeId, ProposalId, RecoveryItem, Refusal, Request, State};

impl Inbox {
    pub(super) fn systems(&self, parsed: &Parsed, state: &State, _asking: &Asking<'_>) -> Translated {
        let text = |option: &str| parsed.text(option).map(str::to_owned);
        let must = |option: &str| parsed.text(option).unwrap_or_default().to_owned();
        let proposal = ProposalId(counted(parsed, "proposal"));
        let change = || ChangeId(counted(parsed, "change"));
        let item = || {
            parsed
                .text("item")
                .and_then(RecoveryItem::from_word)
                .unwrap_or(RecoveryItem::SmokeTest)
        };
        Ok(Some(match parsed.path {
            "probe run" => match parsed.text("probe") {
                None => self.round(parsed.text("target"), state)?,
                Some(name) => {
                    let probe =
                        self.offers
                            .probe(name, parsed.text("target"), parsed.params("params"), state)?;
                    Request::AskProbes { probes: vec![probe] }
                }
            },
            "action propose" => {
                let terms = self.offers.action(
                    &must("action"),
                    parsed.text("target"),
                    parsed.params("params"),
                    state,
                )?;
                let Some(reason) = text("reason") else {
                    return Err(Refusal::new(
                        "Say why: those who approve read the reason. Add `reason=\"…\"`.",
                    )
                    .at("reason"));
                };
                Request::Propose {
                    terms: Box::new(terms),
                    reason,
                }
            }
            "action undo" => {
                let terms = self.offers.undo(state.proposal(proposal)?)?;
                let reason = text("reason").unwrap_or_else(|| format!("undo {proposal}"));
                Request::Propose {
                    terms: Box::new(terms),
                    reason,
                }
            }
            "action approve" => Request::Approve {
                proposal,
                digest: text("seen"),
                reason: text("reason"),
            },
            "action refuse" => Request::Refuse {
                proposal,
                reason: must("reason"),
            },
            "action withdraw" => Request::Withdraw {
                proposal,
                reason: text("reason"),
            },
            "action break-glass" => Request::BreakGlass {
                proposal,
                target: must("target"),
                reason: must("reason"),
            },
            "action review" => Request::ReviewGlass {
                proposal,
                note: must("note"),
            },
            "action settle" => Request::Settle {
                proposal,
                happened: parsed.text("outcome") == Some("happened"),
                grounds: must("reason"),
            },
            "action verify" => Request::Confirm {
                proposal,
                worked: parsed.text("outcome") == Some("worked"),
                grounds: must("reason"),
            },
            "action lift" => Request::LiftContainment {
                proposal,
                reason: must("reason"),
            },
            "action accept" => Request::AcceptContainment {
                proposal,
                reason: must("reason"),
            },
            "recovery check" => Request::CheckRecovery {
                item: item(),
                passed: parsed.text("result") == Some("passed"),
                count: parsed.number("count").and_then(|count| u64::try_from(count).ok()),
                detail: text("detail"),
            },
            "recovery waive" => Request::WaiveRecovery {
                item: item(),
                reason: must("reason"),
            },
            "recovery change" => Request::NoteChange { text: must("text") },
            "recovery reconcile" => Request::ReconcileChange {
                change: change(),
                reference: must("reference"),
            },
            "recovery keep" => Request::WaiveChange {
                change: change(),
                reason: must("reason"),
            },
            _ => return Ok(None),
        }))
    }
}
