//! What people do and see in a chat, whichever it is. A platform joins the suite by implementing [`Hands`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use orderly::app::App;
use orderly::incident::Identity;

/// A platform of the suite. One more is a variant here, a folder beside `local`, and a line in `House::on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    Local,
    Slack,
    Discord,
}

impl Platform {
    pub const ALL: [Self; 3] = [Self::Local, Self::Slack, Self::Discord];

    /// How the documentation calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "The local page",
            Self::Slack => "Slack",
            Self::Discord => "Discord",
        }
    }
}

/// A message as one person sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How the platform names it, for those who press, answer or mark.
    pub id: String,
    /// Short name of who wrote it; [`BOT`] for the bot.
    pub by: String,
    /// What there is to read, a line each; what stands on buttons is with them.
    pub text: String,
    pub buttons: Vec<Button>,
    /// Names of its files.
    pub files: Vec<String>,
    pub pinned: bool,
    pub deleted: bool,
    /// The message it answers.
    pub thread: Option<String>,
}

/// How the suite calls the bot.
pub const BOT: &str = "Orderly";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Button {
    pub label: String,
    /// The command line that it runs, or the path of the command whose form it opens.
    pub does: String,
}

/// A form in front of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pub id: String,
    pub title: String,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub label: String,
    pub asks: Asks,
    pub required: bool,
    /// Filled in beforehand, written as a command takes it.
    pub value: Option<String>,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    Text,
    Number,
    /// One of these values.
    One(Vec<String>),
    Several(Vec<String>),
    Moment,
    Day,
    Person,
    Tick,
}

/// What a form was refused with, by field; what is about none of them stands under "".
pub type Errors = BTreeMap<String, String>;

/// What can be made of a message, by its menu or by a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Timeline,
    Task,
    Followup,
}

/// What goes wrong between the program and the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Every call of the bot is told to wait once before it is taken.
    Limits,
    /// Calls are done, and their answers are lost.
    LostAnswers,
    /// What people do arrives twice.
    Twice,
    /// What people do arrives with the last first.
    Reversed,
    /// The connection breaks, and is made again.
    Dropped,
}

/// One platform in people's hands. Everything goes over its real wire. Rooms and messages are named as it names them.
#[async_trait]
pub trait Hands: Send + Sync {
    fn platform(&self) -> Platform;

    // --- joining the program

    /// What orderly.toml says of the platform; secrets lie in the folder.
    fn config(&self, folder: &Path) -> String;
    /// Who somebody is there; `None` where being in the config is enough.
    fn identity(&self, person: &str) -> Option<Identity>;
    /// The program runs and serves its page here: people can reach it, and it can reach them.
    async fn reach(&self, app: &App, page: SocketAddr);
    /// Time passes on the platform.
    fn advance(&self, by: Duration);
    /// Everything people did so far has reached the program.
    async fn delivered(&self);
    /// Somebody waits for an answer that the program was told to give later.
    fn waits(&self) -> bool {
        false
    }
    /// Waits until nobody waits any more, or the program was told to wait with an answer.
    async fn answered(&self) {}
    /// Whether the platform takes some changes only minutes later, such as those of a channel's topic.
    fn holds_back(&self) -> bool {
        false
    }
    /// Fails if the program did what the real platform would not take.
    fn assert_clean(&self);

    // --- places

    /// A room of everybody that is no incident's.
    fn ops(&self) -> String;
    /// Where incidents are announced.
    fn lobby(&self) -> String;
    /// The rooms that somebody can find, each with its name and topic as they read it.
    async fn rooms(&self, who: &str) -> Vec<String>;

    // --- doing

    /// Enters a room that is open to them.
    async fn enters(&self, who: &str, room: &str);
    /// Why the platform's own client would not send this command: what it asks for first, or does not offer. `None` where
    /// it sends whatever is typed.
    fn refuses(&self, _who: &str, _line: &str) -> Option<String> {
        None
    }
    /// Types a command, without its name. Durable when it returns.
    async fn types(&self, who: &str, room: &str, line: &str);
    /// The same in answer to a message.
    async fn types_in_thread(&self, who: &str, room: &str, message: &str, line: &str);
    /// Presses a button of a message, also of one that only they see.
    async fn presses(&self, who: &str, room: &str, message: &str, label: &str);
    /// Waits for a form, and for what stands in it.
    async fn form(&self, who: &str) -> Form;
    /// Sends a form with these fields filled and all others as they are. The values are those of the command.
    async fn submits(&self, who: &str, form: &Form, values: &[(&str, &str)]) -> Errors;
    /// Puts a form away without sending it.
    async fn closes(&self, who: &str, form: &Form);
    /// Writes a message, in answer to another one or not, and gives its name.
    async fn says(&self, who: &str, room: &str, thread: Option<&str>, text: &str) -> String;
    async fn edits(&self, who: &str, room: &str, message: &str, text: &str);
    async fn deletes(&self, who: &str, room: &str, message: &str);
    /// The link of a message, as people copy it.
    fn link(&self, room: &str, message: &str) -> String;
    /// Puts the mark's emoji on a message.
    async fn reacts(&self, who: &str, room: &str, message: &str, mark: Mark);
    async fn unreacts(&self, who: &str, room: &str, message: &str, mark: Mark);
    /// The same by the menu of the message.
    async fn picks(&self, who: &str, room: &str, message: &str, mark: Mark);
    async fn uploads(&self, who: &str, room: &str, name: &str, bytes: &[u8]) -> String;
    /// What is offered while somebody types; `None` where the platform offers nothing.
    async fn completions(&self, who: &str, room: &str, typed: &str) -> Option<Vec<String>>;

    // --- seeing

    /// The messages of a room, oldest first, replies among them; `None` where this person has no such room.
    async fn room(&self, who: &str, room: &str) -> Option<Vec<Seen>>;
    /// What only this person sees there.
    async fn told(&self, who: &str, room: &str) -> Vec<Seen>;
    /// Where the bot writes to them directly, once it did.
    async fn direct(&self, who: &str) -> Option<String>;
    /// What they see who look at the bot itself; `None` where the platform has no such place.
    async fn home(&self, who: &str) -> Option<Seen>;
    /// A file of a message.
    async fn file(&self, who: &str, room: &str, message: &str, name: &str) -> Vec<u8>;

    // --- what it is good for

    /// How somebody gets at this here. What is said is what the suite then does.
    fn way(&self, need: Need) -> Way;

    /// Makes a guest of somebody; `false` where there are none.
    fn becomes_guest(&self, who: &str) -> bool;

    // --- going wrong

    /// Begins. The error says why it cannot happen on this platform.
    async fn begin(&self, trouble: Trouble) -> Result<(), &'static str>;
    /// Ends whatever has begun.
    fn end_trouble(&self);
}

/// Something that people, or the program, need of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
pub enum Need {
    Command,
    BareCommand,
    Completion,
    Missing,
    ThreadCommand,
    Form,
    FieldError,
    Picker,
    Button,
    Alone,
    Room,
    Private,
    Lobby,
    Direct,
    Home,
    Reaction,
    Menu,
    Thread,
    Edit,
    Evidence,
    Export,
    Guest,
    Redelivery,
    Order,
    Limit,
    Gap,
    Restart,
}

/// How a platform meets a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By what the platform itself has for it.
    Own(&'static str),
    /// It has nothing for it; this is the next best.
    Instead(&'static str),
}

/// What two platforms must say alike: words and figures, without the signs that each sets around them.
pub fn words(text: &str) -> String {
    let meant = |word: &&str| word.chars().any(char::is_alphanumeric) || is_tone(word);
    let bare = |word: &str| word.replace('`', "").trim_matches([':', '*', '•']).to_owned();
    let words: Vec<String> = text.split_whitespace().filter(meant).map(bare).collect();
    words.join(" ")
}

/// The colour of a row, as every platform shows it besides the word.
pub fn is_tone(word: &str) -> bool {
    TONES.iter().any(|(_, dot)| *dot == word)
}

/// Tones by their names.
pub const TONES: [(&str, &str); 5] = [
    ("good", "🟢"),
    ("warn", "🟡"),
    ("bad", "🔴"),
    ("quiet", "⚪"),
    ("busy", "🔵"),
];

/// The labels of a message's buttons.
pub fn labels(seen: &Seen) -> BTreeSet<&str> {
    seen.buttons.iter().map(|button| button.label.as_str()).collect()
}
