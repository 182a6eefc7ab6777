//! One route of Discord's REST API, with parameters that cannot leave their places. Pure.

use reqwest::Method;

/// One route with its parameters.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    /// As Discord documents it, with `{}` for each parameter: the name of what is counted and told.
    pub name: &'static str,
    pub path: String,
    /// Channel, guild, or webhook with its token: these are limited apart.
    pub about: String,
}

impl Route {
    /// `name` is method and path, such as `GET /channels/{}/messages`. Every parameter is made safe for a path.
    pub fn new(name: &'static str, parameters: &[&str]) -> Self {
        let (method, template) = name.split_once(' ').unwrap_or(("GET", name));
        let mut path = String::new();
        let mut left = parameters.iter();
        for (at, part) in template.split("{}").enumerate() {
            if at > 0 {
                path.push_str(&safe(left.next().copied().unwrap_or_default()));
            }
            path.push_str(part);
        }
        let majors = if template.starts_with("/webhooks/{}/{}") {
            2
        } else if ["/channels/{}", "/guilds/{}"]
            .iter()
            .any(|start| template.starts_with(start))
        {
            1
        } else {
            0
        };
        let about = parameters[..majors.min(parameters.len())].join("/");
        let method = match method {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => Method::GET,
        };
        Self {
            method,
            name,
            path,
            about,
        }
    }

    /// With arguments in the address.
    pub fn with(mut self, arguments: &[(&str, &str)]) -> Self {
        for (at, (name, value)) in arguments.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            self.path.push_str(&format!("{mark}{name}={}", safe(value)));
        }
        self
    }

    /// Answers to people are not counted among the requests, and nobody could wait for them.
    pub fn is_answer(&self) -> bool {
        self.path.starts_with("/interactions/")
    }
}

/// A parameter that cannot leave its place in a path.
fn safe(text: &str) -> String {
    // A path would be walked up by these, however they are written.
    if matches!(text, "." | "..") {
        return "_".to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                safe.push(char::from(byte))
            }
            byte => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stays_in_its_place() {
        let route = Route::new(
            "PUT /channels/{}/permissions/{}",
            &["12", "../../users/@me?x=1#y"],
        );
        assert_eq!(
            route.path,
            "/channels/12/permissions/..%2F..%2Fusers%2F@me%3Fx%3D1%23y"
        );
        assert_eq!(route.about, "12");
        let emoji = Route::new("GET /channels/{}/messages/{}/reactions/{}", &["1", "2", "📌"]);
        assert_eq!(emoji.path, "/channels/1/messages/2/reactions/%F0%9F%93%8C");
        assert_eq!(safe(".."), "_");
    }
}
