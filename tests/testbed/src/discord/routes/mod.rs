//! The API's operations, by Discord's own names for them.

mod app;
mod channels;
mod commands;
mod guild;
mod marks;
mod messages;
mod pins;
mod threads;
mod webhooks;

use serde_json::Value;

pub use channels::{renames, take_rename};

use super::asked::Asked;
use super::fail::Result;
use super::limits::{self, Rate};
use super::state::State;

/// What a call must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    Bot,
    /// Nothing: its path carries a token, or it is for everybody.
    None,
}

pub struct Route {
    /// Discord's name for it, as its description of the API has it.
    pub operation: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub auth: Auth,
    pub rate: Rate,
    pub call: fn(&mut State, &Asked) -> Result<Value>,
}

type Call = fn(&mut State, &Asked) -> Result<Value>;

const fn bot(operation: &'static str, method: &'static str, path: &'static str, call: Call) -> Route {
    Route {
        operation,
        method,
        path,
        auth: Auth::Bot,
        rate: limits::ORDINARY,
        call,
    }
}

const fn open(operation: &'static str, method: &'static str, path: &'static str, call: Call) -> Route {
    Route {
        auth: Auth::None,
        ..bot(operation, method, path, call)
    }
}

const fn paced(rate: Rate, route: Route) -> Route {
    Route { rate, ..route }
}

/// Every operation there is here, the more exact path before the more general one.
pub fn all() -> impl Iterator<Item = &'static Route> {
    [
        app::ROUTES,
        guild::ROUTES,
        channels::ROUTES,
        pins::ROUTES,
        messages::ROUTES,
        marks::ROUTES,
        threads::ROUTES,
        commands::ROUTES,
        webhooks::ROUTES,
    ]
    .into_iter()
    .flatten()
}

/// The operation at a path, with what stands in its places.
pub fn find(method: &str, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    let routes = all().filter(|route| route.method == method);
    routes
        .filter_map(|route| Some((route, places(route.path, path)?)))
        .min_by_key(|(_, places)| places.len())
}

fn places(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut places = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(places),
            (Some(wanted), Some(given)) => {
                let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                match name {
                    Some(name) => places.push((name, decoded(given))),
                    None if wanted == given => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// `%F0%9F%93%8C` as the emoji it stands for.
fn decoded(part: &str) -> String {
    // A plus is a plus in a path; the form decoder would make a space of it.
    let form = part.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(form.as_bytes()).next();
    pair.map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::discord::contract;

    #[test]
    fn every_operation_has_the_name_that_discord_gives_it() {
        // Without the description there is nothing to compare with, which is said loudly.
        for route in all().filter(|_| contract::checked()) {
            let known = contract::operation(route.method, route.path);
            assert_eq!(known, Some(route.operation), "{} {}", route.method, route.path);
        }
    }
}
