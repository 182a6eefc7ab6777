//! Help as it is read.

use orderly_commands::{Chapter, groups, help, help_picked, table};

/// Discord takes no longer message.
const ONE_MESSAGE: usize = 2_000;

#[test]
fn the_overview_goes_through_the_phases_in_order() {
    insta::assert_snapshot!(help(None, "incident"), @r"
    An incident goes through six phases, in order. `/incident` alone begins one, or shows where you are.

    **Confirm** (what is wrong, who is hit, since when): `open` `drill` `frame`
    **Contain** (stop the damage before looking for the cause): `damage` `propose` `approve` `refuse` `withdraw` `undo` `settle` `action verify` `break-glass` `freeze` `thaw` `actions` `action show`
    **Triage** (from the most recent change outward): `finding add` `finding clear` `finding accept` `findings` `probe run` `probes` `probe show` `compare`
    **Decide** (fix forward or roll back): `decide`
    **Recover** (restored is not yet recovered): `lift` `action accept` `check` `recovery waive` `change` `reconcile` `recovery keep` `resolve` `reopen`
    **Learn** (write it down while it is fresh): `action review` `followup add` `followup done` `followup change` `followup drop` `followups` `close` `postmortem show` `postmortem edit` `postmortem submit` `postmortem approve` `postmortem review` `postmortem close` `postmortem snooze` `export`
    **Order** (steps, phases and the runbook): `next` `back` `steps` `done` `step run` `skip` `answer` `branch` `runbook show` `runbooks` `runbook use`
    **People** (who does what): `take` `role assign` `release` `handover` `invite` `link-me` `roles` `page send` `ack` `task add` `task done` `task assign` `task drop` `tasks`
    **Record** (what goes into the record): `note` `redact` `journal verify` `update send` `snooze` `severity` `title` `set process` `set target` `moment` `link` `room` `leave-room` `carry` `cancel` `duplicate` `related`
    **Look** (read, change nothing): `status` `brief` `timeline` `rooms` `list` `help`

    `/incident help approve` explains a command, `/incident help contain` a phase.
    ");
}

#[test]
fn a_command_is_explained_with_its_arguments_and_an_example() {
    insta::assert_snapshot!(help(Some("Propose"), "incident"), @r#"
    **`/incident propose`**: Propose a change.

    Type: `/incident propose <action> [target] [reason …] [key=value …]`
    - `action`: Which one; an action such as odoo.cron.disable (needed)
    - `target`: Which one; a target such as odoo-prod
    - `reason`: Why
    - `params`: What it needs, as key=value

    Example: `/incident propose odoo.cron.disable odoo-prod cron="Post entries" reason="it writes wrong records"`
    Also: `/incident action propose`
    Outside the incident's room, name it: `/incident INC-7 propose`
    The room sees the answer.
    "#);
    insta::assert_snapshot!(help(Some("list"), "incident"), @r"
    **`/incident list`**: List incidents.

    Type: `/incident list [which]`
    - `which`: Open ones if left out; open, mine, closed or all

    Example: `/incident list mine`
    Only you see the answer.
    ");
}

#[test]
fn a_group_lists_its_commands() {
    insta::assert_snapshot!(help(Some("role"), "incident"), @r"
    **`/incident role`**: Who does what.

    - `take`: Take a role
    - `assign`: Give a role to somebody
    - `release`: Put a role down
    - `handover`: Hand your role over
    - `invite`: Bring somebody in
    - `link`, or `link-me`: Prove another account is yours
    - `list`, or `roles`: Show who has which role

    `role` alone is `role list`. `role …` is `role take …`.
    ");
}

#[test]
fn a_phase_lists_its_commands() {
    insta::assert_snapshot!(help(Some("contain"), "incident"), @r"
    **Contain**: stop the damage before looking for the cause.

    - `damage`: Say whether damage is going on
    - `propose`: Propose a change
    - `approve`: Approve a proposal
    - `refuse`: Refuse a proposal
    - `withdraw`: Take back your proposal
    - `undo`: Propose to undo an action
    - `settle`: Say what an unknown attempt did
    - `action verify`: Say whether an action worked
    - `break-glass`: Run without approvals; commander only
    - `freeze`: Hold every new action
    - `thaw`: End a freeze
    - `actions`: List proposals and containment in force
    - `action show`: Show exactly what would run

    `/incident help <command>` explains one.
    ");
}

#[test]
fn a_mistyped_topic_gets_the_nearest() {
    insta::assert_snapshot!(help(Some("aprove"), "incident"), @"There is no command `aprove`. Did you mean `/incident help approve`? `/incident help` lists them all.");
    insta::assert_snapshot!(help(Some("`\u{202e}"), "incident"), @"There is no command `'�`. `/incident help` lists them all.");
}

#[test]
fn help_speaks_the_configured_name() {
    let page = help(Some("approve"), "oops");
    assert!(
        page.contains("/oops approve") && !page.contains("/incident"),
        "{page}"
    );
}

#[test]
fn every_page_fits_into_one_message() {
    let paths = table().iter().map(|spec| spec.path);
    let topics = paths
        .chain(groups().iter().map(|group| group.name))
        .chain(Chapter::ALL.map(Chapter::title))
        .chain([""]);
    for topic in topics {
        let page = help(Some(topic), "incident");
        assert!(
            page.chars().count() <= ONE_MESSAGE,
            "{topic}: {}",
            page.chars().count()
        );
        assert!(!page.contains("There is no"), "{topic}");
    }
}

#[test]
fn where_commands_are_picked_help_names_nothing_that_cannot_be() {
    let aliases = || table().iter().filter_map(|spec| spec.alias);
    for spec in table() {
        let page = help_picked(Some(spec.path), "incident");
        assert!(
            page.starts_with(&format!("**`/incident {}`**", spec.path)),
            "{page}"
        );
    }
    let lists = groups().iter().map(|group| group.name);
    let lists = lists.chain(Chapter::ALL.iter().map(|chapter| chapter.title()));
    for list in lists.map(Some).chain([None]) {
        let page = help_picked(list, "incident");
        for alias in aliases() {
            assert!(!page.contains(&format!("`{alias}`")), "{alias} in {page}");
        }
    }
    insta::assert_snapshot!(help_picked(Some("approve"), "incident"), @r"
    **`/incident action approve`**: Approve a proposal.

    - `proposal`: Which one; a proposal such as A3 (needed)
    - `reason`: Why
    - `seen`: Digest you were shown

    Example: `/incident approve A3`
    The room sees the answer.
    ");
}
