//! What is wrong with a configuration, where, and what to write instead.
//!
//! A problem never repeats the value of anything that might be a secret.

use controls::Control;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Whether a problem stops the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration is not taken.
    Error,
    /// The configuration is taken; somebody should know this about it.
    Warning,
}

/// One thing that is wrong, where it stands, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, counted from 1; 0 where no line can be named.
    pub line: u32,
    /// The column in characters, counted from 1; 0 where no column can be named.
    pub column: u32,
    /// The setting, such as `servers[0].http.url`; empty for the file as a whole.
    pub path: String,
    /// What is wrong: one line.
    pub message: String,
    /// What to write instead: one line.
    pub fix: String,
    /// Whether it stops the start.
    pub severity: Severity,
    /// The control that asks for it, where one does.
    pub control: Option<Control>,
}

impl Problem {
    /// The problem as one line and a fix, under the name the file is known by.
    pub fn in_file<'a>(&'a self, name: &'a str) -> impl fmt::Display + 'a {
        Placed {
            problem: self,
            name,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.in_file("ringwall.yaml").fmt(f)
    }
}

struct Placed<'a> {
    problem: &'a Problem,
    name: &'a str,
}

impl fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            line,
            column,
            path,
            message,
            fix,
            severity,
            control,
        } = self.problem;
        f.write_str(self.name)?;
        if *line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(match severity {
            Severity::Error => ": error: ",
            Severity::Warning => ": warning: ",
        })?;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(message)?;
        if let Some(control) = control {
            write!(f, " (control {control})")?;
        }
        write!(f, "\n  fix: {fix}")
    }
}

/// Where each setting stands in the text, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, (u32, u32)>);

impl Positions {
    pub(crate) fn put(&mut self, path: &str, line: u32, column: u32) {
        self.0.insert(path.to_owned(), (line, column));
    }

    /// Line and column of the setting, or of the nearest one around it that was written.
    pub(crate) fn of(&self, path: &str) -> (u32, u32) {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return *place;
            }
            if path.is_empty() {
                return (0, 0);
            }
            let end = path.rfind(['.', '[']).unwrap_or(0);
            path = path.get(..end).unwrap_or("");
        }
    }
}

/// The problems of one reading, collected so that all of them can be shown at once.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    positions: Positions,
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn at(positions: Positions) -> Self {
        Problems {
            positions,
            found: Vec::new(),
        }
    }

    pub(crate) fn refuse(
        &mut self,
        control: impl Into<Option<Control>>,
        path: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(
            Severity::Error,
            control.into(),
            path,
            message.into(),
            fix.into(),
        );
    }

    pub(crate) fn warn(
        &mut self,
        control: impl Into<Option<Control>>,
        path: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(
            Severity::Warning,
            control.into(),
            path,
            message.into(),
            fix.into(),
        );
    }

    /// Refuses at a place of its own, such as the name of a setting instead of its value.
    pub(crate) fn refuse_at(
        &mut self,
        (line, column): (u32, u32),
        path: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.refuse(None, path, message, fix);
        if let Some(problem) = self.found.last_mut() {
            problem.line = line;
            problem.column = column;
        }
    }

    fn add(
        &mut self,
        severity: Severity,
        control: Option<Control>,
        path: &str,
        message: String,
        fix: String,
    ) {
        let (line, column) = self.positions.of(path);
        self.found.push(Problem {
            line,
            column,
            path: path.to_owned(),
            message,
            fix,
            severity,
            control,
        });
    }

    pub(crate) fn only_warnings(&self) -> bool {
        self.found.iter().all(|it| it.severity == Severity::Warning)
    }

    /// Everything that was found, in the order of the text.
    pub(crate) fn all(mut self) -> Vec<Problem> {
        self.found
            .sort_by_key(|it| (it.line, it.column, it.severity));
        self.found
    }

    /// The warnings, or everything that was found if any of it stops the start.
    pub(crate) fn finish(self) -> Result<Vec<Problem>, Vec<Problem>> {
        if self.only_warnings() {
            return Ok(self.all());
        }
        Err(self.all())
    }
}
