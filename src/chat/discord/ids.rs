//! Discord's ids: they hold a time, and a message of a thread needs two of them. Pure.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Discord's first moment, in milliseconds of ours.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// Bits below the time.
const BELOW_TIME: u32 = 22;

/// When something with this id was made.
pub fn moment(id: &str) -> Option<DateTime<Utc>> {
    let id: u64 = id.parse().ok()?;
    DateTime::from_timestamp_millis(i64::try_from(id >> BELOW_TIME).ok()? + EPOCH_MS)
}

/// The first id of a moment: what comes after it was made later.
pub fn since(at: DateTime<Utc>) -> String {
    let ms = u64::try_from(at.timestamp_millis() - EPOCH_MS).unwrap_or_default();
    (ms << BELOW_TIME).to_string()
}

/// Whether this is an id of Discord's.
pub fn is_id(text: &str) -> bool {
    (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A message of a room. One in a thread lies in a channel of its own, so its id names both: `thread/message`.
pub fn in_room(thread: Option<&str>, message: &str) -> String {
    match thread {
        Some(thread) => format!("{thread}/{message}"),
        None => message.to_owned(),
    }
}

/// The channel and the message that a stored id names.
pub fn place<'a>(room: &'a str, message: &'a str) -> (&'a str, &'a str) {
    message.split_once('/').unwrap_or((room, message))
}

/// Longest nonce.
const NONCE_MAX: usize = 25;

/// An effect's key, as short as Discord wants it. The same key gives the same nonce for ever.
pub fn nonce(key: &str) -> String {
    let digest = hex::encode(Sha256::digest(key.as_bytes()));
    format!("o{}", &digest[..NONCE_MAX - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time_and_a_time_its_first_id() {
        let at = moment("175928847299117063").expect("a time");
        assert_eq!(at.to_rfc3339(), "2016-04-30T11:18:25.796+00:00");
        assert_eq!(moment(&since(at)), Some(at));
        assert!(
            since(at)
                .parse::<u64>()
                .is_ok_and(|id| id <= 175_928_847_299_117_063)
        );
    }

    #[test]
    fn a_message_of_a_thread_is_found_again() {
        assert_eq!(place("1", &in_room(Some("2"), "3")), ("2", "3"));
        assert_eq!(place("1", &in_room(None, "3")), ("1", "3"));
    }

    #[test]
    fn a_key_has_one_nonce_that_discord_takes() {
        let nonces = [nonce("INC-7/card@discord/1/2"), nonce("INC-7/card@discord/1/3")];
        assert!(nonces.iter().all(|nonce| nonce.len() == 25));
        assert_ne!(nonces[0], nonces[1]);
    }
}
