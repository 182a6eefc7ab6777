//! The catalog: which probes may be asked and which actions may be proposed, written by operators as TOML.
//!
//! # How to write an entry
//!
//! Many files form one catalog, whole or not at all. An entry of an operator's file replaces the shipped one of the
//! same name. Unknown keys are refused, with the spot and the nearest right key.
//!
//! ```toml
//! [probe."postgres.blocking"]
//! title = "Who blocks whom"
//! question = "Is somebody waiting for a lock?"
//! targets = ["postgres", "odoo"]          # kinds of target it fits
//! timeout = "5s"
//! output_limit = "64KiB"
//! sensitivity = "room"                    # room | restricted: the full output only for `role`
//! role = "responder"                      # who may ask; left out: anybody in the room
//! params.min_seconds = { type = "integer", min = 0, max = 3600, default = 5, summary = "shortest wait shown" }
//! failing = "size(answer) > 0"            # CEL over answer, params, target (its facts), duration_ms
//! suspect = "duration_ms > 2000"
//! ok = "size(answer) == 0"                # left out: whatever is neither failing nor suspect
//! summary = "{{ answer | length }} sessions wait"   # minijinja over the same values
//! impact = "Wave processing and stock reservations wait."
//! columns = ["pid", "seconds"]            # what the short table shows
//! rows = "answer"                         # CEL: the rows of that table; left out: the answer, or its only list
//! [probe."postgres.blocking".postgres]    # exactly one driver: postgres, redis, http or process
//! sql = "SELECT … WHERE waited >= $1"
//! binds = ["min_seconds"]
//! ```
//!
//! A verdict is looked for in the order failing, suspect, ok. An expression that cannot be evaluated, or no answer at
//! all, is `unknown`, and the summary says why: nobody may read silence as health.
//!
//! # Parameters are data
//!
//! Types: `integer` and `number` (`min`, `max`), `boolean`, `text` (`max_length`, `pattern`), `choice` (`options`),
//! `identifier` (`of = "role" | "database" | …`, checked on the server and quoted by the driver), `duration` (`15m`; seconds
//! once read), `timestamp` (RFC 3339, UTC once read; `default = "$since"` is the onset of the incident). A parameter
//! without a default must be given, unless it says `optional = true`. What looks like a secret is refused.
//!
//! Where a call takes values (`command`, `argv`, `query`, `body`), a string that is exactly `$name` is replaced, as a whole
//! and with its type, by the parameter `name`; `$fact.name` by a fact of the target, `$since` by the onset of the incident.
//! `$$` at the start of a string stands for one dollar sign. In `binds` the same names stand without the dollar sign, and
//! `guard.name` is what the preview read. `{name}` in an HTTP path is one percent-encoded segment, `{name}` in SQL a
//! quoted identifier. Nothing is ever pasted into a statement, a path or a shell.
//!
//! # Actions
//!
//! ```toml
//! [action."odoo.cron.disable"]
//! title = "Switch a scheduled action off"
//! targets = ["odoo"]
//! risk = "medium"                         # low | medium | high; sets who must approve
//! policy = { quorum = 1, role = "approver", expires = "1h" }   # only to differ from the risk's default
//! containment = true                      # stops damage
//! manual_change = true                    # must be reconciled into Git or waived
//! params.cron = { type = "text", max_length = 200, summary = "name of the scheduled action" }
//! precondition = { probe = "odoo.cron", params = { cron = { from = "cron" } }, wants = "ok" }
//! verify = { probe = "odoo.cron_off", params = { cron = { from = "cron" } }, wants = "ok" }
//! undo = { action = "odoo.cron.enable", params = { cron = { from = "cron" } }, policy = { quorum = 1, expires = "4h" } }
//! effect = "{{ params.cron }} is {{ 'on' if guards.active else 'off' }} now and will be off."
//! [action."odoo.cron.disable".preview.postgres]   # what to read first; what it finds becomes the guards
//! sql = "SELECT id, active FROM … WHERE name = $1"
//! binds = ["cron"]
//! [action."odoo.cron.disable".postgres]
//! sql = "UPDATE … SET active = false WHERE id = $1 AND active = $2"
//! binds = ["guard.id", "guard.active"]
//! guards = ["id", "active"]
//! ```
//!
//! Parameters of `verify`, `precondition` and `undo` are values, `{ from = "name" }` (the action's own parameter),
//! `{ not = "name" }` (the other way round, for a boolean) or, for `undo`, `{ guard = "name" }` (what was there before).

pub mod raw;
pub mod units;
pub mod verdict;
