//! Miniature Odoo databases with the real tables, columns and types of each version.
//!
//! Run them into the database `odoo` in this order: a version, then what the test needs on top.

/// Odoo 16: `numbercall` and `doall` in `ir_cron`, translated names in JSON.
pub const V16: &str = concat!(
    include_str!("../sql/base.sql"),
    include_str!("../sql/cron_16.sql")
);

/// Odoo 17: as 16.
pub const V17: &str = concat!(
    include_str!("../sql/base.sql"),
    include_str!("../sql/cron_16.sql"),
    "
UPDATE ir_module_module SET latest_version = replace(latest_version, '16.0', '17.0');
"
);

/// Odoo 18: `failure_count`, `first_failure_date` and `ir_cron_progress`; no `numbercall`.
pub const V18: &str = concat!(
    include_str!("../sql/base.sql"),
    include_str!("../sql/cron_18.sql")
);

/// OCA's `queue_job` 16.0 and later, with its notify trigger.
pub const QUEUE_JOB: &str = include_str!("../sql/queue_job.sql");

/// What the action role of Orderly needs, and no more.
pub const GRANTS: &str = include_str!("../sql/grants.sql");
