//! Markup, addresses and floods in what servers say.

use super::super::{address, limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::Output;
use crate::words::{Elsewhere, Excess, Treatment};
use crate::written;
use controls::{N1_4, N9_4};

/// What was written, or its defaults.
pub(super) fn settle(problems: &mut Problems, path: &str, written: &written::Output) -> Output {
    let at = |name: &str| format!("{path}.{name}");
    let sizes = [
        (
            "text_bytes",
            written.text_bytes.as_ref(),
            bounds::TEXT_BYTES,
        ),
        (
            "message_bytes",
            written.message_bytes.as_ref(),
            bounds::MESSAGE_BYTES,
        ),
    ];
    let [text_bytes, message_bytes] =
        sizes.map(|(name, said, bounds)| limits::size(problems, &at(name), said, bounds));
    if message_bytes < text_bytes && written.text_bytes.is_some() {
        let message = "is more than all texts of one message may be together";
        let fix = format!("write less, or more for `{}`", at("message_bytes"));
        problems.warn(N9_4, &at("text_bytes"), message, fix);
    }
    let tokens = limits::number(
        problems,
        &at("text_tokens"),
        written.text_tokens,
        bounds::TEXT_TOKENS,
    );
    let images = written.images.unwrap_or(Treatment::Neutralise);
    if images != Treatment::Neutralise {
        let message =
            "lets a server have its images loaded with what it was told in their addresses";
        let fix = "remove the line, and name hosts that may be reached in `hosts`";
        problems.warn(N1_4, &at("images"), message, fix);
    }
    Output {
        markup: written.markup.unwrap_or(Treatment::Report),
        images,
        links: written.links.unwrap_or(Treatment::Report),
        hosts: hosts(problems, &at("hosts"), &written.hosts),
        elsewhere: written.elsewhere.unwrap_or(Elsewhere::Judge),
        text_bytes,
        text_tokens: tokens,
        message_bytes,
        repetition: written.repetition.unwrap_or(Excess::Report),
        emptiness: written.emptiness.unwrap_or(Excess::Report),
    }
}

fn hosts(problems: &mut Problems, path: &str, written: &[String]) -> Vec<String> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let mut hosts = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let (mark, name) = match text.strip_prefix("*.") {
            Some(name) => ("*.", name),
            None => ("", text.as_str()),
        };
        match address::host(name).filter(|_| !name.contains('*')) {
            Some(host) => hosts.push(format!("{mark}{host}")),
            None => {
                let fix = "write a name without scheme, port and path: `cdn.example.com`, or \
                           `*.example.com` for all names below it";
                problems.refuse(N1_4, &format!("{path}[{index}]"), "is not a host name", fix);
            }
        }
    }
    words::once(&hosts)
}
