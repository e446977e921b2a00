//! Leaves out of a call what the server does not need, or puts tokens in its place (control P1), before anything else looks at it: what
//! does not go on is neither inspected nor decided on.

use crate::content::Minimised;
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::Subject;
use crate::stages::validate::Valid;
use protocol::Edits;
use std::sync::Arc;

/// What counts for this call.
pub(super) fn find(valid: &Valid) -> Result<Option<Arc<Minimised>>, Refused> {
    let name = match valid.subject() {
        Subject::Tool(tool) => &tool.name,
        Subject::Task(tool) => tool,
        Subject::Other => return Ok(None),
    };
    let Some(served) = valid.served() else {
        return Ok(None);
    };
    let content = valid.raw().route().content(Some(served));
    let minimised = content.minimising().of(name, valid.caller().claims());
    let Some(minimised) = minimised.map_err(|_| refused::purpose_unknown())? else {
        return Ok(None);
    };
    let why = valid
        .tool()
        .and_then(|tool| minimised.breaks(&tool.definition));
    match (why, valid.outward()) {
        (Some(why), outward) => Err(refused::definition_misfit(outward.unwrap_or(name), &why)),
        (None, _) => Ok(Some(Arc::clone(minimised))),
    }
}

/// Leaves out of the arguments what does not go on.
pub(super) fn arguments(
    valid: &mut Valid,
    minimised: Option<&Minimised>,
    draft: &mut Draft,
) -> Result<(), Refused> {
    let Some(minimised) = minimised else {
        return Ok(());
    };
    draft.ran(controls::P1);
    let mut edits = Edits::new();
    let route = Arc::clone(valid.raw().route());
    let mut stand_ins = route.content(valid.served()).stand_ins();
    if let (Subject::Tool(_), Some(message)) = (valid.subject(), valid.message())
        && let Some(arguments) = message.params().and_then(|params| params.get("arguments"))
        && let Some(less) = stand_ins.project(arguments, &minimised.arguments)
    {
        edits.replace(arguments.range(), less);
    }
    if edits.is_empty() {
        return Ok(());
    }
    let told = stand_ins.findings("minimise.arguments", "/params/arguments");
    draft.findings.extend(told);
    valid.clean(&edits)
}
