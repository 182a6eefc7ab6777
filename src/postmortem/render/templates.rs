//! The templates: those shipped, or the operator's own. A broken one is an error that names file and line; the shipped
//! one never takes its place in silence.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};
use sha2::{Digest, Sha256};

use super::{escape, figure, text_figure, values};
use crate::postmortem::document::Document;

const MARKDOWN: &str = "postmortem.md.j2";
const HTML: &str = "postmortem.html.j2";
const SHIPPED: [(&str, &str); 2] = [
    (
        MARKDOWN,
        include_str!("../../../templates/postmortem/postmortem.md.j2"),
    ),
    (
        HTML,
        include_str!("../../../templates/postmortem/postmortem.html.j2"),
    ),
];

/// Largest template that is read, in bytes. The shipped ones have about 20 KiB.
const LARGEST: u64 = 1 << 20;

/// What is wrong with a template, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error(
        "the template folder {folder} cannot be read: {source}. Make it readable, or take `templates` out of the config."
    )]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error(
        "the template folder {folder} has neither postmortem.md.j2 nor postmortem.html.j2. Put one there, or take `templates` out of the config."
    )]
    Empty { folder: PathBuf },
    #[error("the template {file} cannot be used: {why}.")]
    File { file: PathBuf, why: String },
    #[error("{file}:{line}: {what}. {right}")]
    Broken {
        file: String,
        line: usize,
        what: String,
        right: String,
    },
}

/// The templates in use, compiled.
pub struct Templates {
    environment: Environment<'static>,
    /// Name, file as people know it, text.
    sources: Vec<Source>,
}

struct Source {
    name: String,
    file: String,
    text: String,
}

impl Templates {
    /// The templates in the binary.
    pub fn shipped() -> Self {
        let sources = SHIPPED.map(|(name, text)| Source::shipped(name, text));
        let mut environment = environment();
        for (name, text) in SHIPPED {
            // Checked by the tests; a template that does not compile is reported when it is asked for.
            let _ = environment.add_template(name, text);
        }
        Self {
            environment,
            sources: sources.into(),
        }
    }

    /// The operator's own: `postmortem.md.j2`, `postmortem.html.j2` or both, with what they include beside them.
    /// What is not there is taken from those shipped.
    pub fn from_folder(folder: &Path) -> Result<Self, TemplateError> {
        let mut sources = read(folder)?;
        if !sources
            .iter()
            .any(|source| source.name == MARKDOWN || source.name == HTML)
        {
            return Err(TemplateError::Empty {
                folder: folder.to_owned(),
            });
        }
        for (name, text) in SHIPPED {
            if !sources.iter().any(|source| source.name == name) {
                sources.push(Source::shipped(name, text));
            }
        }
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        let mut templates = Self {
            environment: environment(),
            sources: Vec::new(),
        };
        for source in sources {
            let added = templates
                .environment
                .add_template_owned(source.name.clone(), source.text.clone());
            templates.sources.push(source);
            added.map_err(|error| templates.broken(&error))?;
        }
        Ok(templates)
    }

    /// The document is shared with the values that a template sees: each is made when it is asked for.
    pub fn markdown(&self, document: &Arc<Document>) -> Result<String, TemplateError> {
        let text = self.render(MARKDOWN, document, Value::from(text_figure::draw(document)))?;
        Ok(escape::tidied(&text))
    }

    pub fn html(&self, document: &Arc<Document>) -> Result<String, TemplateError> {
        self.render(HTML, document, Value::from_safe_string(figure::draw(document)))
    }

    /// SHA-256 over the template of this name and all that it may include, hex.
    fn digest(&self, name: &str) -> String {
        let mut hasher = Sha256::new();
        let other = if name == MARKDOWN { HTML } else { MARKDOWN };
        for source in self.sources.iter().filter(|source| source.name != other) {
            hasher.update(source.name.as_bytes());
            hasher.update([0]);
            hasher.update(source.text.as_bytes());
            hasher.update([0]);
        }
        hex::encode(hasher.finalize())
    }

    fn render(&self, name: &str, document: &Arc<Document>, figure: Value) -> Result<String, TemplateError> {
        let template = self
            .environment
            .get_template(name)
            .map_err(|error| self.broken(&error))?;
        let about = context! { name => name, digest => self.digest(name) };
        let context = context! { doc => values::document(document), figure => figure, template => about };
        let mut text = template.render(context).map_err(|error| self.broken(&error))?;
        text.truncate(text.trim_end().len());
        text.push('\n');
        Ok(text)
    }

    fn broken(&self, error: &Error) -> TemplateError {
        // The innermost template is where the fault is; the outer one only includes it.
        let mut inner = error;
        let mut next = std::error::Error::source(error);
        while let Some(source) = next {
            if let Some(deeper) = source
                .downcast_ref::<Error>()
                .filter(|deeper| deeper.line().is_some())
            {
                inner = deeper;
            }
            next = source.source();
        }
        let name = inner.name().unwrap_or("template");
        let file = self.sources.iter().find(|source| source.name == name);
        let kind = inner.kind();
        TemplateError::Broken {
            file: file.map_or_else(|| name.to_owned(), |source| source.file.clone()),
            line: inner.line().unwrap_or(1),
            what: inner
                .detail()
                .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
            right: right(kind, self.quoted(name, inner.line())),
        }
    }

    /// The line itself, so that nobody has to open the file to see it.
    fn quoted(&self, name: &str, line: Option<usize>) -> String {
        let source = self.sources.iter().find(|source| source.name == name);
        let text = source.and_then(|source| source.text.lines().nth(line?.checked_sub(1)?));
        text.map(|text| format!(" The line reads `{}`.", text.trim()))
            .unwrap_or_default()
    }
}

impl Source {
    fn shipped(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            file: format!("shipped {name}"),
            text: text.to_owned(),
        }
    }
}

fn right(kind: ErrorKind, quoted: String) -> String {
    let right = match kind {
        ErrorKind::SyntaxError => {
            "Every `{%` needs its `%}`, every `{{` its `}}`, every `if` and `for` its end."
        }
        ErrorKind::UndefinedError => {
            "The names there are: `doc` (its fields stand in schemas/postmortem.schema.json), `figure` and `template`."
        }
        ErrorKind::UnknownFilter => {
            "Besides the filters of minijinja there are `minute`, `clock`, `cite`, `short`, `quote`, `code`, `cell` and `block`."
        }
        ErrorKind::TemplateNotFound => "What a template includes lies beside it and ends in `.j2`.",
        _ => "The shipped template (templates/postmortem in the source) shows how each field is used.",
    };
    format!("{right}{quoted}")
}

fn read(folder: &Path) -> Result<Vec<Source>, TemplateError> {
    let unreadable = |source| TemplateError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| name.ends_with(".j2"))
        else {
            continue;
        };
        let broken = |why: String| TemplateError::File {
            file: path.clone(),
            why,
        };
        let size = std::fs::metadata(&path)
            .map_err(|error| broken(error.to_string()))?
            .len();
        if size > LARGEST {
            return Err(broken(format!("it has {size} bytes; at most {LARGEST} are read")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| broken(error.to_string()))?;
        sources.push(Source {
            name: name.to_owned(),
            file: path.display().to_string(),
            text,
        });
    }
    Ok(sources)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // The delimiters are the usual ones, so building cannot fail; if it did, only white space would differ.
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.contains(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::Custom("markdown".into()),
    });
    environment.set_formatter(write_escaped);
    environment.add_filter("minute", minute);
    environment.add_filter("clock", clock);
    environment.add_filter("cite", cite);
    environment.add_filter("short", |digest: &str| {
        digest.chars().take(12).collect::<String>()
    });
    environment.add_filter("quote", |text: &str| Value::from_safe_string(escape::quote(text)));
    environment.add_filter("code", |text: &str| {
        Value::from_safe_string(escape::code(text, false))
    });
    environment.add_filter("cell", |text: &str| {
        Value::from_safe_string(escape::code(text, true))
    });
    environment.add_filter("block", |text: &str, language: Option<&str>| {
        Value::from_safe_string(escape::block(text, language.unwrap_or_default()))
    });
    environment
}

/// Every value that is not marked safe goes through here, in own templates too.
fn write_escaped(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let plain = value.is_safe() || value.is_number();
    let written = match (plain, value.is_none(), value.as_str()) {
        (_, true, _) => Ok(()),
        (true, _, Some(text)) => out.write_str(text),
        (true, _, None) => out.write_fmt(format_args!("{value}")),
        (false, _, text) => {
            let owned;
            let text = match text {
                Some(text) => text,
                None => {
                    owned = value.to_string();
                    &owned
                }
            };
            match state.auto_escape() {
                AutoEscape::Html => escape::html(text, out),
                _ => escape::inline(text, out),
            }
        }
    };
    written.map_err(Error::from)
}

/// `2026-10-31T14:02:05Z` to `2026-10-31 14:02`.
fn minute(time: &str) -> Value {
    let (Some(day), Some(minute)) = (time.get(..10), time.get(11..16)) else {
        return Value::from(time);
    };
    let mut text = [b' '; 16];
    text[..10].copy_from_slice(day.as_bytes());
    text[11..].copy_from_slice(minute.as_bytes());
    std::str::from_utf8(&text).map_or_else(|_| Value::from(time), Value::from)
}

/// `2026-10-31T14:02:05Z` to `14:02:05`.
fn clock(time: &str) -> Value {
    Value::from(time.get(11..19).unwrap_or(time))
}

/// Room for one id as a link, so that most need one allocation.
const ONE_ID: usize = 48;

/// The ids of events, as links where there is something to link to.
fn cite(state: &mut State, events: Value) -> Result<Value, Error> {
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    let mut out = String::with_capacity(ONE_ID);
    let mut one = |event: &Value| {
        if !out.is_empty() {
            out.push(' ');
        }
        // A string takes whatever is written.
        let _ = match html {
            true => write!(out, "<a class=\"ev\" href=\"#e{event}\">#{event}</a>"),
            false => write!(out, "`#{event}`"),
        };
    };
    match events.is_number() {
        true => one(&events),
        false => events
            .try_iter()?
            .filter(Value::is_number)
            .for_each(|event| one(&event)),
    }
    Ok(Value::from_safe_string(out))
}
