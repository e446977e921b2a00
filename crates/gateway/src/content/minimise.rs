//! Which fields of arguments and results go on (control P1), by tool and by what the call is for: compiled
//! once for a server on a route. Some go on as tokens. A value that loses nothing keeps every byte.

mod beside;
mod stand_ins;

pub(crate) use beside::Outcome;
pub(crate) use stand_ins::StandIns;

use super::inner::{self, Extent};
use super::meaning::{ContentError, pattern};
use config::settled::{self, OtherText, Purpose, ToolPattern};
use inspect::projection::{Broken, Projection};
use protocol::{Edits, Kind, Value};
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

    /// Whether nothing is said of any tool: all fields go on.
    pub(crate) fn is_empty(&self) -> bool {
        self.tools.is_empty()
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

    /// Takes out of one result of a tool what does not go on. What a task came to stands inside of it.
    fn result(&self, result: Value<'_>, stand_ins: &mut StandIns<'_>, edits: &mut Edits) {
        if let Some(content) = result.get("structuredContent")
            && let Some(less) = stand_ins.project(content, &self.results)
        {
            edits.replace(content.range(), less);
        }
        let failed = result.get("isError").and_then(Value::boolean) == Some(true);
        match result.get("content") {
            Some(content) if content.kind() != Kind::Array => {
                self.other(content, stand_ins, edits);
            }
            content => {
                for block in content.into_iter().flat_map(Value::elements) {
                    self.block((block, failed), stand_ins, edits);
                }
            }
        }
        for (name, value) in result.members() {
            self.beside((name, value), stand_ins, edits);
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
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        if block.kind() != Kind::Object {
            return self.other(block, stand_ins, edits);
        }
        let resource = block.get("resource");
        let holder = resource.unwrap_or(block);
        let text = holder
            .get("text")
            .filter(|text| text.kind() == Kind::String);
        // Of what failed the model has to hear why.
        let keeps = self.other_text == OtherText::Keep || failed && resource.is_none();
        let less = match text.and_then(Value::text) {
            Some(said) => self.said((&said, keeps), stand_ins),
            None => (resource.is_none() || keeps).then_some(None),
        };
        let Some(less) = less else {
            let notice = serde_json::json!({ "type": "text", "text": NOTICE });
            edits.replace(block.range(), notice.to_string());
            stand_ins.left_out += 1;
            return;
        };
        if let (Some(text), Some(less)) = (text, less) {
            edits.replace_string(text.range(), &less);
        }
        // What was looked at above is known as well.
        let looked_at = resource.map_or("text", |_| "resource");
        self.added((block, looked_at), of_block(block), stand_ins, edits);
        if let Some(resource) = resource {
            self.added((resource, "text"), &OF_RESOURCE, stand_ins, edits);
        }
        if let Some(annotations) = block.get("annotations") {
            self.added((annotations, "audience"), &OF_ANNOTATIONS, stand_ins, edits);
        }
    }

    /// What goes on of a text, and whether that is another one; nothing if none of it does.
    fn said(
        &self,
        (text, keeps): (&str, bool),
        stand_ins: &mut StandIns<'_>,
    ) -> Option<Option<String>> {
        if !keeps && !is_json(text) {
            return None;
        }
        let (mut out, mut done) = (String::new(), 0);
        // What is left of other text may hold the fields as well: between fences, and on its lines.
        let extent = inner::outermost(text, &mut |at, document| {
            let range = document.root().range();
            let less = stand_ins.project(document.root(), &self.results);
            if let Some(less) = less.and_then(|less| String::from_utf8(less).ok()) {
                out.push_str(text.get(done..at + range.start).unwrap_or_default());
                out.push_str(&less);
                done = at + range.end;
            }
        });
        match (extent, done) {
            // Of what is not read to its end nobody knows the fields.
            (Extent::Part, _) => None,
            (Extent::Whole, 0) => Some(None),
            (Extent::Whole, _) => {
                out.push_str(text.get(done..).unwrap_or_default());
                Some(Some(out))
            }
        }
    }

    /// Does the same to the members of a part of a result that the protocol does not know there.
    fn added(
        &self,
        (part, looked_at): (Value<'_>, &str),
        known: &[&str],
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        if part.kind() != Kind::Object {
            return self.other(part, stand_ins, edits);
        }
        for (name, value) in part.members() {
            let is_known = name.is(looked_at) || known.iter().any(|known| name.is(known));
            if !is_known || (name.is("text") && value.kind() != Kind::String) {
                self.other(value, stand_ins, edits);
            }
        }
    }
}

/// Whether a text is JSON and nothing else: as a whole, or line by line.
fn is_json(text: &str) -> bool {
    let (mut is_other, mut done) = (false, 0);
    let holds = |part: Option<&str>| part.is_some_and(|part| !part.trim().is_empty());
    let extent = inner::outermost(text, &mut |at, document| {
        let range = document.root().range();
        is_other |= holds(text.get(done..at + range.start));
        done = at + range.end;
    });
    extent == Extent::Whole && done > 0 && !is_other && !holds(text.get(done..))
}

/// The members of a block of content of this kind, in all revisions.
fn of_block(block: Value<'_>) -> &'static [&'static str] {
    let kind = block.get("type").and_then(Value::string);
    let is = |name: &str| kind.is_some_and(|kind| kind.is(name));
    match (is("audio") || is("image"), is("resource_link")) {
        (true, _) => &["_meta", "annotations", "data", "mimeType", "type"],
        (_, true) => &[
            "_meta",
            "annotations",
            "description",
            "icons",
            "mimeType",
            "name",
            "size",
            "title",
            "type",
            "uri",
        ],
        _ => &["_meta", "annotations", "type"],
    }
}

/// The members of a resource that stands in a result. Bytes beside a text say something of their own.
const OF_RESOURCE: [&str; 3] = ["_meta", "mimeType", "uri"];

/// The members of annotations.
const OF_ANNOTATIONS: [&str; 3] = ["audience", "lastModified", "priority"];

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

#[cfg(test)]
mod tests;
