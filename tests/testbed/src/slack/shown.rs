//! Messages as the API and the events show them.

use serde_json::{Map, Value, json};

use super::model::{Channel, Message};
use super::render;
use super::state::State;

impl State {
    /// A message as the API and the events show it.
    pub(super) fn message_json(&self, message: &Message, metadata: bool) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("type", json!("message"));
        put("ts", json!(message.ts));
        put("text", json!(message.text));
        put("user", json!(message.user));
        let team = self
            .users
            .get(&message.user)
            .map_or(&self.team, |user| &user.team);
        put("team", json!(team));
        if *team != self.team {
            put("user_team", json!(team));
            put("source_team", json!(team));
        }
        if let Some(subtype) = &message.subtype {
            put("subtype", json!(subtype));
        }
        if let Some(bot) = &message.bot_id {
            put("bot_id", json!(bot));
            put("app_id", json!(self.app_of(bot)));
            put("bot_profile", self.bot_profile(bot, &message.user));
        } else if message.subtype.is_none() {
            put("client_msg_id", json!(format!("c1d2e3f4-{}", message.ts)));
        }
        if let Some(name) = &message.username {
            put("username", json!(name));
        }
        let blocks = if message.blocks.is_empty() && message.subtype.is_none() && !message.text.is_empty() {
            vec![render::rich_text(&message.ts, &message.text)]
        } else {
            message.blocks.clone()
        };
        if !blocks.is_empty() {
            put("blocks", Value::Array(blocks));
        }
        if !message.attachments.is_empty() {
            put("attachments", Value::Array(message.attachments.clone()));
        }
        if !message.files.is_empty() {
            let files = message.files.iter().filter_map(|id| self.files.get(id));
            put("files", files.map(|file| self.file_json(file)).collect());
            put("upload", json!(false));
        }
        if let Some((user, ts)) = &message.edited {
            put("edited", json!({ "user": user, "ts": ts }));
        }
        if !message.reactions.is_empty() {
            let reactions = message.reactions.iter();
            put(
                "reactions",
                reactions
                    .map(|r| json!({ "name": r.name, "users": r.users, "count": r.users.len() }))
                    .collect(),
            );
        }
        if let Some(there) = message.metadata.as_ref().filter(|_| metadata) {
            put("metadata", there.clone());
        }
        out.extend(message.extra.clone());
        self.thread_fields(message, &mut out);
        Value::Object(out)
    }

    fn thread_fields(&self, message: &Message, out: &mut Map<String, Value>) {
        let Some(channel) = self.channels.get(&message.channel) else {
            return;
        };
        if message.is_reply() {
            let thread = message.thread_ts.as_deref().unwrap_or_default();
            out.insert("thread_ts".to_owned(), json!(thread));
            if let Some(parent) = channel.messages.get(thread) {
                out.insert("parent_user_id".to_owned(), json!(parent.user));
            }
            return;
        }
        let replies = replies(channel, &message.ts);
        let Some(latest) = replies.last() else { return };
        let mut users: Vec<&str> = Vec::new();
        for reply in &replies {
            if !users.contains(&reply.user.as_str()) {
                users.push(&reply.user);
            }
        }
        let fields = json!({
            "thread_ts": message.ts, "reply_count": replies.len(), "reply_users_count": users.len(),
            "latest_reply": latest.ts, "reply_users": users, "is_locked": false, "subscribed": false,
        });
        out.extend(fields.as_object().cloned().unwrap_or_default());
    }

    /// The app behind a bot: ours, or somebody else's.
    fn app_of(&self, bot: &str) -> &str {
        if bot == self.app.bot_id {
            &self.app.id
        } else {
            "A0OTHER001"
        }
    }

    fn bot_profile(&self, bot: &str, user: &str) -> Value {
        let name = self.users.get(user).map_or("", |user| user.name.as_str());
        json!({
            "id": bot, "deleted": false, "name": name, "updated": 1, "app_id": self.app_of(bot),
            "user_id": user, "team_id": self.team,
            "icons": { "image_36": "https://a.slack-edge.com/36.png", "image_48": "https://a.slack-edge.com/48.png",
                "image_72": "https://a.slack-edge.com/72.png" },
        })
    }
}

/// The replies of a thread, without its parent.
pub(super) fn replies<'a>(channel: &'a Channel, thread: &str) -> Vec<&'a Message> {
    channel
        .messages
        .values()
        .filter(|m| m.is_reply() && m.thread_ts.as_deref() == Some(thread))
        .collect()
}
