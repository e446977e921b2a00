//! Which fields of arguments and results go on (control P1), by tool and by what the call is for: compiled
//! once for a server on a route. Some go on as tokens. A value that loses nothing keeps every byte.

mod stand_ins;

pub(crate) use stand_ins::StandIns;

use super::meaning::{ContentError, pattern};
use config::settled::{self, OtherText, Purpose, ToolPattern};
use inspect::projection::{Broken, Projection};
use protocol::{Document, Edits, Kind, Limits, Value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What stands where text was left out.
const NOTICE: &str = "[text left out: the operator lets only some fields of this result go on]";

/// Which fields go on, of all tools of one server on one route.
#[derive(Debug, Default)]
pub(crate) struct Minimising {
    /// What names a tool most exactly first.
    tools: Vec<(ToolPattern, Vec<Arc<Minimised>>)>,
    purpose: Option<Purpose>,
}

/// Which fields go on, for some purposes.
#[derive(Debug)]
pub(crate) struct Minimised {
    purposes: Vec<String>,
    pub(crate) arguments: Projection,
    results: Projection,
    other_text: OtherText,
}

/// There is no entry for what the call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPurpose;

impl Minimising {
    pub(crate) fn new(settled: &settled::Content) -> Result<Self, ContentError> {
        let mut tools = Vec::new();
        for (tool, entries) in &settled.minimise {
            let entries = entries.iter().map(|entry| {
                hidden_again(tool, &entry.arguments, &settled.data.reveal)?;
                Ok(Arc::new(Minimised {
                    purposes: entry.purposes.clone(),
                    arguments: projection(tool, &entry.arguments)?,
                    results: projection(tool, &entry.results)?,
                    other_text: entry.other_text,
                }))
            });
            tools.push((tool.clone(), entries.collect::<Result<_, ContentError>>()?));
        }
        tools.sort_by_key(|(tool, _): &(ToolPattern, _)| std::cmp::Reverse(super::exactness(tool)));
        Ok(Minimising {
            tools,
            purpose: settled.purpose.clone(),
        })
    }

    /// What counts for a call of this tool by a caller of whom this is claimed; nothing if all fields go on.
    pub(crate) fn of(
        &self,
        tool: &str,
        claims: &Map<String, Json>,
    ) -> Result<Option<&Arc<Minimised>>, NoPurpose> {
        let mut tools = self.tools.iter();
        let Some((_, entries)) = tools.find(|(tools, _)| tools.names(tool)) else {
            return Ok(None);
        };
        let purpose = self.purpose(claims);
        let mut entries = entries.iter();
        let counts = |entry: &&Arc<Minimised>| {
            entry.purposes.is_empty()
                || purpose.is_some_and(|purpose| entry.purposes.iter().any(|it| it == purpose))
        };
        entries.find(counts).map(Some).ok_or(NoPurpose)
    }

    /// What messages of a caller are for of whom this is claimed; nothing if nobody says.
    pub(crate) fn purpose<'a>(&'a self, claims: &'a Map<String, Json>) -> Option<&'a str> {
        match self.purpose.as_ref()? {
            Purpose::Is(purpose) => Some(purpose),
            Purpose::Claim(claim) => claims.get(claim).and_then(Json::as_str),
        }
    }

    /// Why this tool cannot be minimised as said, whatever the purpose: something that its own schemas
    /// require would be left out.
    pub(crate) fn breaks(&self, tool: &str, definition: &Json) -> Option<String> {
        let mut tools = self.tools.iter();
        let (_, entries) = tools.find(|(tools, _)| tools.names(tool))?;
        entries.iter().find_map(|entry| entry.breaks(definition))
    }
}

impl Minimised {
    /// Why a tool of this definition cannot be minimised so.
    pub(crate) fn breaks(&self, definition: &Json) -> Option<String> {
        let of = |projection: &Projection, schema: &str, what: &str| {
            let broken = projection.breaks(definition.get(schema)?);
            let first = broken.first()?;
            Some(match first {
                Broken::Dropped(_) => format!(
                    "`content.minimise` leaves `{first}` out of its {what}, which its {schema} requires"
                ),
                Broken::Token(_) => format!(
                    "`content.minimise` puts a token in the place of `{first}` of its {what}, \
                     where its {schema} lets no text be"
                ),
            })
        };
        of(&self.arguments, "inputSchema", "arguments")
            .or_else(|| of(&self.results, "outputSchema", "results"))
    }

    /// Whether everything of a result goes on.
    pub(crate) fn keeps_results(&self) -> bool {
        self.results.is_whole()
    }

    /// Takes out of one result of a tool what does not go on.
    pub(crate) fn result(
        &self,
        result: Value<'_>,
        reading: &Limits,
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        if let Some(content) = result.get("structuredContent")
            && let Some(less) = stand_ins.project(content, &self.results)
        {
            edits.replace(content.range(), less);
        }
        let failed = result.get("isError").and_then(Value::boolean) == Some(true);
        for block in result.get("content").into_iter().flat_map(Value::elements) {
            self.block((block, failed), reading, stand_ins, edits);
        }
        for (name, value) in result.members() {
            if !KNOWN.iter().any(|known| name.is(known)) {
                self.other(value, stand_ins, edits);
            }
        }
    }

    /// Does the same to what no revision of the protocol knows of a result: whoever shows a result may show
    /// this too.
    fn other(&self, value: Value<'_>, stand_ins: &mut StandIns<'_>, edits: &mut Edits) {
        let less = match value.kind() {
            Kind::Array | Kind::Object => stand_ins.project(value, &self.results),
            Kind::Boolean | Kind::Null => None,
            Kind::Number | Kind::String if self.other_text == OtherText::Keep => None,
            Kind::Number | Kind::String => {
                stand_ins.left_out += 1;
                Some(b"null".to_vec())
            }
        };
        if let Some(less) = less {
            edits.replace(value.range(), less);
        }
    }

    /// Does the same to a block of content of what failed or not. Pictures, sounds and links hold no fields.
    fn block(
        &self,
        (block, failed): (Value<'_>, bool),
        reading: &Limits,
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        let resource = block.get("resource");
        let text = match resource {
            None => block.get("text"),
            Some(resource) => resource.get("text"),
        };
        let text = text.filter(|text| text.kind() == Kind::String);
        match text.and_then(Value::text) {
            None if resource.is_none() => return,
            None => {}
            Some(said) => match json(&said, reading) {
                Some(document) => {
                    let Some(less) = stand_ins.project(document.root(), &self.results) else {
                        return;
                    };
                    if let (Some(text), Ok(less)) = (text, String::from_utf8(less)) {
                        edits.replace_string(text.range(), &less);
                        return;
                    }
                }
                // Of what failed the model has to hear why.
                None if failed && resource.is_none() => return,
                None => {}
            },
        }
        if self.other_text == OtherText::Keep {
            return;
        }
        let notice = serde_json::json!({ "type": "text", "text": NOTICE });
        edits.replace(block.range(), notice.to_string());
        stand_ins.left_out += 1;
    }
}

/// The members of results of tools, and of the tasks that hold them, in all revisions: what is treated
/// otherwise, and what tells nothing but how the call goes.
const KNOWN: [&str; 21] = [
    "_meta",
    "cacheScope",
    "content",
    "createdAt",
    "error",
    "inputRequests",
    "isError",
    "lastUpdatedAt",
    "pollInterval",
    "pollIntervalMs",
    "requestState",
    "result",
    "resultType",
    "status",
    "statusMessage",
    "structuredContent",
    "task",
    "taskId",
    "tasks",
    "ttl",
    "ttlMs",
];

/// What is turned into tokens on its way to a server, and turned back right behind that, goes on as it is.
fn hidden_again(
    tool: &ToolPattern,
    arguments: &settled::Fields,
    reveal: &[String],
) -> Result<(), ContentError> {
    let mut tokens = arguments.tokenise.iter();
    match tokens.find(|(_, label)| reveal.contains(label)) {
        None => Ok(()),
        Some((place, label)) => Err(ContentError::Revealed {
            tool: tool.clone(),
            place: place.clone(),
            label: label.clone(),
        }),
    }
}

fn projection(tool: &ToolPattern, fields: &settled::Fields) -> Result<Projection, ContentError> {
    let patterns = |places: &[String]| {
        let read = places.iter().map(|place| pattern(tool, place));
        read.collect::<Result<Vec<_>, _>>()
    };
    let keep = fields.keep.as_deref().map(patterns).transpose()?;
    let drop = patterns(&fields.drop)?;
    let tokens = fields.tokenise.iter();
    let tokens = tokens.map(|(place, label)| Ok((pattern(tool, place)?, label.as_str())));
    let tokens = tokens.collect::<Result<Vec<_>, ContentError>>()?;
    let tokens = tokens.iter().map(|(place, label)| (place, *label));
    Ok(Projection::new(keep.as_deref(), &drop, tokens))
}

/// The object or array that a text is.
pub(super) fn json(text: &str, reading: &Limits) -> Option<Document> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    Document::read(text.to_owned().into(), reading).ok()
}

#[cfg(test)]
mod tests;
