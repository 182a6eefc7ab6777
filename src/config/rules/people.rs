//! People: nobody may be two, and no identity may be two people, for then a vote could count twice.

use super::{Rules, is_short_name, short_name_wanted};
use crate::config::Config;
use crate::config::settings::Person;
use crate::incident::LONGEST_NAME;

impl Rules<'_, '_> {
    pub(super) fn people(&mut self, people: &[Person]) {
        for (index, person) in people.iter().enumerate() {
            let path = format!("person[{index}]");
            let others = &people[..index];
            if !is_short_name(&person.id) {
                self.at(&format!("{path}.id"), short_name_wanted("`id`"));
            } else if others.iter().any(|other| other.id == person.id) {
                let message = format!("two people are called {}: give one of them another id", person.id);
                self.at(&format!("{path}.id"), message);
            }
            let name = person.name.as_deref().unwrap_or_default();
            let length = name.chars().count();
            if length > LONGEST_NAME || name.chars().any(char::is_control) {
                let message = format!(
                    "`name` is one line of at most {LONGEST_NAME} characters; this one has {length}: give what people call them by"
                );
                self.at(&format!("{path}.name"), message);
            }
            self.os_user(&path, person, others);
            self.identities(&path, person, others);
        }
    }

    pub(super) fn groups(&mut self, config: &Config) {
        for (index, group) in config.group.iter().enumerate() {
            let path = format!("group[{index}]");
            let same = |other: &&crate::config::Group| {
                (&other.platform, &other.group) == (&group.platform, &group.group)
            };
            if group.group.trim().trim_start_matches('@').is_empty() {
                self.at(
                    &format!("{path}.group"),
                    "`group` names the group: a user group's handle such as @approvers, or its id",
                );
            } else if config.group[..index].iter().any(|other| same(&other)) {
                let message = format!("{} stands here twice: give it all its roles at once", group.group);
                self.at(&format!("{path}.group"), message);
            }
            if group.roles.is_empty() {
                self.at(
                    &format!("{path}.roles"),
                    "`roles` is empty: say what the members may do, such as roles = [\"approver\"]",
                );
            }
            if group.platform == "slack" && config.slack.is_none() {
                self.at(
                    &format!("{path}.platform"),
                    "Slack is not used here: add [slack], or take the group out",
                );
            }
            if group.platform == "discord" {
                self.at(
                    &format!("{path}.platform"),
                    "what Discord's roles give stands in [discord]: roles = { approver = [\"id of the role\"] }",
                );
            }
        }
    }

    fn os_user(&mut self, path: &str, person: &Person, others: &[Person]) {
        let Some(user) = &person.os_user else { return };
        let path = format!("{path}.os_user");
        if user.trim().is_empty() {
            self.at(&path, "`os_user` is empty: name the user, or take the line out");
        } else if let Some(other) = others.iter().find(|other| other.os_user.as_ref() == Some(user)) {
            let message = format!(
                "{} and {} are both the user {user} of this machine: an approval from its terminal must be one \
                 person's",
                other.id, person.id
            );
            self.at(&path, message);
        }
    }

    fn identities(&mut self, path: &str, person: &Person, others: &[Person]) {
        for (index, identity) in person.identities.iter().enumerate() {
            let path = format!("{path}.identities[{index}]");
            if identity.user.trim().is_empty() || identity.workspace.trim().is_empty() {
                self.at(
                    &path,
                    "an identity names a workspace and a user, by the ids of the platform",
                );
            }
            if identity.user.starts_with('@') {
                let message = "`user` is the platform's id of the person, such as U0123ABCD: a name that begins with @ \
                               can be changed by its owner";
                self.at(&format!("{path}.user"), message);
            }
            let holder = others.iter().find(|other| other.identities.contains(identity));
            let named = format!("{}/{}/{}", identity.platform, identity.workspace, identity.user);
            if let Some(other) = holder {
                let message = format!(
                    "{} and {} are both {named}: an identity is one person's",
                    other.id, person.id
                );
                self.at(&path, message);
            } else if person.identities[..index].contains(identity) {
                self.at(&path, format!("{} is {named} twice: keep one", person.id));
            }
        }
    }
}
