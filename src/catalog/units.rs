//! Times and sizes as people write them: `5s`, `15m`, `64KiB`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A period: a whole number and `s`, `m`, `h` or `d`; `ms` below a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(pub Duration);

/// Units of a period, longest first so that it is written in the largest that fits.
const UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A probe is waited for by people in a room: ten seconds is where patience ends.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// An action that takes longer is unknown and put to verification; half a minute covers a slow but working system.
const ACTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Enough for a blocking tree of a busy database, little enough to keep beside the journal for years.
const OUTPUT: usize = 64 * 1024;

impl Period {
    pub fn probe() -> Self {
        Self(PROBE_TIMEOUT)
    }

    pub fn action() -> Self {
        Self(ACTION_TIMEOUT)
    }

    pub(super) fn is_probe(&self) -> bool {
        self.0 == PROBE_TIMEOUT
    }

    pub(super) fn is_action(&self) -> bool {
        self.0 == ACTION_TIMEOUT
    }

    /// Reads `15m`; says what would be right otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no period; write a number and a unit, such as `30s`, `15m`, `2h` or `1d`")
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = unit.trim();
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let millis = number.checked_mul(*factor).ok_or_else(wrong)?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (unit, factor) = UNITS
            .iter()
            .find(|(_, factor)| millis >= *factor && millis.is_multiple_of(*factor))
            .unwrap_or(&("s", 1_000));
        write!(f, "{}{unit}", millis / factor)
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let period = Self::parse(&text)?;
        if period.0.is_zero() {
            return Err(
                "a period of nothing would never let anything finish; write at least `1s`".to_owned(),
            );
        }
        Ok(period)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A period: a whole number and ms, s, m, h or d.",
            "pattern": "^[0-9]+ ?(ms|s|m|h|d)$",
            "examples": ["5s", "15m"]
        })
    }
}

/// A size: a whole number and `B`, `KiB` or `MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub usize);

/// Above this a result is a download, not an answer in a room.
const MOST_OUTPUT: usize = 16 * 1024 * 1024;

impl Bytes {
    pub fn output() -> Self {
        Self(OUTPUT)
    }

    pub(super) fn is_output(&self) -> bool {
        self.0 == OUTPUT
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MIB: usize = 1024 * 1024;
        match self.0 {
            n if n >= MIB && n.is_multiple_of(MIB) => write!(f, "{}MiB", n / MIB),
            n if n >= 1024 && n.is_multiple_of(1024) => write!(f, "{}KiB", n / 1024),
            n => write!(f, "{n}B"),
        }
    }
}

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size; write a number and a unit, such as `64KiB` or `1MiB`");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: usize = number.parse().map_err(|_| wrong())?;
        let factor = match unit.trim() {
            "B" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => return Err(wrong()),
        };
        match number.checked_mul(factor) {
            Some(bytes @ 1..=MOST_OUTPUT) => Ok(Self(bytes)),
            _ => Err(format!(
                "`{text}` is out of bounds; between 1B and {} is allowed",
                Self(MOST_OUTPUT)
            )),
        }
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A size: a whole number and B, KiB or MiB.",
            "pattern": "^[0-9]+ ?(B|KiB|MiB)$",
            "examples": ["64KiB"]
        })
    }
}
