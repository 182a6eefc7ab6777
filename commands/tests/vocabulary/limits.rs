//! What the platforms allow, and what the table promises about itself.

use std::collections::BTreeSet;

use orderly_commands::*;

/// Discord: options of a command, of a group and of a sub-command, and choices of an option.
const MOST_ENTRIES: usize = 25;

/// Discord: characters of a name, and of a description.
const LONGEST_NAME: usize = 32;
const LONGEST_DESCRIPTION: usize = 100;

/// Discord: characters of a whole command, over names, descriptions and the names and values of choices.
const WHOLE_COMMAND: usize = 8_000;

fn top_level() -> Vec<&'static str> {
    let singles = table()
        .iter()
        .filter(|spec| spec.group().is_none())
        .map(|spec| spec.path);
    singles.chain(groups().iter().map(|group| group.name)).collect()
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn is_description(text: &str) -> bool {
    (1..=LONGEST_DESCRIPTION).contains(&text.chars().count())
}

#[test]
fn discord_can_register_every_level() {
    assert!(
        top_level().len() <= MOST_ENTRIES,
        "{} at the top: {:?}",
        top_level().len(),
        top_level()
    );
    for group in groups() {
        let count = members(group).count();
        assert!((1..=MOST_ENTRIES).contains(&count), "{} has {count}", group.name);
        assert!(is_name(group.name) && is_description(group.summary), "{group:?}");
    }
    for spec in table() {
        assert!(spec.args.len() <= MOST_ENTRIES, "{}", spec.path);
        assert!(
            spec.path.split(' ').all(is_name) && is_description(spec.summary),
            "{}",
            spec.path
        );
        for arg in spec.args {
            assert!(
                is_name(arg.name) && is_description(arg.summary),
                "{} of {}",
                arg.name,
                spec.path
            );
            assert!(
                arg.kind.choices().is_none_or(|words| words.len() <= MOST_ENTRIES),
                "{}",
                spec.path
            );
        }
    }
}

#[test]
fn discord_can_hold_the_whole_command() {
    let choices = |arg: &ArgSpec| {
        arg.kind
            .registered_choices()
            .unwrap_or_default()
            .iter()
            .map(|word| 2 * word.len())
            .sum::<usize>()
    };
    let arg = |arg: &ArgSpec| arg.name.len() + arg.summary.chars().count() + choices(arg);
    let command = |spec: &CommandSpec| {
        let name = spec.path.split(' ').next_back().map_or(0, str::len);
        name + spec.summary.chars().count() + spec.args.iter().map(arg).sum::<usize>()
    };
    let commands: usize = table().iter().map(command).sum();
    let groups: usize = groups()
        .iter()
        .map(|group| group.name.len() + group.summary.chars().count())
        .sum();
    let itself = LONGEST_NAME + LONGEST_DESCRIPTION;
    let whole = itself + groups + commands;
    assert!(whole <= WHOLE_COMMAND, "{whole} characters");
}

#[test]
fn every_example_is_understood_as_its_own_command() {
    for spec in table() {
        let parsed = parse(spec.example).unwrap_or_else(|error| panic!("{}: {error}", spec.path));
        assert_eq!(parsed.path, spec.path, "{}", spec.example);
    }
}

#[test]
fn no_word_means_two_things() {
    let mut seen = BTreeSet::new();
    let aliases = table()
        .iter()
        .filter_map(|spec| spec.alias)
        .chain(groups().iter().filter_map(|group| group.alias));
    for word in top_level().into_iter().chain(aliases) {
        assert!(seen.insert(word), "`{word}` is there twice");
    }
    let paths: BTreeSet<_> = table().iter().map(|spec| spec.path).collect();
    assert_eq!(paths.len(), table().len());
}

#[test]
fn every_group_has_its_row_and_its_ways_out() {
    for spec in table() {
        assert!(
            spec.group().is_none_or(|group| find_group(group).is_some()),
            "{}",
            spec.path
        );
        assert!(spec.path.split(' ').count() <= 2, "{}", spec.path);
    }
    for group in groups() {
        for path in [group.bare, group.default].into_iter().flatten() {
            assert_eq!(
                find(path).and_then(CommandSpec::group),
                Some(group.name),
                "{path}"
            );
        }
    }
}

#[test]
fn options_are_unambiguous() {
    for spec in table() {
        let names: BTreeSet<_> = spec.args.iter().map(|arg| arg.name).collect();
        assert_eq!(names.len(), spec.args.len(), "{}", spec.path);
        assert!(
            !names.contains("incident"),
            "{} takes the name of the option every command has",
            spec.path
        );
        // Discord wants required options first, and by place nothing can follow what may be missing.
        let first_free = spec
            .args
            .iter()
            .position(|arg| !arg.required)
            .unwrap_or(spec.args.len());
        assert!(
            spec.args[first_free..].iter().all(|arg| !arg.required),
            "{}",
            spec.path
        );
    }
}

#[test]
fn every_path_also_works_as_one_word() {
    for spec in table()
        .iter()
        .filter(|spec| !spec.args.iter().any(|arg| arg.required))
    {
        let word = spec.path.replace(' ', "-");
        assert_eq!(parse(&word).map(|parsed| parsed.path), Ok(spec.path), "{word}");
    }
}
