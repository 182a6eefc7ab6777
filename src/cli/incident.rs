//! `orderly incident`: the commands of the chat, from the terminal.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::REFUSED;
use super::output::{self, colour};
use super::reach;
use super::render::Look;
use super::request::{Answer, Request};
use crate::chat::Message;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly incident list
  orderly incident open \"Labels do not print\" severity=SEV2
  orderly incident INC-7 status
  orderly incident INC-7 approve A3 reason=\"the row is the right one\"
  orderly incident --json INC-7 status
  orderly incident help

It takes the commands of the chat, as the person whose `os_user` in orderly.toml you are; without one you can look,
but change nothing. While `orderly serve` runs it decides; else this command does, and lets go again.
Exit code 3: refused.")]
pub struct Arguments {
    /// Print the verdict as JSON.
    #[arg(long)]
    json: bool,
    /// The command, as it is typed after the slash command in chat; begin with INC-7 to say which incident.
    #[arg(trailing_var_arg = true, value_name = "COMMAND", required = true)]
    words: Vec<String>,
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    send(config, line(&arguments.words), arguments.json).await
}

/// Has a command decided, and shows the verdict.
pub async fn send(config: &Path, line: String, as_json: bool) -> Result<ExitCode> {
    // A refusal has no incident of its own, and what it offers is about the one that was named.
    let named = orderly_commands::parse(&line)
        .ok()
        .and_then(|parsed| parsed.incident);
    let answer = reach::ask(config, Request::Command { line }).await?;
    let verdict = match answer {
        Answer::Verdict { verdict } => verdict,
        other => return reach::refused(other).or_else(|_| reach::strange()),
    };
    if as_json {
        output::json(&verdict)?;
    } else {
        let look = Look {
            colour: colour(),
            incident: verdict.incident.or(named),
            program: "orderly",
        };
        // Where the room shows what was done, there is nothing to whisper; a terminal has no room beside it.
        let text = match verdict.message == Message::default() {
            true => "Done.\n".to_owned(),
            false => look.message(&verdict.message),
        };
        if verdict.accepted {
            print!("{text}");
        } else {
            eprint!("{text}");
        }
    }
    Ok(match verdict.accepted {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(REFUSED),
    })
}

/// The words as one line: the shell took the quotation marks away, and the grammar wants them back.
fn line(words: &[String]) -> String {
    if let [whole] = words {
        return whole.clone();
    }
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains(char::is_whitespace) {
        return word.to_owned();
    }
    let option = word.split_once('=').filter(|(name, _)| {
        let name = name.trim_start_matches('-');
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    });
    match option {
        Some((name, value)) => format!("{name}={}", orderly_commands::quoted(value)),
        None => orderly_commands::quoted(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> String {
        line(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_the_shell_unquoted_is_quoted_again() {
        assert_eq!(
            typed(&["open", "Labels do not print", "severity=SEV2"]),
            "open \"Labels do not print\" severity=SEV2"
        );
        assert_eq!(
            typed(&["INC-7", "approve", "A3", "reason=it is \"the\" row"]),
            "INC-7 approve A3 reason=\"it is \\\"the\\\" row\""
        );
    }

    #[test]
    fn one_word_is_the_line_itself() {
        assert_eq!(typed(&["INC-7 status"]), "INC-7 status");
    }
}
