//! Starts other programs, in sight: what is run is printed before it runs.

use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// One program with its arguments, to be run in a folder.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    program: &'a str,
    arguments: Vec<String>,
    folder: &'a Path,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Task<'a> {
    pub(crate) fn new(program: &'a str, folder: &'a Path) -> Self {
        Task {
            program,
            arguments: Vec::new(),
            folder,
            variables: Vec::new(),
        }
    }

    /// Adds the words of `words`, split at spaces.
    pub(crate) fn words(mut self, words: &str) -> Self {
        self.arguments
            .extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// Adds arguments as they are.
    pub(crate) fn arguments<S: AsRef<str>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(
            more.into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    pub(crate) fn variable(mut self, name: &'a str, value: &'a str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Runs it; it must succeed.
    pub(crate) fn run(&self) -> Result<()> {
        println!("$ {}", self.shown());
        let status = self.command().status().with_context(|| self.failed())?;
        ensure!(status.success(), "`{}` ended with {status}", self.shown());
        Ok(())
    }

    /// Runs it, and returns whether it succeeded and what it wrote as errors, which is shown as well.
    pub(crate) fn errors(&self) -> Result<(bool, String)> {
        println!("$ {}", self.shown());
        let mut child = self
            .command()
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| self.failed())?;
        let mut errors = String::new();
        for line in child
            .stderr
            .take()
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufReader::lines)
        {
            let line = line?;
            eprintln!("{line}");
            errors.push_str(&line);
            errors.push('\n');
        }
        Ok((child.wait()?.success(), errors))
    }

    /// Runs it and returns what it wrote; it must succeed.
    pub(crate) fn output(&self) -> Result<String> {
        let output = self
            .command()
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| self.failed())?;
        ensure!(
            output.status.success(),
            "`{}` ended with {}",
            self.shown(),
            output.status
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a build tool starts programs, and only here"
    )]
    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .current_dir(self.folder)
            .envs(self.variables.iter().copied());
        command
    }

    fn shown(&self) -> String {
        let mut words = vec![self.program];
        words.extend(self.arguments.iter().map(String::as_str));
        words.join(" ")
    }

    fn failed(&self) -> String {
        format!("cannot start `{}`: is it installed?", self.program)
    }
}
