//! The nearest right word, for messages that say what would be right.

/// The candidate that `word` was most likely meant to be, or `None` when nothing is close.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A third of the word may be wrong: beyond that a guess misleads more than it helps.
fn allowed(candidate: &str) -> usize {
    (candidate.chars().count() / 3).max(1)
}

/// ` Did you mean …?` with a leading space, or nothing.
pub(super) fn meant(word: &str, candidates: &[&str]) -> String {
    nearest(word, candidates.iter().copied())
        .map(|near| format!(" Did you mean `{near}`?"))
        .unwrap_or_default()
}

/// What was meant, or else what there is to choose from, where that is little enough to help.
pub(super) fn hint(word: &str, candidates: &[&str]) -> String {
    let meant = meant(word, candidates);
    if !meant.is_empty() || candidates.is_empty() || candidates.len() > MOST_LISTED {
        return meant;
    }
    format!(" There is {}.", listed(candidates))
}

/// More than this many names are no help in one line of text.
const MOST_LISTED: usize = 8;

/// `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
