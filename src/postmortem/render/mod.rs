//! From the document to what people open. Renderers see only the document.

mod escape;
mod figure;
mod marks;
mod scale;
mod templates;
mod text_figure;
mod values;

use std::sync::Arc;

use super::document::Document;

pub use templates::{TemplateError, Templates};

/// Markdown on the shipped template. The figure is drawn in text.
pub fn markdown(document: &Document) -> Result<String, TemplateError> {
    Templates::shipped().markdown(&Arc::new(document.clone()))
}

/// One self-contained HTML file on the shipped template, with the figure.
pub fn html(document: &Document) -> Result<String, TemplateError> {
    Templates::shipped().html(&Arc::new(document.clone()))
}

/// The document itself; its schema is `schemas/postmortem.schema.json`.
pub fn json(document: &Document) -> String {
    // Strings, numbers and maps with string keys: serialising them cannot fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of [`json`], as checked in.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap_or_default();
    text.push('\n');
    text
}
