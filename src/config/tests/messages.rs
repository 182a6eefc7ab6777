//! What a person reads when the config is wrong.

use super::*;

#[test]
fn a_file_that_is_not_toml() {
    insta::assert_snapshot!(bad("command = incident\n[web\nlisten = \"x\"\n"), @r#"
    orderly.toml:1:11: this is not TOML: invalid float, expected `inf`. Text, durations and addresses stand in quotes: "15m"
    orderly.toml:2:5: this is not TOML: unclosed table, expected `]`
    "#);
    insta::assert_snapshot!(bad("[web]\n[web]\n"), @"orderly.toml:2:2: this is not TOML: duplicate key");
}

#[test]
fn an_unknown_key_gets_the_nearest_right_one() {
    insta::assert_snapshot!(bad("[policy.low]\nquorom = 2\n"), @"orderly.toml:2:1: [policy.low] has no setting `quorom`. Did you mean `quorum`?");
    insta::assert_snapshot!(bad("[wbe]\nlisten = \"127.0.0.1:1\"\n"), @"orderly.toml:1:2: this file has no setting `wbe`. Did you mean `web`?");
    insta::assert_snapshot!(bad("[updates]\nsev1 = \"5m\"\n"), @"orderly.toml:2:1: [updates] has no setting `sev1`. Did you mean `SEV1`?");
}

#[test]
fn a_key_in_the_wrong_section_is_told_where_it_belongs() {
    insta::assert_snapshot!(bad("[store]\nlisten = \"127.0.0.1:8470\"\n"), @"orderly.toml:2:1: [store] has no setting `listen`. It belongs under [web].");
    insta::assert_snapshot!(bad("[store]\ncommand = \"inc\"\n"), @"orderly.toml:2:1: [store] has no setting `command`. It belongs at the top, before the first [section].");
    insta::assert_snapshot!(bad(&target("password = { env = \"X\" }\n")), @"orderly.toml:6:1: [[target]] has no setting `password`. It belongs under [target.probe] or under [target.action].");
    insta::assert_snapshot!(bad("[log]\ncolour = true\n"), @"orderly.toml:2:1: [log] has no setting `colour`. It knows: format.");
}

#[test]
fn a_value_of_the_wrong_type() {
    insta::assert_snapshot!(bad("command = 1\nweb = 2\nperson = \"ana\"\n[policy]\nask_again = \"3m\"\n[policy.low]\nquorum = \"2\"\n"), @r#"
    orderly.toml:1:11: `command` must be text in quotes: command = "…"
    orderly.toml:2:7: `web` must be a table: write [web] on a line of its own, its settings below
    orderly.toml:3:10: `person` must be a list of tables: begin each with [[person]] on a line of its own
    orderly.toml:5:13: `ask_again` must be a list: ask_again = ["15m"]
    orderly.toml:7:10: `quorum` must be a whole number from 0 to 9
    "#);
    insta::assert_snapshot!(bad("[web]\nbehind_tls = \"yes\"\nlisten = 8470\n[person]\nid = \"ana\"\n"), @r#"
    orderly.toml:2:14: `behind_tls` must be true or false, without quotes
    orderly.toml:3:10: `listen` must be text in quotes: listen = "127.0.0.1:8470"
    orderly.toml:4:1: `person` must be a list of tables: begin each with [[person]] on a line of its own
    "#);
    insta::assert_snapshot!(bad(&target("probe.password = 7\nprobe.headers = { A = 1 }\nfacts = { since = 2026-01-01 }\n")), @r#"
    orderly.toml:6:18: `password` must be the place of a secret: password = { env = "NAME" } or password = { file = "/path" }
    orderly.toml:7:23: `A` must be text or the place of a secret: A = "…" or A = { env = "NAME" }
    orderly.toml:8:19: `since` is a date without quotes: write it as text, "2026-01-01"
    "#);
}

#[test]
fn a_word_that_is_not_one_of_ours() {
    insta::assert_snapshot!(bad("[[person]]\nid = \"ana\"\nroles = [\"approvr\", \"queen\"]\n"), @r#"
    orderly.toml:3:10: `roles` cannot be "approvr". It is one of: commander, deputy, scribe, responder, approver, liaison. Did you mean "approver"?
    orderly.toml:3:21: `roles` cannot be "queen". It is one of: commander, deputy, scribe, responder, approver, liaison.
    "#);
    insta::assert_snapshot!(bad(&target("").replace("production", "prod").replace("\"postgres\"", "\"postgresql\"")), @r#"
    orderly.toml:3:8: `kind` cannot be "postgresql". It is one of: odoo, postgres, redis, http, host, git, demo. Did you mean "postgres"?
    orderly.toml:4:15: `environment` cannot be "prod". It is one of: production, staging, dr, drill. Did you mean "production"?
    "#);
    insta::assert_snapshot!(bad("[[process]]\nname = \"finance\"\nrto = \"4h\"\nrpo = \"15m\"\n"), @r#"orderly.toml:2:8: `name` cannot be "finance". It is one of: warehouse-execution, order-routing, carrier-connectivity, inventory-sync, finance-posting. Did you mean "finance-posting"?"#);
    insta::assert_snapshot!(bad("[[person]]\nid = \"ana\"\nidentities = [{ platform = \"teams\", workspace = \"T1\", user = \"U1\" }]\n"), @r#"orderly.toml:3:28: `platform` cannot be "teams". It is one of: local, slack, discord."#);
}

#[test]
fn a_number_duration_size_or_address_that_is_not_one() {
    insta::assert_snapshot!(bad("[policy.high]\nquorum = 10\nexpires = \"30\"\n[policy.low]\nquorum = -1\n"), @r#"
    orderly.toml:2:10: `quorum` must be a whole number from 0 to 9
    orderly.toml:3:11: `expires` cannot be "30": a duration is a number and a unit: ms, s, m, h, d or w, such as 15m, 2h or 1h30m
    orderly.toml:5:10: `quorum` must be a whole number from 0 to 9
    "#);
    insta::assert_snapshot!(bad("[probes]\nper_target = 0\ntimeout = \"soon\"\noutput = \"lots\"\n[nudge]\nroles_after = \"never\"\n"), @r#"
    orderly.toml:2:14: `per_target` must be a whole number from 1 to 16
    orderly.toml:3:11: `timeout` cannot be "soon": a duration is a number and a unit: ms, s, m, h, d or w, such as 15m, 2h or 1h30m
    orderly.toml:4:10: `output` cannot be "lots": a size is a number and a unit: B, KiB, MiB, GiB, KB, MB or GB, such as 64KiB
    orderly.toml:6:15: `roles_after` cannot be "never": a duration is a number and a unit: ms, s, m, h, d or w, such as 15m, 2h or 1h30m, or "off"
    "#);
    insta::assert_snapshot!(bad("[web]\nlisten = \"localhost:8470\"\n"), @r#"orderly.toml:2:10: `listen` cannot be "localhost:8470": it is an address and a port, such as 127.0.0.1:8470 (a name such as localhost will not do)"#);
}

#[test]
fn a_duration_or_size_out_of_bounds() {
    insta::assert_snapshot!(bad("[policy.low]\nexpires = \"10s\"\n[probes]\ntimeout = \"1h\"\noutput = \"1GiB\"\n[updates]\nSEV1 = \"1s\"\n[followup]\ndue = \"10w10d\"\n[postmortem.due]\nSEV2 = \"400d\"\n"), @"
    orderly.toml:2:11: `expires` must be from 1 min to 7 d
    orderly.toml:4:11: `timeout` must be from 100 ms to 10 min
    orderly.toml:5:10: `output` must be from 1.0 KiB to 16.0 MiB
    orderly.toml:7:8: `SEV1` must be from 1 min to 7 d
    orderly.toml:11:8: `SEV2` must be from 1 min to 366 d
    ");
    insta::assert_snapshot!(bad("[policy]\nask_again = [\"6m\", \"3m\"]\n"), @r#"orderly.toml:2:13: `ask_again` counts from the proposal, so each time is later than the one before: ["3m", "6m", "10m"]"#);
    insta::assert_snapshot!(bad("[policy]\nask_again = [\"0s\"]\n"), @r#"orderly.toml:2:13: `ask_again` counts from the proposal, so each time is later than the one before: ["3m", "6m", "10m"]"#);
}

#[test]
fn what_is_required_and_missing() {
    insta::assert_snapshot!(bad("[[target]]\nname = \"x\"\n"), @r#"
    orderly.toml:1:1: [[target]] lacks `kind`: add kind = "odoo" (or postgres, redis, http, host, git, demo)
    orderly.toml:1:1: [[target]] lacks `environment`: add environment = "production" (or staging, dr, drill)
    orderly.toml:1:1: [[target]] lacks `url`: add url = "…"
    "#);
    insta::assert_snapshot!(bad("[[process]]\n[[mask.pattern]]\nname = \"badge\"\n"), @r#"
    orderly.toml:1:1: [[process]] lacks `name`: add name = "warehouse-execution" (or order-routing, carrier-connectivity, inventory-sync, finance-posting)
    orderly.toml:1:1: [[process]] lacks `rto`: add rto = "15m"
    orderly.toml:1:1: [[process]] lacks `rpo`: add rpo = "15m"
    orderly.toml:2:1: [[mask.pattern]] lacks `regex`: add regex = "…"
    "#);
}

#[test]
fn an_open_address_without_tls() {
    insta::assert_snapshot!(bad("[web]\nlisten = \"0.0.0.0:8470\"\n"), @"orderly.toml:2:10: 0.0.0.0:8470 can be reached from outside, and sign-in links would cross the network in the clear. Listen on 127.0.0.1, or put a proxy with TLS in front and say behind_tls = true");
    assert_eq!(
        good("[web]\nlisten = \"0.0.0.0:8470\"\nbehind_tls = true\n")
            .web
            .listen
            .port(),
        8470
    );
}

#[test]
fn a_public_address_that_is_not_one() {
    insta::assert_snapshot!(bad("web.public_url = \"orderly.example.com\"\n"), @"orderly.toml:1:18: `public_url` is the address people type, such as https://orderly.example.com");
    insta::assert_snapshot!(bad("web.public_url = \"https://orderly.example.com/?x=1\"\n"), @"orderly.toml:1:18: `public_url` ends after the path: take out the user, the ? and the #");
    insta::assert_snapshot!(bad("[web]\nbehind_tls = true\npublic_url = \"http://orderly.example.com\"\n"), @"orderly.toml:3:14: `behind_tls` is true, so `public_url` begins with https://");
}

#[test]
fn a_command_that_no_platform_takes() {
    insta::assert_snapshot!(bad("command = \"/incident\"\n"), @r#"orderly.toml:1:11: `command` is written without the slash: command = "incident""#);
    insta::assert_snapshot!(bad("command = \"In Cident\"\n"), @"orderly.toml:1:11: `command` takes small letters, digits, - and _, at most 32 of them: that is what Slack and Discord allow");
}

#[test]
fn a_path_that_cannot_be() {
    insta::assert_snapshot!(bad("store.path = \"~/o.sqlite\"\nrunbooks.dir = \"\"\n"), @"
    orderly.toml:1:14: `path` begins with ~, which only a shell understands: write the path in full
    orderly.toml:2:16: `dir` is empty: name a path, or take the line out
    ");
}

#[test]
fn a_room_name_that_cannot_be() {
    insta::assert_snapshot!(bad("room.name_template = \"inc-{{ nummer }}\"\n"), @"orderly.toml:1:22: `name_template` knows number, slug, severity, process, date, and no nummer. Did you mean number?");
    insta::assert_snapshot!(bad("room.name_template = \"inc-{{ slug }}\"\n"), @"orderly.toml:1:22: `name_template` must hold {{ number }}: two rooms cannot have one name");
    insta::assert_snapshot!(bad("room.name_template = \"inc-{{ number\"\n"), @"orderly.toml:1:22: `name_template` is not understood: unexpected end of input, expected end of variable block");
    insta::assert_snapshot!(bad("room.name_template = \"inc-{{ number | sideways }}\"\n"), @"orderly.toml:1:22: `name_template` cannot be rendered: unknown filter: filter sideways is unknown (in <string>:1)");
}

#[test]
fn reactions_that_are_not_one_emoji_each() {
    insta::assert_snapshot!(bad("[reactions]\ntimeline = \"pushpin\"\ntask = \"🔁\"\n"), @"
    orderly.toml:1:1: 🔁 stands for `task` and for `followup`: one reaction cannot mean two things
    orderly.toml:2:12: `timeline` is one emoji, such as 📌, or the :name: of one of your own
    ");
    assert_eq!(
        good("reactions.task = \":our_task:\"\n").reactions.task,
        ":our_task:"
    );
    assert_eq!(good("reactions.task = \"👩‍🚒\"\n").reactions.task, "👩‍🚒");
}

#[test]
fn people_who_are_one_another() {
    let two = "[[person]]\nid = \"ana\"\nos_user = \"ops\"\nidentities = [{ platform = \"slack\", workspace = \"T1\", user = \"U1\" }]\n\
               [[person]]\nid = \"ben\"\nos_user = \"ops\"\nidentities = [{ platform = \"slack\", workspace = \"T1\", user = \"U1\" }]\n";
    insta::assert_snapshot!(bad(two), @"
    orderly.toml:7:11: ana and ben are both the user ops of this machine: an approval from its terminal must be one person's
    orderly.toml:8:15: ana and ben are both slack/T1/U1: an identity is one person's
    ");
    insta::assert_snapshot!(bad("[[person]]\nid = \"ana\"\n[[person]]\nid = \"ana\"\n[[person]]\nid = \"Ana Bell\"\n"), @"
    orderly.toml:4:6: two people are called ana: give one of them another id
    orderly.toml:6:6: `id` is typed in commands: small letters, digits, - _ and ., at most 40, beginning with a letter or digit
    ");
    insta::assert_snapshot!(bad("[[person]]\nid = \"ana\"\nos_user = \"\"\nidentities = [{ platform = \"slack\", workspace = \"\", user = \"@ana\" }]\n"), @"
    orderly.toml:3:11: `os_user` is empty: name the user, or take the line out
    orderly.toml:4:15: an identity names a workspace and a user, by the ids of the platform
    orderly.toml:4:60: `user` is the platform's id of the person, such as U0123ABCD: a name that begins with @ can be changed by its owner
    ");
}

#[test]
fn too_few_people_for_a_policy_is_a_warning() {
    let person = |id: &str| format!("[[person]]\nid = \"{id}\"\nroles = [\"approver\"]\n");
    assert_eq!(good("").warnings(), Vec::<String>::new());
    assert_eq!(
        good(&["a", "b", "c"].map(person).concat()).warnings(),
        Vec::<String>::new()
    );
    insta::assert_snapshot!(good(&["a", "b"].map(person).concat()).warnings().join("\n"), @"an action of high risk needs 2 approvals, and there are 2 people with the role approver, of whom one may be the proposer: add a [[person]], or lower the quorum in [policy.high]");
}

#[test]
fn a_group_names_what_it_is_and_what_it_gives() {
    let group = |platform: &str, group: &str, roles: &str| {
        format!("[[group]]\nplatform = \"{platform}\"\ngroup = \"{group}\"\nroles = [{roles}]\n")
    };
    let slack = "[slack]\nbot_token = { env = \"T\" }\napp_token = { env = \"A\" }\n";
    let one = group("slack", "@approvers", "\"approver\"");
    assert_eq!(good(&[slack, &one].concat()).group.len(), 1);
    insta::assert_snapshot!(bad(&group("local", "x", "\"approver\"")), @r#"orderly.toml:2:12: `platform` cannot be "local". It is one of: slack, discord."#);
    insta::assert_snapshot!(bad(&group("discord", "1", "\"approver\"")), @r#"orderly.toml:2:12: what Discord's roles give stands in [discord]: roles = { approver = ["id of the role"] }"#);
    insta::assert_snapshot!(bad(&[slack, &group("slack", "@", "")].concat()), @r#"
    orderly.toml:6:9: `group` names the group: a user group's handle such as @approvers, or its id
    orderly.toml:7:9: `roles` is empty: say what the members may do, such as roles = ["approver"]
    "#);
    insta::assert_snapshot!(bad(&[slack, &one, &one].concat()), @"orderly.toml:10:9: @approvers stands here twice: give it all its roles at once");
    insta::assert_snapshot!(bad(&one), @"orderly.toml:2:12: Slack is not used here: add [slack], or take the group out");
}

#[test]
fn how_many_a_group_brings_is_not_guessed_at() {
    let slack =
        "[slack]\nbot_token = { env = \"T\" }\napp_token = { env = \"A\" }\n[[person]]\nid = \"ana\"\n";
    let group = "[[group]]\nplatform = \"slack\"\ngroup = \"@approvers\"\nroles = [\"approver\"]\n";
    let told = good(&[slack, group].concat()).warnings();
    assert!(
        !told.iter().any(|warning| warning.contains("approver")),
        "{told:?}"
    );
    let discord = "[discord]\ntoken = { env = \"T\" }\nguild = \"123456789012345678\"\ncategory = \"123456789012345679\"\nroles = { approver = [\"123456789012345680\"] }\n";
    let person = "[[person]]\nid = \"ana\"\nroles = [\"commander\"]\n";
    let told = good(&[discord, person].concat()).warnings();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn any_text_at_all_is_answered_without_a_panic() {
    use proptest::prelude::*;
    proptest!(ProptestConfig::with_cases(48), |(at in any::<prop::sample::Index>(), cut in 0usize..60, put in "[\\[\\]{}=\"'.#\n a-z0-9é\u{0}]{0,12}")| {
        let full = TEMPLATE.replace("\n#", "\n");
        let start = full.floor_char_boundary(at.index(full.len()));
        let end = full.floor_char_boundary((start + cut).min(full.len()));
        let _ = Config::parse("orderly.toml", &format!("{}{put}{}", &full[..start], &full[end..]));
    });
}

#[test]
fn processes_that_cannot_be() {
    let twice = "[[process]]\nname = \"order-routing\"\nrto = \"0s\"\nrpo = \"0s\"\n\
                 [[process]]\nname = \"order-routing\"\nrto = \"1h\"\nrpo = \"0s\"\n";
    insta::assert_snapshot!(bad(twice), @"
    orderly.toml:3:7: `rto` is longer than zero: nothing recovers in no time
    orderly.toml:6:8: process order-routing stands here twice: keep one
    ");
    insta::assert_snapshot!(bad(&twice.replace("order-routing", "other")), @r#"
    orderly.toml:2:8: `name` cannot be "other". It is one of: warehouse-execution, order-routing, carrier-connectivity, inventory-sync, finance-posting.
    orderly.toml:6:8: `name` cannot be "other". It is one of: warehouse-execution, order-routing, carrier-connectivity, inventory-sync, finance-posting.
    "#);
}

#[test]
fn a_mask_pattern_that_does_not_work() {
    insta::assert_snapshot!(bad("[[mask.pattern]]\nname = \"badge\"\nregex = \"badge (\"\n"), @r#"orderly.toml:3:9: mask pattern "badge": its regex is not understood: unclosed group"#);
    insta::assert_snapshot!(bad("[[mask.pattern]]\nname = \"badge\"\nregex = \".*\"\n"), @r#"orderly.toml:3:9: mask pattern "badge": its regex matches the empty text, so it would match everywhere: ask for at least one character"#);
}

#[test]
fn targets_with_the_wrong_address() {
    insta::assert_snapshot!(bad(&target("").replace("postgres://", "https://")), @"orderly.toml:5:7: the url of a postgres target begins with postgres://… or postgresql://…");
    insta::assert_snapshot!(bad(&target("").replace("postgres://db.internal:5432/odoo", "db.internal")), @"orderly.toml:5:7: `url` is not an address (relative URL without a base): it begins with postgres://… or postgresql://…");
    insta::assert_snapshot!(bad("[[target]]\nname = \"web-1\"\nkind = \"host\"\nenvironment = \"dr\"\nurl = \"ssh://web-1\"\n"), @"orderly.toml:5:7: the url of a host target is a folder on this machine, such as /srv/odoo");
    insta::assert_snapshot!(bad(&[target(""), target("").replace("url", "probe.url = \"redis://x\"\nurl")].concat()), @"
    orderly.toml:7:8: two targets are called odoo-db: give one of them another name
    orderly.toml:10:13: the url of a postgres target begins with postgres://… or postgresql://…
    ");
}

#[test]
fn credentials_that_do_not_fit() {
    insta::assert_snapshot!(bad(&target("probe.password = { env = \"X\" }\n")), @r#"orderly.toml:6:18: there is a password and no user: add user = "…""#);
    insta::assert_snapshot!(bad(&target("probe.user = \"r\"\n").replace("db.internal", "odoo@db.internal")), @"orderly.toml:6:14: the user stands in the `url` and in `user`: keep one of them");
    insta::assert_snapshot!(bad(&target("user = \"r\"\nprobe.password = { env = \"X\", file = \"/x\" }\naction.password = {}\n")), @r#"
    orderly.toml:7:18: `password` must name one place of the secret: { env = "NAME" } or { file = "/path" }
    orderly.toml:8:19: `password` must name one place of the secret: { env = "NAME" } or { file = "/path" }
    "#);
    insta::assert_snapshot!(bad(&target("user = \"r\"\nprobe.password = { env = \"X\" }\naction.password = { env = \"X\" }\n")), @"orderly.toml:8:19: probes and actions use the same secret here, so a probe could do what only an approved action may. Make a user for probes who can read and nothing else");
    insta::assert_snapshot!(bad("[[target]]\nname = \"web-1\"\nkind = \"host\"\nenvironment = \"dr\"\nurl = \"/\"\nuser = \"root\"\n"), @"orderly.toml:1:1: a host target is a folder, and takes no user or password");
    insta::assert_snapshot!(bad(&target("headers = { \"X Y\" = \"z\" }\nenv = { \"A=B\" = \"c\" }\n")), @"
    orderly.toml:6:21: the name of a header takes letters, digits and dashes, such as X-Odoo-Database
    orderly.toml:7:17: the name of a variable takes letters, digits and _
    ");
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    insta::assert_snapshot!(bad("comand = \"x\"\n[web]\nlisten = 1\n\n   [log]\n   format = \"é\"\n   formt = \"json\"\n"), @r#"
    orderly.toml:1:1: this file has no setting `comand`. Did you mean `command`?
    orderly.toml:3:10: `listen` must be text in quotes: listen = "127.0.0.1:8470"
    orderly.toml:6:13: `format` cannot be "é". It is one of: text, json.
    orderly.toml:7:4: [log] has no setting `formt`. Did you mean `format`?
    "#);
}

#[test]
fn hostile_text_in_a_message_is_cut_and_cleaned() {
    let long = format!("[log]\nformat = \"{}\"\n", "\\u001b[31m\\u202e".repeat(50));
    insta::assert_snapshot!(bad(&long), @r#"orderly.toml:2:10: `format` cannot be "␛[31m␛[31m␛[31m␛[31m␛[31m␛[31m␛[31m␛[31…". It is one of: text, json."#);
}
