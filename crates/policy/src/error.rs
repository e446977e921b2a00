//! What is wrong with a set of policies, told so that its author can put it right: file, line,
//! column, what, and what to do.

use miette::Diagnostic;
use serde::Serialize;
use std::fmt;

/// Why a set of policies cannot be used. Nothing of it is in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    problems: Vec<Problem>,
}

impl PolicyError {
    /// More problems than this are counted, not told.
    pub const PROBLEMS_MAX: usize = 64;

    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        let more = problems.len().saturating_sub(Self::PROBLEMS_MAX);
        problems.truncate(Self::PROBLEMS_MAX);
        if more > 0 {
            problems.push(Problem::general(format!("and {more} more problems")));
        }
        PolicyError { problems }
    }

    /// Every problem, in the order of the files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for PolicyError {
    fn from(problem: Problem) -> Self {
        PolicyError::new(vec![problem])
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, problem) in self.problems.iter().enumerate() {
            if nth > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong, or worth a second look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The name of the source; empty if it is not about one.
    pub file: String,
    /// From 1; 0 if it is about the whole file.
    pub line: usize,
    /// In characters, from 1; 0 if it is about the whole line.
    pub column: usize,
    /// One lower-case line.
    pub message: String,
    /// What to do, where that is known.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn general(message: impl Into<String>) -> Self {
        Problem {
            file: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = position(text, offset);
        Problem {
            file: file.to_owned(),
            line,
            column,
            ..Problem::general(message)
        }
    }

    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Problem {
            help: Some(help.into()),
            ..self
        }
    }

    /// What Cedar says about a place in this file.
    pub(crate) fn told(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> Self {
        let offset = diagnostic
            .labels()
            .and_then(|mut labels| labels.next())
            .map(|label| label.offset());
        let message = one_line(&diagnostic.to_string());
        let help = diagnostic.help().map(|help| one_line(&help.to_string()));
        let problem = match offset {
            Some(offset) => Problem::at(file, text, offset, message),
            None => Problem {
                file: file.to_owned(),
                ..Problem::general(message)
            },
        };
        Problem { help, ..problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if self.line > 0 {
                write!(f, ":{}", self.line)?;
            }
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Line and column, both from 1, of a byte offset. An offset past the end is the end.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    (line, column)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_in_characters() {
        for (text, offset, expected) in [
            ("", 0, (1, 1)),
            ("ab\ncd", 0, (1, 1)),
            ("ab\ncd", 2, (1, 3)),
            ("ab\ncd", 4, (2, 2)),
            ("äö\nx", 5, (2, 1)),
            ("ä", 1, (1, 1)),
            ("ab", 99, (1, 3)),
        ] {
            assert_eq!(position(text, offset), expected, "{text:?} at {offset}");
        }
    }

    #[test]
    fn says_only_so_many_problems_and_counts_the_rest() {
        let error = PolicyError::new(vec![Problem::general("x"); 100]);
        assert_eq!(error.problems().len(), PolicyError::PROBLEMS_MAX + 1);
        assert!(error.to_string().ends_with("and 36 more problems"));
    }
}
