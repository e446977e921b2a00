//! The values of a message that may have a meaning, each with its place: arguments of tools and prompts, the
//! URI of a resource, and what is being completed.

use crate::content::Meanings;
use crate::stages::resolve::Subject;
use crate::stages::validate::Valid;
use ::inspect::meaning::{Asked, Judged};
use protocol::{Act, Message, Target};
use serde_json::{Map, Value};

/// A value about which there is something to say.
#[derive(Debug)]
pub(super) struct Meant<'a> {
    /// Where it stands in the message: a JSON Pointer (RFC 6901).
    pub(super) place: Box<str>,
    pub(super) judged: Judged<'a>,
    /// Whether it is still being written: nobody looks up half a name.
    pub(super) is_partial: bool,
}

/// Every value of a message about which there is something to say, as the server gets it.
pub(super) fn all<'a>(valid: &'a Valid, meanings: &'a Meanings, asked: Asked) -> Vec<Meant<'a>> {
    let act = valid.method().map(|method| method.act);
    let target = valid.target();
    let none = Map::new();
    let arguments = valid.sent().unwrap_or(&none);
    match (valid.subject(), act, &target) {
        (Subject::Tool(tool), ..) => in_arguments(meanings.judge(tool, arguments, asked)),
        (_, Some(Act::Get), Target::Prompt(name)) => {
            in_arguments(meanings.judge_prompt(name, arguments, asked))
        }
        (_, Some(Act::Read | Act::Subscribe), Target::Resource(_)) => {
            let params = valid.outgoing().and_then(Message::params);
            let uri = params.and_then(|params| params.get("uri")?.text());
            let uri = uri.unwrap_or_default();
            placed(meanings.judge_uri(&uri, asked), |_| {
                "/params/uri".to_owned()
            })
        }
        (_, Some(Act::Complete), target) => completed(valid, meanings, target, asked),
        _ => Vec::new(),
    }
}

fn in_arguments(judged: Vec<Judged<'_>>) -> Vec<Meant<'_>> {
    placed(judged, |pointer| format!("/params/arguments{pointer}"))
}

fn placed<'a>(judged: Vec<Judged<'a>>, place: impl Fn(&str) -> String) -> Vec<Meant<'a>> {
    let placed = judged.into_iter().map(|judged| Meant {
        place: place(&judged.pointer).into(),
        judged,
        is_partial: false,
    });
    placed.collect()
}

/// What is being completed, and what stands in the other places already.
fn completed<'a>(
    valid: &Valid,
    meanings: &'a Meanings,
    target: &Target<'_>,
    asked: Asked,
) -> Vec<Meant<'a>> {
    let params = valid.outgoing().and_then(Message::params);
    let text = |pointer: &str| params.and_then(|params| params.at(pointer)?.text());
    let (Some(name), Some(value)) = (text("/argument/name"), text("/argument/value")) else {
        return Vec::new();
    };
    let others = params.and_then(|params| params.at("/context/arguments"));
    let others = others.and_then(|others| serde_json::from_slice(others.raw()).ok());
    let others: Map<String, Value> = others.unwrap_or_default();
    let own = Map::from_iter([(name.into_owned(), Value::from(&*value))]);
    let judge = |values: &Map<String, Value>| match target {
        Target::Prompt(prompt) => meanings.judge_prompt(prompt, values, asked),
        Target::Template(template) => meanings.judge_template(template, values, asked),
        _ => Vec::new(),
    };
    let mut meant = placed(judge(&own), |_| "/params/argument/value".to_owned());
    meant.extend(placed(judge(&others), |pointer| {
        format!("/params/context/arguments{pointer}")
    }));
    for value in &mut meant {
        value.is_partial = true;
    }
    meant
}
