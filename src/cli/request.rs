//! What a terminal asks of the program, and what becomes of it: the same over the socket and in one process.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::render::Look;
use crate::app::backup::Copied;
use crate::app::{self, App};
use crate::chat::{Delivery, Incoming, Intake, Verdict};
use crate::clock::Clock;
use crate::desk;
use crate::engine::Failed;
use crate::inbox::TERMINAL;
use crate::incident::{By, Identity, IncidentId, PersonId, ProbeRunId, Refusal, Role, RoomRef};
use crate::store::Stream;

/// Events read at a time.
const PAGE: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// What would be typed after the slash command.
    Command {
        line: String,
    },
    AddPerson {
        person: String,
        name: String,
        roles: Vec<Role>,
        guest: bool,
        os_user: Option<String>,
    },
    /// A new sign-in link; the one before no longer works.
    Link {
        person: String,
    },
    People,
    Grant {
        person: String,
        role: Role,
    },
    Revoke {
        person: String,
        role: Role,
    },
    Unlink {
        person: String,
        platform: String,
    },
    Deactivate {
        person: String,
        reason: String,
    },
    Postmortem {
        incident: u64,
        format: String,
        as_of: Option<u64>,
    },
    Events {
        incident: u64,
    },
    /// What a probe answered in full.
    Output {
        incident: u64,
        run: u32,
    },
    /// The path is absolute: the bot may run in another folder.
    Backup {
        dest: PathBuf,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Verdict {
        verdict: Verdict,
    },
    People {
        people: Vec<Known>,
    },
    Link {
        person: String,
        url: String,
    },
    Document {
        name: String,
        as_of: u64,
        text: String,
    },
    Events {
        events: Vec<Row>,
    },
    Output {
        text: String,
    },
    /// `None`: the page has no chat yet.
    Copied {
        journal: PathBuf,
        chat: Option<PathBuf>,
    },
    Done {
        words: String,
    },
    Refused {
        words: String,
    },
    Failed {
        words: String,
    },
}

/// Somebody, as `person list` shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub id: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub guest: bool,
    pub active: bool,
    /// Whether they have a sign-in link.
    pub link: bool,
    pub os_user: Option<String>,
    /// Described in orderly.toml, which says what their roles are at each start.
    pub in_config: bool,
}

/// A row of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub seq: u64,
    pub recorded: DateTime<Utc>,
    pub occurred: DateTime<Utc>,
    pub source: String,
    pub by: String,
    pub kind: String,
    pub version: u16,
    pub redacted: bool,
    pub payload: serde_json::Value,
    pub hash: String,
}

/// The running program, as requests find it.
pub struct Host {
    pub app: Arc<App>,
    /// Where people reach the page, without a slash at the end.
    pub base_url: String,
    pub clock: Arc<dyn Clock>,
}

impl From<Failed> for Answer {
    fn from(error: Failed) -> Self {
        match error {
            Failed::Refused(refusal) => refusal.into(),
            other => Self::Failed {
                words: other.to_string(),
            },
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let look = Look {
            colour: false,
            incident: None,
            program: "orderly",
        };
        Self::Refused {
            words: look.words(&refusal.words),
        }
    }
}

impl From<crate::store::Error> for Answer {
    fn from(error: crate::store::Error) -> Self {
        Self::Failed {
            words: error.to_string(),
        }
    }
}

impl From<Copied> for Answer {
    fn from(Copied { journal, chat }: Copied) -> Self {
        Self::Copied { journal, chat }
    }
}

impl Host {
    /// Whether a person stands behind a user of this machine.
    pub fn knows(&self, os_user: &str) -> bool {
        let desk = self.app.engine.desk();
        desk.person_of(&app::on_terminal(os_user)).is_some()
    }

    pub async fn carry_out(&self, os_user: &str, request: Request) -> Answer {
        let done = match request {
            Request::Command { line } => self.command(os_user, line).await,
            Request::People => Ok(self.people()),
            Request::Link { person } => self.link(&PersonId::new(person)).await,
            Request::Postmortem {
                incident,
                format,
                as_of,
            } => self.postmortem(IncidentId(incident), &format, as_of).await,
            Request::Events { incident } => self.events(IncidentId(incident)).await,
            Request::Output { incident, run } => self.output(IncidentId(incident), ProbeRunId(run)).await,
            Request::Backup { dest } => self.backup(&dest).await,
            Request::AddPerson { .. }
            | Request::Grant { .. }
            | Request::Revoke { .. }
            | Request::Unlink { .. }
            | Request::Deactivate { .. } => self.change_person(request).await,
        };
        done.unwrap_or_else(|answer| answer)
    }

    async fn command(&self, os_user: &str, line: String) -> Result<Answer, Answer> {
        let from = app::on_terminal(os_user);
        let known = self.knows(os_user);
        let delivery = Delivery {
            key: format!("{TERMINAL}/{}", random()?),
            subject: None,
            received: self.clock.now(),
            incoming: Incoming::Command {
                from,
                room: RoomRef {
                    platform: TERMINAL.to_owned(),
                    workspace: "local".to_owned(),
                    room: TERMINAL.to_owned(),
                },
                thread: None,
                text: line,
                trigger: None,
            },
        };
        let engine = &self.app.engine;
        if !known {
            // A person's id has no colon, so this reader is nobody.
            let reader = PersonId::new(format!("{TERMINAL}:{os_user}"));
            let looked = engine.look(&delivery, &reader).await?;
            return looked
                .map(|verdict| Answer::Verdict { verdict })
                .ok_or_else(|| unmapped(os_user));
        }
        let taken = engine.take(delivery).await.map_err(|refused| Answer::Failed {
            words: refused.to_string(),
        })?;
        match taken {
            Some(id) => Ok(Answer::Verdict {
                verdict: engine.decided(id).await,
            }),
            None => Err(Answer::Failed {
                words: "Orderly did not take this as a command.".to_owned(),
            }),
        }
    }

    fn people(&self) -> Answer {
        let desk = self.app.engine.desk();
        let people = desk.people.iter().map(|(id, person)| Known {
            id: id.to_string(),
            name: person.name.clone(),
            roles: desk.roles_of(id).into_iter().collect(),
            guest: person.guest,
            active: person.active,
            link: person.token_sha256.is_some(),
            os_user: on_this_machine(person).map(|identity| identity.user.clone()),
            in_config: self.in_config(id),
        });
        Answer::People {
            people: people.collect(),
        }
    }

    fn in_config(&self, id: &PersonId) -> bool {
        let people = &self.app.joined.config().person;
        people.iter().any(|person| person.id == id.0)
    }

    async fn link(&self, person: &PersonId) -> Result<Answer, Answer> {
        let desk = self.app.engine.desk();
        if desk.people.get(person).is_some_and(|known| !known.active) {
            return Err(Refusal::new(format!(
                "{person} is deactivated. `orderly person add {person} …` brings them back."
            ))
            .into());
        }
        let (token, sha256) = app::token().map_err(|error| Answer::Failed {
            words: format!("the system gives no randomness for a token: {error}"),
        })?;
        let request = desk::Request::IssueToken {
            person: person.clone(),
            sha256,
        };
        self.app.engine.on_desk(&By::Orderly, &request).await?;
        Ok(Answer::Link {
            person: person.to_string(),
            url: format!("{}/sign-in?token={token}", self.base_url),
        })
    }

    async fn change_person(&self, request: Request) -> Result<Answer, Answer> {
        // Who is who is the operator's to say, and this is the operator's machine.
        let by = By::Orderly;
        let engine = &self.app.engine;
        match request {
            Request::AddPerson {
                person,
                name,
                roles,
                guest,
                os_user: theirs,
            } => {
                let id = PersonId::new(person);
                self.not_in_config(
                    &id,
                    &format!("`orderly person link {id}` makes their sign-in link"),
                )?;
                let desk = engine.desk();
                if desk.people.get(&id).is_some_and(|known| known.active) {
                    return Err(Refusal::new(format!(
                        "{id} is known already. `person grant` and `person revoke` change roles, `person link {id}` \
                         makes a new sign-in link."
                    ))
                    .into());
                }
                let local = crate::chat::local::identity(&id.0);
                let request = desk::Request::PutPerson {
                    person: id.clone(),
                    name,
                    roles: roles.into_iter().collect(),
                    guest,
                    identities: [local]
                        .into_iter()
                        .chain(theirs.as_deref().map(app::on_terminal))
                        .collect(),
                };
                engine.on_desk(&by, &request).await?;
                self.link(&id).await
            }
            Request::Grant { person, role } => {
                let person = PersonId::new(person);
                self.not_in_config(&person, "write the role there and start Orderly again")?;
                let words = format!("{person} has the role {role} now.");
                engine
                    .on_desk(&by, &desk::Request::Grant { person, role })
                    .await?;
                Ok(Answer::Done { words })
            }
            Request::Revoke { person, role } => {
                let person = PersonId::new(person);
                self.not_in_config(&person, "take the role out there and start Orderly again")?;
                let words =
                    format!("{person} no longer has the role {role}; approvals given in it no longer count.");
                engine
                    .on_desk(&by, &desk::Request::Revoke { person, role })
                    .await?;
                Ok(Answer::Done { words })
            }
            Request::Unlink { person, platform } => {
                let person = PersonId::new(person);
                let words = format!("Nobody on {platform} is {person} any more.");
                engine
                    .on_desk(&by, &desk::Request::Unlink { person, platform })
                    .await?;
                Ok(Answer::Done { words })
            }
            Request::Deactivate { person, reason } => {
                let person = PersonId::new(person);
                self.not_in_config(
                    &person,
                    "take them out there first, or they are back at the next start",
                )?;
                let words = format!("{person} is out: no link of theirs works, and nothing they say counts.");
                engine
                    .on_desk(&by, &desk::Request::Deactivate { person, reason })
                    .await?;
                Ok(Answer::Done { words })
            }
            _ => Err(Answer::Failed {
                words: "this is no change of a person".to_owned(),
            }),
        }
    }

    /// The config wins at each start, so a change beside it would not last.
    fn not_in_config(&self, person: &PersonId, instead: &str) -> Result<(), Answer> {
        match self.in_config(person) {
            false => Ok(()),
            true => Err(Refusal::new(format!("{person} stands in orderly.toml: {instead}.")).into()),
        }
    }

    async fn output(&self, incident: IncidentId, run: ProbeRunId) -> Result<Answer, Answer> {
        let engine = &self.app.engine;
        let Some(state) = engine.state(incident).await? else {
            return Err(no_incident(incident));
        };
        let answer = state.runs.get(&run).and_then(|run| run.answer.as_ref());
        let Some(sha256) = answer.and_then(|answer| answer.output.as_deref()) else {
            let known: Vec<String> = state
                .runs
                .values()
                .filter(|run| run.answer.as_ref().is_some_and(|answer| answer.output.is_some()))
                .map(|run| run.asked.run.to_string())
                .collect();
            return Err(Refusal::unknown("output of", run, &known).into());
        };
        match engine.evidence(sha256).await? {
            Some(kept) if !kept.redacted => Ok(Answer::Output {
                text: String::from_utf8_lossy(&kept.bytes).into_owned(),
            }),
            _ => Err(Refusal::new(format!("The output of {run} was redacted.")).into()),
        }
    }

    async fn postmortem(
        &self,
        incident: IncidentId,
        format: &str,
        as_of: Option<u64>,
    ) -> Result<Answer, Answer> {
        let head = self.app.engine.store().head(Stream::Incident(incident)).await?;
        if head.seq == 0 {
            return Err(no_incident(incident));
        }
        if let Some(wanted) = as_of.filter(|wanted| *wanted == 0 || *wanted > head.seq) {
            return Err(Refusal::new(format!(
                "{incident} has events #1 to #{}; there is no #{wanted}.",
                head.seq
            ))
            .into());
        }
        let engine = &self.app.engine;
        let document = engine
            .document(incident, format, as_of.unwrap_or(head.seq))
            .await?;
        let text = String::from_utf8(document.bytes).map_err(|_| Answer::Failed {
            words: "the document is not text; a template of your own may be at fault".to_owned(),
        })?;
        Ok(Answer::Document {
            name: document.name,
            as_of: document.as_of,
            text,
        })
    }

    async fn events(&self, incident: IncidentId) -> Result<Answer, Answer> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let after = rows.last().map_or(0, |row| row.seq);
            let page = self
                .app
                .engine
                .store()
                .events(Stream::Incident(incident), after, PAGE)
                .await?;
            let whole = page.len() < PAGE;
            rows.extend(page.into_iter().map(|stored| {
                Row {
                    seq: stored.seq,
                    recorded: stored.event.recorded,
                    occurred: stored.event.occurred,
                    source: stored.event.source,
                    by: stored.event.by.trim_end_matches(':').to_owned(),
                    kind: stored.event.kind,
                    version: stored.event.version,
                    redacted: stored.redacted,
                    payload: serde_json::from_str(&stored.event.payload)
                        .unwrap_or(serde_json::Value::String(stored.event.payload)),
                    hash: stored.seal.hash.to_string(),
                }
            }));
            if whole {
                break;
            }
        }
        match rows.is_empty() {
            true => Err(no_incident(incident)),
            false => Ok(Answer::Events { events: rows }),
        }
    }

    async fn backup(&self, dest: &std::path::Path) -> Result<Answer, Answer> {
        match self.app.backup(dest).await? {
            Some(copied) => Ok(copied.into()),
            None => {
                Err(Refusal::new("This Orderly keeps nothing on disk, so there is nothing to copy.").into())
            }
        }
    }
}

fn on_this_machine(person: &desk::Person) -> Option<&Identity> {
    person
        .identities
        .iter()
        .find(|identity| identity.platform == TERMINAL)
}

fn no_incident(incident: IncidentId) -> Answer {
    Refusal::new(format!(
        "There is no {incident}. `orderly incident list all` shows what there is."
    ))
    .into()
}

fn unmapped(os_user: &str) -> Answer {
    Refusal::new(format!(
        "You are the user `{os_user}` of this machine, and Orderly does not know which person that is, so you can look \
         (status, list, timeline, brief, help) but change and approve nothing. The operator writes `os_user = \
         \"{os_user}\"` below a [[person]] in orderly.toml and starts Orderly again."
    ))
    .into()
}

/// Names a delivery that has no name of its own.
fn random() -> Result<String, Answer> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Answer::Failed {
        words: format!("the system gives no randomness: {error}"),
    })?;
    Ok(hex::encode(bytes))
}
