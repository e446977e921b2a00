//! From text to the written configuration, in three steps: a tree with positions under a budget, the
//! tree held against the shape of the format so that every mistake is found at once, and the typed
//! value.
//!
//! It accepts plain YAML only: one document, no merge keys, no tags. What two readers could
//! understand differently is refused.

mod tree;

pub use tree::each;
pub(crate) use tree::{Key, Kind, Node, shortened, step_index, step_name, whole};

use crate::bounds;
use crate::problem::{Problem, Problems};
use crate::shape;
use crate::written::Config;
use serde_saphyr::Options;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::granit_parser::{Event, Parser};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, MergeKeyPolicy};

/// Reads the text of a configuration file. Everything that is wrong with its shape is reported at
/// once; what it means is left to [`crate::settle`].
pub fn read(text: &str) -> Result<Config, Vec<Problem>> {
    let mut problems = Problems::default();
    if text.len() > bounds::FILE_BYTES {
        let most = bounds::FILE_BYTES;
        problems.refuse(
            None,
            "",
            format!("the file has {} bytes, more than {most}", text.len()),
            "move what is not configuration elsewhere",
        );
        return Err(problems.all());
    }
    // A byte order mark at the start is what some editors write, not content.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = Node::read(text, options()).map_err(|error| broken(&error))?;
    let positions = tree.positions();
    let mut problems = Problems::at(positions.clone());
    untagged(text, &mut problems);
    shape::check(&tree, &mut problems);
    problems.finish()?;
    let read: Result<Config, _> = serde_saphyr::from_str_with_options(text, options());
    match read {
        Ok(mut config) => {
            config.positions = positions;
            Ok(config)
        }
        Err(error) => Err(broken(&error)),
    }
}

fn options() -> Options {
    let nodes = bounds::FILE_VALUES;
    let budget = serde_saphyr::budget! {
        max_reader_input_bytes: Some(bounds::FILE_BYTES),
        max_documents: 1,
        max_depth: bounds::FILE_DEPTH,
        flow_nesting_limit: bounds::FILE_DEPTH,
        max_inclusion_depth: 0,
        max_nodes: nodes,
        max_events: 4 * nodes,
        max_anchors: bounds::FILE_ALIASES,
        max_aliases: bounds::FILE_ALIASES,
        max_recorded_anchor_events: nodes,
        max_recorded_anchor_bytes: bounds::FILE_BYTES,
        max_total_scalar_bytes: bounds::FILE_BYTES,
        max_merge_keys: 0,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        alias_limits: alias_limits(),
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
        emit_comments: false,
    }
}

fn alias_limits() -> AliasLimits {
    serde_saphyr::alias_limits! {
        max_total_replayed_events: bounds::FILE_VALUES,
        max_replay_stack_depth: bounds::FILE_DEPTH,
        max_alias_expansions_per_anchor: bounds::FILE_ALIASES,
    }
}

/// What the YAML reader itself refused: it stops at the first such place.
fn broken(error: &serde_saphyr::Error) -> Vec<Problem> {
    let error = error.without_snippet();
    let place = error.location();
    let place = place.map(|it| (whole(it.line()), whole(it.column())));
    let mut problems = Problems::default();
    let mut cause = error;
    while let serde_saphyr::Error::AliasError { error, .. } = cause {
        cause = error;
    }
    let (message, fix) = words(cause);
    problems.refuse_at(place.unwrap_or_default(), "", message, fix);
    problems.all()
}

fn words(error: &serde_saphyr::Error) -> (String, &'static str) {
    use serde_saphyr::Error as E;
    let small = "a configuration is small: look for a repeated anchor, or a wrong file";
    let (message, fix) = match error {
        E::DuplicateMappingKey { key: Some(key), .. } => {
            let message = format!("`{}` is written twice", shortened(key));
            return (message, "keep one of them");
        }
        E::DuplicateMappingKey { .. } => ("a name is written twice", "keep one of them"),
        E::MergeKeyNotAllowed { .. } => (
            "`<<` is not read here",
            "write the settings out: what `<<` brings in is easily overlooked",
        ),
        E::Budget {
            breach: BudgetBreach::Documents { .. },
            ..
        }
        | E::MultipleDocuments { .. } => (
            "there is more than one document",
            "keep one: remove the `---` line",
        ),
        E::Budget { breach, .. } => (over(breach), small),
        E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. }
        | E::AliasReplayCounterOverflow { .. } => ("its anchors are used too often", small),
        E::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an anchor refers to itself", "write the value out")
        }
        E::UnknownAnchor { .. } => (
            "`*` refers to an anchor that is not there",
            "put quotes around text that begins with `*`",
        ),
        E::Eof { .. } => ("the file is empty", "start with `ringwall init`"),
        other => {
            let text = other.to_string();
            let line = text.lines().next().unwrap_or_default();
            if line.starts_with("recursion limit") {
                return (TOO_DEEP.to_owned(), small);
            }
            // The place stands in front of the message already.
            let message = line.split(" at line ").next().unwrap_or(line);
            let message = message.trim_end_matches('.').to_owned();
            return (
                message,
                "look at quotes, brackets and indentation at this place",
            );
        }
    };
    (message.to_owned(), fix)
}

const TOO_DEEP: &str = "it nests deeper than any configuration";

fn over(breach: &BudgetBreach) -> &'static str {
    match breach {
        BudgetBreach::Depth { .. } => TOO_DEEP,
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => {
            "it has too many anchors, or uses them too often"
        }
        BudgetBreach::MergeKeys { .. } => "`<<` is not read here",
        _ => "it holds more values than any configuration",
    }
}

/// Refuses tags (`!!binary`, `!!str`): they change what a value is, so that it is not what somebody who
/// looks at the file reads.
fn untagged(text: &str, problems: &mut Problems) {
    // The same text has been read within its budget before.
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        let tag = match event {
            Event::Scalar(_, _, _, tag)
            | Event::SequenceStart(_, _, tag)
            | Event::MappingStart(_, _, tag) => tag,
            _ => None,
        };
        if tag.is_some() {
            let start = span.start;
            let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let place = (narrow(start.line()), narrow(start.col()).saturating_add(1));
            let fix = "remove the `!` and the word after it, or put quotes around all of it";
            problems.refuse_at(
                place,
                "",
                "a value carries a tag, and tags are not read here",
                fix,
            );
        }
    }
}

#[cfg(test)]
mod tests;
