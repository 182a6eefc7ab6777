//! What is wrong inside inline code, pointed at to the character.

use insta::assert_snapshot;

use super::told;

/// One step with this text, and what its author is told.
fn step(text: &str) -> String {
    told(&format!("## Confirm\n- {text}\n"))
}

#[test]
fn a_word_the_bot_almost_knows_is_not_taken_for_text() {
    assert_snapshot!(step("See `prob odoo.health` now"), @"test.md:8:8: error: `prob` is not a word the bot knows. Did you mean `probe odoo.health`?");
    assert_snapshot!(step("See `Probe: odoo.health` now"), @"test.md:8:8: error: `Probe:` is not a word the bot knows. Did you mean `probe odoo.health`?");
    assert_eq!(step("Run `probes.sh now` yourself"), "");
}

#[test]
fn a_probe_needs_a_name() {
    assert_snapshot!(step("See `probe` now"), @"test.md:8:8: error: `probe` needs the name of an entry of the catalog, such as `probe postgres.blocking failing_after=5s`.");
    assert_snapshot!(step("See `probe Odoo/Health` now"), @"test.md:8:14: error: `Odoo/Health` is no name of a catalog entry. Write it as in `probe postgres.blocking failing_after=5s`.");
}

#[test]
fn parameters_are_name_and_value() {
    assert_snapshot!(step("`probe postgres.blocking 5`"), @"test.md:8:28: error: `5` is neither a parameter (`name=value`) nor a target (`on odoo-db`).");
    assert_snapshot!(step("`probe postgres.blocking min_seconds=`"), @"test.md:8:40: error: The value is missing. Leave the whole parameter out if the responder is to be asked.");
    assert_snapshot!(step("`probe postgres.blocking Min-Seconds=5`"), @"test.md:8:28: error: `Min-Seconds` is no name of a parameter: letters, digits and `_` only.");
    assert_snapshot!(step("`probe postgres.blocking min_seconds=5 min_seconds=6`"), @"test.md:8:42: error: The parameter `min_seconds` is given twice: keep one.");
}

#[test]
fn quotes_are_straight_double_and_closed() {
    assert_snapshot!(step("`probe odoo.cron cron='Post'`"), @r#"test.md:8:25: error: Put text in straight double quotes, such as `cron="Post entries"`, not 'Post'."#);
    assert_snapshot!(step("`probe odoo.cron cron=“Post”`"), @r#"test.md:8:25: error: Put text in straight double quotes, such as `cron="Post entries"`, not “Post”."#);
    assert_snapshot!(step("`probe odoo.cron cron=\"Post entries`"), @"test.md:8:25: error: The quote that opens here is never closed.");
    assert_snapshot!(step("`probe odoo.cron cron=\"Post\"x`"), @"test.md:8:31: error: There must be a space behind the closing quote.");
}

#[test]
fn the_target_is_one_name_and_comes_last() {
    assert_snapshot!(step("`probe odoo.health on`"), @"test.md:8:22: error: `on` needs the name of a target behind it, such as `on odoo-db`.");
    assert_snapshot!(step("`probe postgres.blocking on odoo-db min_seconds=5`"), @"test.md:8:39: error: The target comes last: put the parameters before `on`.");
    assert_snapshot!(step("`probe odoo.health on a/b`"), @"test.md:8:25: error: `a/b` is no name of a target, such as `odoo-db`.");
}

#[test]
fn a_step_runs_one_thing() {
    assert_snapshot!(step("`probe odoo.health` and `probe http.health`"), @"test.md:8:28: error: One step runs one thing, and this one has `probe odoo.health` already: make it two steps.");
}

#[test]
fn columns_count_characters_also_behind_umlauts_and_on_later_lines() {
    assert_snapshot!(step("Größe prüfen: `probe odoo.helth`"), @"test.md:8:24: error: The catalog has no probe `odoo.helth`. Did you mean `odoo.health`?");
    assert_snapshot!(step("First this,\n  dann für alle `probe odoo.helth`"), @"test.md:9:24: error: The catalog has no probe `odoo.helth`. Did you mean `odoo.health`?");
    assert_snapshot!(told("## Contain\n1. Damage?\n   - **yes**: Ja\n     1. Größe: ``probe odoo.helth``\n   - **no**: No\n"), @"test.md:10:24: error: The catalog has no probe `odoo.helth`. Did you mean `odoo.health`?");
}

#[test]
fn conditions_name_a_probe_and_verdicts() {
    let leave = |code: &str| {
        told(&format!(
            "## Confirm\n- `probe odoo.health`\n\n> **Leave when** `{code}`.\n"
        ))
    };
    assert_eq!(leave("odoo.health is ok"), "");
    assert_snapshot!(leave("odoo.health"), @"test.md:10:19: error: `odoo.health` is no condition the bot can check. Write a condition as `odoo.health is ok`, or `odoo.health on odoo-prod is ok or suspect`.");
    assert_snapshot!(leave("odoo.health is okay"), @"test.md:10:34: error: `okay` is not a verdict. There is `ok`, `suspect`, `failing` and `unknown`.");
    assert_snapshot!(leave("odoo.health is ok suspect"), @"test.md:10:19: error: `odoo.health is ok suspect` does not end in verdicts joined by `or`. Write a condition as `odoo.health is ok`, or `odoo.health on odoo-prod is ok or suspect`.");
    assert_snapshot!(leave("odoo.helth is ok"), @"test.md:10:19: error: The catalog has no probe `odoo.helth`. Did you mean `odoo.health`?");
    assert_snapshot!(leave("http.health is ok"), @"test.md:10:19: warning: No step up to here asks `http.health`, so this never holds by itself: add a step with `probe http.health`.");
}
