//! Reading a file that somebody attached, from where its platform keeps it.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};

use super::Error;

/// Longest wait for a file: the largest that is kept, over a slow line.
const READ_MAX: Duration = Duration::from_secs(60);

pub fn gone(why: impl Into<String>) -> Error {
    Error::Gone { why: why.into() }
}

fn later(why: impl Into<String>) -> Error {
    Error::Retry {
        why: why.into(),
        after: None,
    }
}

/// The answer of the platform called so, unless it has trouble of its own, which passes.
pub async fn asked(platform: &str, request: RequestBuilder) -> Result<Response, Error> {
    let refused = format!("{platform} did not hand the file out");
    let answer = request.timeout(READ_MAX).send().await;
    let answer = answer.map_err(|_| later(refused.as_str()))?;
    let status = answer.status();
    match status.is_server_error() || status.as_u16() == 429 {
        true => Err(later(format!("{refused}: HTTP {status}"))),
        false => Ok(answer),
    }
}

/// The bytes, and no more than so many.
pub async fn bytes(mut answer: Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let broken = |_| later("the connection broke while the file was read");
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if bytes.len() + part.len() > most {
            return Err(gone(format!("it is larger than {most} bytes")));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
