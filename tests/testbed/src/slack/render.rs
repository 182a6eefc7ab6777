//! Messages as people see them, in plain text: what assertions read.

use serde_json::{Value, json};

use super::state::State;

/// Blocks, one line or more each.
pub fn blocks(state: &State, blocks: &[Value]) -> String {
    let lines: Vec<String> = blocks
        .iter()
        .map(|block| self::block(state, block))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

fn block(state: &State, block: &Value) -> String {
    let texts = |key: &str| -> Vec<String> {
        block[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|element| self::element(state, element))
            .filter(|line| !line.is_empty())
            .collect()
    };
    match block["type"].as_str().unwrap_or_default() {
        "section" => {
            let mut parts: Vec<String> = text(state, &block["text"]).into_iter().collect();
            parts.extend(texts("fields"));
            if block["accessory"].is_object() {
                parts.push(element(state, &block["accessory"]));
            }
            parts.join("\n")
        }
        "header" => text(state, &block["text"]).unwrap_or_default(),
        "actions" | "context" | "context_actions" => texts("elements").join(" "),
        "divider" => "---".to_owned(),
        "input" => {
            let label = text(state, &block["label"]).unwrap_or_default();
            let hint = text(state, &block["hint"]).map_or(String::new(), |hint| format!(" ({hint})"));
            let optional = if block["optional"] == true {
                " (optional)"
            } else {
                ""
            };
            format!("{label}{optional}: {}{hint}", element(state, &block["element"]))
        }
        "image" => format!("[image: {}]", block["alt_text"].as_str().unwrap_or_default()),
        "markdown" => block["text"].as_str().unwrap_or_default().to_owned(),
        "rich_text" => rich(state, &block["elements"]),
        "table" => table(state, &block["rows"]),
        "alert" => text(state, &block["text"]).unwrap_or_default(),
        "file" => "[file]".to_owned(),
        other => format!("[{other}]"),
    }
}

fn element(state: &State, element: &Value) -> String {
    let inside = |key: &str| text(state, &element[key]).unwrap_or_default();
    let options = || -> String {
        let options: Vec<String> = element["options"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|option| text(state, &option["text"]))
            .collect();
        options.join(" | ")
    };
    match element["type"].as_str().unwrap_or_default() {
        "mrkdwn" | "plain_text" => text(state, element).unwrap_or_default(),
        "button" | "workflow_button" => format!("[{}]", inside("text")),
        "overflow" => format!("[… {}]", options()),
        "radio_buttons" | "checkboxes" => format!("[{}]", options()),
        "static_select" | "multi_static_select" => {
            let chosen = text(state, &element["initial_option"]["text"]);
            format!("[{} ▾]", chosen.unwrap_or_else(|| inside("placeholder")))
        }
        "image" => format!("[image: {}]", element["alt_text"].as_str().unwrap_or_default()),
        "raw_text" => element["text"].as_str().unwrap_or_default().to_owned(),
        "rich_text" => rich(state, &element["elements"]),
        _ => {
            let initial = element
                .as_object()
                .into_iter()
                .flatten()
                .find_map(|(key, value)| key.starts_with("initial_").then(|| plain(value)));
            format!("[{}]", initial.unwrap_or_else(|| inside("placeholder")))
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text object; mrkdwn is decoded, plain text stands as it is.
fn text(state: &State, object: &Value) -> Option<String> {
    let text = object["text"].as_str()?;
    Some(match object["type"].as_str() {
        Some("mrkdwn") => decoded(state, text),
        _ => text.to_owned(),
    })
}

fn table(state: &State, rows: &Value) -> String {
    let row = |row: &Value| -> String {
        let cells: Vec<String> = row
            .as_array()
            .into_iter()
            .flatten()
            .map(|cell| element(state, cell))
            .collect();
        cells.join(" | ")
    };
    let rows: Vec<String> = rows.as_array().into_iter().flatten().map(row).collect();
    rows.join("\n")
}

fn rich(state: &State, elements: &Value) -> String {
    let mut out = String::new();
    for element in elements.as_array().into_iter().flatten() {
        let field = |key: &str| element[key].as_str().unwrap_or_default();
        let inner = &element["elements"];
        match field("type") {
            "rich_text_section" | "rich_text_preformatted" => out.push_str(&rich(state, inner)),
            "rich_text_quote" => out.push_str(&format!("> {}", rich(state, inner))),
            "rich_text_list" => {
                for item in inner.as_array().into_iter().flatten() {
                    out.push_str(&format!("• {}\n", rich(state, &item["elements"])));
                }
            }
            "text" => out.push_str(field("text")),
            "link" if field("text").is_empty() => out.push_str(field("url")),
            "link" => out.push_str(field("text")),
            "user" => out.push_str(&token(state, &format!("@{}", field("user_id")))),
            "channel" => out.push_str(&token(state, &format!("#{}", field("channel_id")))),
            "usergroup" => out.push_str(&token(state, &format!("!subteam^{}", field("usergroup_id")))),
            "broadcast" => out.push_str(&format!("@{}", field("range"))),
            "emoji" => out.push_str(&format!(":{}:", field("name"))),
            "date" => out.push_str(field("fallback")),
            _ => {}
        }
    }
    out
}

/// Slack's own escapes and tokens, read as a person sees them.
pub fn decoded(state: &State, wire: &str) -> String {
    let mut out = String::new();
    let mut rest = wire;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        out.push_str(&rest[..open]);
        out.push_str(&token(state, &rest[open + 1..open + close]));
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// What stands between `<` and `>`.
fn token(state: &State, token: &str) -> String {
    let (what, label) = match token.split_once('|') {
        Some((what, label)) => (what, Some(label)),
        None => (token, None),
    };
    if let Some(user) = what.strip_prefix('@') {
        let name = state.users.get(user).map_or(user, |user| user.name.as_str());
        format!("@{name}")
    } else if let Some(channel) = what.strip_prefix('#') {
        let name = state.channels.get(channel).map_or(channel, |c| c.name.as_str());
        format!("#{name}")
    } else if let Some(group) = what.strip_prefix("!subteam^") {
        let name = state.groups.get(group).map_or(group, |g| g.handle.as_str());
        format!("@{name}")
    } else if let Some(date) = what.strip_prefix("!date^") {
        label.unwrap_or(date).to_owned()
    } else if let Some(all) = what.strip_prefix('!') {
        format!("@{all}")
    } else {
        label.unwrap_or(what).to_owned()
    }
}

/// Every mention that notifies a crowd, in all that a message shows: `<!channel>`, `<!here>`, `<!everyone>`, and
/// those of user groups.
pub fn alarms(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::String(text) => {
            for (at, _) in text.match_indices("<!") {
                let token = text[at..].split_inclusive('>').next().unwrap_or_default();
                if ["<!channel", "<!here", "<!everyone", "<!group", "<!subteam^"]
                    .iter()
                    .any(|alarm| token.starts_with(alarm))
                {
                    found.push(token.to_owned());
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| found.extend(alarms(value))),
        // A plain_text object rings nobody.
        Value::Object(object) if object.get("type") == Some(&Value::from("plain_text")) => {}
        Value::Object(object) if object.get("type") == Some(&Value::from("broadcast")) => {
            found.push(format!("<!{}>", object["range"].as_str().unwrap_or_default()));
        }
        Value::Object(object) => {
            // Only what is shown: an id or a value rings nobody either.
            let shown = object
                .iter()
                .filter(|(key, _)| !key.ends_with("_id") && *key != "value");
            shown.for_each(|(_, value)| found.extend(alarms(value)));
        }
        _ => {}
    }
    found
}

/// What a person types, as Slack puts it on the wire: escaped, links in angle brackets, mentions as given.
pub fn typed(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&']) {
        link(&rest[..at], &mut out);
        let tail = &rest[at..];
        let mention = tail
            .find('>')
            .map(|end| &tail[..=end])
            .filter(|token| ["<@", "<#", "<!"].iter().any(|start| token.starts_with(start)));
        let taken = if let Some(mention) = mention {
            out.push_str(mention);
            mention.len()
        } else {
            out.push_str(match &tail[..1] {
                "<" => "&lt;",
                ">" => "&gt;",
                _ => "&amp;",
            });
            1
        };
        rest = &tail[taken..];
    }
    link(rest, &mut out);
    out
}

fn link(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest
        .find("http://")
        .into_iter()
        .chain(rest.find("https://"))
        .min()
    {
        let end = rest[at..]
            .find(char::is_whitespace)
            .map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..at]);
        out.push_str(&format!("<{}>", &rest[at..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
}

/// The block that Slack makes of a text that came without blocks.
pub fn rich_text(id: &str, wire: &str) -> Value {
    let mut elements = Vec::new();
    let mut rest = wire;
    let plain = |text: &str| {
        let text = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        json!({ "type": "text", "text": text })
    };
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        if open > 0 {
            elements.push(plain(&rest[..open]));
        }
        let token = &rest[open + 1..open + close];
        let (what, label) = token.split_once('|').unwrap_or((token, ""));
        elements.push(
            match (&what[..what.len().min(1)], what.get(1..).unwrap_or_default()) {
                ("@", user) => json!({ "type": "user", "user_id": user }),
                ("#", channel) => json!({ "type": "channel", "channel_id": channel }),
                ("!", range @ ("here" | "channel" | "everyone")) => {
                    json!({ "type": "broadcast", "range": range })
                }
                ("!", other) => plain(&format!("@{other}")),
                _ if label.is_empty() => json!({ "type": "link", "url": what }),
                _ => json!({ "type": "link", "url": what, "text": label }),
            },
        );
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        elements.push(plain(rest));
    }
    json!({
        "type": "rich_text", "block_id": format!("r{id}"),
        "elements": [{ "type": "rich_text_section", "elements": elements }],
    })
}
