//! A state as bytes, so that a long journal need not be folded from its beginning after every start. A copy and never the
//! truth: whoever reads one needs the very folding that made it, and a way to know that the journal goes on from there.

use super::state::State;

/// Which folding makes the states of this program: a digest of the sources that it depends on. A program that folds in
/// any other way has another one, whether or not somebody thought of it.
pub const FOLDING: u32 = digest(SOURCES);

const SOURCES: &[&[u8]] = &[
    include_bytes!("action.rs"),
    include_bytes!("event.rs"),
    include_bytes!("fold/actions.rs"),
    include_bytes!("fold/mod.rs"),
    include_bytes!("fold/people.rs"),
    include_bytes!("fold/rooms.rs"),
    include_bytes!("plan.rs"),
    include_bytes!("proposal.rs"),
    include_bytes!("remember.rs"),
    include_bytes!("state.rs"),
    include_bytes!("words.rs"),
];

/// FNV-1a: the compiler can do it, and nobody attacks with it.
const fn digest(sources: &[&[u8]]) -> u32 {
    let mut digest = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < sources.len() {
        let mut rest = sources[at];
        while let [byte, after @ ..] = rest {
            digest = (digest ^ *byte as u32).wrapping_mul(0x0100_0193);
            rest = after;
        }
        at += 1;
    }
    digest
}

impl State {
    /// `None` while an action is under way, and for the state of a journal that is not sound.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        self.is_settled().then(|| serde_json::to_vec(self).ok())?
    }

    /// `None` if these are not the bytes of such a state.
    pub fn from_bytes(bytes: &[u8]) -> Option<State> {
        let state: State = serde_json::from_slice(bytes).ok()?;
        state.is_settled().then_some(state)
    }

    /// An approval that still counts, and an attempt that still runs, come from the journal alone.
    fn is_settled(&self) -> bool {
        self.illegal.is_empty() && self.proposals.values().all(|proposal| proposal.stage.is_over())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What decides, asks or acts may change without changing what a journal means.
    const NOT_FOLDING: [&str; 8] = [
        "approved.rs",
        "effect.rs",
        "gate.rs",
        "mod.rs",
        "react.rs",
        "refusal.rs",
        "request.rs",
        "tests",
    ];

    #[test]
    fn every_source_of_folding_is_counted() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/incident");
        let mut counted = 0;
        for folder in [root.clone(), root.join("fold")] {
            for entry in std::fs::read_dir(&folder).expect("the folder reads") {
                let entry = entry.expect("an entry");
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_folding = folder != root || !NOT_FOLDING.contains(&name.as_str());
                if is_folding && entry.path().is_file() {
                    let source = std::fs::read(entry.path()).expect("it reads");
                    assert!(SOURCES.contains(&source.as_slice()), "{name} is not counted");
                    counted += 1;
                }
            }
        }
        assert_eq!(counted, SOURCES.len());
    }

    #[test]
    fn another_letter_is_another_folding() {
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"a", b"c"]));
        assert_ne!(digest(&[b"a"]), digest(&[]));
    }
}
