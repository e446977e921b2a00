//! Which eras of the protocol a server speaks (rules V6 to V8): what is known of it, in which order
//! they are tried, and what an answer to `server/discover` shows.
//!
//! It sends nothing. What is known says only where to begin: a server is met in an era because it
//! answered in it just now, never because it did so once.

use super::{UpstreamError, lock};
use protocol::{Era, Message, Revision, Value, codes};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Which eras the operator lets a server be met in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EraChoice {
    /// Whichever it speaks.
    #[default]
    Auto,
    /// With a handshake and a session only.
    Legacy,
    /// Without them only.
    Modern,
}

/// What a server is known to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The legacy era; the modern one not, or nobody asked yet.
    Legacy,
    /// The modern era; the legacy one not, or nobody asked yet.
    Modern,
    /// Both.
    Both,
}

impl Verdict {
    /// Whether it is known to speak this era.
    pub fn speaks(self, era: Era) -> bool {
        matches!(
            (self, era),
            (Verdict::Both, _) | (Verdict::Legacy, Era::Legacy) | (Verdict::Modern, Era::Modern)
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Legacy => "legacy",
            Verdict::Modern => "modern",
            Verdict::Both => "both",
        })
    }
}

/// How long it is believed that a server does not speak an era. A server that has learnt one still
/// serves those who never ask, so that a stale verdict would go unnoticed for ever.
const LACK_BELIEVED: Duration = Duration::from_secs(600);

/// What is known of one server.
#[derive(Debug)]
pub(super) struct Eras {
    choice: EraChoice,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    legacy: Fact,
    modern: Fact,
}

#[derive(Clone, Copy, Debug, Default)]
enum Fact {
    #[default]
    Unknown,
    Speaks,
    Lacks {
        until: Instant,
    },
}

impl Facts {
    fn of(&mut self, era: Era) -> &mut Fact {
        match era {
            Era::Legacy => &mut self.legacy,
            Era::Modern => &mut self.modern,
        }
    }
}

/// In which order the eras are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) first: Era,
    pub(super) second: Option<Era>,
}

impl Order {
    pub(super) fn only(era: Era) -> Self {
        Order {
            first: era,
            second: None,
        }
    }
}

impl Eras {
    pub(super) fn new(choice: EraChoice) -> Self {
        Eras {
            choice,
            facts: Mutex::default(),
        }
    }

    /// The preferred era first, unless the server is known not to speak it. A server says in its
    /// answer to `server/discover` which modern revisions it speaks and as a rule no others, so
    /// that only a handshake shows whether it can be met with one.
    pub(super) fn order(&self, prefer: Era, now: Instant) -> Order {
        match self.choice {
            EraChoice::Legacy => return Order::only(Era::Legacy),
            EraChoice::Modern => return Order::only(Era::Modern),
            EraChoice::Auto => {}
        }
        let lacks = match *lock(&self.facts).of(prefer) {
            Fact::Lacks { until } => now < until,
            Fact::Unknown | Fact::Speaks => false,
        };
        let first = if lacks { other(prefer) } else { prefer };
        Order {
            first,
            second: Some(other(first)),
        }
    }

    /// Whether the operator lets it be met in this era.
    pub(super) fn permits(&self, era: Era) -> bool {
        match self.choice {
            EraChoice::Auto => true,
            EraChoice::Legacy => era == Era::Legacy,
            EraChoice::Modern => era == Era::Modern,
        }
    }

    /// It was met in this era.
    pub(super) fn found(&self, era: Era) {
        *lock(&self.facts).of(era) = Fact::Speaks;
    }

    /// It was asked in this era and answered as one who does not speak it.
    pub(super) fn lacks(&self, era: Era, now: Instant) {
        let until = now + LACK_BELIEVED;
        *lock(&self.facts).of(era) = Fact::Lacks { until };
    }

    /// Takes back what was thought of `era` if this failure of a link shows it to be wrong.
    pub(super) fn heed(&self, era: Era, error: &UpstreamError) {
        let wrong = match era {
            Era::Modern => matches!(error, UpstreamError::Era { .. }),
            // Calls are refused for many reasons; a revival only for this one.
            Era::Legacy => matches!(
                error,
                UpstreamError::Declined { .. } | UpstreamError::Revision { .. }
            ),
        };
        if wrong {
            *lock(&self.facts).of(era) = Fact::Unknown;
        }
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        match self.choice {
            EraChoice::Legacy => return Some(Verdict::Legacy),
            EraChoice::Modern => return Some(Verdict::Modern),
            EraChoice::Auto => {}
        }
        let facts = lock(&self.facts);
        match (facts.legacy, facts.modern) {
            (Fact::Speaks, Fact::Speaks) => Some(Verdict::Both),
            (Fact::Speaks, _) => Some(Verdict::Legacy),
            (_, Fact::Speaks) => Some(Verdict::Modern),
            _ => None,
        }
    }
}

fn other(era: Era) -> Era {
    match era {
        Era::Legacy => Era::Modern,
        Era::Modern => Era::Legacy,
    }
}

/// Whether this is how somebody answers `initialize` who knows no handshake. Where the network or
/// the credential failed, nothing was said about eras.
pub(super) fn refuses_handshake(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::Declined { .. } | UpstreamError::Revision { .. } => true,
        UpstreamError::Status { status } => speaks_of_eras(*status),
        _ => false,
    }
}

/// Whether this is how somebody answers `server/discover` who does not know it (rule V6).
pub(super) fn knows_no_discovery(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::Era { .. }
        | UpstreamError::Content { .. }
        | UpstreamError::Ended
        | UpstreamError::Malformed { .. }
        | UpstreamError::TooLarge { .. } => true,
        UpstreamError::Status { status } => speaks_of_eras(*status),
        _ => false,
    }
}

/// Whether a status can mean that an era is not spoken. One that is about this very request, its size
/// or its haste, says nothing of the kind: what one user brings about must not be believed for all.
fn speaks_of_eras(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 413 | 425 | 429)
}

/// What an answer to `server/discover` shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The server speaks the modern era, and perhaps says that it speaks the other one too.
    Modern { legacy_too: bool },
    /// It gave no sign of it.
    Legacy,
}

/// Reads an answer to `server/discover`. An error is that of a modern server with which nothing can
/// be done: to go back to a handshake then would be to let it choose the weaker protocol.
pub(super) fn shown(answer: &Message) -> Result<Shown, UpstreamError> {
    if let Some(result) = answer.result() {
        let offered = result.get("supportedVersions").map(Offered::read);
        return match offered {
            None => Ok(Shown::Legacy),
            Some(offered) => offered.judged(),
        };
    }
    let error = answer.error();
    let code = error.and_then(|error| error.get("code")?.integer());
    match code {
        Some(codes::UNSUPPORTED_PROTOCOL_VERSION) => {
            let supported = error.and_then(|error| error.get("data")?.get("supported"));
            match supported.map(Offered::read).map(Offered::judged) {
                Some(Ok(Shown::Legacy)) => Ok(Shown::Legacy),
                Some(Err(error)) => Err(error),
                // It refuses the very version that it says it speaks, or names none.
                _ => Err(UpstreamError::Declined {
                    code: codes::UNSUPPORTED_PROTOCOL_VERSION,
                }),
            }
        }
        Some(code) if is_modern(code) => Err(UpstreamError::Declined { code }),
        _ => Ok(Shown::Legacy),
    }
}

/// Whether only a server of the modern era uses this code.
pub(super) fn is_modern(code: i64) -> bool {
    matches!(
        code,
        codes::HEADER_MISMATCH
            | codes::MISSING_CLIENT_CAPABILITY
            | codes::UNSUPPORTED_PROTOCOL_VERSION
    )
}

/// The versions that a server names.
#[derive(Debug, Default)]
struct Offered {
    modern: bool,
    legacy: bool,
    /// One that nobody here knows.
    unknown: Option<String>,
}

impl Offered {
    fn read(list: Value<'_>) -> Self {
        let mut offered = Offered::default();
        for date in list.elements().filter_map(Value::text) {
            match Revision::named(&date).map(|revision| revision.rules().era) {
                Some(Era::Modern) => offered.modern = true,
                Some(Era::Legacy) => offered.legacy = true,
                None => offered.unknown = Some(date.chars().take(32).collect()),
            }
        }
        offered
    }

    fn judged(self) -> Result<Shown, UpstreamError> {
        match self {
            Offered { modern: true, .. } => Ok(Shown::Modern {
                legacy_too: self.legacy,
            }),
            Offered {
                legacy: false,
                unknown: Some(found),
                ..
            } => Err(UpstreamError::Revision { found }),
            _ => Ok(Shown::Legacy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::peek;
    use super::*;

    fn judge(text: &str) -> String {
        let answer = peek::own(text.to_owned().into()).unwrap();
        match shown(&answer) {
            Ok(Shown::Legacy) => "legacy".to_owned(),
            Ok(Shown::Modern { legacy_too: false }) => "modern".to_owned(),
            Ok(Shown::Modern { legacy_too: true }) => "both".to_owned(),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn v6_v7_an_answer_to_discover_shows_the_era() {
        for (result, expected) in [
            (r#"{"supportedVersions":["2026-07-28"]}"#, "modern"),
            (
                r#"{"supportedVersions":["2099-01-01","2026-07-28"]}"#,
                "modern",
            ),
            (
                r#"{"supportedVersions":["2025-11-25","2026-07-28"]}"#,
                "both",
            ),
            (r#"{"supportedVersions":["2025-11-25"]}"#, "legacy"),
            (
                r#"{"supportedVersions":["2025-11-25","2099-01-01"]}"#,
                "legacy",
            ),
            (
                r#"{"supportedVersions":["2099-01-01"]}"#,
                "upstream_revision",
            ),
            (r#"{"supportedVersions":[]}"#, "legacy"),
            (r#"{"supportedVersions":"2026-07-28"}"#, "legacy"),
            (r#"{"supportedVersions":[1,null,["2026-07-28"]]}"#, "legacy"),
            (r#"{"protocolVersion":"2026-07-28"}"#, "legacy"),
            ("{}", "legacy"),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            assert_eq!(judge(&text), expected, "{result}");
        }
    }

    #[test]
    fn v6_only_an_error_of_the_modern_era_stays_modern() {
        for (error, expected) in [
            (r#"{"code":-32601,"message":"x"}"#, "legacy"),
            (r#"{"code":-32602,"message":"x"}"#, "legacy"),
            (r#"{"code":-32000,"message":"x"}"#, "legacy"),
            (r#"{"code":-32002,"message":"x"}"#, "legacy"),
            (r#"{"code":-32042,"message":"x"}"#, "legacy"),
            (r#"{"code":-32020,"message":"x"}"#, "upstream_declined"),
            (r#"{"code":-32021,"message":"x"}"#, "upstream_declined"),
            (r#"{"code":-32022,"message":"x"}"#, "upstream_declined"),
            (
                r#"{"code":-32022,"message":"x","data":{"supported":["2025-06-18"]}}"#,
                "legacy",
            ),
            (
                r#"{"code":-32022,"message":"x","data":{"supported":["2099-01-01"]}}"#,
                "upstream_revision",
            ),
            (
                r#"{"code":-32022,"message":"x","data":{"supported":["2026-07-28","2025-06-18"]}}"#,
                "upstream_declined",
            ),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
            assert_eq!(judge(&text), expected, "{error}");
        }
    }

    #[test]
    fn v6_haste_and_size_are_no_verdict_on_an_era() {
        for (status, expected) in [
            (400, true),
            (404, true),
            (405, true),
            (406, true),
            (408, false),
            (413, false),
            (415, true),
            (425, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            let error = UpstreamError::Status { status };
            assert_eq!(knows_no_discovery(&error), expected, "{status}");
            assert_eq!(refuses_handshake(&error), expected, "{status}");
        }
    }

    #[test]
    fn v8_a_verdict_that_an_era_is_lacking_expires() {
        let eras = Eras::new(EraChoice::Auto);
        let now = Instant::now();
        let first = |prefer, now| eras.order(prefer, now).first;
        assert_eq!(eras.verdict(), None);
        assert_eq!(first(Era::Modern, now), Era::Modern);
        assert_eq!(first(Era::Legacy, now), Era::Legacy);
        eras.lacks(Era::Modern, now);
        eras.found(Era::Legacy);
        assert_eq!(eras.verdict(), Some(Verdict::Legacy));
        assert_eq!(first(Era::Modern, now), Era::Legacy);
        let just_before = now + LACK_BELIEVED - Duration::from_millis(1);
        assert_eq!(first(Era::Modern, just_before), Era::Legacy);
        assert_eq!(first(Era::Modern, now + LACK_BELIEVED), Era::Modern);
        eras.found(Era::Modern);
        assert_eq!(eras.verdict(), Some(Verdict::Both));
        assert_eq!(first(Era::Modern, now), Era::Modern);
        // What fails for another reason says nothing; what fails for this one does.
        eras.heed(Era::Modern, &UpstreamError::Deadline);
        eras.heed(Era::Legacy, &UpstreamError::Status { status: 429 });
        assert_eq!(eras.verdict(), Some(Verdict::Both));
        eras.heed(Era::Modern, &UpstreamError::Era { era: Era::Modern });
        assert_eq!(eras.verdict(), Some(Verdict::Legacy));
        eras.heed(Era::Legacy, &UpstreamError::Declined { code: -32601 });
        assert_eq!(eras.verdict(), None);
    }

    #[test]
    fn n3_4_the_operators_choice_is_the_only_era_tried() {
        for (choice, era, verdict) in [
            (EraChoice::Legacy, Era::Legacy, Verdict::Legacy),
            (EraChoice::Modern, Era::Modern, Verdict::Modern),
        ] {
            let eras = Eras::new(choice);
            eras.found(other(era));
            eras.lacks(era, Instant::now());
            for prefer in [Era::Legacy, Era::Modern] {
                assert_eq!(eras.order(prefer, Instant::now()), Order::only(era));
            }
            assert!(eras.permits(era) && !eras.permits(other(era)));
            assert_eq!(eras.verdict(), Some(verdict));
            assert!(verdict.speaks(era) && !verdict.speaks(other(era)));
        }
    }
}
