//! `ringwall completions` and `ringwall man`: written from the same definitions as the command line
//! itself. The page `docs/cli.md` is, too: a test holds it against them.

use crate::Cli;
use crate::page;
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall completions bash > /etc/bash_completion.d/ringwall
  ringwall completions zsh > ~/.zfunc/_ringwall")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall man | man -l -
  ringwall man --output /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Write a page for every command into this folder.
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ringwall", &mut script);
        page::print(&String::from_utf8(script)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match &self.output {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                    .with_context(|| format!("cannot write into `{}`", folder.display()))?;
            }
            None => {
                let mut text = Vec::new();
                clap_mangen::Man::new(Cli::command()).render(&mut text)?;
                page::print(&String::from_utf8(text)?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};
    use std::fmt::Write as _;
    use std::path::Path;

    const HEAD: &str = "\
# Command line

This page is generated from the definitions in the code: `ringwall help COMMAND` says the same.
Every command reads `ringwall.yaml` in the working directory unless `--config` or `RINGWALL_CONFIG`
names another. Commands that are about what a gateway has stored (`tools`, `audit`) also take its
data directory with `--data`, and work while the gateway runs. `sessions` is about what it holds in
memory, and asks the one that runs, as the same user, over the socket `control.sock` in that directory.

Tables are for people: colours only where a terminal shows them, times in UTC, and text of somebody
else with everything hidden in it written as `\\u{…}`. Programs use `--json`. A command that finds what
it was asked about not to be sound (`check`, `policy check`, `policy test`, `audit verify`) ends with
an exit code other than 0.

`ringwall tools approve` records who approved and when in the store of pins. The ledger belongs to
the gateway that runs on it: within half a second it notices, and writes the record `tool.pinned`
the next time it reads the server's tools.
";

    #[test]
    fn the_page_in_the_tree_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
        let page = page_of_all();
        if std::env::var_os("RINGWALL_UPDATE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == page,
            "docs/cli.md is not what the definitions say: run this test with RINGWALL_UPDATE=1"
        );
    }

    #[test]
    fn the_definitions_agree_with_themselves() {
        Cli::command().debug_assert();
    }

    fn page_of_all() -> String {
        let mut text = HEAD.to_owned();
        let mut whole = Cli::command();
        whole.build();
        for command in whole.get_subcommands() {
            section(&mut text, command, &["ringwall"]);
        }
        text
    }

    fn section(text: &mut String, command: &Command, above: &[&str]) {
        if command.is_hide_set() || command.get_name() == "help" {
            return;
        }
        let path: Vec<&str> = above.iter().copied().chain([command.get_name()]).collect();
        let about = command.get_long_about().or(command.get_about());
        let _ = write!(
            text,
            "\n{} {}\n\n{}\n",
            "#".repeat(path.len()),
            path.join(" "),
            plain(about)
        );
        let arguments: Vec<&Arg> = command
            .get_arguments()
            .filter(|argument| {
                !argument.is_hide_set()
                    && !["help", "version"].contains(&argument.get_id().as_str())
            })
            .collect();
        if !arguments.is_empty() {
            text.push_str("\n| argument | what it is |\n| --- | --- |\n");
        }
        for argument in arguments {
            let _ = writeln!(text, "| `{}` | {} |", spelling(argument), meaning(argument));
        }
        if let Some(more) = command.get_after_long_help() {
            let _ = write!(text, "\n```text\n{more}\n```\n");
        }
        for below in command.get_subcommands() {
            section(text, below, &path);
        }
    }

    fn spelling(argument: &Arg) -> String {
        let values: Vec<&str> = argument
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(|name| name.as_str())
            .collect();
        let value = if argument.get_action().takes_values() {
            values.join(" ")
        } else {
            String::new()
        };
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        let name = [short, long]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if argument.is_positional()
            && argument
                .get_num_args()
                .is_some_and(|count| count.max_values() > 1)
        {
            "…"
        } else {
            ""
        };
        format!("{name} {value}{more}").trim().to_owned()
    }

    fn meaning(argument: &Arg) -> String {
        let mut text = plain(argument.get_long_help().or(argument.get_help())).replace('\n', " ");
        if !text.ends_with('.') {
            text.push('.');
        }
        let choices: Vec<String> = argument
            .get_possible_values()
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if argument.get_action().takes_values() && !choices.is_empty() {
            let _ = write!(text, " One of {}.", choices.join(", "));
        }
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.display()))
            .collect();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            let _ = write!(text, " Default: {}.", defaults.join(", "));
        }
        if let Some(variable) = argument.get_env() {
            let _ = write!(text, " Also from `{}`.", variable.display());
        }
        text.replace('|', "\\|")
    }

    fn plain(text: Option<&clap::builder::StyledStr>) -> String {
        text.map(ToString::to_string).unwrap_or_default()
    }
}
