//! Catalog, runbooks and templates: parsed, and compared with each other.

use super::Finding;
use crate::app::Files;
use crate::cli::runbook;
use crate::config::Config;
use crate::postmortem::Templates;

pub fn look(config: &Config, findings: &mut Vec<Finding>) {
    match Files::catalog(config) {
        Ok(catalog) => {
            let (probes, actions) = (catalog.probes().count(), catalog.actions().count());
            findings.push(Finding::ok(
                "catalog",
                format!("{probes} probes, {actions} actions"),
            ));
            runbooks(config, findings);
        }
        Err(error) => findings.extend(error.to_string().lines().map(|line| {
            Finding::wrong("catalog", line).mend("Mend that entry: none is used while one is wrong.")
        })),
    }
    if let Some(folder) = &config.postmortem.template_dir {
        findings.push(match Templates::from_folder(folder) {
            Ok(_) => Finding::ok("templates", format!("{} is in order", folder.display())),
            Err(error) => Finding::wrong("templates", error.to_string()),
        });
    }
}

fn runbooks(config: &Config, findings: &mut Vec<Finding>) {
    let problems = match runbook::problems(Some(config), &[]) {
        Ok(problems) => problems,
        Err(error) => return findings.push(Finding::wrong("runbooks", format!("{error:#}"))),
    };
    if problems.is_empty() {
        findings.push(Finding::ok("runbooks", "nothing to mend"));
    }
    findings.extend(problems.iter().map(|problem| match problem.is_error() {
        true => Finding::wrong("runbooks", problem.to_string()),
        false => Finding::note("runbooks", problem.to_string()),
    }));
}
