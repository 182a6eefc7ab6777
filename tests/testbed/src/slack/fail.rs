//! What Slack answers when it does not do it.

use serde_json::{Map, Value, json};

pub type Result<T> = std::result::Result<T, Fail>;

/// An error code, with what else stands in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fail {
    pub code: String,
    pub more: Map<String, Value>,
}

/// An answer that has nothing but its code.
pub fn fail(code: &str) -> Fail {
    Fail {
        code: code.to_owned(),
        more: Map::new(),
    }
}

impl Fail {
    pub fn with(code: &str, more: Value) -> Self {
        let more = match more {
            Value::Object(more) => more,
            _ => Map::new(),
        };
        Self {
            code: code.to_owned(),
            more,
        }
    }

    /// As Slack says what is wrong with which part of a payload.
    pub fn detailed(code: &str, messages: &[String]) -> Self {
        Self::with(code, json!({ "response_metadata": { "messages": messages } }))
    }

    pub fn body(self) -> Value {
        let mut body = Map::from_iter([
            ("ok".to_owned(), Value::Bool(false)),
            ("error".to_owned(), Value::String(self.code)),
        ]);
        body.extend(self.more);
        Value::Object(body)
    }
}
