//! The rows of the method table. Data only.

use super::Sender::{Both, Client, Server};
use super::{Act, Capability, Method, Sender, Subject};
use crate::message::Shape::{Notification, Request};
use crate::revision::Revision;

const V2024: Revision = Revision::V2024_11_05;
const V2025_06: Revision = Revision::V2025_06_18;
const V2025_11: Revision = Revision::V2025_11_25;
const V2026: Revision = Revision::V2026_07_28;

const BLANK: Method = Method {
    name: "",
    shape: Request,
    sender: Client,
    first: V2024,
    last: V2026,
    act: Act::Notify,
    subject: Subject::None,
    list_member: None,
    changes: None,
    capability: None,
};

const fn client(name: &'static str, act: Act, subject: Subject) -> Method {
    Method {
        name,
        act,
        subject,
        ..BLANK
    }
}

const fn ask(name: &'static str, capability: &'static str) -> Method {
    Method {
        name,
        sender: Server,
        act: Act::Ask,
        last: V2025_11,
        capability: needs(Client, capability),
        ..BLANK
    }
}

const fn notice(name: &'static str, sender: Sender) -> Method {
    Method {
        name,
        shape: Notification,
        sender,
        ..BLANK
    }
}

const fn changed(
    name: &'static str,
    changes: &'static str,
    capability: Option<Capability>,
) -> Method {
    Method {
        changes: Some(changes),
        capability,
        ..notice(name, Server)
    }
}

const fn list(name: &'static str, member: &'static str, capability: &'static str) -> Method {
    Method {
        list_member: Some(member),
        capability: needs(Server, capability),
        ..client(name, Act::List, Subject::None)
    }
}

/// Tasks of 2025-11-25: either side may run tasks for the other.
const fn core_task(name: &'static str, capability: Option<Capability>) -> Method {
    Method {
        sender: Both,
        first: V2025_11,
        last: V2025_11,
        capability,
        ..client(name, Act::Task, Subject::Task)
    }
}

/// Tasks as the extension of 2026-07-28: only servers run them.
const fn extension_task(name: &'static str) -> Method {
    Method {
        first: V2026,
        capability: needs(Server, "/extensions/io.modelcontextprotocol~1tasks"),
        ..client(name, Act::Task, Subject::Task)
    }
}

const fn needs(declared_by: Sender, pointer: &'static str) -> Option<Capability> {
    Some(Capability {
        declared_by,
        pointer,
    })
}

pub(super) const ROWS: &[Method] = &[
    // The busiest first: the table is searched from the top.
    Method {
        capability: needs(Server, "/tools"),
        ..client("tools/call", Act::Call, Subject::Tool)
    },
    list("tools/list", "tools", "/tools"),
    Method {
        capability: needs(Server, "/resources"),
        ..client("resources/read", Act::Read, Subject::Resource)
    },
    list("resources/list", "resources", "/resources"),
    list(
        "resources/templates/list",
        "resourceTemplates",
        "/resources",
    ),
    Method {
        capability: needs(Server, "/prompts"),
        ..client("prompts/get", Act::Get, Subject::Prompt)
    },
    list("prompts/list", "prompts", "/prompts"),
    // `completions` was added to the capabilities with 2025-03-26; before, nothing announced it.
    Method {
        last: V2024,
        ..client("completion/complete", Act::Complete, Subject::Completion)
    },
    Method {
        first: Revision::V2025_03_26,
        capability: needs(Server, "/completions"),
        ..client("completion/complete", Act::Complete, Subject::Completion)
    },
    Method {
        last: V2025_11,
        capability: needs(Server, "/resources/subscribe"),
        ..client("resources/subscribe", Act::Subscribe, Subject::Resource)
    },
    Method {
        last: V2025_11,
        capability: needs(Server, "/resources/subscribe"),
        ..client("resources/unsubscribe", Act::Subscribe, Subject::Resource)
    },
    Method {
        last: V2025_11,
        capability: needs(Server, "/logging"),
        ..client("logging/setLevel", Act::Log, Subject::Level)
    },
    Method {
        last: V2025_11,
        ..client("initialize", Act::Initialize, Subject::None)
    },
    Method {
        sender: Both,
        last: V2025_11,
        ..client("ping", Act::Ping, Subject::None)
    },
    Method {
        first: V2026,
        ..client("server/discover", Act::Discover, Subject::None)
    },
    Method {
        first: V2026,
        ..client("subscriptions/listen", Act::Listen, Subject::None)
    },
    // What servers ask of clients. From 2026-07-28 on they ask inside results instead.
    ask("sampling/createMessage", "/sampling"),
    ask("roots/list", "/roots"),
    Method {
        first: V2025_06,
        ..ask("elicitation/create", "/elicitation")
    },
    core_task("tasks/get", None),
    core_task("tasks/result", None),
    core_task("tasks/cancel", None),
    Method {
        subject: Subject::None,
        list_member: Some("tasks"),
        ..core_task("tasks/list", None)
    },
    extension_task("tasks/get"),
    extension_task("tasks/update"),
    extension_task("tasks/cancel"),
    // Notifications.
    Method {
        last: V2025_11,
        ..notice("notifications/initialized", Client)
    },
    Method {
        act: Act::Cancel,
        subject: Subject::Request,
        ..notice("notifications/cancelled", Both)
    },
    Method {
        act: Act::Progress,
        last: V2025_11,
        ..notice("notifications/progress", Both)
    },
    Method {
        act: Act::Progress,
        first: V2026,
        ..notice("notifications/progress", Server)
    },
    Method {
        last: V2025_11,
        capability: needs(Client, "/roots/listChanged"),
        ..notice("notifications/roots/list_changed", Client)
    },
    Method {
        capability: needs(Server, "/logging"),
        ..notice("notifications/message", Server)
    },
    changed(
        "notifications/tools/list_changed",
        "tools/list",
        needs(Server, "/tools/listChanged"),
    ),
    changed(
        "notifications/prompts/list_changed",
        "prompts/list",
        needs(Server, "/prompts/listChanged"),
    ),
    changed(
        "notifications/resources/list_changed",
        "resources/list",
        needs(Server, "/resources/listChanged"),
    ),
    Method {
        subject: Subject::Resource,
        ..changed(
            "notifications/resources/updated",
            "resources/read",
            needs(Server, "/resources/subscribe"),
        )
    },
    Method {
        first: V2025_11,
        last: V2025_11,
        capability: needs(Client, "/elicitation/url"),
        ..notice("notifications/elicitation/complete", Server)
    },
    Method {
        first: V2025_11,
        last: V2025_11,
        subject: Subject::Task,
        ..notice("notifications/tasks/status", Both)
    },
    Method {
        first: V2026,
        subject: Subject::Task,
        capability: needs(Server, "/extensions/io.modelcontextprotocol~1tasks"),
        ..notice("notifications/tasks", Server)
    },
    Method {
        first: V2026,
        ..notice("notifications/subscriptions/acknowledged", Server)
    },
];
