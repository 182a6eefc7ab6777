//! What holds where orderly.toml is silent: an empty file is a whole config.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use chrono::TimeDelta;

use super::quantity::{Approvers, Every, Period, Size};
use super::settings::*;
use crate::incident::Role;

impl Default for Store {
    fn default() -> Self {
        Self {
            path: PathBuf::from("orderly.sqlite"),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8470)),
            public_url: None,
            behind_tls: false,
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self {
            name_template: "inc-{{ number }}-{{ slug }}".to_owned(),
            archive_on_close: false,
            carry_over: true,
            adopted_topic: false,
            adopted_invite: false,
            away_after: Period::minutes(2),
            // Those without whom nothing goes on.
            invite: vec![Role::Commander, Role::Deputy, Role::Approver],
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        let policy = |quorum, role, minutes| Approvals {
            quorum,
            role: Approvers(role),
            expires: Period::minutes(minutes),
        };
        Self {
            ask_again: [3, 6, 10].map(Period::minutes).to_vec(),
            low: policy(1, None, 240),
            medium: policy(1, Some(Role::Approver), 60),
            high: policy(2, Some(Role::Approver), 30),
        }
    }
}

impl Default for Approvals {
    /// The strictest: what a policy does not say is never looser than meant.
    fn default() -> Self {
        Policies::default().high
    }
}

impl Default for BySeverity {
    fn default() -> Self {
        Self {
            sev1: Every::OFF,
            sev2: Every::OFF,
            sev3: Every::OFF,
            sev4: Every::OFF,
            sev5: Every::OFF,
        }
    }
}

impl BySeverity {
    /// Stakeholders of a stopped business hear twice an hour; nobody asks about what is cosmetic.
    pub(super) fn updates() -> Self {
        Self {
            sev1: Every::minutes(30),
            sev2: Every::minutes(60),
            sev3: Every::minutes(240),
            ..Self::default()
        }
    }

    /// While it is fresh.
    fn postmortem_due() -> Self {
        Self {
            sev1: Every::days(3),
            sev2: Every::days(5),
            sev3: Every::days(10),
            ..Self::default()
        }
    }
}

impl Default for Nudge {
    fn default() -> Self {
        Self {
            roles_after: Every::minutes(5),
        }
    }
}

impl Default for Containment {
    fn default() -> Self {
        Self {
            remind_every: Every::minutes(60),
        }
    }
}

impl Default for Followup {
    fn default() -> Self {
        Self {
            due: Period::days(14),
        }
    }
}

impl Default for Reactions {
    fn default() -> Self {
        Self {
            timeline: "📌".to_owned(),
            task: "✅".to_owned(),
            followup: "🔁".to_owned(),
        }
    }
}

impl Default for Postmortem {
    fn default() -> Self {
        Self {
            template_dir: None,
            due: BySeverity::postmortem_due(),
        }
    }
}

impl Default for Probes {
    fn default() -> Self {
        Self {
            per_target: 4,
            timeout: Period(TimeDelta::seconds(10)),
            output: Size(256 * 1024),
        }
    }
}
