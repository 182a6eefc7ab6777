//! Post-mortems and probe outputs: made for the room, fetched from the page.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Joined;
use crate::desk;
use crate::engine::{self, Engine};
use crate::incident::{IncidentId, PersonId, Recorded, Refusal, State};
use crate::postmortem::{self, LogLine, Objectives, Source};
use crate::store::StoredEntry;
use crate::web;

impl engine::Documents for Joined {
    fn export(
        &self,
        format: &str,
        journal: &[Recorded],
        head: &str,
        log: Option<&[StoredEntry]>,
        desk: &desk::State,
    ) -> Result<(Vec<u8>, &'static str, String), Refusal> {
        let names = |person: &PersonId| {
            desk.people
                .get(person)
                .map_or_else(|| person.to_string(), |known| known.name.clone())
        };
        let Some(state) = State::replay(journal) else {
            return Err(Refusal::new(
                "There is nothing to write about: the journal has no opening.",
            ));
        };
        let command = format!("/{}", self.config.command);
        let log = log.map(lines);
        let objectives = self
            .config
            .process
            .iter()
            .find(|process| process.name == state.process);
        let objectives = objectives.map(|objectives| Objectives {
            rto_s: u64::try_from(objectives.rto.0.num_seconds()).ok(),
            rpo_s: u64::try_from(objectives.rpo.0.num_seconds()).ok(),
        });
        let document = postmortem::assemble(Source {
            events: journal,
            head,
            names: &names,
            command: &command,
            objectives,
            room_log: log.as_deref(),
        });
        let Some(document) = document else {
            return Err(Refusal::new(
                "There is nothing to write about: the journal has no opening.",
            ));
        };
        let broken = |error: postmortem::TemplateError| Refusal::new(error.to_string());
        let (text, media_type, ending) = match format {
            "html" => (
                self.templates.html(&document).map_err(broken)?,
                "text/html; charset=utf-8",
                "html",
            ),
            "json" => (postmortem::json(&document), "application/json", "json"),
            _ => (
                self.templates.markdown(&document).map_err(broken)?,
                "text/markdown; charset=utf-8",
                "md",
            ),
        };
        let name = format!(
            "{}-postmortem.{ending}",
            state.opening.number.to_string().to_lowercase()
        );
        Ok((text.into_bytes(), media_type, name))
    }
}

/// The room's log as the appendix shows it: one line a message, with its earlier texts.
fn lines(log: &[StoredEntry]) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for StoredEntry { entry, .. } in log {
        let key = (entry.room.as_str(), entry.message.as_str());
        match known.get(&key).and_then(|at| lines.get_mut(*at)) {
            Some(line) => match &entry.text {
                Some(text) => line.earlier.push(std::mem::replace(&mut line.text, text.clone())),
                None => line.deleted = true,
            },
            None => {
                known.insert(key, lines.len());
                lines.push(LogLine {
                    at: entry.at,
                    room: entry.room.clone(),
                    author: entry.author.clone(),
                    text: entry.text.clone().unwrap_or_default(),
                    earlier: Vec::new(),
                    deleted: entry.text.is_none(),
                    files: Vec::new(),
                });
            }
        }
    }
    lines
}

/// Documents as the page fetches them: only for those who may see the incident.
pub struct Shown {
    pub engine: Engine,
}

impl Shown {
    fn may_see(&self, incident: IncidentId, who: &web::Person) -> bool {
        self.engine
            .listed(Some(&who.id))
            .iter()
            .any(|listed| listed.incident == incident)
    }
}

#[async_trait]
impl web::Documents for Shown {
    async fn postmortem(
        &self,
        incident: u64,
        format: web::Format,
        who: &web::Person,
    ) -> Option<(Vec<u8>, String)> {
        let incident = IncidentId(incident);
        if !self.may_see(incident, who) {
            return None;
        }
        let format = match format {
            web::Format::Markdown => "markdown",
            web::Format::Html => "html",
            web::Format::Json => "json",
        };
        match self.engine.document(incident, format, u64::MAX).await {
            Ok(document) => Some((document.bytes, document.media_type.to_owned())),
            Err(error) => {
                tracing::error!(%incident, %error, "the post-mortem could not be made");
                None
            }
        }
    }

    async fn output(&self, sha256: &str, who: &web::Person) -> Option<Vec<u8>> {
        let evidence = self.engine.evidence(sha256).await.ok().flatten()?;
        self.may_see(evidence.incident, who).then_some(evidence.bytes)
    }
}
