//! Files of marked messages: read from their platform once, kept as they are, hashed over the original bytes.

use super::Engine;
use super::decide::With;
use super::end::End;
use crate::chat;
use crate::incident::{FileRef, MessageRef, Request, State};
use crate::store::limits::MAX_EVIDENCE;
use crate::store::{EffectId, Evidence};

impl Engine {
    /// Stores the bytes in the commit that says so: after a crash the file is either kept or read again.
    pub(super) async fn keep_file(&self, id: EffectId, state: &State, at: &MessageRef, file: &str) -> End {
        let Some(mark) = state.marks.get(at).filter(|mark| !mark.files.contains_key(file)) else {
            return End::Done;
        };
        let Some(found) = mark.marked.files.iter().find(|found| found.id == file) else {
            return End::Done;
        };
        let incident = state.opening.number;
        let bytes = match self.read_file(at, found).await {
            Ok(bytes) => bytes,
            Err(chat::Error::Gone { why }) => {
                let request = Request::MissFile {
                    message: at.clone(),
                    file: file.to_owned(),
                    why: (self.inner.parts.mask)(&why),
                };
                return self.back(incident, &request, finished(id, None)).await;
            }
            Err(later) => return later.into(),
        };
        let evidence = Evidence::new(incident, found.media_type.clone(), bytes);
        let request = Request::KeepFile {
            message: at.clone(),
            file: file.to_owned(),
            size: evidence.bytes.len() as u64,
            sha256: evidence.sha256.to_string(),
        };
        self.back(incident, &request, finished(id, Some(evidence))).await
    }

    async fn read_file(&self, at: &MessageRef, file: &FileRef) -> Result<Vec<u8>, chat::Error> {
        let platform = &at.room.platform;
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats.iter().find(|chat| chat.platform() == platform) else {
            let why = format!("the platform `{platform}` is not configured");
            return Err(chat::Error::Gone { why });
        };
        let too_large = || chat::Error::Gone {
            why: format!(
                "it is larger than the {} MB that are kept of one file; keep it where large files live and link it here",
                MAX_EVIDENCE >> 20
            ),
        };
        if usize::try_from(file.size).map_or(true, |size| size > MAX_EVIDENCE) {
            return Err(too_large());
        }
        let bytes = chat.read_file(at, file, MAX_EVIDENCE).await?;
        // What a platform says of a file's size is not believed.
        if bytes.len() > MAX_EVIDENCE {
            return Err(too_large());
        }
        Ok(bytes)
    }
}

fn finished(id: EffectId, evidence: Option<Evidence>) -> With {
    With {
        effect: Some(id),
        evidence,
        ..With::default()
    }
}
