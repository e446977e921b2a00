//! The configuration: as written in `ringwall.yaml`, and settled.
//!
//! Two types, and one way from the first to the second. [`written::Config`] is what somebody said;
//! [`settled::Settled`] is what it means, with every default filled in, every address parsed and
//! every cross reference looked up. Nothing else in the workspace reads the first one.
//!
//! This crate is pure: text goes in, a settled configuration or a list of problems comes out. It
//! reads no file, no environment and no clock, and it never holds the value of a secret, only the
//! reference to one.

pub mod bounds;
pub mod import;
pub mod init;
pub mod naming;
mod nearest;
mod problem;
mod reference;
mod schema;
mod secret;
mod settle;
pub mod settled;
mod shape;
mod units;
mod words;
pub mod wrap;
pub mod written;
mod yaml;

pub use nearest::nearest;
pub use problem::{Problem, Severity};
pub use reference::reference_markdown;
pub use schema::schema_json;
pub use settle::settle;
pub use settled::Settled;
pub use yaml::{each, read};

/// The same as [`load`], where somebody has more to say of what it means: their problems are told with the
/// others, at the place of the setting that each of them names.
pub fn load_told(
    text: &str,
    more: impl FnOnce(&Settled) -> Vec<Problem>,
) -> Result<(Settled, Vec<Problem>), Vec<Problem>> {
    let written = read(text)?;
    let positions = written.positions.clone();
    let (settled, mut problems) = settle(written)?;
    problems.extend(more(&settled).into_iter().map(|mut problem| {
        (problem.line, problem.column) = positions.of(&problem.path);
        problem
    }));
    problems.sort_by_key(|it| (it.line, it.column, it.severity));
    match problems.iter().any(|it| it.severity == Severity::Error) {
        true => Err(problems),
        false => Ok((settled, problems)),
    }
}

/// Reads and settles in one step: the text of a file becomes what it means, with the warnings it
/// earned, or the problems that stand in the way.
pub fn load(text: &str) -> Result<(Settled, Vec<Problem>), Vec<Problem>> {
    settle(read(text)?)
}
