//! Which revisions a route speaks, and whose mistakes in headers it lets pass.
//!
//! A mistake is let pass for a client that is named, never for all of them: who is let off would
//! otherwise be for the caller to choose.

use crate::bounds;
use crate::problem::Problems;
use crate::settle::words;
use crate::settled::{Leniency, Protocol};
use crate::words::{HeaderMistake, Revision};
use crate::written;
use controls::{M1, N3_4};
use std::collections::BTreeMap;

/// Floor and leniency.
pub(super) fn settle(problems: &mut Problems, path: &str, written: &written::Protocol) -> Protocol {
    Protocol {
        minimum: revision(problems, &format!("{path}.minimum"), written.minimum),
        leniency: leniency(problems, &format!("{path}.leniency"), &written.leniency),
    }
}

fn revision(problems: &mut Problems, path: &str, said: Option<Revision>) -> Revision {
    let minimum = said.unwrap_or(Revision::R20250618);
    match minimum {
        Revision::R20241105 | Revision::R20250326 => {
            let message = "lets clients in that ask for tokens without an audience";
            problems.warn(
                M1,
                path,
                message,
                "write \"2025-06-18\" once all clients speak it",
            );
        }
        Revision::R20250618 | Revision::R20251125 | Revision::R20260728 => {}
    }
    minimum
}

fn leniency(problems: &mut Problems, path: &str, written: &[written::Leniency]) -> Vec<Leniency> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let mut known = BTreeMap::new();
    let mut list = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let at = format!("{path}[{index}]");
        client(problems, &format!("{at}.client"), &written.client);
        if let Some(first) = known.insert(written.client.as_str(), index) {
            let message = format!("is the client of {path}[{first}] already");
            let fix = "name each client once, with all of its mistakes";
            problems.refuse(None, &format!("{at}.client"), message, fix);
        }
        let allow = words::once(&written.allow);
        if allow.is_empty() {
            let fix = "name a mistake, or remove the client";
            problems.refuse(None, &format!("{at}.allow"), "is empty", fix);
        } else {
            warn(problems, &at, &allow);
        }
        list.push(Leniency {
            client: written.client.clone(),
            allow,
        });
    }
    list
}

/// What somebody gives up who lets mistakes pass.
fn warn(problems: &mut Problems, path: &str, allow: &[HeaderMistake]) {
    let wrong = allow.iter().any(|it| match it {
        HeaderMistake::WrongMethod | HeaderMistake::WrongName | HeaderMistake::WrongParams => true,
        HeaderMistake::MissingMethod
        | HeaderMistake::MissingName
        | HeaderMistake::MissingParams => false,
    });
    let message = if wrong {
        "lets this client's headers say another call than its messages make: what reads headers in front \
         of the gateway can be deceived"
    } else {
        "lets this client leave headers out: what reads headers in front of the gateway does not see its \
         calls"
    };
    let fix = "remove it once the client sends what MCP asks for";
    problems.warn(N3_4, path, message, fix);
}

/// A client's identifier as a token carries it: a word, or an address (client ID metadata documents).
fn client(problems: &mut Problems, path: &str, text: &str) {
    let plain = |b: u8| (0x20..=0x7e).contains(&b);
    if text.contains('*') {
        let message = "names clients by a pattern, and none but a known one is let off";
        let fix = "name the client exactly as its tokens do";
        problems.refuse(N3_4, path, message, fix);
    } else if text.is_empty()
        || text.trim() != text
        || text.len() > bounds::ADDRESS_LENGTH
        || !text.bytes().all(plain)
    {
        let fix = "write the client's identifier, exactly as its tokens name it";
        problems.refuse(None, path, "is not a client", fix);
    }
}
