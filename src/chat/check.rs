//! What `orderly doctor` finds on a platform.

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    Fine(String),
    /// Cannot be told from here, or not wrong yet.
    Note {
        what: String,
        mend: String,
    },
    Wrong {
        what: String,
        mend: String,
    },
}
