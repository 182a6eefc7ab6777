//! The only place that joins ports to adapters.

pub mod backup;
mod discord;
mod documents;
mod guide;
mod hands;
mod offers;
mod page;
mod people;
mod slack;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::chat::Chat;
use crate::chat::discord::DiscordChat;
use crate::chat::local::{LocalChat, Place};
use crate::chat::slack::SlackChat;
use crate::clock::Clock;
use crate::config::{self, Config, RoomFacts};
use crate::desk;
use crate::driver::systems::{Closed, Systems};
use crate::driver::{Driver, http, postgres, process, redis};
use crate::engine::{Engine, Options, Parts};
use crate::inbox::Inbox;
use crate::incident::{By, Identity, PersonId};
use crate::postmortem::Templates;
use crate::runbook::Shelf;
use crate::store::{self, Store, sqlite};
use crate::view::View;
use crate::web;

pub use discord::settings as discord_settings;
pub use offers::{Joined, Vocabulary};
pub use people::{on_terminal, token};
pub use slack::settings as slack_settings;

/// Name of the platform that the page speaks for.
const LOCAL: &str = "local";

/// The room of the local page where everybody is; incidents are announced there, also those opened on the terminal.
const LOBBY: &str = "lobby";

/// Everything that can keep the program from starting, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}", lines(.0))]
    Config(Vec<config::Problem>),
    #[error("{}", lines(.0))]
    Catalog(Vec<crate::catalog::Problem>),
    #[error("{}", lines(.0))]
    Runbooks(Vec<crate::runbook::Problem>),
    #[error(transparent)]
    Template(#[from] crate::postmortem::TemplateError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Journal(#[from] crate::engine::journal::Error),
    #[error(transparent)]
    Engine(#[from] crate::engine::Failed),
    #[error(transparent)]
    Chat(#[from] crate::chat::local::OpenError),
    #[error(transparent)]
    Web(#[from] web::Error),
    #[error(transparent)]
    Pattern(#[from] crate::mask::BadPattern),
    #[error(
        "{} has no {} beside it: a backup is two files, the journal and the chat of the page. Put the second one there, \
         or restore the journal alone with `--journal-only`; the page then keeps the chat it has",
        backup.display(), beside.display()
    )]
    HalfBackup { backup: PathBuf, beside: PathBuf },
    #[error("{what} cannot be read: {why}")]
    Read { what: String, why: String },
    #[error("the HTTP client cannot be made: {0}")]
    Http(String),
    #[error("Slack cannot be used: {0}")]
    Slack(String),
    #[error("Discord cannot be used: {0}")]
    Discord(String),
}

fn lines(problems: &[impl std::fmt::Display]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What the files say, read and checked whole: nothing runs on half of it.
pub struct Files {
    pub config: Config,
    pub catalog: Catalog,
    pub shelf: Shelf,
    pub templates: Templates,
}

impl Files {
    /// The config with its catalog, runbooks and templates.
    pub fn read(config: Config) -> Result<Self, Error> {
        let catalog = Self::catalog(&config)?;
        let shelf = match &config.runbooks.dir {
            Some(folder) => Shelf::load(folder).map_err(Error::Runbooks)?,
            None => Shelf::shipped(),
        };
        let templates = match &config.postmortem.template_dir {
            Some(folder) => Templates::from_folder(folder)?,
            None => Templates::shipped(),
        };
        Ok(Self {
            config,
            catalog,
            shelf,
            templates,
        })
    }

    /// The catalog alone, for a reload while it runs.
    pub fn catalog(config: &Config) -> Result<Catalog, Error> {
        Catalog::load(&toml_files(config.catalog.dir.as_deref())?).map_err(Error::Catalog)
    }

    /// Asks and changes systems as the config describes them. Targets whose secrets cannot be read are left out; what is
    /// the matter with each is said once.
    pub fn systems(&self, clock: Arc<dyn Clock>) -> Result<Systems, Error> {
        let resolved = self.config.targets(&config::process_env);
        for problem in &resolved.problems {
            tracing::error!(
                target = problem.target,
                problem = problem.message,
                "a target cannot be used"
            );
        }
        let http = http::Http::new(clock).map_err(|error| Error::Http(error.to_string()))?;
        let launcher = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("orderly"));
        let drivers: BTreeMap<String, Arc<dyn Driver>> = BTreeMap::from([
            ("http".to_owned(), Arc::new(http) as Arc<dyn Driver>),
            ("postgres".to_owned(), Arc::new(postgres::Postgres)),
            ("redis".to_owned(), Arc::new(redis::Redis)),
            ("process".to_owned(), Arc::new(process::Process::new(launcher))),
        ]);
        let masker = self.config.masker()?;
        let mask = Arc::new(move |text: &str| masker.mask(text).text.into_owned());
        let systems = Systems::new(self.catalog.clone(), resolved.targets, drivers, mask);
        Ok(systems.with_closed(self.closed(&resolved.problems)))
    }

    /// The targets that cannot be used, each with all that is the matter with it.
    fn closed(&self, problems: &[config::TargetProblem]) -> Vec<Closed> {
        let targets = self.config.target.iter();
        let closed = targets.filter_map(|target| {
            let of = problems.iter().filter(|problem| problem.target == target.name);
            let why: Vec<&str> = of.map(|problem| problem.message.as_str()).collect();
            (!why.is_empty()).then(|| Closed {
                name: target.name.clone(),
                kind: target.kind.word().to_owned(),
                acts: target.action.is_some(),
                why: format!("What is the matter: {}.", why.join("; ").trim_end_matches('.')),
            })
        });
        closed.collect()
    }
}

fn toml_files(folder: Option<&Path>) -> Result<Vec<(PathBuf, String)>, Error> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let unreadable = |error: std::io::Error| Error::Read {
        what: format!("the catalog folder {}", folder.display()),
        why: format!("{error}. Create it, or take `[catalog] dir` out of orderly.toml"),
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| match std::fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(Error::Read {
                what: path.display().to_string(),
                why: error.to_string(),
            }),
        })
        .collect()
}

/// Where things are kept while it runs.
#[derive(Debug, Clone)]
pub enum Keeping {
    /// The journal at this path, the local chat beside it.
    File(PathBuf),
    /// The journal at this path, to be read and never written; the chat is left alone.
    Look(PathBuf),
    /// In memory, gone at the end.
    Memory,
}

/// The program, joined.
pub struct App {
    pub engine: Engine,
    pub chat: Arc<LocalChat>,
    /// Where the config names a workspace.
    pub slack: Option<Arc<SlackChat>>,
    /// Where the config names a server.
    pub discord: Option<Arc<DiscordChat>>,
    pub joined: Arc<Joined>,
    store: Arc<dyn Store>,
    /// For a copy while it runs; `None` in memory.
    pub sqlite: Option<sqlite::Sqlite>,
    /// Where the chat is kept; `None` in memory.
    chat_file: Option<PathBuf>,
}

impl App {
    /// Opens what is kept and joins everything. Nothing moves before [`App::start`].
    pub async fn open(files: Files, keeping: &Keeping, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let (store, sqlite, place): (Arc<dyn Store>, _, _) = match keeping {
            Keeping::File(path) => {
                let opened = sqlite::open(path, sqlite::OpenOptions::default()).await?;
                (
                    Arc::new(opened.clone()),
                    Some(opened),
                    Place::File(chat_path(path)),
                )
            }
            Keeping::Look(path) => (Arc::new(sqlite::open_to_look(path).await?), None, Place::Memory),
            Keeping::Memory => (Arc::new(store::Memory::default()), None, Place::Memory),
        };
        let chat_file = match &place {
            Place::File(path) => Some(path.clone()),
            Place::Memory => None,
        };
        let chat = LocalChat::open(place, &files.config.command, Arc::clone(&clock)).await?;
        let slack = slack::adapter(&files.config, Arc::clone(&clock))?;
        let discord = discord::adapter(&files.config, Arc::clone(&clock))?;
        let systems = files.systems(Arc::clone(&clock))?;
        let masker = files.config.masker()?;
        let room = files.config.room.clone();
        let view = View {
            command: files.config.command.clone(),
            room_name: Arc::new(move |state| {
                let declared = state
                    .moments
                    .get(&crate::incident::Moment::Declared)
                    .map_or(state.last, |at| at.at);
                room.name(&RoomFacts {
                    number: state.opening.number,
                    title: &state.title,
                    severity: state.severity,
                    process: state.process,
                    declared,
                })
            }),
        };
        let options = Options {
            timeline_emoji: files.config.reactions.timeline.clone(),
            task_emoji: files.config.reactions.task.clone(),
            followup_emoji: files.config.reactions.followup.clone(),
            announce: Some(crate::chat::local::room_ref(LOBBY)),
            away_after: files.config.room.away_after.0,
            whole_log: files.config.timeline.capture == config::Capture::All,
            groups: people::groups(&files.config),
            invite: files.config.room.invite.clone(),
        };
        let joined = Arc::new(Joined::new(files, systems, Arc::clone(&clock)));
        let parts = Parts {
            store: Arc::clone(&store),
            clock,
            hands: joined.clone(),
            words: Arc::new(view.clone()),
            meaning: Arc::new(Inbox::new(joined.clone(), view)),
            documents: joined.clone(),
            // What is opened where there is no chat gets its room on the platform that people look at.
            chats: slack
                .iter()
                .map(|slack| Arc::clone(slack) as Arc<dyn Chat>)
                .chain(discord.iter().map(|discord| Arc::clone(discord) as Arc<dyn Chat>))
                .chain([chat.clone() as Arc<dyn Chat>])
                .collect(),
            code: Arc::new(people::code),
            mask: Arc::new(move |text: &str| masker.mask(text).text.into_owned()),
            options,
        };
        let engine = Engine::load(parts).await?;
        let app = Self {
            engine,
            chat,
            slack,
            discord,
            joined,
            store,
            sqlite,
            chat_file,
        };
        if !matches!(keeping, Keeping::Look(_)) {
            app.engine.keep_groups().await?;
            app.put_people().await?;
        }
        Ok(app)
    }

    /// People of the config, brought onto the desk. Each has an identity on the local page.
    async fn put_people(&self) -> Result<(), Error> {
        for person in &self.joined.config().person {
            let mut identities: BTreeSet<Identity> = person.identities.iter().cloned().collect();
            identities.insert(crate::chat::local::identity(&person.id));
            identities.extend(person.os_user.as_deref().map(people::on_terminal));
            let request = desk::Request::PutPerson {
                person: PersonId::new(&person.id),
                name: person.name.clone().unwrap_or_else(|| person.id.clone()),
                roles: person.roles.iter().copied().collect(),
                guest: false,
                identities,
            };
            self.engine.on_desk(&By::Orderly, &request).await?;
        }
        Ok(())
    }

    /// Reads the catalog anew, whole or not at all: with a problem in it, what there was goes on. Says how many probes and
    /// actions there are now.
    pub async fn reload_catalog(&self) -> Result<(usize, usize), Error> {
        let catalog = Files::catalog(self.joined.config())?;
        let counted = (catalog.probes().count(), catalog.actions().count());
        self.joined.systems().replace_catalog(catalog);
        self.engine.look_around().await?;
        Ok(counted)
    }

    /// Begins to work.
    pub async fn start(&self) -> Result<(), Error> {
        // Messages name people from the first one on.
        self.join_slack();
        self.join_discord();
        self.engine.start().await?;
        self.chat.connect(Arc::new(self.engine.clone()));
        self.listen_to_slack();
        self.listen_to_discord();
        Ok(())
    }

    /// Ends what is in hand, then lets go of the files.
    pub async fn stop(&self) {
        if let Some(slack) = &self.slack {
            slack.close();
        }
        if let Some(discord) = &self.discord {
            discord.close();
        }
        self.engine.stop().await;
        self.chat.close().await;
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the journal could not be closed");
        }
    }
}

/// The local chat is kept beside the journal: it stands for a chat service, so it has a file of its own.
pub fn chat_path(journal: &Path) -> PathBuf {
    let mut name = journal.file_stem().unwrap_or_default().to_os_string();
    name.push(".chat.sqlite");
    journal.with_file_name(name)
}
