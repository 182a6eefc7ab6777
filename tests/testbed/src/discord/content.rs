//! What a body makes of a message: new, changed, refused.

use serde_json::{Value, json};

use super::check;
use super::fail::{EMPTY_MESSAGE, Result, wrong};
use super::model::{Attachment, COMPONENTS_V2, LOADING, Message};
use super::state::State;

/// The flag that hides the previews of links, which is the only one that an edit may set.
const SUPPRESS_EMBEDS: u64 = 1 << 2;

/// Flags that come with a new message.
const SETTABLE: u64 = SUPPRESS_EMBEDS | super::model::EPHEMERAL | 1 << 12 | COMPONENTS_V2;

impl State {
    /// Puts what a body says into a message that is not posted yet.
    pub(super) fn fill(
        &mut self,
        what: &str,
        message: &mut Message,
        body: &Value,
        files: Vec<Attachment>,
    ) -> Result<()> {
        self.form_holds(what, &check::message(body))?;
        let flags = body["flags"].as_u64().unwrap_or(0);
        if flags & !SETTABLE != 0 {
            self.violation(format!("{what}: flags that cannot be set: {flags}"));
        }
        message.flags |= flags & SETTABLE;
        self.change_content(message, body, files)
    }

    /// Changes a message to what a body says; keys that are not there stay as they are.
    pub(super) fn edit_with(
        &mut self,
        what: &str,
        channel: &str,
        id: &str,
        body: &Value,
        files: Vec<Attachment>,
    ) -> Result<()> {
        self.form_holds(what, &check::message(body))?;
        let mut message = self.message_mut(channel, id)?.clone();
        let was_loading = message.is_loading();
        message.flags &= !LOADING;
        if let Some(flags) = body["flags"].as_u64() {
            let newer = flags & COMPONENTS_V2;
            message.flags = message.flags & !SUPPRESS_EMBEDS | flags & SUPPRESS_EMBEDS | newer;
        }
        self.change_content(&mut message, body, files)?;
        if message.is_empty() {
            return Err(EMPTY_MESSAGE.into());
        }
        self.change(channel, id, !was_loading, |there| *there = message)
    }

    fn change_content(&mut self, message: &mut Message, body: &Value, files: Vec<Attachment>) -> Result<()> {
        if let Some(content) = body.get("content") {
            content
                .as_str()
                .unwrap_or_default()
                .trim()
                .clone_into(&mut message.content);
        }
        if let Some(embeds) = body.get("embeds") {
            message.embeds = list(embeds).into_iter().map(rich).collect();
        }
        if let Some(components) = body.get("components") {
            message.components = list(components);
            number(&mut message.components, &mut 0);
        }
        if let Some(kept) = body.get("attachments") {
            let kept = list(kept);
            let is_kept = |id: &String| kept.iter().any(|one| super::render::plain(&one["id"]) == *id);
            message.attachments.retain(is_kept);
        }
        for file in files {
            message.attachments.push(file.id.clone());
            self.attachments.insert(file.id.clone(), file);
        }
        for embed in &mut message.embeds {
            self.point_at_files(embed, &message.attachments)?;
        }
        Ok(())
    }

    /// An embed shows a file of its own message by `attachment://name`.
    fn point_at_files(&self, embed: &mut Value, files: &[String]) -> Result<()> {
        for key in ["image", "thumbnail"] {
            let Some(name) = embed[key]["url"]
                .as_str()
                .and_then(|url| url.strip_prefix("attachment://"))
            else {
                continue;
            };
            let of_name = |id: &&String| {
                self.attachments
                    .get(*id)
                    .is_some_and(|file| file.filename == name)
            };
            let file = files.iter().find(of_name).and_then(|id| self.attachment_json(id));
            let Some(file) = file else {
                let at = format!("embeds.0.{key}.url");
                return Err(wrong(
                    &at,
                    "REFERENCED_ATTACHMENT_NOT_FOUND",
                    "Referenced attachment not found",
                ));
            };
            embed[key]["url"] = file["url"].clone();
        }
        Ok(())
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// An embed as it comes back.
fn rich(mut embed: Value) -> Value {
    embed["type"] = json!("rich");
    if let Some(fields) = embed["fields"].as_array_mut() {
        for field in fields {
            if field["inline"].is_null() {
                field["inline"] = json!(false);
            }
        }
    }
    if let Some(embed) = embed.as_object_mut() {
        embed.retain(|_, value| !value.is_null());
    }
    embed
}

/// Components without a number get one, as Discord gives them, and menus what was left out.
fn number(components: &mut [Value], last: &mut u64) {
    for component in components {
        *last += 1;
        if component["id"].is_null() || component["id"] == 0 {
            component["id"] = json!(*last);
        }
        for key in ["accessory", "component"] {
            if component[key].is_object() {
                number(std::slice::from_mut(&mut component[key]), last);
            }
        }
        if let Some(inner) = component["components"].as_array_mut() {
            number(inner, last);
        }
        if matches!(component["type"].as_u64(), Some(3 | 5..=8)) {
            for key in ["min_values", "max_values"] {
                if component[key].is_null() {
                    component[key] = json!(1);
                }
            }
        }
    }
}
