//! What people type, press and fill in, translated into what the core can decide.
//!
//! The vocabulary lives in the crate `orderly-commands` and knows nothing of incidents; the core knows nothing of
//! commands. This room is the only one that knows both: it resolves names to ids, times to UTC and catalog entries to
//! terms, and answers questions that change nothing.

mod known;
mod looking;
mod order;
mod record;
mod systems;
#[cfg(test)]
mod tests;
mod time;

/// The platform of who types at this machine's own terminal, where there is no chat.
pub const TERMINAL: &str = "terminal";

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use orderly_commands::{ParseError, Parsed, parse};

use crate::chat::{Incoming, Message, Press};
use crate::engine::{Act, Addressed, Asking, Meaning};
use crate::incident::{
    IncidentId, PersonId, Plan, ProbeRequest, Process, Proposal, Refusal, Request, Settings, State, Terms,
};
use crate::view::View;

use known::Known;

/// What the catalog, the shelf and the config offer. Joined to the real ones in `app.rs`.
pub trait Offers: Send + Sync {
    /// A probe with its target and typed parameters. Without a target: the incident's, or the only one that fits.
    fn probe(
        &self,
        name: &str,
        target: Option<&str>,
        params: &BTreeMap<String, String>,
        state: &State,
    ) -> Result<ProbeRequest, Refusal>;

    fn action(
        &self,
        name: &str,
        target: Option<&str>,
        params: &BTreeMap<String, String>,
        state: &State,
    ) -> Result<Terms, Refusal>;

    /// The terms that take a proposal back.
    fn undo(&self, proposal: &Proposal) -> Result<Terms, Refusal>;

    /// Name, question, and the targets it fits.
    fn probes(&self) -> Vec<(String, String, String)>;

    /// Name and title.
    fn actions(&self) -> Vec<(String, String)>;

    /// Name and kind.
    fn targets(&self) -> Vec<(String, String)>;

    /// Name and title.
    fn runbooks(&self) -> Vec<(String, String)>;

    fn plan(&self, name: &str) -> Option<Plan>;

    /// The text of a runbook as people read it.
    fn runbook_text(&self, name: &str) -> Option<String>;

    /// The plan that fits, and why.
    fn choose(&self, process: Option<Process>, title: &str) -> (Plan, String);

    /// SHA-256 of the catalog in force, hex.
    fn catalog_digest(&self) -> String;

    fn settings(&self) -> Settings;

    /// The zone in which people type times without one.
    fn zone(&self) -> Tz;
}

/// Understands commands.
pub struct Inbox {
    offers: Arc<dyn Offers>,
    view: View,
}

impl Inbox {
    pub fn new(offers: Arc<dyn Offers>, view: View) -> Self {
        Self { offers, view }
    }
}

/// What was meant, before it is known what it is about.
enum Meant {
    Command(Parsed),
    /// The form of a command.
    Form {
        path: String,
        fixed: BTreeMap<String, String>,
    },
}

fn meant(incoming: &Incoming) -> Result<Meant, Refusal> {
    let line = |line: &str| match parse(line) {
        Ok(parsed) => Ok(Meant::Command(parsed)),
        // A whole command with something missing is better asked for than refused.
        Err(error) => match orderly_commands::partial(line) {
            Some((path, fixed)) => Ok(Meant::Form {
                path: path.to_owned(),
                fixed,
            }),
            None => Err(mistyped(&error)),
        },
    };
    match incoming {
        Incoming::Command { text, .. } => line(text),
        Incoming::Press {
            press: Press::Run { line: pressed },
            ..
        } => line(pressed),
        Incoming::Press {
            press: Press::Ask { path, fixed },
            ..
        } => Ok(Meant::Form {
            path: path.clone(),
            fixed: fixed.clone(),
        }),
        Incoming::Submit {
            path, fixed, values, ..
        } => {
            let mut options = fixed.clone();
            options.extend(
                values
                    .iter()
                    .filter(|(_, value)| !value.trim().is_empty())
                    .map(|(n, v)| (n.clone(), v.clone())),
            );
            Parsed::from_options(path, options)
                .map(Meant::Command)
                .map_err(|error| {
                    let mut refusal = Refusal::naming(error.message.clone());
                    refusal.field = error.option;
                    refusal
                })
        }
        _ => Err(Refusal::new("That is no command.")),
    }
}

/// What was typed is shown as it is, with the spot marked below it.
fn mistyped(error: &ParseError) -> Refusal {
    let mut refusal = Refusal::naming(error.message.clone());
    refusal.spot = error.spot().map(|spot| format!("{}\n{}", spot.line, spot.marks));
    refusal.instead = Some(error.way_on("/"));
    refusal
}

impl Meaning for Inbox {
    fn addressed(&self, incoming: &Incoming) -> Addressed {
        let Ok(meant) = meant(incoming) else {
            return Addressed::default();
        };
        match meant {
            Meant::Command(parsed) => Addressed {
                incident: parsed.incident.map(IncidentId),
                journal: matches!(parsed.path, "journal brief" | "journal timeline"),
                urgent: matches!(parsed.path, "action approve" | "action refuse" | "action freeze"),
            },
            Meant::Form { fixed, .. } => Addressed {
                incident: fixed
                    .get("incident")
                    .and_then(|named| number(named))
                    .map(IncidentId),
                ..Addressed::default()
            },
        }
    }

    fn code(&self, incoming: &Incoming) -> Option<String> {
        match meant(incoming) {
            Ok(Meant::Command(parsed)) if parsed.path == "role link" => {
                parsed.text("code").map(str::to_owned)
            }
            _ => None,
        }
    }

    fn understand(&self, incoming: &Incoming, asking: &Asking<'_>) -> Result<Act, Refusal> {
        let meant = meant(incoming);
        refuse_masked(incoming, &meant)?;
        match meant? {
            Meant::Form { path, fixed } => self.form(&path, &fixed, asking),
            Meant::Command(parsed) => self.command(&parsed, asking),
        }
    }

    fn asks_form(&self, incoming: &Incoming, in_room: bool) -> bool {
        match meant(incoming) {
            Ok(Meant::Form { .. }) => true,
            Ok(Meant::Command(parsed)) if parsed.path.is_empty() => !in_room && parsed.incident.is_none(),
            Ok(Meant::Command(parsed)) => wants_form(&parsed),
            Err(_) => false,
        }
    }

    fn complete(&self, typed: &str, asking: &Asking<'_>) -> Vec<(String, String)> {
        let known = Known {
            offers: &*self.offers,
            asking,
        };
        let complete = orderly_commands::complete(typed, &known);
        complete
            .into_iter()
            .map(|found| (format!("{}{}", &typed[..found.at], found.text), found.summary))
            .collect()
    }
}

fn number(text: &str) -> Option<u64> {
    text.trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .ok()
}

/// A parameter that was masked is no parameter any more: running with the marker in it would be worse than not running.
fn refuse_masked(incoming: &Incoming, meant: &Result<Meant, Refusal>) -> Result<(), Refusal> {
    const MARKER: &str = "[masked";
    let masked = match incoming {
        Incoming::Command { text, .. }
        | Incoming::Press {
            press: Press::Run { line: text },
            ..
        } => text.contains(MARKER),
        Incoming::Submit { fixed, values, .. } => fixed
            .values()
            .chain(values.values())
            .any(|value| value.contains(MARKER)),
        _ => false,
    };
    // The marker has a blank in it, so a line may not even read as the command that was typed.
    let asks_systems = match meant {
        Ok(Meant::Command(parsed)) => SYSTEMS.contains(&parsed.path),
        Ok(Meant::Form { path, .. }) => SYSTEMS.contains(&path.as_str()),
        Err(_) => match incoming {
            Incoming::Command { text, .. } => {
                orderly_commands::head(text).is_some_and(|(_, path, _)| SYSTEMS.contains(&path))
            }
            Incoming::Submit { path, .. } => SYSTEMS.contains(&path.as_str()),
            _ => false,
        },
    };
    if !(masked && asks_systems) {
        return Ok(());
    }
    Err(Refusal::new(
        "That argument looks like a secret, so it was masked and nothing was done. Secrets are never parameters: the \
         operator puts them into a file or a variable and names it in orderly.toml.",
    ))
}

/// Commands whose arguments reach a system.
const SYSTEMS: [&str; 3] = ["action propose", "probe run", "step run"];

impl Inbox {
    fn command(&self, parsed: &Parsed, asking: &Asking<'_>) -> Result<Act, Refusal> {
        if parsed.path.is_empty() {
            return match asking.incident {
                Some(state) => {
                    Ok(self.tell(crate::view::status(&self.view, state, asking.person, asking.desk)))
                }
                None => self.form("open", &BTreeMap::new(), asking),
            };
        }
        if wants_form(parsed) {
            return self.form(parsed.path, &parsed.options(), asking);
        }
        if let Some(act) = self.without_incident(parsed, asking)? {
            return Ok(act);
        }
        let Some(state) = asking.incident else {
            return Err(Refusal::new(format!(
                "`{}` belongs into an incident's room. From here, name the incident: `/INC-7 {}`.",
                parsed.path, parsed.path
            ))
            .offer("List incidents", "list")
            .offer("Open an incident", "open"));
        };
        if let Some(act) = self.look(parsed, state, asking)? {
            return Ok(act);
        }
        for translate in [Self::order, Self::systems, Self::people, Self::record] {
            if let Some(request) = translate(self, parsed, state, asking)? {
                return Ok(Act::Incident(request));
            }
        }
        self.acts(parsed, state, asking)
    }

    /// Commands that need no incident, or make one.
    fn without_incident(&self, parsed: &Parsed, asking: &Asking<'_>) -> Result<Option<Act>, Refusal> {
        Ok(Some(match parsed.path {
            "open" | "drill" => Act::Open(Box::new(self.open(parsed, asking)?)),
            "role link" => Act::Link {
                code: parsed.text("code").map(str::to_owned),
            },
            "list" => self.list(parsed, asking),
            "help" => self.help(parsed, asking),
            "probe list" => self.tell(crate::view::probes(&self.view, &self.offers.probes())),
            "runbook list" => {
                let used = asking.incident.map(|state| state.opening.plan.name.as_str());
                let known = self.offers.runbooks();
                let rows: Vec<_> = known
                    .into_iter()
                    .map(|(name, title)| (name.clone(), title, used == Some(name.as_str())))
                    .collect();
                self.tell(crate::view::runbooks(&rows))
            }
            "runbook show" => self.show_runbook(parsed, asking)?,
            "action freeze" => Act::Desk(crate::desk::Request::Freeze {
                target: self.target_of(parsed)?,
                reason: parsed.text("reason").unwrap_or_default().to_owned(),
            }),
            "action thaw" => Act::Desk(crate::desk::Request::Thaw {
                target: self.target_of(parsed)?,
                reason: parsed.text("reason").map(str::to_owned),
            }),
            _ => return Ok(None),
        }))
    }

    fn target_of(&self, parsed: &Parsed) -> Result<Option<String>, Refusal> {
        let Some(target) = parsed.text("target") else {
            return Ok(None);
        };
        let known: Vec<_> = self.offers.targets().into_iter().map(|(name, _)| name).collect();
        match known.iter().any(|name| name == target) {
            true => Ok(Some(target.to_owned())),
            false => Err(Refusal::unknown("target", target, &known).at("target")),
        }
    }

    fn form(
        &self,
        path: &str,
        fixed: &BTreeMap<String, String>,
        asking: &Asking<'_>,
    ) -> Result<Act, Refusal> {
        let Some(spec) = orderly_commands::find(path) else {
            return Err(Refusal::new(format!(
                "There is no command `{path}`. `/help` lists them."
            )));
        };
        let known = Known {
            offers: &*self.offers,
            asking,
        };
        let mut fixed = fixed.clone();
        // A form opened outside of the room stays about the incident it was opened for.
        if let Some(state) = asking.incident {
            fixed
                .entry("incident".to_owned())
                .or_insert_with(|| state.opening.number.to_string());
        }
        Ok(Act::Ask(crate::view::form(spec, &fixed, asking.incident, &known)))
    }

    fn tell(&self, message: Message) -> Act {
        Act::Tell(message)
    }
}

/// Commands that ask for a form when they are typed bare, though nothing of theirs must be given.
fn wants_form(parsed: &Parsed) -> bool {
    let bare = parsed.options().keys().all(|name| name == "incident");
    bare && matches!(parsed.path, "open" | "drill" | "frame")
}

/// A person as typed: `me`, an id, `@id`, or a platform's mention.
fn person(typed: &str, asking: &Asking<'_>) -> Result<PersonId, Refusal> {
    let word = typed.trim_start_matches('@');
    if word == "me" {
        return Ok(asking.person.clone());
    }
    let id = PersonId::new(word.to_lowercase());
    if asking.desk.people.contains_key(&id) {
        return Ok(id);
    }
    let by_identity = asking.desk.people.iter().filter(|(_, known)| {
        known
            .identities
            .iter()
            .any(|identity| identity.platform == asking.room.platform && identity.user == word)
    });
    let mut found = by_identity.map(|(id, _)| id.clone());
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        _ => {
            let known: Vec<_> = asking.desk.people.keys().map(ToString::to_string).collect();
            Err(Refusal::unknown("person", typed, &known))
        }
    }
}

type Translated = Result<Option<Request>, Refusal>;
