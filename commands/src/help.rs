//! Help: an overview by phase, a page for each chapter, group and command. Light Markdown (bold, inline code, dashes
//! for lists) that every adapter can turn into its own.

use crate::parse::{meant, second};
use crate::shown::code;
use crate::suggest;
use crate::table::{
    ArgKind, ArgSpec, Chapter, CommandSpec, GroupSpec, Reply, Scope, find, find_group, members, table,
};
use crate::words::fold;

/// The text for `help` and `help <topic>`. A topic is a command, a group or a phase; one that is none gets the nearest.
pub fn help(topic: Option<&str>, command_name: &str) -> String {
    text(topic, command_name, Manner::Typed)
}

/// The same where commands are picked from a list and their arguments filled in: nothing there has a second name.
pub fn help_picked(topic: Option<&str>, command_name: &str) -> String {
    text(topic, command_name, Manner::Picked)
}

/// How a command reaches the bot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As a line of text.
    Typed,
    /// By its path, with its arguments by name.
    Picked,
}

impl Manner {
    fn name(self, spec: &CommandSpec) -> &'static str {
        match self {
            Manner::Typed => spec.typed(),
            Manner::Picked => spec.path,
        }
    }
}

fn text(topic: Option<&str>, command_name: &str, manner: Manner) -> String {
    let topic = topic.map(str::trim).unwrap_or_default();
    if topic.is_empty() {
        return overview(command_name, manner);
    }
    let folded = fold(topic);
    // A phase and a command may share a word (`decide`); the command is what people ask about.
    if let Some(chapter) = Chapter::ALL
        .iter()
        .find(|chapter| fold(chapter.title()) == folded)
        && find(&folded).is_none()
    {
        return chapter_page(*chapter, command_name, manner);
    }
    if let Some(group) = find_group(&folded) {
        return group_page(group, command_name, manner);
    }
    match meant(topic) {
        Ok(meant) => command_page(meant.spec, command_name, manner),
        Err(_) => unknown_topic(topic, command_name),
    }
}

fn overview(command_name: &str, manner: Manner) -> String {
    let begins = match manner {
        Manner::Typed => format!("`/{command_name}` alone"),
        Manner::Picked => format!("`/{command_name} open` with nothing filled in"),
    };
    let mut text = format!(
        "An incident goes through six phases, in order. {begins} begins one, or shows where you are.\n"
    );
    for chapter in Chapter::ALL {
        let words: Vec<String> = in_chapter(chapter)
            .map(|spec| format!("`{}`", manner.name(spec)))
            .collect();
        let (title, purpose) = (chapter.title(), chapter.purpose());
        text.push_str(&format!("\n**{title}** ({purpose}): {}", words.join(" ")));
    }
    text.push_str(&format!(
        "\n\n`/{command_name} help approve` explains a command, `/{command_name} help contain` a phase."
    ));
    text
}

fn chapter_page(chapter: Chapter, command_name: &str, manner: Manner) -> String {
    let mut text = format!("**{}**: {}.\n", chapter.title(), chapter.purpose());
    for spec in in_chapter(chapter) {
        text.push_str(&format!("\n- `{}`: {}", manner.name(spec), spec.summary));
    }
    text.push_str(&format!("\n\n`/{command_name} help <command>` explains one."));
    text
}

fn group_page(group: &GroupSpec, command_name: &str, manner: Manner) -> String {
    let mut text = format!("**`/{command_name} {}`**: {}.\n", group.name, group.summary);
    if manner == Manner::Picked {
        for spec in members(group) {
            text.push_str(&format!("\n- `{}`: {}", spec.path, spec.summary));
        }
        return text;
    }
    for spec in members(group) {
        let alias = spec.alias.filter(|alias| *alias != second(spec));
        let alias = alias.map(|alias| format!(", or `{alias}`")).unwrap_or_default();
        text.push_str(&format!("\n- `{}`{alias}: {}", second(spec), spec.summary));
    }
    if let Some(bare) = group.bare {
        text.push_str(&format!("\n\n`{}` alone is `{bare}`.", group.name));
    }
    if let Some(default) = group.default {
        text.push_str(&format!(" `{} …` is `{default} …`.", group.name));
    }
    text
}

fn command_page(spec: &CommandSpec, command_name: &str, manner: Manner) -> String {
    let name = manner.name(spec);
    let mut text = format!("**`/{command_name} {name}`**: {}.\n", spec.summary);
    if manner == Manner::Typed {
        text.push_str(&format!("\nType: `/{command_name} {}`", spec.usage()));
    }
    for arg in spec.args {
        text.push_str(&format!("\n- {}", arg_line(arg, manner)));
    }
    text.push_str(&format!("\n\nExample: `/{command_name} {}`", spec.example));
    if manner == Manner::Typed {
        if spec.alias.is_some() {
            text.push_str(&format!("\nAlso: `/{command_name} {}`", spec.path));
        }
        if spec.scope == Scope::Room {
            text.push_str(&format!(
                "\nOutside the incident's room, name it: `/{command_name} INC-7 {name}`"
            ));
        }
    }
    text.push_str(match spec.visibility {
        Reply::Private => "\nOnly you see the answer.",
        Reply::Room => "\nThe room sees the answer.",
    });
    text
}

fn arg_line(arg: &ArgSpec, manner: Manner) -> String {
    let dashes = match (arg.kind, manner) {
        (ArgKind::Flag, Manner::Typed) => "--",
        _ => "",
    };
    let expects = match arg.kind {
        ArgKind::Text | ArgKind::Word | ArgKind::Flag | ArgKind::Params => String::new(),
        kind => format!("; {}", kind.expects()),
    };
    let needed = if arg.required { " (needed)" } else { "" };
    format!("`{dashes}{}`: {}{expects}{needed}", arg.name, arg.summary)
}

fn unknown_topic(topic: &str, command_name: &str) -> String {
    let nearest = suggest::command(topic);
    let hint = nearest
        .map(|word| format!(" Did you mean `/{command_name} help {word}`?"))
        .unwrap_or_default();
    format!(
        "There is no command {}.{hint} `/{command_name} help` lists them all.",
        code(topic)
    )
}

fn in_chapter(chapter: Chapter) -> impl Iterator<Item = &'static CommandSpec> {
    table().iter().filter(move |spec| spec.chapter == chapter)
}
