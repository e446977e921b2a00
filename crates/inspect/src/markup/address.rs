//! An address as a browser would read it, wherever a text spells it. Nothing is resolved or asked.

use super::entity::Spelled;
use std::ops::Range;

/// How much of an address is read; what is longer carries enough to be judged by that.
pub(super) const ADDRESS_MAX: usize = 16 * 1024;

/// How long the name of a scheme is that anybody knows.
const SCHEME_MAX: usize = 32;

/// Schemes that run what they hold, show it as a page, or start a program with it.
const RUNS: &[&str] = &[
    "command",
    "jar",
    "javascript",
    "jscript",
    "livescript",
    "mhtml",
    "mocha",
    "ms-msdt",
    "ms-officecmd",
    "search-ms",
    "shell",
    "vbscript",
    "view-source",
];

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// It holds what it stands for.
    Data,
    /// A file; with a host in it, of another machine.
    File,
    /// Anything that carries nothing anywhere by itself.
    Other,
    /// It runs.
    Runs,
    /// Somewhere in a network.
    Web,
}

/// An address that was read.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) scheme: Scheme,
    /// Where the end of the scheme is spelled.
    pub(super) colon: Option<Range<usize>>,
    /// What a browser would make of it, up to [`ADDRESS_MAX`].
    pub(super) text: String,
    /// How long it is as it is spelled.
    pub(super) length: usize,
}

impl Address {
    /// Reads an address out of a part of a text.
    pub(super) fn read(text: &str, range: Range<usize>, takes_backslashes: bool) -> Address {
        let length = range.len();
        let spelled = || Spelled::new(text, range.clone(), takes_backslashes);
        let (scheme, colon) = scheme(&mut spelled());
        let mut meant = String::new();
        if matches!(scheme, Scheme::Data | Scheme::File | Scheme::Web) {
            let shown = spelled().map(|(_, c)| c).skip_while(|c| *c <= ' ');
            for c in shown {
                if meant.len() >= ADDRESS_MAX {
                    break;
                }
                meant.push(c);
            }
        }
        Address {
            scheme,
            colon,
            text: meant,
            length,
        }
    }
}

/// The scheme of an address that begins here, and where its colon is.
pub(super) fn scheme(spelled: &mut Spelled<'_>) -> (Scheme, Option<Range<usize>>) {
    let mut name = String::new();
    let mut slashes = 0;
    for (at, c) in spelled.skip_while(|(_, c)| *c <= ' ') {
        match c {
            ':' if !name.is_empty() => return (named(&name), Some(at)),
            '/' | '\\' if name.is_empty() => {
                slashes += 1;
                if slashes == 2 {
                    return (Scheme::Web, None);
                }
            }
            'a'..='z' | 'A'..='Z' | '0'..='9' | '+' | '-' | '.'
                if slashes == 0 && name.len() < SCHEME_MAX =>
            {
                name.push(c.to_ascii_lowercase());
            }
            _ => return (Scheme::Other, None),
        }
    }
    (Scheme::Other, None)
}

fn named(name: &str) -> Scheme {
    match name {
        "data" => Scheme::Data,
        "file" => Scheme::File,
        "ftp" | "http" | "https" | "ws" | "wss" => Scheme::Web,
        _ if RUNS.contains(&name) => Scheme::Runs,
        _ => Scheme::Other,
    }
}
