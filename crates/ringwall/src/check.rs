//! `ringwall check`: whether a configuration may run, and what it means.

use crate::Config;
use config::Severity;
use gateway::admin::Operation;
use gateway::load::{self, LoadError};
use policy::{Administration, Policies};
use serde_json::json;
use std::process::ExitCode;

/// Check a configuration and print what it means, every default filled in.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    config: Config,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
    /// Print problems only, not the settled configuration.
    #[arg(long, short)]
    quiet: bool,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let path = &self.config.config;
        let name = path.display().to_string();
        let loaded = match load::load(path) {
            Ok(loaded) => loaded,
            Err(LoadError::Wrong { problems, .. }) if self.json => {
                anstream::println!("{}", json!({ "ok": false, "problems": problems }));
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => {
                anstream::eprintln!("{error}");
                return Ok(ExitCode::FAILURE);
            }
        };
        let policies = Policies::compile(
            &loaded.policies,
            &gateway::posture::catalog(&loaded.settled),
        );
        let policies = policies.and_then(|_| {
            let own = Administration::compile(&loaded.administration, &Operation::actions());
            own.map(drop)
        });
        if self.json {
            let problems: Vec<_> = loaded.warnings.iter().collect();
            let wrong = policies
                .as_ref()
                .err()
                .map(|error| error.problems().to_vec());
            let report = json!({
                "ok": wrong.is_none(), "settled": loaded.settled, "problems": problems, "policy_problems": wrong,
            });
            anstream::println!("{report}");
        } else {
            for problem in &loaded.warnings {
                debug_assert_eq!(problem.severity, Severity::Warning);
                anstream::eprintln!("{}", problem.in_file(&name));
            }
            if !self.quiet {
                anstream::println!("{}", serde_json::to_string_pretty(&loaded.settled)?);
            }
        }
        match policies {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => {
                for problem in error.problems() {
                    anstream::eprintln!("{problem}");
                }
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
