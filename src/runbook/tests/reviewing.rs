//! What an author is told by the lint.

use insta::assert_snapshot;

use super::{Entries, check, shown, told};

/// A sound Contain, so that what is tested is all there is to say; what follows begins at line 12.
const CONTAIN: &str = "## Contain\n- Is damage going on?\n  - **yes**: Yes\n  - **no**: No\n\n";

fn triage(body: &str) -> String {
    told(&format!("{CONTAIN}## Triage\n{body}"))
}

fn decide(body: &str) -> String {
    told(&format!("{CONTAIN}## Decide\n{body}"))
}

#[test]
fn unknown_probes_and_actions_get_the_nearest_right_name() {
    assert_snapshot!(triage("- See `probe postgres.bloking`\n"), @"test.md:13:14: error: The catalog has no probe `postgres.bloking`. Did you mean `postgres.blocking`?");
    assert_snapshot!(triage("- See `probe postgres.who_sleeps`\n"), @"test.md:13:14: error: The catalog has no probe `postgres.who_sleeps`. For `postgres` there is `postgres.blocking`, `postgres.connections`, `postgres.deadlocks`, `postgres.idle_in_transaction`, `postgres.long_transactions`, `postgres.replication_lag`, `postgres.settings_changed`, `postgres.size`, `postgres.tenants`, `postgres.vacuum` and `postgres.wraparound`.");
    assert_snapshot!(triage("- See `probe kubernetes.pods`\n"), @"test.md:13:14: error: The catalog has no probe `kubernetes.pods`. `orderly probe list` shows what there is.");
    assert_snapshot!(triage("- See `probe redis.explode`\n"), @"test.md:13:14: error: The catalog has no probe `redis.explode`. For `redis` there is `redis.clients`, `redis.latency`, `redis.memory`, `redis.persistence`, `redis.ping` and `redis.replication`.");
    assert_snapshot!(triage("- Stop it: `probe odoo.cron.disable`\n"), @"test.md:13:19: error: `odoo.cron.disable` is no probe. Write `action odoo.cron.disable`.");
    assert_snapshot!(triage("- Stop it: `action odoo.crons`\n"), @"test.md:13:20: error: `odoo.crons` is no action. Write `probe odoo.crons`.");
}

#[test]
fn parameters_are_compared_with_the_catalog() {
    assert_snapshot!(triage("- `probe postgres.blocking min_secs=5`\n"), @"test.md:13:28: error: `postgres.blocking` has no parameter `min_secs`. Did you mean `min_seconds`?");
    assert_snapshot!(triage("- `probe redis.ping times=5`\n"), @"test.md:13:21: error: `redis.ping` has no parameter `times`. It takes none.");
    assert_snapshot!(triage("- `probe postgres.blocking min_seconds=soon`\n"), @"test.md:13:28: error: `min_seconds` must be a whole number.");
}

#[test]
fn targets_are_compared_with_the_config() {
    assert_snapshot!(triage("- `probe postgres.blocking on odoo-dv`\n"), @"test.md:13:31: error: The config has no target `odoo-dv`. Did you mean `odoo-db`?");
    assert_snapshot!(triage("- `probe postgres.blocking on odoo-web`\n"), @"test.md:13:31: error: `odoo-web` is no PostgreSQL server.");
}

#[test]
fn phases_are_the_six_in_their_order() {
    assert_snapshot!(told("## Confrim\n- Look.\n"), @"test.md:7:1: error: `Confrim` is not a phase. The six are `confirm`, `contain`, `triage`, `decide`, `recover` and `learn`. Did you mean `confirm`?");
    assert_snapshot!(told("## Verify\n- Look.\n"), @"test.md:7:1: error: `Verify` is not a phase. The six are `confirm`, `contain`, `triage`, `decide`, `recover` and `learn`.");
    assert_snapshot!(decide("- Decide.\n\n## Confirm\n- Look.\n"), @"test.md:15:1: error: `confirm` comes before `decide`: move this phase up. The order is always the same.");
    assert_snapshot!(told("## Confirm\n- Look.\n\n## Confirm\n- Look again.\n"), @"test.md:10:1: error: The phase `confirm` begins a second time (first at line 7): join them.");
    assert_snapshot!(told("## Confirm\n\nWhy.\n"), @"test.md:7:1: error: The phase `confirm` has no steps: give it one, or take the heading out.");
    assert_snapshot!(told("Only text.\n"), @"test.md:1:1: error: There is no phase. Begin one with a heading such as `## Confirm`, and put its steps below as a list.");
}

#[test]
fn lines_of_triage_are_the_four_in_their_order() {
    assert_snapshot!(triage("### Log\n- Read.\n"), @"test.md:13:1: error: `Log` is not a line of triage. The four are `changes`, `logs`, `resources` and `dependencies`. Did you mean `logs`?");
    assert_snapshot!(triage("### Weather\n- Look up.\n"), @"test.md:13:1: error: `Weather` is not a line of triage. The four are `changes`, `logs`, `resources` and `dependencies`.");
    assert_snapshot!(triage("### Logs\n- Read.\n### Changes\n- Look.\n"), @"test.md:15:1: warning: `changes` comes before `logs`: triage goes from the most recent and likely cause outward.");
    assert_snapshot!(triage("### Logs\n- Read.\n### Logs\n- Look.\n"), @"test.md:15:1: error: The line `logs` begins a second time: join them.");
    assert_snapshot!(triage("### Changes\n### Logs\n- Read.\n"), @"test.md:13:1: error: The line `changes` has no steps: give it one, or take the heading out.");
    assert_snapshot!(told("## Confirm\n### Logs\n- Read.\n"), @"test.md:8:1: error: Only Triage has parts with a heading. Say it in the text of the steps instead.");
}

#[test]
fn contain_begins_with_the_question_of_damage() {
    assert_snapshot!(told("## Contain\n- Stop the job.\n"), @"test.md:7:1: error: Contain begins with the question of damage. Make its first step a decision such as `Is damage going on?` with the branches `**yes**` and `**no**`, and put the containment below `yes`.");
    assert_snapshot!(told("## Confirm\n- Look.\n\n## Triage\n- Look deeper.\n"), @"test.md:10:1: warning: Nothing here stops the damage: put `## Contain` before `## Triage`.");
    let asked = "## Contain\n- Is damage going on?\n  - **yes**: Yes\n    - Stop it.\n  - **no**: No\n";
    assert_eq!(told(asked), "");
}

#[test]
fn decisions_have_branches_people_can_type_and_reach() {
    assert_snapshot!(decide("- Which way?\n  - back\n  - on\n"), @"
    test.md:14:3: error: A list below a step is a decision, and each item one of its branches: begin it with a name, such as `**yes**: Wrong documents are going out`. For plain details, write them in the step.
    test.md:15:3: error: A list below a step is a decision, and each item one of its branches: begin it with a name, such as `**yes**: Wrong documents are going out`. For plain details, write them in the step.
    ");
    assert_snapshot!(decide("- Which way?\n  - **Roll Back**: Back\n  - **on**: On\n"), @"test.md:14:5: error: `Roll Back` is no name for a branch: one lower-case word of at most 24 characters, such as `**roll-back**`, because people type it.");
    assert_snapshot!(decide("- Which way?\n  - **back**: Back\n  - **back**: Back again\n"), @"test.md:15:3: error: The branch `back` can never be reached: one above has its name.");
    assert_snapshot!(decide("- Which way?\n  - **back**: Back\n"), @"test.md:14:3: error: A decision with one way is none: give it the other, or write the one as steps.");
    assert_snapshot!(decide("- Which way?\n  - **a**\n  - **b**\n  - **c**\n  - **d**\n  - **e**\n  - **f**\n"), @"test.md:19:3: error: A decision has 5 branches at most: two steps decide more.");
    assert_snapshot!(decide(&format!("- Which way?\n  - **a**: {}\n  - **b**\n", "very ".repeat(20))), @"test.md:14:3: error: The branch `a` has 99 characters behind its name, and a button shows 75: say it shorter.");
    assert_snapshot!(decide("- Which? `probe odoo.health`\n  - **a**\n  - **b**\n"), @"test.md:13:11: error: A step asks or decides, not both: make `probe odoo.health` a step of its own in front of this decision.");
}

#[test]
fn a_branch_holds_steps_and_no_further_decision() {
    assert_snapshot!(decide("- Which?\n  - **a**: Ask `probe odoo.health`\n  - **b**\n"), @"test.md:14:17: error: A button runs nothing: make this a step below the branch.");
    assert_snapshot!(decide("- Which?\n  - **a**: A\n    - Deeper?\n      - **c**: C\n      - **d**: D\n  - **b**\n"), @"test.md:16:7: error: A decision inside a branch is hard to follow at night. Make it a step of its own below, with `if NAME` in front, NAME being the branch it belongs to.");
    assert_snapshot!(decide("- Which?\n  - **a**: A\n\n    More text.\n  - **b**\n"), @"test.md:16:5: error: Below a branch stands one list, its steps, and nothing else.");
}

#[test]
fn a_condition_refers_to_a_branch_above_it() {
    let decision = "- Which?\n  - **back**: Back\n  - **on**: On\n";
    assert_snapshot!(decide(&format!("{decision}- `if bak` Wait.\n")), @"test.md:16:4: error: No decision has a branch `bak`. Did you mean `back`?");
    assert_snapshot!(decide(&format!("- `if back` Wait.\n{decision}")), @"test.md:13:4: error: `if back` can never hold here: it is decided only further down, at decide.2. Move this step below.");
    assert_snapshot!(decide("- Which?\n  - **back**: Back\n    - `if on` Wait.\n  - **on**: On\n"), @"test.md:15:8: error: This step belongs to a branch already: take `if` out, or the step out of the branch.");
}

#[test]
fn what_the_bot_cannot_show_is_not_dropped_in_silence() {
    assert_snapshot!(told("## Confirm\n- Look.\n\nAnd this.\n"), @"test.md:10:1: error: Text below the steps would not be shown. Move it above them, or make it a step.");
    assert_snapshot!(told("## Confirm\n<details>More</details>\n\n- Look.\n"), @"test.md:8:1: error: HTML is not shown in chat. Write it as Markdown; a comment (`<!-- … -->`) may stay.");
    assert_snapshot!(told("## Confirm\n```sh\nls\n```\n- Look.\n"), @"test.md:8:1: error: This code belongs to no step. Indent it to stand below the text of the list item it belongs to.");
    assert_snapshot!(told("## Confirm\n| a | b |\n|---|---|\n| c | d |\n\n- Look.\n"), @"test.md:8:1: error: A table is not shown in chat. Make each row a step, or move it above the first phase.");
    assert_snapshot!(told("## Confirm\n- Look.\n\n> Mind the step.\n"), @"test.md:10:1: error: A quote sets the condition for leaving a phase. Write `> **Leave when** `, then what must hold, in one paragraph.");
    assert_snapshot!(told("## Confirm\n#### Detail\n- Look.\n"), @"test.md:8:1: error: Headings this deep are not shown. Phases are `##`, lines of triage `###`; anything below is a step.");
    assert_snapshot!(told("## Confirm\n- Look.\n  > Quoted.\n"), @"test.md:9:3: error: Only text, code and the branches of a decision can stand in a step. Make it a step of its own.");
    assert_snapshot!(told("## Confirm\nWhy <b>now</b>.\n- Run `<x>` for <COMMIT>.\n"), @"
    test.md:8:5: error: `<b>` is HTML: a Git host hides it and chat shows it. Put it in back-ticks, or write it as Markdown.
    test.md:8:11: error: `</b>` is HTML: a Git host hides it and chat shows it. Put it in back-ticks, or write it as Markdown.
    test.md:9:17: error: `<COMMIT>` is HTML: a Git host hides it and chat shows it. Put it in back-ticks, or write it as Markdown.
    ");
    assert_eq!(told("## Confirm\n<!-- for authors -->\n- Look.\n"), "");
}

#[test]
fn a_phase_is_left_on_one_condition() {
    assert_snapshot!(told("## Confirm\n- Look.\n\n> **Leave when** seen.\n\n> **Leave when** done.\n"), @"test.md:12:1: error: This phase has its `Leave when` already: one sentence with `and` says it all.");
    assert_snapshot!(told("## Confirm\n- Look.\n\n> **Leave when**\n"), @"test.md:10:1: error: `Leave when` says nothing. Write `> **Leave when** `, then what must hold, in one paragraph.");
}

#[test]
fn habits_that_hurt_are_warned_about() {
    assert_snapshot!(told("## Confirm\n- Look.\n- Then.\n- look.\n"), @"test.md:10:3: warning: This step says the same as confirm.1: take one out.");
    assert_snapshot!(told(&format!("## Confirm\n- Look {}.\n", "once more ".repeat(40))), @"test.md:8:3: warning: This step has 406 characters; 320 are read: split it.");
    assert_snapshot!(told("## Confirm\n- Who is affected? Ask the shift lead.\n"), @"test.md:8:3: warning: A question stands inside this step, so nobody is asked. End the step with it.");
    assert_snapshot!(told("## Confirm\n- `action odoo.cron.disable`\n"), @"test.md:8:3: warning: Confirm looks and changes nothing: move this action to Contain.");
    assert_snapshot!(told("# Other\n\n## Confirm\n- Look.\n"), @"test.md:7:1: warning: The heading says `Other` and the front matter `Test`: say one thing.");
}

#[test]
fn names_and_reasons_to_choose_it_are_looked_at() {
    let text = "---\nname: one\ntitle: One\nsummary: One.\n---\n## Confirm\n- Look.\n";
    assert_snapshot!(shown(&check("runbooks/two.md", text, &Entries::real())), @"
    runbooks/two.md:1:1: warning: Nothing chooses this runbook. Add `match:` with labels of an alert, processes, or words of a title.
    runbooks/two.md:2:1: warning: The file is `two.md` and the runbook `one`: people look for one name.
    ");
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_file() {
    assert_snapshot!(told("## Confirm\n- `probe odoo.helth`\n\nLost.\n\n## Verify\n- Look.\n\n## Learn\n"), @"
    test.md:8:10: error: The catalog has no probe `odoo.helth`. Did you mean `odoo.health`?
    test.md:10:1: error: Text below the steps would not be shown. Move it above them, or make it a step.
    test.md:12:1: error: `Verify` is not a phase. The six are `confirm`, `contain`, `triage`, `decide`, `recover` and `learn`.
    test.md:15:1: error: The phase `learn` has no steps: give it one, or take the heading out.
    test.md:15:1: warning: Nothing here stops the damage: put `## Contain` before `## Learn`.
    ");
}
