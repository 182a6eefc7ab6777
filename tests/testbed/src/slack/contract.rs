//! What the bot sends, held against the schemas made from Slack's official types, and against the limits they
//! do not know.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::fail::{Fail, Result, fail};

/// Blocks in a message, and in a modal or home tab.
const MESSAGE_BLOCKS: usize = 50;
const VIEW_BLOCKS: usize = 100;

/// Characters of all blocks of a message together; measured on the real thing, and not in the documentation.
const BLOCKS_CHARACTERS: usize = 13_200;

/// Characters of a message's text.
const TEXT_CHARACTERS: usize = 40_000;

/// Bytes of a view as JSON.
const VIEW_BYTES: usize = 250_000;

/// Characters of a fault's description: it quotes the faulty value, which may be a whole message.
const SAID: usize = 300;

const FILES: [&str; 4] = ["block", "chat.postMessage", "modal", "home"];

struct Contract {
    schema: Value,
    checks: Mutex<Vec<(String, std::sync::Arc<Validator>)>>,
}

impl Contract {
    fn of(file: &str) -> Option<&'static Self> {
        static ALL: OnceLock<Option<Vec<Contract>>> = OnceLock::new();
        let at = FILES.iter().position(|name| *name == file)?;
        ALL.get_or_init(read).as_ref()?.get(at)
    }

    /// What is wrong with a value, by one of the schema's definitions. Compiled when first asked for: the whole is large.
    fn wrong(&self, definition: &str, value: &Value) -> Vec<String> {
        let check = {
            let mut checks = self.checks.lock().expect("no check panics");
            let known = checks.iter().find(|(name, _)| name == definition);
            if let Some((_, check)) = known {
                check.clone()
            } else {
                let schema = json!({
                    "$schema": self.schema["$schema"],
                    "$ref": format!("#/definitions/{definition}"),
                    "definitions": self.schema["definitions"],
                });
                let check = jsonschema::validator_for(&schema).expect("the contract is a schema");
                let check = std::sync::Arc::new(check);
                checks.push((definition.to_owned(), check.clone()));
                check
            }
        };
        let mut why = Vec::new();
        check
            .iter_errors(value)
            .for_each(|error| explain(&error, &mut why));
        why
    }

    /// The definition whose `type` is this.
    fn definition(&self, kind: &str) -> Option<&str> {
        let definitions = self.schema["definitions"].as_object()?;
        definitions
            .iter()
            .find(|(name, body)| name.ends_with("Block") && body["properties"]["type"]["const"] == kind)
            .map(|(name, _)| name.as_str())
            .or((kind == "image").then_some("ImageBlock"))
    }
}

/// Says what is wrong, and of a union only what is wrong by the type that was meant: the one with the fewest faults,
/// where a wrong `type` counts most.
fn explain(error: &ValidationError<'_>, why: &mut Vec<String>) {
    if let ValidationErrorKind::AnyOf { context } = error.kind() {
        let faults = |branch: &&Vec<ValidationError<'static>>| {
            let constants = branch
                .iter()
                .filter(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. }));
            (constants.count(), branch.len())
        };
        if let Some(meant) = context.iter().min_by_key(faults) {
            return meant.iter().for_each(|error| explain(error, why));
        }
    }
    let said: String = error.to_string().chars().take(SAID).collect();
    why.push(format!("{said} [json-pointer:{}]", error.instance_path()));
}

fn folder() -> PathBuf {
    std::env::var_os("ORDERLY_CONTRACTS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contracts"),
        PathBuf::from,
    )
}

fn read() -> Option<Vec<Contract>> {
    let folder = folder();
    let read = |name: &str| -> std::result::Result<Contract, String> {
        let path = folder.join(format!("slack-{name}.schema.json"));
        let text = std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let schema = serde_json::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Contract {
            schema,
            checks: Mutex::new(Vec::new()),
        })
    };
    match FILES.iter().map(|name| read(name)).collect() {
        Ok(all) => Some(all),
        Err(why) => {
            eprintln!(
                "\n*** PAYLOADS ARE NOT CHECKED AGAINST SLACK'S TYPES: {why}\n\
                 *** Set ORDERLY_CONTRACTS to the folder with slack-*.schema.json.\n"
            );
            None
        }
    }
}

/// Whether the schemas were found, so that payloads are held against them.
pub fn checked() -> bool {
    Contract::of("block").is_some()
}

/// What a payload is refused with, and what the test is told about it.
pub struct Refused {
    pub fail: Fail,
    pub why: Vec<String>,
}

impl Refused {
    fn new(code: &str, why: Vec<String>) -> Self {
        let messages: Vec<String> = why.iter().map(|line| format!("[ERROR] {line}")).collect();
        Self {
            fail: Fail::detailed(code, &messages),
            why,
        }
    }
}

/// Text and blocks of a message.
pub fn message(
    text: Option<&str>,
    blocks: &[Value],
    attachments: &[Value],
) -> std::result::Result<(), Refused> {
    if text.is_some_and(|text| text.chars().count() > TEXT_CHARACTERS) {
        return Err(Refused::new(
            "msg_too_long",
            vec![format!("text over {TEXT_CHARACTERS} characters")],
        ));
    }
    if blocks.len() > MESSAGE_BLOCKS {
        let why = format!("no more than {MESSAGE_BLOCKS} items allowed [json-pointer:/blocks]");
        return Err(Refused::new("invalid_blocks", vec![why]));
    }
    let characters: usize = blocks.iter().map(characters).sum();
    if characters > BLOCKS_CHARACTERS {
        let why = format!("{characters} characters in blocks, {BLOCKS_CHARACTERS} are allowed");
        return Err(Refused::new("msg_blocks_too_long", vec![why]));
    }
    each(blocks)?;
    for attachment in attachments {
        each(attachment["blocks"].as_array().map_or(&[][..], Vec::as_slice))?;
    }
    Ok(())
}

/// All arguments of chat.postMessage.
pub fn posted(args: &Value) -> Vec<String> {
    Contract::of("chat.postMessage").map_or_else(Vec::new, |contract| {
        contract.wrong("ChatPostMessageArguments", args)
    })
}

/// A modal or a home tab.
pub fn view(view: &Value) -> std::result::Result<(), Refused> {
    let (file, definition) = match view["type"].as_str() {
        Some("modal") => ("modal", "ModalView"),
        Some("home") => ("home", "HomeView"),
        other => {
            let why = format!("unsupported type: {other:?} [json-pointer:/view/type]");
            return Err(Refused::new("invalid_arguments", vec![why]));
        }
    };
    let blocks = view["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    if blocks.len() > VIEW_BLOCKS {
        let why = format!("no more than {VIEW_BLOCKS} items allowed [json-pointer:/view/blocks]");
        return Err(Refused::new("invalid_arguments", vec![why]));
    }
    if view.to_string().len() > VIEW_BYTES {
        return Err(Refused::new(
            "view_too_large",
            vec![format!("over {VIEW_BYTES} bytes")],
        ));
    }
    let has_input = blocks.iter().any(|block| block["type"] == "input");
    if has_input && view["type"] == "modal" && !view["submit"].is_object() {
        let why = "missing required field: submit [json-pointer:/view]".to_owned();
        return Err(Refused::new("invalid_arguments", vec![why]));
    }
    each(blocks).map_err(|refused| Refused::new("invalid_arguments", refused.why))?;
    let wrong = Contract::of(file).map_or_else(Vec::new, |contract| contract.wrong(definition, view));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Refused::new("invalid_arguments", wrong))
    }
}

/// Each block against its own type, so that what is wrong is said of that block and not of a union of twenty.
fn each(blocks: &[Value]) -> std::result::Result<(), Refused> {
    let mut why = Vec::new();
    let mut ids = BTreeSet::new();
    for (at, block) in blocks.iter().enumerate() {
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            why.push(format!(
                "block_id {id} already exists [json-pointer:/blocks/{at}]"
            ));
        }
        why.extend(
            twice(block).map(|id| format!("action_id {id} already exists [json-pointer:/blocks/{at}]")),
        );
        let Some(contract) = Contract::of("block") else {
            continue;
        };
        let kind = block["type"].as_str().unwrap_or_default();
        match contract.definition(kind) {
            Some(definition) => {
                let wrong = contract.wrong(definition, block);
                why.extend(
                    wrong
                        .into_iter()
                        .map(|line| format!("{line} in /blocks/{at} ({kind})")),
                );
            }
            None => why.push(format!(
                "unsupported type: {kind} [json-pointer:/blocks/{at}/type]"
            )),
        }
    }
    if why.is_empty() {
        Ok(())
    } else {
        Err(Refused::new("invalid_blocks", why))
    }
}

/// An action id that stands twice in a block.
fn twice(block: &Value) -> Option<&str> {
    let mut seen = BTreeSet::new();
    block["elements"]
        .as_array()?
        .iter()
        .filter_map(|element| element["action_id"].as_str())
        .find(|id| !seen.insert(*id))
}

/// All characters that a block shows or carries as text.
fn characters(value: &Value) -> usize {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                other => characters(other),
            })
            .sum(),
        Value::Array(list) => list.iter().map(characters).sum(),
        _ => 0,
    }
}

/// A name for a channel, by Slack's rules.
pub fn channel_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(fail("invalid_name_required"));
    }
    if name.chars().count() > 80 {
        return Err(fail("invalid_name_maxlength"));
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Err(fail("invalid_name_punctuation"));
    }
    let fits = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-' || c == '_';
    if name.chars().all(fits) {
        Ok(())
    } else {
        Err(fail("invalid_name_specials"))
    }
}
