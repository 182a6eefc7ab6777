//! The hash chain over a stream.
//!
//! ```text
//! digest = SHA-256(salt ‖ payload)
//! hash   = SHA-256 over the fields below, each preceded by its length as eight bytes, big end first:
//!          "orderly event 1", previous hash, stream, seq, kind, version, recorded, occurred, source, by, digest
//! ```
//! Numbers are big-endian (seq 8, version 2, times 8 bytes, nanoseconds since 1970 with sign). The hash before the
//! first event is bound to the stream's name. The payload enters by its salted digest only, so that it can be removed
//! later: the salt keeps a short secret from being guessed from the digest that stays.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{Error, Head, NewEvent, Stream};

/// A SHA-256 hash. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| {
            Error::invalid(format!(
                "`{text}` is no SHA-256 hash; 64 hexadecimal digits are one"
            ))
        })?;
        Ok(Self(bytes))
    }
}

/// Bytes that keep a short payload from being guessed from its digest.
pub type Salt = [u8; 16];

/// What binds an event to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Zero once redacted.
    pub salt: Salt,
    pub digest: Hash,
    /// Hash of the event before.
    pub previous: Hash,
    pub hash: Hash,
}

/// The hash before the first event.
pub fn genesis(stream: Stream) -> Hash {
    Hash::of(format!("orderly journal 1: {stream}").as_bytes())
}

pub fn digest(salt: &Salt, payload: &str) -> Hash {
    Hash(
        Sha256::new_with_prefix(salt)
            .chain_update(payload)
            .finalize()
            .into(),
    )
}

/// The hash of an event at a place. `Error::Invalid` when a time is outside the years 1678 to 2261.
pub fn hash(
    stream: Stream,
    seq: u64,
    event: &NewEvent,
    digest: &Hash,
    previous: &Hash,
) -> Result<Hash, Error> {
    let mut sum = Sha256::new();
    let mut field = |bytes: &[u8]| {
        sum.update((bytes.len() as u64).to_be_bytes());
        sum.update(bytes);
    };
    field(b"orderly event 1");
    field(&previous.0);
    field(stream.to_string().as_bytes());
    field(&seq.to_be_bytes());
    field(event.kind.as_bytes());
    field(&event.version.to_be_bytes());
    field(&nanos(event.recorded)?.to_be_bytes());
    field(&nanos(event.occurred)?.to_be_bytes());
    field(event.source.as_bytes());
    field(event.by.as_bytes());
    field(&digest.0);
    Ok(Hash(sum.finalize().into()))
}

/// Seals an event as the next one after `head`.
pub fn seal(head: &Head, event: &NewEvent, salt: Salt) -> Result<Seal, Error> {
    let digest = digest(&salt, &event.payload);
    let hash = hash(head.stream, head.seq + 1, event, &digest, &head.hash)?;
    Ok(Seal {
        salt,
        digest,
        previous: head.hash,
        hash,
    })
}

/// Times are kept as nanoseconds since 1970.
pub(super) fn nanos(time: DateTime<Utc>) -> Result<i64, Error> {
    time.timestamp_nanos_opt()
        .ok_or_else(|| Error::invalid(format!("the time {time} is outside the years 1678 to 2261")))
}

impl Head {
    pub fn empty(stream: Stream) -> Self {
        Self {
            stream,
            seq: 0,
            hash: genesis(stream),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stream {
            Stream::Desk => write!(f, "desk@{}:{}", self.seq, self.hash),
            Stream::Incident(id) => write!(f, "{id}@{}:{}", self.seq, self.hash),
        }
    }
}

/// A head as somebody noted it down: `INC-7@412:9f3c…`, the hash whole or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub stream: Stream,
    pub seq: u64,
    /// Lower-case hexadecimal digits.
    prefix: String,
}

/// Fewer digits would be found again by trying on one machine; 16 are 64 bits.
const SHORTEST_MARK: usize = 16;

impl Mark {
    pub fn fits(&self, hash: &Hash) -> bool {
        hash.to_string().starts_with(&self.prefix)
    }
}

impl From<Head> for Mark {
    fn from(head: Head) -> Self {
        Self {
            stream: head.stream,
            seq: head.seq,
            prefix: head.hash.to_string(),
        }
    }
}

impl FromStr for Mark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::NotUnderstood {
            what: format!(
                "`{text}` is no head; copy one as it was posted, like INC-7@412:9f3c…, with at least {SHORTEST_MARK} digits"
            ),
        };
        let (place, prefix) = text.trim().split_once(':').ok_or_else(wrong)?;
        let (stream, seq) = place.split_once('@').ok_or_else(wrong)?;
        let prefix = prefix.trim_end_matches('…').to_ascii_lowercase();
        let digits =
            (SHORTEST_MARK..=64).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits {
            return Err(wrong());
        }
        Ok(Self {
            stream: stream.parse().map_err(|_| wrong())?,
            seq: seq.parse().map_err(|_| wrong())?,
            prefix,
        })
    }
}
