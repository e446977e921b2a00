//! Addresses in formulas, as renderers of LaTeX take them: `\href{address}{text}`, `\url{address}`,
//! `\includegraphics[width=…]{address}`.

use super::Scan;
use crate::markup::address::Scheme;
use crate::markup::carry::{self, Use};
use crate::markup::rule::Rule;

/// Commands that take an address, and how it is used.
const COMMANDS: [(&[u8], Use); 3] = [
    (b"\\href", Use::Link),
    (b"\\url", Use::Link),
    (b"\\includegraphics", Use::Image),
];

/// How far the address of a command may be from it: there may be options before it.
const OPTIONS_MAX: usize = 128;

/// Where the address of a command begins that stands here, and how it is used.
pub(super) fn calls(bytes: &[u8], at: usize) -> Option<(usize, Use)> {
    let rest = bytes.get(at..)?;
    let (command, used) = COMMANDS.iter().find(|(name, _)| rest.starts_with(name))?;
    let behind = rest.get(command.len()..)?;
    let blanks = |from: &[u8]| {
        let near = from.iter().take(OPTIONS_MAX);
        near.take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let mut skipped = blanks(behind);
    if behind.get(skipped) == Some(&b'[') {
        let options = behind.get(skipped..)?.iter().take(OPTIONS_MAX);
        skipped += options.clone().position(|byte| *byte == b']')? + 1;
        skipped += blanks(behind.get(skipped..)?);
    }
    let opens = behind.get(skipped) == Some(&b'{');
    opens.then_some((at + command.len() + skipped + 1, *used))
}

impl Scan<'_, '_> {
    /// A backslash that may begin such a command.
    pub(super) fn formula(&mut self, at: usize) {
        let Some((from, used)) = calls(self.bytes, at) else {
            return;
        };
        let end = self.end_of(from, |byte| !matches!(byte, b'}' | b'\n'));
        let range = from..end;
        if self.is_harmless(range.clone(), used) {
            return;
        }
        // Renderers read what is escaped, such as `\%` and `\&`, as what it is.
        let address = self.read(range.clone(), true);
        let what = match used {
            Use::Image => "image",
            Use::Link => "link",
        };
        match (address.scheme, &address.colon) {
            (Scheme::Runs, Some(colon)) => {
                self.found(Rule::Scheme, at..end, colon.clone(), "%3A");
            }
            (Scheme::Data, Some(colon)) if !carry::is_picture(&address, used) => {
                self.found(Rule::DataUri, at..end, colon.clone(), "%3A");
            }
            (Scheme::Web | Scheme::File, _) => {
                self.judged = self.judged.max(end);
                if let Some(rule) = self.judge(&address, used) {
                    let host = carry::host_for_notice(&address);
                    self.found(rule, at..end, range, format!("[{what} removed: {host}]"));
                }
            }
            _ => {}
        }
    }
}
