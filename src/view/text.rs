//! Inline Markdown of runbooks, sentences of our own, and what people typed as a part of those, into spans.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

use crate::chat::{Rich, Span};
use crate::incident::NO_COMMAND;

/// A sentence of our own, in which back-ticks set apart what is typed or named: a command of the bot where it begins with a
/// slash (`` `/next` ``), any other word or value where not. What somebody typed stands beside it in a span of its own, or
/// has no back-ticks left ([`crate::incident::Refusal`]).
pub fn ours(words: &str, command: &str) -> Rich {
    let mut rich = Rich::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((marked, behind)) = after.split_once('`').filter(|(marked, _)| !marked.is_empty()) else {
            break;
        };
        if !before.is_empty() {
            rich = rich.text(before);
        }
        rich = match marked.strip_prefix('/') {
            Some(line) if orderly_commands::head(line).is_some() => rich.command(command, line),
            _ => rich.code(marked.replace(NO_COMMAND, "/")),
        };
        rest = behind;
    }
    if !rest.is_empty() {
        rich = rich.text(rest);
    }
    rich
}

/// The text of a runbook step as spans: code stays code, emphasis becomes bold, links keep their address.
///
/// Code that is a command by the name it has here is one.
pub fn inline_markdown(text: &str, command: &str) -> Rich {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &Options::default());
    let mut rich = Rich::new();
    walk(root, &mut rich);
    for span in &mut rich.0 {
        if let Span::Code { text } = span
            && let Some(line) = text.strip_prefix('/').and_then(|text| text.strip_prefix(command))
            && let Some(line) = line.strip_prefix(' ').or(line.is_empty().then_some(""))
        {
            *span = Span::Command {
                name: command.to_owned(),
                line: line.to_owned(),
            };
        }
    }
    rich
}

fn walk<'a>(node: &'a AstNode<'a>, rich: &mut Rich) {
    for (at, child) in node.children().enumerate() {
        let value = child.data.borrow().value.clone();
        let taken = std::mem::take(rich);
        *rich = match value {
            NodeValue::Text(text) => taken.text(text.to_string()),
            NodeValue::Code(code) => taken.code(code.literal),
            NodeValue::CodeBlock(code) => taken.text("\n").code(code.literal.trim_end().to_owned()),
            NodeValue::Strong | NodeValue::Emph => taken.then(bold(child)),
            NodeValue::Link(link) => taken.link(link.url.clone(), plain(child)),
            NodeValue::SoftBreak => taken.text(" "),
            NodeValue::LineBreak => taken.text("\n"),
            NodeValue::HtmlInline(html) => taken.text(html),
            NodeValue::Paragraph if at > 0 => {
                let mut next = taken.text("\n");
                walk(child, &mut next);
                next
            }
            _ => {
                let mut next = taken;
                walk(child, &mut next);
                next
            }
        };
    }
}

/// What is emphasised, bold; code in it stays code.
fn bold<'a>(node: &'a AstNode<'a>) -> Rich {
    let mut rich = Rich::new();
    walk(node, &mut rich);
    let bold = rich.0.into_iter().map(|span| match span {
        Span::Plain { text } => Span::Bold { text },
        other => other,
    });
    Rich(bold.collect())
}

fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let mut rich = Rich::new();
    walk(node, &mut rich);
    rich.plain()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_and_what_is_named_are_told_apart() {
        let rich = ours(
            "Go on with `/next`, or see `orderly doctor` and `/var/log`.",
            "incident",
        );
        let wanted = Rich::new()
            .text("Go on with ")
            .command("incident", "next")
            .text(", or see ")
            .code("orderly doctor")
            .text(" and ")
            .code("/var/log")
            .text(".");
        assert_eq!(rich, wanted);
    }

    #[test]
    fn a_back_tick_alone_is_one() {
        assert_eq!(ours("5` and ``", "incident").plain(), "5` and ``");
    }

    #[test]
    fn what_a_runbook_emphasises_keeps_its_code() {
        let rich = inline_markdown("**Type `/incident next`** now", "incident");
        let wanted = Rich::new().bold("Type ").command("incident", "next").text(" now");
        assert_eq!(rich, wanted);
    }
}
