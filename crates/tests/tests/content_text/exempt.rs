//! The fields whose text does not reach the other side, and why.

use super::Field;

const ASKED_ANEW: &str = "the gateway asks for lists on its own behalf";
const CLIENT_TASKS: &str = "no client runs tasks for a server here";
pub(super) const HELD: &str = "what hides text in what it says of itself is held whole";
const HOP: &str = "each hop agrees on it anew";
const LOCAL: &str = "the gateway answers it";
const MISNAMED: &str = "a tool with such a name is none, and is not listed";
const NAMELESS: &str = "what has no name introduces nobody";
const NO_ANSWER: &str = "it is the answer to nothing that is carried";
const OURS: &str = "the gateway's own stands in its place";
const REFUSED: &str = "an address that hides something is refused";
const SUBSCRIBED: &str = "it is heard on a subscription, and made anew there";
const UNKNOWN: &str = "it names what has to be there";
const UNLISTED: &str = "tasks are not listed";
const WORD: &str = "it is a word that has to be known";

/// A revision, or both; who says it; of which kind it is; its method, the
/// beginning of one, or the name of its shape; where its places begin; why.
type Exempt = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const BOTH: &str = "";
const OLD: &str = "2025-11-25";
const NEW: &str = "2026-07-28";

/// When a resource was changed last is no part of what it is: that is cleaned like any other text.
const CHANGING: (&str, &str) = ("resources/list", "/resources/0/annotations/lastModified");

/// Everything of a message.
const ALL: &[&str] = &[""];

/// What a request for a list says besides who asks.
const ASKED: &[&str] = &["/_meta/any", "/_meta/§", "/_meta/progressToken", "/cursor"];

/// Where a server says who it is.
const INTRODUCED: &[&str] = &["/_meta/io.modelcontextprotocol~1serverInfo"];

const SERVER: &[Exempt] = &[
    (OLD, "server", "Request", "ping", ALL, LOCAL),
    (OLD, "server", "Request", "tasks/", ALL, CLIENT_TASKS),
    (
        OLD,
        "server",
        "Request",
        "",
        &["/_meta/progressToken"],
        OURS,
    ),
    (
        OLD,
        "server",
        "Notification",
        "notifications/tasks/status",
        &["/taskId"],
        OURS,
    ),
    (
        NEW,
        "server",
        "Notification",
        "notifications/resources/",
        ALL,
        SUBSCRIBED,
    ),
    (
        NEW,
        "server",
        "Notification",
        "notifications/prompts/",
        ALL,
        SUBSCRIBED,
    ),
    (
        NEW,
        "server",
        "Notification",
        "notifications/tools/",
        ALL,
        SUBSCRIBED,
    ),
    (
        NEW,
        "server",
        "Notification",
        "notifications/progress",
        &["/progressToken"],
        UNKNOWN,
    ),
    (
        NEW,
        "server",
        "Notification",
        "",
        &["/_meta/io.modelcontextprotocol~1subscriptionId"],
        OURS,
    ),
    (
        OLD,
        "server",
        "Result",
        "initialize",
        &["/_meta", "/capabilities", "/protocolVersion"],
        HOP,
    ),
    (
        OLD,
        "server",
        "Result",
        "initialize",
        &["/instructions"],
        HELD,
    ),
    (
        NEW,
        "server",
        "Result",
        "server/discover",
        &["/_meta", "/capabilities", "/supportedVersions"],
        HOP,
    ),
    (
        NEW,
        "server",
        "Result",
        "server/discover",
        &["/instructions"],
        HELD,
    ),
    (
        BOTH,
        "server",
        "Result",
        "tools/list",
        &["/tools/0/name"],
        MISNAMED,
    ),
    (BOTH, "server", "Result", "tools/list", &["/tools"], HELD),
    (
        BOTH,
        "server",
        "Result",
        "prompts/list",
        &["/prompts"],
        HELD,
    ),
    (
        BOTH,
        "server",
        "Result",
        "resources/list",
        &["/resources"],
        HELD,
    ),
    (
        BOTH,
        "server",
        "Result",
        "resources/templates/list",
        &["/resourceTemplates"],
        HELD,
    ),
    (OLD, "server", "Result", "tasks/list", ALL, UNLISTED),
    (OLD, "server", "Result", "tasks/", &["/taskId"], OURS),
    (
        NEW,
        "server",
        "Result",
        "subscriptions/listen",
        ALL,
        SUBSCRIBED,
    ),
    (BOTH, "server", "Result", "", &["/nextCursor"], OURS),
    (NEW, "server", "Result", "", &["/requestState"], OURS),
    (NEW, "server", "Result", "", &["/resultType"], WORD),
    (
        NEW,
        "server",
        "Result",
        "CallToolResult",
        INTRODUCED,
        NAMELESS,
    ),
    (
        NEW,
        "server",
        "Result",
        "CompleteResult",
        INTRODUCED,
        NAMELESS,
    ),
    (NEW, "server", "Result", "prompts/", INTRODUCED, NAMELESS),
    (NEW, "server", "Result", "resources/", INTRODUCED, NAMELESS),
    (NEW, "server", "Result", "tools/list", INTRODUCED, NAMELESS),
];

const CLIENT: &[Exempt] = &[
    (
        OLD,
        "client",
        "Request",
        "initialize",
        &["/_meta", "/capabilities", "/protocolVersion"],
        HOP,
    ),
    (OLD, "client", "Request", "ping", ALL, LOCAL),
    (OLD, "client", "Request", "logging/setLevel", ALL, LOCAL),
    (OLD, "client", "Request", "tasks/list", ALL, UNLISTED),
    (OLD, "client", "Request", "tasks/", &["/taskId"], UNKNOWN),
    (BOTH, "client", "Request", "tools/list", ASKED, ASKED_ANEW),
    (BOTH, "client", "Request", "prompts/list", ASKED, ASKED_ANEW),
    (
        BOTH,
        "client",
        "Request",
        "resources/list",
        ASKED,
        ASKED_ANEW,
    ),
    (
        BOTH,
        "client",
        "Request",
        "resources/templates/list",
        ASKED,
        ASKED_ANEW,
    ),
    (BOTH, "client", "Request", "resources/", &["/uri"], REFUSED),
    (BOTH, "client", "Request", "tools/call", &["/name"], UNKNOWN),
    (
        BOTH,
        "client",
        "Request",
        "prompts/get",
        &["/name"],
        UNKNOWN,
    ),
    (
        BOTH,
        "client",
        "Request",
        "completion/complete",
        &["/ref/name"],
        UNKNOWN,
    ),
    (NEW, "client", "Request", "server/discover", ASKED, HOP),
    (
        NEW,
        "client",
        "Request",
        "subscriptions/listen",
        &[
            "/_meta/any",
            "/_meta/§",
            "/_meta/progressToken",
            "/notifications",
        ],
        SUBSCRIBED,
    ),
    (
        NEW,
        "client",
        "Request",
        "",
        &[
            "/_meta/io.modelcontextprotocol~1clientCapabilities",
            "/_meta/io.modelcontextprotocol~1protocolVersion",
        ],
        HOP,
    ),
    (NEW, "client", "Request", "", &["/requestState"], UNKNOWN),
    (
        OLD,
        "client",
        "Notification",
        "notifications/cancelled",
        ALL,
        OURS,
    ),
    (
        OLD,
        "client",
        "Notification",
        "notifications/progress",
        &["/progressToken"],
        UNKNOWN,
    ),
    (
        OLD,
        "client",
        "Notification",
        "notifications/initialized",
        ALL,
        LOCAL,
    ),
    (NEW, "client", "Notification", "", ALL, LOCAL),
    (OLD, "client", "Result", "tasks/", ALL, CLIENT_TASKS),
];

/// Why a field does not pass, if it does not.
pub(super) fn why(revision: &str, field: &Field) -> Option<&'static str> {
    if field.method().is_empty() {
        return Some(NO_ANSWER);
    }
    if (field.method(), &*field.place) == CHANGING {
        return None;
    }
    let is_it = |(of, sender, kind, method, places, _): &&Exempt| {
        let method_fits = match method.ends_with('/') || method.is_empty() {
            true => field.method().starts_with(method),
            false => field.method() == *method || field.name == *method,
        };
        (of.is_empty() || *of == revision)
            && field.sender == *sender
            && field.kind == *kind
            && method_fits
            && places.iter().any(|place| field.place.starts_with(place))
    };
    let mut all = SERVER.iter().chain(CLIENT);
    all.find(is_it).map(|(.., why)| *why)
}
