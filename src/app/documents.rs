//! Post-mortems and probe outputs: made for the room, fetched from the page.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Joined;
use crate::desk;
use crate::engine::{self, Engine};
use crate::inbox::Offers;
use crate::incident::{FileFate, FileRef, IncidentId, MessageRef, PersonId, Recorded, Refusal, State};
use crate::postmortem::{self, LogLine, Source};
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
        let log = log.map(|log| lines(log, &state));
        // As it was at the opening: what the config says today must not change what is told of then. Journals from before
        // that was pinned know neither.
        let now = Offers::settings(self);
        let then = &state.opening.settings;
        let pinned = if then.command.is_some() { then } else { &now };
        let command = format!("/{}", pinned.command.as_deref().unwrap_or_default());
        let objectives = pinned.objectives.get(&state.process).copied();
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
                self.templates.html(&Arc::new(document)).map_err(broken)?,
                "text/html; charset=utf-8",
                "html",
            ),
            "json" => (postmortem::json(&document), "application/json", "json"),
            _ => (
                self.templates.markdown(&Arc::new(document)).map_err(broken)?,
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
fn lines(log: &[StoredEntry], state: &State) -> Vec<LogLine> {
    let mut kept: HashMap<(String, &str), Vec<String>> = HashMap::new();
    for (mark, _, fate) in state.kept_files() {
        if let FileFate::Kept { sha256, .. } = fate {
            let MessageRef { room, message } = &mark.marked.message;
            kept.entry((room.to_string(), message))
                .or_default()
                .push(sha256.clone());
        }
    }
    let mut lines: Vec<LogLine> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    // By when things were said: they may have been heard in another order.
    let mut log: Vec<&StoredEntry> = log.iter().collect();
    log.sort_by_key(|stored| (stored.entry.recorded, stored.id));
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
                    files: kept
                        .remove(&(entry.room.clone(), entry.message.as_str()))
                        .unwrap_or_default(),
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
        if evidence.redacted || !self.may_see(evidence.incident, who) {
            return None;
        }
        // A file has a door of its own, where the role is asked for.
        let state = self.engine.state(evidence.incident).await.ok().flatten()?;
        let is_file = kept_file(&state, sha256).is_some();
        let is_output = state
            .runs
            .values()
            .filter_map(|run| run.answer.as_ref()?.output.as_deref())
            .any(|output| output == sha256);
        (is_output || !is_file).then_some(evidence.bytes)
    }

    async fn file(&self, incident: u64, sha256: &str, who: &web::Person) -> Option<(String, Vec<u8>)> {
        let incident = IncidentId(incident);
        if !self.may_see(incident, who) {
            return None;
        }
        let desk = self.engine.desk();
        let known = desk.people.get(&who.id)?;
        let state = self.engine.state(incident).await.ok().flatten()?;
        if !known.may_command() || !state.shows_files_to(&who.id, &desk.roles_of(&who.id)) {
            return None;
        }
        let name = kept_file(&state, sha256)?.name.clone();
        let evidence = self.engine.evidence(sha256).await.ok().flatten()?;
        (!evidence.redacted).then_some((name, evidence.bytes))
    }
}

/// A file kept by this incident with these bytes.
fn kept_file<'a>(state: &'a State, wanted: &str) -> Option<&'a FileRef> {
    let is_wanted = |fate: &FileFate| matches!(fate, FileFate::Kept { sha256, .. } if sha256 == wanted);
    let found = state.kept_files().find(|(_, _, fate)| is_wanted(fate));
    found.map(|(_, file, _)| file)
}
