//! Durations and sizes as they are written in the config.

use std::borrow::Cow;

use chrono::TimeDelta;
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::incident::Role;
use crate::text::{parse_bytes, parse_duration, write_bytes, write_duration};

/// The word that switches a reminder off.
pub(super) const OFF: &str = "off";
/// The word for approvals that do not ask for a role.
pub(super) const ANY: &str = "any";

/// A duration: `"15m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub TimeDelta);

/// A duration, or `"off"` for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every(pub Option<TimeDelta>);

/// A number of bytes: `"256KiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The zone in which people type times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

/// The role whose approvals count, or `"any"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approvers(pub Option<Role>);

impl Period {
    pub(super) const fn minutes(minutes: i64) -> Self {
        Self(TimeDelta::minutes(minutes))
    }

    pub(super) const fn days(days: i64) -> Self {
        Self(TimeDelta::days(days))
    }
}

impl Every {
    pub(super) const OFF: Self = Self(None);

    pub(super) const fn minutes(minutes: i64) -> Self {
        Self(Some(TimeDelta::minutes(minutes)))
    }

    pub(super) const fn days(days: i64) -> Self {
        Self(Some(TimeDelta::days(days)))
    }
}

/// Text form of a value in the config: how it is read, written, and told to an editor.
trait Written: Sized {
    /// What the schema calls it; the check of the file reads this.
    const FORM: &'static str;
    const DESCRIPTION: &'static str;
    fn read(text: &str) -> Result<Self, String>;
    fn write(&self) -> String;
}

impl Written for Period {
    const FORM: &'static str = "duration";
    const DESCRIPTION: &'static str = "A number and a unit: ms, s, m, h, d or w.";

    fn read(text: &str) -> Result<Self, String> {
        parse_duration(text).map(Self).map_err(|error| error.to_string())
    }

    fn write(&self) -> String {
        write_duration(self.0)
    }
}

impl Written for Zone {
    const FORM: &'static str = "time zone";
    const DESCRIPTION: &'static str = "A zone of the IANA database, such as Europe/Berlin, or UTC.";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("\"{text}\" is no time zone; write one such as \"Europe/Berlin\", or \"UTC\"")
        })
    }

    fn write(&self) -> String {
        self.0.name().to_owned()
    }
}

impl Written for Every {
    const FORM: &'static str = "duration or off";
    const DESCRIPTION: &'static str = "A number and a unit (ms, s, m, h, d or w), or off.";

    fn read(text: &str) -> Result<Self, String> {
        match text.trim() {
            OFF => Ok(Self::OFF),
            text => parse_duration(text)
                .map(|every| Self(Some(every)))
                .map_err(|error| format!("{error}, or \"{OFF}\"")),
        }
    }

    fn write(&self) -> String {
        self.0.map_or(OFF.to_owned(), write_duration)
    }
}

impl Written for Size {
    const FORM: &'static str = "size";
    const DESCRIPTION: &'static str = "A number and a unit: B, KiB, MiB, KB or MB.";

    fn read(text: &str) -> Result<Self, String> {
        parse_bytes(text).map(Self).map_err(|error| error.to_string())
    }

    fn write(&self) -> String {
        write_bytes(self.0)
    }
}

macro_rules! written {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.write())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::read(&text).map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "x-form": Self::FORM, "description": Self::DESCRIPTION })
            }
        }
    )*};
}

written! { Period Every Size Zone }

impl Serialize for Approvers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.map_or(ANY, Role::word))
    }
}

impl<'de> Deserialize<'de> for Approvers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            ANY => Ok(Self(None)),
            word => Role::from_word(word)
                .map(|role| Self(Some(role)))
                .ok_or_else(|| de::Error::custom(format!("\"{word}\" is not a role"))),
        }
    }
}

impl JsonSchema for Approvers {
    fn schema_name() -> Cow<'static, str> {
        "Approvers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = std::iter::once(ANY)
            .chain(Role::ALL.iter().map(|role| role.word()))
            .collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// What is wrong with a text of this form (`duration`, `size`, …); `None` if nothing is.
pub(super) fn wrong_with(form: &str, text: &str) -> Option<String> {
    match form {
        Period::FORM => Period::read(text).err(),
        Every::FORM => Every::read(text).err(),
        Size::FORM => Size::read(text).err(),
        Zone::FORM => Zone::read(text).err(),
        _ => None,
    }
}
