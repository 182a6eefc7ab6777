//! A message as a terminal shows it: tones as words and, where it can be seen, as colour.

use super::output::{WIDTH, wrap};
use crate::chat::{Block, Button, Message, Press, Rich, Row, Span, Tone};
use crate::text::clean;
use crate::view::ours;

/// Longest message written: the largest runbook fits many times over.
const MOST: usize = 1 << 20;

/// How a message is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub colour: bool,
    /// The incident it is about, so that what is offered can be typed as it stands.
    pub incident: Option<u64>,
    /// How this program was called.
    pub program: &'a str,
}

#[derive(Clone, Copy)]
enum Paint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Look<'_> {
    /// The whole message, each block apart from the one before where that helps the eye.
    pub fn message(&self, message: &Message) -> String {
        let mut text = String::new();
        for block in &message.blocks {
            let shown = self.block(block);
            if shown.is_empty() {
                continue;
            }
            text.push_str(&shown);
            text.push('\n');
        }
        if text.is_empty() {
            text = format!("{}\n", self.safe(&message.fallback));
        }
        text
    }

    fn block(&self, block: &Block) -> String {
        match block {
            Block::Header { text } => self.paint(Paint::Bold, &wrap(&self.safe(text), 0)),
            Block::Text { text } => wrap(&self.rich(text), 0),
            Block::Fields { fields } => {
                let widest = fields.iter().map(|(label, _)| label.chars().count()).max();
                let indent = widest.unwrap_or(0) + 2;
                let line = |(label, value): &(String, Rich)| {
                    let gap = " ".repeat(indent.saturating_sub(label.chars().count()));
                    let label = self.paint(Paint::Dim, &self.safe(label));
                    format!("{label}{gap}{}", wrap(&self.rich(value), indent))
                };
                fields.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Block::Rows { rows } => self.rows(rows),
            Block::Code { text, diff } => self.code(text, *diff),
            Block::Details { title, text } => {
                let title = self.paint(Paint::Bold, &self.safe(title));
                format!("{title}\n{}", indented(&self.safe(text)))
            }
            Block::Buttons { buttons } => self.buttons(buttons),
            Block::Context { text } => self.paint(Paint::Dim, &wrap(&self.rich(text), 0)),
            Block::Divider => self.paint(Paint::Dim, &"-".repeat(WIDTH)),
        }
    }

    fn rows(&self, rows: &[Row]) -> String {
        let widest = rows.iter().map(|row| row.mark.chars().count()).max().unwrap_or(0);
        let indent = widest + 4;
        let line = |row: &Row| {
            let gap = " ".repeat(2 + widest.saturating_sub(row.mark.chars().count()));
            let mark = self.paint(tone(row.tone), &self.safe(&row.mark));
            let mut line = format!("  {mark}{gap}{}", wrap(&self.rich(&row.title), indent));
            if !row.detail.plain().is_empty() {
                line.push('\n');
                line.push_str(&" ".repeat(indent));
                line.push_str(&self.paint(Paint::Dim, &wrap(&self.rich(&row.detail), indent)));
            }
            line
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn code(&self, text: &str, diff: bool) -> String {
        let line = |line: &str| match line.chars().next() {
            Some('+') if diff => self.paint(Paint::Green, line),
            Some('-') if diff => self.paint(Paint::Red, line),
            _ => line.to_owned(),
        };
        self.safe(text).lines().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A button is pressed here by typing its command.
    fn buttons(&self, buttons: &[Button]) -> String {
        let line = |button: &Button| {
            let line = match &button.press {
                Press::Run { line } => self.command(&self.safe(line)),
                Press::Ask { path, .. } => self.command(&format!("help {}", self.safe(path))),
            };
            let label = self.safe(&button.label);
            format!("  {label}: {}", self.paint(Paint::Cyan, &line))
        };
        let mut lines: Vec<String> = buttons.iter().map(line).collect();
        // Buttons that open the same form at different fields are one command here.
        lines.dedup();
        lines.join("\n")
    }

    fn command(&self, line: &str) -> String {
        let program = self.program;
        let alone = ["help", "list", "open", "drill"];
        let first = line.split(' ').next().unwrap_or_default();
        match self.incident {
            Some(number) if !alone.contains(&first) && !line.contains("INC-") => {
                format!("{program} incident INC-{number} {line}")
            }
            _ => format!("{program} incident {line}"),
        }
    }

    /// Words of a refusal, which know of no platform.
    pub fn words(&self, words: &str) -> String {
        self.rich(&ours(words, orderly_commands::DEFAULT_NAME))
    }

    /// A command of the chat is shown as it is typed here.
    fn rich(&self, rich: &Rich) -> String {
        let here = rich.0.iter().map(|span| match span {
            Span::Command { line, .. } => Span::Code {
                text: self.command(line),
            },
            other => other.clone(),
        });
        self.safe(&Rich(here.collect()).plain())
    }

    /// Nothing that somebody typed may command the terminal.
    fn safe(&self, text: &str) -> String {
        clean(text, MOST)
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Bold => 1,
            Paint::Dim => 2,
            Paint::Red => 31,
            Paint::Green => 32,
            Paint::Yellow => 33,
            Paint::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

fn tone(tone: Tone) -> Paint {
    match tone {
        Tone::Good => Paint::Green,
        Tone::Warn => Paint::Yellow,
        Tone::Bad => Paint::Red,
        Tone::Quiet => Paint::Dim,
        Tone::Busy => Paint::Cyan,
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Style;

    fn look(colour: bool) -> Look<'static> {
        Look {
            colour,
            incident: Some(7),
            program: "orderly",
        }
    }

    fn row(tone: Tone, mark: &str, title: &str, detail: &str) -> Row {
        Row {
            tone,
            mark: mark.to_owned(),
            title: title.into(),
            detail: detail.into(),
        }
    }

    #[test]
    fn a_message_reads_in_eighty_columns_and_its_buttons_are_commands() {
        let message = Message {
            fallback: "status".to_owned(),
            blocks: vec![
                Block::Header {
                    text: "INC-7 SEV2 Labels do not print".to_owned(),
                },
                Block::Fields {
                    fields: vec![
                        ("Phase".to_owned(), "contain".into()),
                        ("Commander".to_owned(), "Ana".into()),
                    ],
                },
                Block::Rows {
                    rows: vec![
                        row(Tone::Good, "ok", "http.health", ""),
                        row(
                            Tone::Bad,
                            "failing",
                            "odoo.queue_jobs",
                            "1204 jobs wait, the oldest since 02:14, and nothing has been worked off",
                        ),
                    ],
                },
                Block::Buttons {
                    buttons: vec![Button {
                        label: "Next phase".to_owned(),
                        style: Style::Primary,
                        press: Press::Run {
                            line: "next".to_owned(),
                        },
                    }],
                },
            ],
        };
        insta::assert_snapshot!(look(false).message(&message), @"
        INC-7 SEV2 Labels do not print
        Phase      contain
        Commander  Ana
          ok       http.health
          failing  odoo.queue_jobs
                   1204 jobs wait, the oldest since 02:14, and nothing has been worked
                   off
          Next phase: orderly incident INC-7 next
        ");
    }

    #[test]
    fn what_somebody_typed_cannot_command_the_terminal() {
        let message = Message::from("\x1b[2Jall is well\x07");
        assert_eq!(look(true).message(&message), "␛[2Jall is well␇\n");
    }

    #[test]
    fn a_tone_is_a_word_and_where_it_can_be_seen_a_colour() {
        let message = Message {
            fallback: String::new(),
            blocks: vec![Block::Rows {
                rows: vec![row(Tone::Bad, "failing", "x", "")],
            }],
        };
        assert_eq!(look(true).message(&message), "  \x1b[31mfailing\x1b[0m  x\n");
        assert_eq!(look(false).message(&message), "  failing  x\n");
    }
}
