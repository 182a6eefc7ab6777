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
    let fits = |mark: &&String| names(mark).any(|known| known == name);
    match configured.iter().find(fits) {
        Some(mark) => mark.clone(),
        None => format!(":{name}:"),
    }
}

/// Slack's name of a mark; `None` for one that Slack cannot be told from here.
pub fn slack_name(mark: &str) -> Option<&str> {
    names(mark).next()
}

/// All that Slack calls a mark: some emoji have several names, and it tells of a reaction by any of them.
fn names(mark: &str) -> impl Iterator<Item = &str> {
    let written = mark
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
        .filter(|name| !name.is_empty());
    let plain = |emoji: &'static str| emoji.trim_end_matches('\u{fe0f}');
    let emoji = match written {
        // By whatever name it is written, its others fit as well.
        Some(name) => NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, emoji)| plain(emoji)),
        None => Some(mark.trim_end_matches('\u{fe0f}')),
    };
    let others = NAMES
        .iter()
        .filter(move |(name, known)| Some(plain(known)) == emoji && Some(*name) != written);
    written.into_iter().chain(others.map(|(name, _)| *name))
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

    #[test]
    fn an_emoji_fits_by_any_of_its_names() {
        for mark in ["👍", ":+1:", ":thumbsup:"] {
            let marks = [mark.to_owned()];
            for name in ["+1", "thumbsup", "+1::skin-tone-2"] {
                assert_eq!(as_configured(name, &marks), mark);
            }
        }
        assert_eq!(slack_name(":+1:"), Some("+1"));
        assert_eq!(slack_name("👍"), Some("thumbsup"));
    }
}
