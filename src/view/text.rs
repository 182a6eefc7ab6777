//! Inline Markdown of runbooks into spans, and what people typed as a part of ours.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

use crate::chat::Rich;

/// The text of a runbook step as spans: code stays code, emphasis becomes bold, links keep their address.
pub fn inline_markdown(text: &str) -> Rich {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &Options::default());
    let mut rich = Rich::new();
    walk(root, &mut rich);
    rich
}

/// What ends the words of a person where a sentence follows: nothing if they did so themselves.
pub fn full_stop(typed: &str) -> &'static str {
    match typed.trim_end().ends_with(['.', '!', '?', '…', ':']) {
        true => "",
        false => ".",
    }
}

fn walk<'a>(node: &'a AstNode<'a>, rich: &mut Rich) {
    for (at, child) in node.children().enumerate() {
        let value = child.data.borrow().value.clone();
        let taken = std::mem::take(rich);
        *rich = match value {
            NodeValue::Text(text) => taken.text(text.to_string()),
            NodeValue::Code(code) => taken.code(code.literal),
            NodeValue::CodeBlock(code) => taken.text("\n").code(code.literal.trim_end().to_owned()),
            NodeValue::Strong | NodeValue::Emph => taken.bold(plain(child)),
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

fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let mut rich = Rich::new();
    walk(node, &mut rich);
    rich.plain()
}
