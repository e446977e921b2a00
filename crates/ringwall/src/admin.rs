//! `ringwall admin`: any operation of administration, asked of the gateway that runs, as the user that it
//! runs as. What it answers is printed as JSON; nothing is decided here.

use crate::data::Data;
use crate::page::{self, Cell, Table};
use crate::visible::visible;
use anyhow::{Context as _, anyhow};
use gateway::admin::Operation;
use gateway::control;
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Ask the running gateway to do an operation of administration, as the user that it runs as.
///
/// Policies of administration decide about it, and what changes anything is recorded, as for
/// administrators who come with a browser. Without an operation, all of them are listed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall admin
  ringwall admin people.list
  ringwall admin people.end '{ \"session\": \"5e55105e55105e55\" }'
  ringwall admin passkey.forget")]
pub(crate) struct Admin {
    /// The operation, such as `people.list`.
    operation: Option<String>,
    /// What is asked of it: a JSON object.
    #[arg(value_name = "JSON", default_value = "{}")]
    input: String,
    #[command(flatten)]
    data: Data,
}

impl Admin {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Some(name) = &self.operation else {
            page::print(&list())?;
            return Ok(ExitCode::SUCCESS);
        };
        let operation = Operation::named(name).with_context(|| {
            format!(
                "`{}` is no operation: `ringwall admin` lists them",
                visible(name)
            )
        })?;
        let input: Map<String, Value> =
            serde_json::from_str(&self.input).context("what is asked is no JSON object")?;
        // What went wrong may hold words of somebody else.
        let done: Value = control::ask(&self.data.folder()?, operation, &input)
            .map_err(|error| anyhow!("{}", visible(&error.to_string())))?;
        page::print(&(serde_json::to_string_pretty(&done)? + "\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list() -> String {
    let mut table = Table::new(&["OPERATION", "ROLE", "WHAT IT DOES"]);
    for operation in Operation::ALL {
        table.row(vec![
            operation.name().into(),
            operation.duty().role().name().into(),
            Cell::from(operation.told()),
        ]);
    }
    table.to_string()
}
