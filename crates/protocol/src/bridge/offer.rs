//! What the gateway tells a client at first, on behalf of one server or of several: the answers to
//! `initialize` and `server/discover`. Only what can be kept on both hops is promised (L4, V11); what
//! a caller may use of it is the policy's business.

use super::amend::{Amend, object};
use super::greeting::{Frame, Welcome};
use super::{TASKS_EXTENSION, write_true};
use crate::message::Id;
use crate::method::{Capability, Sender};
use crate::modern::SERVER_INFO_KEY;
use crate::revision::{Era, Revision};
use crate::write;
use bytes::Bytes;

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The servers behind the route, by name, in the order of the configuration.
    pub welcomes: &'a [(&'a str, &'a Welcome)],
    /// What the gateway says it is, a JSON object with a name and a version.
    pub own: &'a [u8],
    /// What the gateway itself tells models, before anything that a server says.
    pub lesson: Option<&'a str>,
    /// Whether the gateway offers prompts of its own.
    pub has_prompts: bool,
}

/// For how long a client may keep the answer to `server/discover`: one minute. What servers can do
/// changes with a reload, and no notification tells clients of that.
pub const DISCOVER_TTL_MS: u32 = 60_000;

/// The longest instructions of several servers together, in bytes: each gets an equal share. A limit
/// of ours; all of it goes to a model with every conversation. What the gateway says itself is short, and
/// not counted.
pub const INSTRUCTIONS_MAX: usize = 32 * 1024;

/// The answer to `initialize`. The revision was negotiated before (L1).
pub fn initialize_result(id: &Id, revision: Revision, offer: &Offer<'_>) -> Bytes {
    let mut result = Amend::new()
        .set("protocolVersion", write::string(revision.date()))
        .set("capabilities", offered_capabilities(offer, revision))
        .set("serverInfo", Bytes::copy_from_slice(server_info(offer)));
    if let Some(text) = instructions(offer) {
        result = result.set("instructions", write::string(&text));
    }
    write::result(id, &result.alone().unwrap_or_default())
}

/// The answer to `server/discover` (V4).
pub fn discover_result(id: &Id, supported: &[Revision], offer: &Offer<'_>) -> Bytes {
    let versions: Vec<Bytes> = supported
        .iter()
        .map(|revision| write::string(revision.date()))
        .collect();
    let capabilities = offered_capabilities(offer, Revision::V2026_07_28);
    let mut result = Amend::new()
        .set("resultType", &b"\"complete\""[..])
        .set(
            "supportedVersions",
            write::array(versions.iter().map(|version| &**version)),
        )
        .set("capabilities", capabilities)
        .set("ttlMs", DISCOVER_TTL_MS.to_string())
        .set("cacheScope", &b"\"private\""[..]);
    if let Some(text) = instructions(offer) {
        result = result.set("instructions", write::string(&text));
    }
    result = result.set("_meta", object([(SERVER_INFO_KEY, server_info(offer))]));
    write::result(id, &result.alone().unwrap_or_default())
}

/// Who answers: the server where there is one, the gateway where there are several.
pub fn server_info<'a>(offer: &Offer<'a>) -> &'a [u8] {
    let said = match offer.welcomes {
        [(_, only)] => only.server_info(),
        _ => None,
    };
    said.map_or(offer.own, |info| info.raw())
}

/// What a client of this revision is told that it can use, a JSON object: what any of the servers
/// has and can be carried to it. Experiments and extensions that we do not know are never promised.
pub fn offered_capabilities(offer: &Offer<'_>, revision: Revision) -> Bytes {
    let any = |pointer| {
        offer
            .welcomes
            .iter()
            .any(|(_, server)| has(server, pointer))
    };
    let mut whole = Amend::new();
    if any("/completions") {
        whole = whole.set("completions", object([]));
    }
    let runs_tasks = |server: &Welcome| {
        server.era() == Era::Modern && has(server, "/extensions/io.modelcontextprotocol~1tasks")
    };
    let modern = revision.rules().era == Era::Modern;
    if modern && offer.welcomes.iter().any(|(_, server)| runs_tasks(server)) {
        whole = whole.set("extensions", object([(TASKS_EXTENSION, &b"{}"[..])]));
    }
    if any("/logging") {
        whole = whole.set("logging", object([]));
    }
    if any("/prompts") || offer.has_prompts {
        let changes = write_true("listChanged", any("/prompts/listChanged"));
        whole = whole.set("prompts", object(changes));
    }
    if any("/resources") {
        let changes = write_true("listChanged", any("/resources/listChanged"));
        let updates = write_true("subscribe", any("/resources/subscribe"));
        whole = whole.set("resources", object(changes.into_iter().chain(updates)));
    }
    if let Some(tasks) = core_tasks(offer, revision) {
        whole = whole.set("tasks", tasks);
    }
    if any("/tools") {
        let changes = write_true("listChanged", any("/tools/listChanged"));
        whole = whole.set("tools", object(changes));
    }
    whole.alone().unwrap_or_else(|| object([]))
}

/// Tasks of 2025-11-25 are never bridged, and never offered where several servers would have to
/// tell whose they are (2.11). They are not listed: a server knows the gateway's credential only, and
/// would list everybody's.
fn core_tasks(offer: &Offer<'_>, revision: Revision) -> Option<Bytes> {
    let [(_, server)] = offer.welcomes else {
        return None;
    };
    let both = revision == Revision::V2025_11_25 && server.revision() == Revision::V2025_11_25;
    if !both || !has(server, "/tasks") {
        return None;
    }
    let empty = |name, pointer| has(server, pointer).then_some((name, object([])));
    let calls = has(server, "/tasks/requests/tools/call").then(|| {
        let call = object([("call", &b"{}"[..])]);
        ("requests", object([("tools", &*call)]))
    });
    let members = [empty("cancel", "/tasks/cancel"), calls];
    let members: Vec<(&str, Bytes)> = members.into_iter().flatten().collect();
    Some(object(
        members.iter().map(|(name, value)| (*name, &**value)),
    ))
}

fn has(server: &Welcome, pointer: &'static str) -> bool {
    server.has(Capability {
        declared_by: Sender::Server,
        pointer,
    })
}

/// What the gateway says, and then what the servers do.
fn instructions(offer: &Offer<'_>) -> Option<String> {
    match (offer.lesson, theirs(offer)) {
        (Some(lesson), Some(theirs)) => Some(format!("{lesson}\n\n{theirs}")),
        (Some(lesson), None) => Some(lesson.to_owned()),
        (None, theirs) => theirs,
    }
}

/// The instructions of one server as they are. Those of several stand under a heading each and are
/// quoted, so that no server can write a heading for another one.
fn theirs(offer: &Offer<'_>) -> Option<String> {
    if let [(_, only)] = offer.welcomes {
        return Some(framed(only.frame(), only.instructions()?.into_owned()));
    }
    let said: Vec<(&str, String, Option<&Frame>)> = offer
        .welcomes
        .iter()
        .filter_map(|(name, server)| Some((*name, quoted(&server.instructions()?), server.frame())))
        .collect();
    let share = INSTRUCTIONS_MAX.checked_div(said.len())?;
    let parts = said.into_iter().map(|(name, text, frame)| {
        let head = format!("## {name}\n\n");
        // What is cut is the server's text: the line behind it stays.
        let ours = head.len() + framed(frame, String::new()).len();
        head + &framed(frame, shortened(text, share.saturating_sub(ours)))
    });
    Some(parts.collect::<Vec<String>>().join("\n\n"))
}

fn framed(frame: Option<&Frame>, text: String) -> String {
    match frame {
        Some(Frame { before, behind }) => format!("{before}\n{text}\n{behind}"),
        None => text,
    }
}

fn quoted(text: &str) -> String {
    const LINE_ENDS: [char; 7] = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    let text = text.replace("\r\n", "\n");
    let lines: Vec<String> = text
        .split(LINE_ENDS)
        .map(|line| match line {
            "" => ">".to_owned(),
            line => format!("> {line}"),
        })
        .collect();
    lines.join("\n")
}

fn shortened(mut text: String, most: usize) -> String {
    const MARK: &str = " […]";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
    text
}
