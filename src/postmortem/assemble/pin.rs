//! The digest of the code that assembles and renders, so that a reader can tell whether two exports differ because
//! the program changed.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

macro_rules! sources {
    ($($path:literal)*) => {
        /// Path under `src/` and text of every file that has a say in the bytes of an export.
        pub(in crate::postmortem) const SOURCES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../", $path)))),*
        ];
    };
}

sources! {
    "postmortem/assemble/actions.rs"
    "postmortem/assemble/cause.rs"
    "postmortem/assemble/impact.rs"
    "postmortem/assemble/mod.rs"
    "postmortem/assemble/people.rs"
    "postmortem/document.rs"
    "postmortem/metrics.rs"
    "postmortem/render/escape.rs"
    "postmortem/render/figure.rs"
    "postmortem/render/marks.rs"
    "postmortem/render/mod.rs"
    "postmortem/render/scale.rs"
    "postmortem/render/templates.rs"
    "postmortem/render/text_figure.rs"
    "postmortem/render/values.rs"
    "timeline/known.rs"
    "timeline/mod.rs"
    "timeline/sentence.rs"
    "timeline/span.rs"
    "timeline/tell_action.rs"
    "timeline/tell_people.rs"
}

/// SHA-256 over the sources, hex.
pub(in crate::postmortem) fn renderer() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let mut hasher = Sha256::new();
        for (path, text) in SOURCES {
            hasher.update(path.as_bytes());
            hasher.update([0]);
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        hex::encode(hasher.finalize())
    })
}
