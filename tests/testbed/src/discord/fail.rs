//! What Discord answers when it does not do it.

use serde_json::{Map, Value, json};

pub type Result<T> = std::result::Result<T, Fail>;

/// A status, Discord's code, its words, and which part of the body is meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Fail {
    pub status: u16,
    pub code: u32,
    pub message: String,
    pub errors: Value,
}

/// A refusal that always has the same words: status, code, message.
#[derive(Debug, Clone, Copy)]
pub struct Refusal(u16, u32, &'static str);

pub const UNAUTHORIZED: Refusal = Refusal(401, 0, "401: Unauthorized");
pub const NOT_FOUND: Refusal = Refusal(404, 0, "404: Not Found");
pub const UNKNOWN_APPLICATION: Refusal = Refusal(404, 10002, "Unknown Application");
pub const UNKNOWN_CHANNEL: Refusal = Refusal(404, 10003, "Unknown Channel");
pub const UNKNOWN_GUILD: Refusal = Refusal(404, 10004, "Unknown Guild");
pub const UNKNOWN_MEMBER: Refusal = Refusal(404, 10007, "Unknown Member");
pub const UNKNOWN_MESSAGE: Refusal = Refusal(404, 10008, "Unknown Message");
pub const UNKNOWN_OVERWRITE: Refusal = Refusal(404, 10009, "Unknown Permission Overwrite");
pub const UNKNOWN_ROLE: Refusal = Refusal(404, 10011, "Unknown Role");
pub const UNKNOWN_USER: Refusal = Refusal(404, 10013, "Unknown User");
pub const UNKNOWN_EMOJI: Refusal = Refusal(400, 10014, "Unknown Emoji");
pub const UNKNOWN_WEBHOOK: Refusal = Refusal(404, 10015, "Unknown Webhook");
pub const UNKNOWN_INTERACTION: Refusal = Refusal(404, 10062, "Unknown interaction");
pub const UNKNOWN_COMMAND: Refusal = Refusal(404, 10063, "Unknown application command");
pub const TOO_MANY_PINS: Refusal = Refusal(400, 30003, "Maximum number of pins reached (250)");
pub const TOO_MANY_REACTIONS: Refusal = Refusal(400, 30010, "Maximum number of reactions reached (20)");
pub const TOO_MANY_CHANNELS: Refusal = Refusal(400, 30013, "Maximum number of server channels reached (500)");
pub const TOO_MANY_COMMANDS: Refusal =
    Refusal(400, 30032, "Maximum number of application commands reached (100)");
pub const TOO_MANY_COMMANDS_TODAY: Refusal = Refusal(
    400,
    30034,
    "Max number of daily application command creates has been reached (200)",
);
pub const ALREADY_ACKNOWLEDGED: Refusal = Refusal(400, 40060, "Interaction has already been acknowledged.");
pub const MISSING_ACCESS: Refusal = Refusal(403, 50001, "Missing Access");
pub const NOT_YOURS: Refusal = Refusal(403, 50005, "Cannot edit a message authored by another user");
pub const EMPTY_MESSAGE: Refusal = Refusal(400, 50006, "Cannot send an empty message");
pub const CANNOT_SEND_TO_USER: Refusal = Refusal(403, 50007, "Cannot send messages to this user");
pub const NO_TEXT_CHANNEL: Refusal = Refusal(400, 50008, "Cannot send messages in a non-text channel");
pub const MISSING_PERMISSIONS: Refusal = Refusal(403, 50013, "Missing Permissions");
pub const SYSTEM_MESSAGE: Refusal = Refusal(403, 50021, "Cannot execute action on a system message");
pub const WRONG_CHANNEL_TYPE: Refusal = Refusal(400, 50024, "Cannot execute action on this channel type");
pub const INVALID_WEBHOOK_TOKEN: Refusal = Refusal(401, 50027, "Invalid Webhook Token");
pub const THREAD_ARCHIVED: Refusal = Refusal(400, 50083, "Thread is archived");
pub const THREAD_EXISTS: Refusal =
    Refusal(400, 160_004, "A thread has already been created for this message");

/// One fault of a body: where, by dots (`embeds.0.title`), which of Discord's codes, and its words.
pub type Fault = (String, &'static str, String);

impl Fail {
    /// 50035, as Discord says what is wrong with which part of a body.
    pub fn form(faults: &[Fault]) -> Self {
        let mut errors = json!({});
        for (at, code, message) in faults {
            let place = at
                .split('.')
                .filter(|part| !part.is_empty())
                .fold(&mut errors, |place, part| {
                    if !place[part].is_object() {
                        place[part] = json!({});
                    }
                    &mut place[part]
                });
            let fault = json!({ "code": code, "message": message });
            match place["_errors"].as_array_mut() {
                Some(list) => list.push(fault),
                None => place["_errors"] = json!([fault]),
            }
        }
        Self {
            status: 400,
            code: 50035,
            message: "Invalid Form Body".to_owned(),
            errors,
        }
    }

    pub fn body(&self) -> Value {
        let mut body = Map::from_iter([
            ("message".to_owned(), json!(self.message)),
            ("code".to_owned(), json!(self.code)),
        ]);
        if !self.errors.is_null() {
            body.insert("errors".to_owned(), self.errors.clone());
        }
        Value::Object(body)
    }
}

impl From<Refusal> for Fail {
    fn from(Refusal(status, code, message): Refusal) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            errors: Value::Null,
        }
    }
}

/// One fault of a body, as a refusal.
pub fn wrong(at: &str, code: &'static str, message: &str) -> Fail {
    Fail::form(&[(at.to_owned(), code, message.to_owned())])
}
