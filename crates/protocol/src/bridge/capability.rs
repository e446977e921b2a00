//! What a client can do, as it is told to a server: known capabilities only, and those only that
//! can be carried to that server's era (L4, V11).

use super::amend::{Amend, object};
use super::question::{Need, is_declared};
use super::{TASKS_EXTENSION, write_true};
use crate::document::Value;
use crate::revision::{Era, Revision};
use bytes::Bytes;

/// The client's capabilities for a server of the other hop, a JSON object. What a client declares
/// that its own revision does not have is not passed on: it could not be asked for it.
pub fn client_capabilities(declared: Option<Value<'_>>, from: Revision, to: Era) -> Bytes {
    let Some(declared) = declared else {
        return object([]);
    };
    let era = from.rules().era;
    let has = |need: Need| from >= need.since() && need.is_in(declared);
    let mut whole = Amend::new();
    let (form, url) = (has(Need::ElicitationForm), has(Need::ElicitationUrl));
    if form || url {
        let forms = form.then_some(("form", &b"{}"[..]));
        let urls = url.then_some(("url", &b"{}"[..]));
        // A bare `elicitation` is how everybody says that they show forms only (2.10).
        let modes = object(forms.filter(|_| url).into_iter().chain(urls));
        whole = whole.set("elicitation", modes);
    }
    let extension = is_declared(declared, "/extensions/io.modelcontextprotocol~1tasks");
    if extension && (era, to) == (Era::Modern, Era::Modern) {
        whole = whole.set("extensions", object([(TASKS_EXTENSION, &b"{}"[..])]));
    }
    if has(Need::Roots) {
        // Modern clients cannot tell that their roots have changed, and modern servers not hear it.
        let tells =
            (era, to) == (Era::Legacy, Era::Legacy) && is_declared(declared, "/roots/listChanged");
        whole = whole.set("roots", object(write_true("listChanged", tells)));
    }
    if has(Need::Sampling) {
        let context = from >= Revision::V2025_11_25 && is_declared(declared, "/sampling/context");
        let context = context.then_some(("context", &b"{}"[..]));
        let tools = has(Need::SamplingTools).then_some(("tools", &b"{}"[..]));
        whole = whole.set("sampling", object(context.into_iter().chain(tools)));
    }
    whole.alone().unwrap_or_else(|| object([]))
}
