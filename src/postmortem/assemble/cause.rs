//! Cause, findings, decision, and the questions and evidence they rest on.

use std::collections::BTreeMap;

use super::Facts;
use super::impact::MOST_CITED;
use crate::incident::*;
use crate::postmortem::document::*;
use crate::timeline::{full_stop, given};

impl Facts<'_> {
    pub(super) fn cause(&self) -> Cause {
        let accepted = self.accepted();
        let composed = accepted.iter().map(|found| Fact {
            text: format!(
                "{} was accepted as the cause: {}",
                found.id,
                full_stop(&found.words.text)
            ),
            events: found.events.clone(),
        });
        Cause {
            part: self.part(Section::Cause, composed.collect()),
            detection: self.part(Section::Detection, self.detection()),
            trigger: self.part(Section::Trigger, self.trigger()),
            factors: self.part(Section::Factors, Vec::new()),
            suspects: self
                .findings()
                .into_iter()
                .filter(|found| found.conclusion == Conclusion::Suspect)
                .filter(|found| accepted.as_ref().is_none_or(|accepted| accepted.id != found.id))
                .collect(),
            lines: Line::ALL.iter().map(|line| self.line(*line)).collect(),
            accepted,
        }
    }

    pub(super) fn accepted(&self) -> Option<FoundOut> {
        let id = self.state.cause?;
        let mut found = self.found(id, self.state.findings.get(&id)?);
        let accepted = self.events.iter().rev().find(
            |recorded| matches!(&recorded.event, Some(Event::CauseAccepted { finding, .. }) if *finding == id),
        );
        found.events.extend(accepted.map(|recorded| recorded.seq));
        Some(found)
    }

    pub(super) fn findings(&self) -> Vec<FoundOut> {
        self.state
            .findings
            .iter()
            .map(|(id, finding)| self.found(*id, finding))
            .collect()
    }

    fn found(&self, id: FindingId, finding: &Finding) -> FoundOut {
        let evidence = finding.evidence.iter().map(|run| match self.state.runs.get(run) {
            Some(asked) => {
                let verdict = asked
                    .answer
                    .as_ref()
                    .map_or("no answer", |answer| answer.verdict.word());
                let text = format!(
                    "{} on {} ({run}): {verdict}",
                    asked.asked.probe, asked.asked.target
                );
                self.fact(text, [asked.answered.unwrap_or(asked.event)])
            }
            None => self.fact(format!("probe {run}"), [finding.event]),
        });
        FoundOut {
            id: id.to_string(),
            line: finding.line,
            conclusion: finding.conclusion,
            evidence: evidence.collect(),
            words: Words {
                text: finding.text.clone(),
                by: self.who(&finding.by),
                at: finding.at,
                event: finding.event,
            },
            events: vec![finding.event],
        }
    }

    fn detection(&self) -> Vec<Fact> {
        let Some(detected) = self.state.moments.get(&Moment::Detected) else {
            return Vec::new();
        };
        let text = format!(
            "Detected at {} ({}).",
            crate::timeline::minute(detected.at),
            detected.provenance
        );
        vec![self.fact(text, [detected.event])]
    }

    /// What is suspected among the changes is the candidate for what set it off.
    fn trigger(&self) -> Vec<Fact> {
        let changes = self.state.findings.iter().filter(|(_, finding)| {
            finding.line == Line::Changes && finding.conclusion == Conclusion::Suspect
        });
        changes
            .map(|(id, finding)| {
                let text = format!("Suspected among the changes ({id}): {}", full_stop(&finding.text));
                self.fact(text, [finding.event])
            })
            .collect()
    }

    fn line(&self, line: Line) -> LineRecord {
        let findings: Vec<(&FindingId, &Finding)> = self
            .state
            .findings
            .iter()
            .filter(|(_, finding)| finding.line == line)
            .collect();
        if !findings.is_empty() {
            let told: Vec<String> = findings
                .iter()
                .map(|(id, finding)| format!("{id} {}", finding.conclusion))
                .collect();
            return LineRecord {
                line,
                state: "examined".to_owned(),
                detail: Some(told.join(", ")),
                events: findings.iter().map(|(_, finding)| finding.event).collect(),
            };
        }
        let left = self
            .events
            .iter()
            .rev()
            .find_map(|recorded| match &recorded.event {
                Some(Event::TriageLeft { lines, reason }) if lines.contains(&line) => {
                    Some((recorded.seq, reason))
                }
                _ => None,
            });
        LineRecord {
            line,
            state: if left.is_some() {
                "left unexamined"
            } else {
                "not examined"
            }
            .to_owned(),
            detail: left.map(|(_, reason)| reason.clone()),
            events: vec![left.map_or(self.state.seq, |(event, _)| event)],
        }
    }

    pub(super) fn decision(&self) -> Option<Decided> {
        let decision = self.state.decision.as_ref()?;
        Some(Decided {
            way: decision.way,
            facts: decision.facts.clone(),
            words: Words {
                text: decision.reason.clone(),
                by: self.who(&decision.by),
                at: decision.at,
                event: decision.event,
            },
        })
    }

    pub(super) fn probe_groups(&self) -> Vec<ProbeGroup> {
        let mut groups: BTreeMap<(&str, &str), ProbeGroup> = BTreeMap::new();
        for run in self.state.runs.values() {
            let (probe, target) = (run.asked.probe.as_str(), run.asked.target.as_str());
            let group = groups.entry((probe, target)).or_insert_with(|| ProbeGroup {
                probe: probe.to_owned(),
                target: target.to_owned(),
                asked: 0,
                ok: 0,
                suspect: 0,
                failing: 0,
                unknown: 0,
                unanswered: 0,
                first: None,
                last: None,
                events: Vec::new(),
            });
            group.asked += 1;
            let verdict = run.answer.as_ref().map(|answer| answer.verdict);
            match verdict {
                Some(Verdict::Ok) => group.ok += 1,
                Some(Verdict::Suspect) => group.suspect += 1,
                Some(Verdict::Failing) => group.failing += 1,
                Some(Verdict::Unknown) => group.unknown += 1,
                None => group.unanswered += 1,
            }
            group.first = group.first.or(verdict);
            group.last = verdict.or(group.last);
            if group.events.len() < MOST_CITED {
                group.events.push(run.answered.unwrap_or(run.event));
            }
        }
        groups.into_values().collect()
    }

    pub(super) fn probes(&self) -> Vec<ProbeRecord> {
        let record = |(id, run): (&ProbeRunId, &Run)| {
            let answer = run.answer.as_ref();
            ProbeRecord {
                run: id.to_string(),
                probe: run.asked.probe.clone(),
                target: run.asked.target.clone(),
                params: given(&run.asked.params),
                asked_by: self.who(&run.by),
                at: run.at,
                verdict: answer.map(|answer| answer.verdict),
                summary: answer.map(|answer| answer.summary.clone()),
                duration_ms: answer.map(|answer| answer.duration_ms),
                caveats: answer.map(|answer| answer.caveats.clone()).unwrap_or_default(),
                events: std::iter::once(run.event).chain(run.answered).collect(),
            }
        };
        self.state.runs.iter().map(record).collect()
    }

    /// Full outputs of probes and files of marked messages, by their hashes.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let outputs = self.state.runs.iter().filter_map(|(id, run)| {
            let sha256 = run.answer.as_ref()?.output.clone()?;
            let what = format!("Output of {} on {} ({id})", run.asked.probe, run.asked.target);
            Some(Evidence {
                what,
                sha256,
                event: run.answered?,
            })
        });
        let kept = self
            .state
            .kept_files()
            .filter(|(mark, ..)| mark.removed.is_none());
        let files = kept.filter_map(|(mark, file, fate)| match fate {
            FileFate::Kept { size, sha256, event } => Some(Evidence {
                what: format!(
                    "File “{}” ({}, {}) posted by {}",
                    file.name,
                    file.media_type,
                    crate::timeline::size(*size),
                    mark.marked.author
                ),
                sha256: sha256.clone(),
                event: *event,
            }),
            FileFate::Missed { .. } => None,
        });
        let mut evidence: Vec<Evidence> = outputs.chain(files).collect();
        evidence.sort_by_key(|item| item.event);
        evidence
    }
}
