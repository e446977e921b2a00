//! The revisions of MCP as a table. Whatever differs between them is a field of [`Rules`], so that
//! no other code asks which version it is talking.

use std::fmt;

/// One revision of the specification, named by its date. Later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// The first: two endpoints, one of them a stream.
    V2024_11_05,
    /// Streamable HTTP, sessions, batches.
    V2025_03_26,
    /// Resource servers, structured results, a version header, no batches.
    V2025_06_18,
    /// Tasks, URL elicitation, polling streams.
    V2025_11_25,
    /// Stateless: no handshake, no session, every request complete in itself.
    V2026_07_28,
}

/// Whether a connection begins with a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// `initialize`, then a session.
    Legacy,
    /// Every request carries version and capabilities.
    Modern,
}

/// How the revision runs over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A stream endpoint that names a second endpoint to post to.
    HttpSse,
    /// One endpoint; answers are JSON or a stream.
    StreamableHttp,
}

/// When a request must carry `MCP-Protocol-Version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionHeader {
    /// The header does not exist yet.
    Unknown,
    /// On everything after the handshake.
    AfterHandshake,
    /// On every request, and equal to the one in `_meta`.
    Always,
}

/// What it means that a client closes the connection of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disconnect {
    /// The request is cancelled.
    Cancels,
    /// Nothing: the answer may be fetched later.
    Continues,
}

/// What `structuredContent` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Structured {
    /// The member does not exist yet.
    Absent,
    /// An object.
    Object,
    /// Any JSON value.
    Any,
}

/// What a revision asks of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The date that names the revision on the wire.
    pub date: &'static str,
    /// Handshake or not.
    pub era: Era,
    /// How it runs over HTTP.
    pub transport: Transport,
    /// A connection begins with `initialize`.
    pub handshake: bool,
    /// `Mcp-Session-Id` exists.
    pub sessions: bool,
    /// A GET opens a stream for messages that answer nothing.
    pub standalone_stream: bool,
    /// A DELETE ends a session.
    pub delete: bool,
    /// When the version header must be there.
    pub version_header: VersionHeader,
    /// `Mcp-Method`, `Mcp-Name` and `Mcp-Param-…` must mirror the body.
    pub mirror_headers: bool,
    /// An array of messages is a batch.
    pub batches: bool,
    /// The most messages of one batch, a limit of ours.
    pub batch_max: usize,
    /// Streams have event ids and can be resumed with `Last-Event-ID`.
    pub resumability: bool,
    /// A stream opens with an empty event that carries an id, and `retry` before it ends early.
    pub priming: bool,
    /// Servers may send requests to clients.
    pub server_requests: bool,
    /// What a closed connection means.
    pub disconnect: Disconnect,
    /// Every request carries version and capabilities in `_meta`.
    pub modern_meta: bool,
    /// Results say what they are: `resultType`, `ttlMs`, `cacheScope`.
    pub result_type: bool,
    /// What `structuredContent` may be.
    pub structured: Structured,
    /// The code for a resource that does not exist.
    pub resource_not_found: i64,
    /// The HTTP status that goes with an unknown method.
    pub unknown_method_status: u16,
}

const FIRST: Rules = Rules {
    date: "2024-11-05",
    era: Era::Legacy,
    transport: Transport::HttpSse,
    handshake: true,
    sessions: false,
    standalone_stream: true,
    delete: false,
    version_header: VersionHeader::Unknown,
    mirror_headers: false,
    batches: false,
    batch_max: 0,
    resumability: false,
    priming: false,
    server_requests: true,
    disconnect: Disconnect::Continues,
    modern_meta: false,
    result_type: false,
    structured: Structured::Absent,
    resource_not_found: crate::codes::RESOURCE_NOT_FOUND,
    unknown_method_status: 200,
};

const STREAMABLE: Rules = Rules {
    date: "2025-03-26",
    transport: Transport::StreamableHttp,
    sessions: true,
    delete: true,
    batches: true,
    batch_max: 64,
    resumability: true,
    ..FIRST
};

const STRUCTURED: Rules = Rules {
    date: "2025-06-18",
    version_header: VersionHeader::AfterHandshake,
    batches: false,
    batch_max: 0,
    structured: Structured::Object,
    ..STREAMABLE
};

const POLLING: Rules = Rules {
    date: "2025-11-25",
    priming: true,
    ..STRUCTURED
};

const STATELESS: Rules = Rules {
    date: "2026-07-28",
    era: Era::Modern,
    handshake: false,
    sessions: false,
    standalone_stream: false,
    delete: false,
    version_header: VersionHeader::Always,
    mirror_headers: true,
    resumability: false,
    priming: false,
    server_requests: false,
    disconnect: Disconnect::Cancels,
    modern_meta: true,
    result_type: true,
    structured: Structured::Any,
    resource_not_found: crate::codes::INVALID_PARAMS,
    unknown_method_status: 404,
    ..POLLING
};

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: &'static [Revision] = &[
        Revision::V2024_11_05,
        Revision::V2025_03_26,
        Revision::V2025_06_18,
        Revision::V2025_11_25,
        Revision::V2026_07_28,
    ];

    /// What the gateway serves unless the operator lowers the floor, oldest first.
    pub const SERVED: &'static [Revision] = &[Revision::V2025_06_18, Revision::V2025_11_25];

    /// What a handshake can end in if the floor permits, oldest first. The two oldest are spoken
    /// over Streamable HTTP only.
    pub const NEGOTIABLE: &'static [Revision] = &[
        Revision::V2024_11_05,
        Revision::V2025_03_26,
        Revision::V2025_06_18,
        Revision::V2025_11_25,
    ];

    /// What a peer speaks that names no version: the specification says so for HTTP requests
    /// without a header and without a session that knows better.
    pub const UNNAMED: Revision = Revision::V2025_03_26;

    /// The revision with this date.
    pub fn named(date: &str) -> Option<Revision> {
        Revision::ALL
            .iter()
            .copied()
            .find(|revision| revision.date() == date)
    }

    /// The revision's row.
    pub fn rules(self) -> &'static Rules {
        match self {
            Revision::V2024_11_05 => &FIRST,
            Revision::V2025_03_26 => &STREAMABLE,
            Revision::V2025_06_18 => &STRUCTURED,
            Revision::V2025_11_25 => &POLLING,
            Revision::V2026_07_28 => &STATELESS,
        }
    }

    /// The name on the wire.
    pub fn date(self) -> &'static str {
        self.rules().date
    }

    /// The newest revision a handshake can end in.
    pub fn newest_with_handshake() -> Revision {
        Revision::V2025_11_25
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.date())
    }
}

/// What a server answers to `initialize`: the version asked for if it is negotiable and not below
/// the floor, else the newest one with a handshake. The client then agrees or leaves.
///
/// A revision without a handshake is never answered, not even when asked for.
pub fn negotiate(requested: &str, floor: Revision) -> Revision {
    let asked = Revision::named(requested);
    asked
        .filter(|revision| *revision >= floor && Revision::NEGOTIABLE.contains(revision))
        .unwrap_or(Revision::newest_with_handshake())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_revision_is_found_by_its_date() {
        for revision in Revision::ALL {
            assert_eq!(Revision::named(revision.date()), Some(*revision));
            assert_eq!(revision.to_string(), revision.rules().date);
        }
        for unknown in ["", "2025-06-1", "2025-06-18 ", "2099-01-01", "draft"] {
            assert_eq!(Revision::named(unknown), None, "{unknown}");
        }
        assert!(Revision::ALL.is_sorted());
    }

    #[test]
    fn n3_4_negotiates_down_to_the_floor_and_never_into_another_era() {
        use Revision::*;
        let cases = [
            ("2025-11-25", V2025_06_18, V2025_11_25),
            ("2025-06-18", V2025_06_18, V2025_06_18),
            ("2025-03-26", V2025_06_18, V2025_11_25),
            ("2025-03-26", V2025_03_26, V2025_03_26),
            ("2024-11-05", V2025_03_26, V2025_11_25),
            ("2024-11-05", V2024_11_05, V2024_11_05),
            ("2026-07-28", V2024_11_05, V2025_11_25),
            ("2099-01-01", V2025_06_18, V2025_11_25),
            ("", V2025_06_18, V2025_11_25),
        ];
        for (requested, floor, expected) in cases {
            assert_eq!(negotiate(requested, floor), expected, "{requested} {floor}");
        }
    }

    #[test]
    fn the_table_agrees_with_itself() {
        for revision in Revision::ALL {
            let rules = revision.rules();
            assert_eq!(rules.era == Era::Legacy, rules.handshake, "{revision}");
            assert_eq!(rules.era == Era::Modern, rules.modern_meta, "{revision}");
            assert!(!rules.priming || rules.resumability, "{revision}");
            assert!(!rules.delete || rules.sessions, "{revision}");
            assert_eq!(rules.batches, rules.batch_max > 0, "{revision}");
            assert_eq!(rules.handshake, Revision::NEGOTIABLE.contains(revision));
        }
        for served in Revision::SERVED {
            assert!(Revision::NEGOTIABLE.contains(served));
        }
    }

    #[test]
    fn only_one_revision_has_batches() {
        let with: Vec<_> = Revision::ALL.iter().filter(|r| r.rules().batches).collect();
        assert_eq!(with, [&Revision::V2025_03_26]);
    }
}
