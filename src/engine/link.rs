//! Proving that two accounts are one person: a code is given to one of them and typed on the other. Whoever holds the code
//! was shown it as the first, and whoever types it is the second; no name is ever compared.

use sha2::{Digest, Sha256};

use super::Engine;
use super::decide::Failed;
use super::handle::sender;
use crate::chat::{Block, Delivery, Message, Rich, Verdict};
use crate::desk::{self, LINK_LASTS};
use crate::incident::{By, Identity, PersonId, Refusal};
use crate::store::InboxId;

fn digest(code: &str) -> String {
    let code: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    hex::encode(Sha256::digest(code.as_bytes()))
}

fn told(words: Rich) -> Verdict {
    Verdict {
        accepted: true,
        message: Message {
            fallback: words.plain(),
            blocks: vec![Block::Text { text: words }],
        },
        field: None,
        incident: None,
    }
}

impl Engine {
    pub(super) async fn link(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        person: PersonId,
        code: Option<String>,
    ) -> Result<Verdict, Failed> {
        match (code, sender(&delivery.incoming)) {
            (Some(code), Some(from)) => self.prove_link(inbox, delivery, from, &code).await,
            _ => self.offer_link(inbox, delivery, person).await,
        }
    }

    /// A code for somebody who is known here.
    async fn offer_link(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        person: PersonId,
    ) -> Result<Verdict, Failed> {
        let Some(code) = (self.inner.parts.code)() else {
            return Err(
                Refusal::new("This machine gives no random numbers now. Try again in a moment.").into(),
            );
        };
        let by = By::Person { id: person.clone() };
        let sha256 = digest(&code);
        let request = desk::Request::OfferLink { person, sha256 };
        let words = Rich::new()
            .text("On the other platform, type the same command with this code: ")
            .code(format!("role link {code}"))
            .text(format!(
                "\nWhoever types it there is you from then on, so show it to nobody. It works once, within {} minutes.",
                LINK_LASTS.num_minutes()
            ));
        self.on_desk_with(inbox, delivery, &by, &request, told(words))
            .await
    }

    /// Somebody types a code that another account was shown.
    pub(super) async fn prove_link(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        identity: &Identity,
        code: &str,
    ) -> Result<Verdict, Failed> {
        let sha256 = digest(code);
        let desk = self.desk();
        let offered = desk.offers.get(&sha256).map(|offer| offer.person.clone());
        let name = offered
            .and_then(|person| desk.people.get(&person))
            .map(|person| person.name.clone())
            .unwrap_or_default();
        let identity = identity.clone();
        let words = Rich::new().text(format!(
            "You are {name} here too now. What you say on both platforms is one person's word, and one vote."
        ));
        let request = desk::Request::ProveLink { sha256, identity };
        self.on_desk_with(inbox, delivery, &By::Orderly, &request, told(words))
            .await
    }
}
