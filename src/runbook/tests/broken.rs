//! Files that are no runbooks: a clear message, and never a panic.

use std::sync::LazyLock;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Entries, FRONT, Problem, check, parse, read, shown};
use crate::runbook::Shelf;

fn refused(text: &str) -> String {
    shown(&parse("broken.md", text).expect_err("problems"))
}

#[test]
fn front_matter_that_is_missing_or_never_ends() {
    assert_snapshot!(refused(""), @"broken.md:1:1: error: The file is empty. Begin the file with `---`, then `name:`, `title:` and `summary:` on a line each, then `---` again.");
    assert_snapshot!(refused("# A page\n\n## Confirm\n- Look.\n"), @"broken.md:1:1: error: There is no front matter. Begin the file with `---`, then `name:`, `title:` and `summary:` on a line each, then `---` again.");
    assert_snapshot!(refused("---\nname: a\n"), @"broken.md:1:1: error: The front matter does not end: put a line with `---` alone below its last key.");
}

#[test]
fn front_matter_that_says_the_wrong_thing() {
    let front = |yaml: &str| refused(&format!("---\nname: a\n{yaml}\n---\n## Confirm\n- Look.\n"));
    assert_snapshot!(front("titel: A\nsummary: A."), @"broken.md:3:1: error: There is no key `titel` here. Did you mean `title`?");
    assert_snapshot!(front("title: A"), @"broken.md:3:1: error: The front matter has no `summary:`. Say in one sentence when to use this runbook.");
    assert_snapshot!(front("title: A\nsummary: A.\nseverity: SEV9"), @"broken.md:5:11: error: `SEV9` is not one of the words known here. Did you mean `SEV1`?");
    assert_snapshot!(front("title: A\nsummary: A.\nprocesses: [finance-postings]"), @"broken.md:5:13: error: `finance-postings` is not one of the words known here. Did you mean `finance-posting`?");
    assert_snapshot!(front("title: A\nsummary: A.\nprocesses: finance-posting"), @"broken.md:5:12: error: `processes:` cannot be read (expected sequence start). Write it as `processes: [finance-posting]`.");
    assert_snapshot!(front("title: A\nsummary: A.\ntitle: B"), @"broken.md:5:1: error: The key `title` stands here a second time: keep one.");
    assert_snapshot!(front("title: A\nsummary: A.\nmatch:\n  lables: {}"), @"broken.md:6:3: error: There is no key `lables` here. Did you mean `labels`?");
    assert_snapshot!(front("title: A\nsummary: A.\nreviewed: last week"), @"broken.md:5:11: error: `reviewed:` cannot be read (input contains invalid characters). Write it as `reviewed: 2026-01-31`.");
    assert_snapshot!(front("title: [A\nsummary: A."), @"broken.md:3:8: error: `title:` cannot be read (expected string scalar). Write it as `title: Month-end posting fails`.");
    assert_snapshot!(front("\ttitle: A"), @"broken.md:3:1: error: A tab indents this line, and YAML takes spaces only: replace it.");
    assert_snapshot!(front("title: \nsummary: ''"), @"broken.md:3:6: error: `title:` cannot be read (null is not allowed here). Write it as `title: Month-end posting fails`.");
}

#[test]
fn front_matter_that_breaks_a_limit() {
    let yaml = format!(
        "name: Month End\ntitle: {}\nsummary: ' '\nmatch:\n  labels:\n    alertname: []\n  title: ['!']",
        "very ".repeat(20)
    );
    assert_snapshot!(refused(&format!("---\n{yaml}\n---\n## Confirm\n- Look.\n")), @"
    broken.md:2:1: error: `Month End` is no name people can type: use lower-case words joined by hyphens, at most 60 characters, such as `month-end-posting`.
    broken.md:3:1: error: `title:` has 99 characters: say it in 80.
    broken.md:4:1: error: `summary:` is empty. Say in one sentence when to use this runbook.
    broken.md:5:1: error: `match: title:` holds an empty word: take it out.
    broken.md:7:5: error: The label `alertname` has no value, so nothing matches it: name one, or take it out.
    ");
}

#[test]
fn lists_that_are_nested_wrongly() {
    let body = |body: &str| read(body).expect_err("problems");
    assert_snapshot!(body("## Confirm\n- - - Look.\n"), @"test.md:8:1: error: This step says nothing: begin it with a sentence of what to do. Commands, lists and headings come below that sentence.");
    assert_snapshot!(body("## Confirm\n-\n- Look.\n"), @"test.md:8:1: error: This step says nothing: begin it with a sentence of what to do. Commands, lists and headings come below that sentence.");
    assert_snapshot!(body("## Confirm\n- Look.\n    - Deeper.\n"), @"
    test.md:9:5: error: A decision with one way is none: give it the other, or write the one as steps.
    test.md:9:5: error: A list below a step is a decision, and each item one of its branches: begin it with a name, such as `**yes**: Wrong documents are going out`. For plain details, write them in the step.
    ");
    assert_snapshot!(body("## Confirm\n- ## Heading\n"), @"test.md:8:1: error: This step says nothing: begin it with a sentence of what to do. Commands, lists and headings come below that sentence.");
    assert_snapshot!(body("## Confirm\n- (optional)\n"), @"test.md:8:3: error: This step says nothing: put behind it what to do or to ask.");
    assert_snapshot!(body("## Confirm\n- `ask`\n"), @"test.md:8:3: error: This step says nothing: put behind it what to do or to ask.");
    assert_snapshot!(body("## Confirm\n- Which?\n  - **a**\n\n  1. One.\n"), @"
    test.md:9:3: error: A decision with one way is none: give it the other, or write the one as steps.
    test.md:11:3: error: A step has one list below it at most: the branches of its decision.
    ");
}

#[test]
fn hidden_characters_and_old_line_ends() {
    assert_snapshot!(read("## Confirm\n- Run `rm \u{202e}txt.exe`\n").expect_err("problems"), @"test.md:8:11: error: The hidden character U+202E makes this line read differently from what it says: take it out.");
    assert_snapshot!(read("## Confirm\n- Bell \u{7}\n").expect_err("problems"), @"test.md:8:8: error: The hidden character U+0007 makes this line read differently from what it says: take it out.");
    assert_snapshot!(refused("---\rname: a\r---\r"), @"broken.md:1:4: error: The hidden character U+000D makes this line read differently from what it says: take it out.");
}

#[test]
fn a_megabyte_is_refused_before_it_is_read() {
    assert_snapshot!(refused(&"- look\n".repeat(150_000)), @"broken.md:1:1: error: The file has 1026 KiB, and a runbook may have 64: nobody reads more in an incident. Split it by what has gone wrong.");
}

#[test]
fn deep_nesting_and_many_marks_are_survived() {
    let deep = 60_000;
    for body in [
        format!("## Confirm\n{}x\n", "> ".repeat(deep / 2)),
        format!("## Confirm\n{}x\n", "- ".repeat(deep / 2)),
        format!("## Confirm\n- {}x\n", "*".repeat(deep)),
        format!("## Confirm\n- {}x\n", "[".repeat(deep)),
        format!("## Confirm\n- {}x\n", "`a".repeat(deep / 2)),
        format!("## Confirm\n{}", "- a\n".repeat(deep / 4)),
        format!("## Confirm\n- {}\n", "**a** ".repeat(deep / 6)),
    ] {
        let _ = check("test.md", &format!("{FRONT}{body}"), &Entries::real());
    }
    let yaml = format!("---\nmatch: {}\n---\n", "[".repeat(deep));
    assert!(parse("test.md", &yaml).is_err());
    let aliases = "---\na: &a [x]\nb: &b [*a, *a, *a]\nmatch: {labels: {x: *b}}\n---\n";
    assert!(parse("test.md", aliases).is_err());
}

/// Every message stands at a place an editor can jump to.
fn points_into(text: &str, problems: &[Problem]) -> Result<(), TestCaseError> {
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems {
        prop_assert!((1..=lines.len()).contains(&problem.line), "{problem}");
        let width = lines[problem.line - 1].chars().count();
        prop_assert!((1..=width + 2).contains(&problem.column), "{problem}");
        prop_assert!(!problem.message.is_empty() && problem.message.is_char_boundary(1));
    }
    Ok(())
}

static SHIPPED: LazyLock<Vec<String>> = LazyLock::new(|| {
    Shelf::demo()
        .list()
        .map(|runbook| runbook.source.clone())
        .collect()
});

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "## Confirm\n",
        "## Contain\n",
        "## Triage\n",
        "### Logs\n",
        "- ",
        "1. ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "> ",
        "**Leave when** ",
        "`probe odoo.health on odoo-db`",
        "`action flag.set flag=\"a b\" value=1`",
        "`if yes` ",
        "`ask` ",
        "(optional) ",
        "**yes**: ",
        "**no**",
        "?",
        "`",
        "```\n",
        "~~~",
        "<b>",
        "<!-- -->\n",
        "|a|\n|-|\n",
        "é",
        "\u{1f6d1}",
        "\\",
        "*",
        "[x](y)",
        "[a]: b\n",
        "probe ",
        "text",
        "=\"",
        "is ok",
        "&amp;",
        "\u{a0}",
        "    code\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_body_gives_a_plan_or_problems_that_point_into_the_file(body in pieces()) {
        let text = format!("{FRONT}{body}");
        let problems = check("test.md", &text, &Entries::real());
        points_into(&text, &problems)?;
        if let Ok(runbook) = parse("test.md", &text) {
            let ids: Vec<&String> = runbook.plan.phases.iter().flat_map(|p| &p.steps).map(|s| &s.id).collect();
            let distinct: std::collections::BTreeSet<&String> = ids.iter().copied().collect();
            prop_assert_eq!(ids.len(), distinct.len());
            for step in runbook.plan.phases.iter().flat_map(|phase| &phase.steps) {
                prop_assert!(!step.text.is_empty());
                if let Some(branch) = &step.branch {
                    prop_assert!(distinct.contains(&branch.step));
                }
            }
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        let _ = check("test.md", &text, &Entries::real());
        points_into(&text, &check("test.md", &text, &Entries::real()))?;
    }

    #[test]
    fn a_shipped_runbook_with_a_hole_in_it_is_survived(
        which in 0..7usize, from in 0..7000usize, length in 0..400usize, put in pieces()
    ) {
        let source: Vec<char> = SHIPPED[which].chars().collect();
        let from = from.min(source.len());
        let to = (from + length).min(source.len());
        let text: String = source[..from].iter().copied().chain(put.chars()).chain(source[to..].iter().copied()).collect();
        points_into(&text, &check("test.md", &text, &Entries::real()))?;
    }
}
