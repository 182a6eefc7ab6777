//! Slack names emoji by words; the config names them by the emoji itself, or by `:name:`.

/// Slack's names of the emoji that people choose for marking messages.
const NAMES: &[(&str, &str)] = &[
    ("pushpin", "📌"),
    ("round_pushpin", "📍"),
    ("white_check_mark", "✅"),
    ("heavy_check_mark", "✔️"),
    ("ballot_box_with_check", "☑️"),
    ("repeat", "🔁"),
    ("arrows_counterclockwise", "🔄"),
    ("memo", "📝"),
    ("eyes", "👀"),
    ("hammer", "🔨"),
    ("wrench", "🔧"),
    ("bookmark", "🔖"),
    ("clipboard", "📋"),
    ("calendar", "📆"),
    ("star", "⭐"),
    ("fire", "🔥"),
    ("rotating_light", "🚨"),
    ("warning", "⚠️"),
    ("hourglass", "⌛"),
    ("stopwatch", "⏱️"),
    ("link", "🔗"),
    ("bulb", "💡"),
    ("thumbsup", "👍"),
    ("+1", "👍"),
];

/// A reaction as the config would write it. `configured` are the marks of the config; what is none of them keeps its
/// name, which then means nothing to anybody.
pub fn as_configured(name: &str, configured: &[String]) -> String {
    // A skin tone is no other mark.
    let name = name.split("::").next().unwrap_or(name);
    let fits = |mark: &&String| slack_name(mark) == Some(name);
    match configured.iter().find(fits) {
        Some(mark) => mark.clone(),
        None => format!(":{name}:"),
    }
}

/// Slack's name of a mark; `None` for one that Slack cannot be told from here.
pub fn slack_name(mark: &str) -> Option<&str> {
    if let Some(name) = mark
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
        .filter(|name| !name.is_empty())
    {
        return Some(name);
    }
    NAMES
        .iter()
        .find(|(_, emoji)| emoji.trim_end_matches('\u{fe0f}') == mark.trim_end_matches('\u{fe0f}'))
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_is_told_as_the_config_wrote_it() {
        let marks = ["📌".to_owned(), ":todo:".to_owned(), "✔".to_owned()];
        assert_eq!(as_configured("pushpin", &marks), "📌");
        assert_eq!(as_configured("todo", &marks), ":todo:");
        assert_eq!(as_configured("heavy_check_mark", &marks), "✔");
        assert_eq!(as_configured("pushpin::skin-tone-3", &marks), "📌");
        assert_eq!(as_configured("tada", &marks), ":tada:");
    }
}
