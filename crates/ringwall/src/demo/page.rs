//! What the demo prints: what was tried, what came back, and whether that is what should come back.

use super::caller::Heard;
use super::world::World;
use anstream::println;
use anstyle::{AnsiColor, Style};
use controls::Control;
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const STOPPED: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const TITLE: Style = Style::new().bold();

/// The longest text of somebody else that is printed on one line.
const SHOWN: usize = 160;

/// The page, as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Page {
    scenes: usize,
    claims: usize,
    broken: usize,
    refused: Vec<String>,
}

impl Page {
    pub(super) fn opening(&self, world: &World) {
        println!(
            "{TITLE}Ringwall demo{TITLE:#}: two users, two MCP servers, one gateway, all on this machine."
        );
        println!("  gateway   {}", world.resource(""));
        println!(
            "  issuer    {} {FAINT}(for development){FAINT:#}",
            world.issuer()
        );
        println!(
            "  servers   /workshop {FAINT}(over HTTP){FAINT:#}, /clock {FAINT}(a process){FAINT:#}"
        );
        println!("  files     {}", world.folder().display());
    }

    /// Begins a scene.
    pub(super) fn scene(&mut self, title: &str) {
        self.scenes += 1;
        println!("\n{TITLE}{:>2}  {title}{TITLE:#}", self.scenes);
    }

    /// Says what somebody does.
    pub(super) fn tries(&self, what: &str) {
        println!("    {what}");
    }

    /// Says more about what was seen.
    pub(super) fn note(&self, text: &str) {
        println!("      {FAINT}{}{FAINT:#}", shown(text));
    }

    /// Says that something holds, or that it does not.
    pub(super) fn claim(&mut self, holds: bool, said: &str) {
        self.claims += 1;
        if holds {
            println!("  {GOOD}✓{GOOD:#} {said}");
        } else {
            self.broken += 1;
            println!("  {BAD}✗ this does not hold:{BAD:#} {said}");
        }
    }

    /// A call has to be allowed, and its answer to hold this text.
    pub(super) fn allowed(&mut self, heard: &Heard, text: &str) {
        let holds = heard.status == 200 && heard.refusal().is_none() && heard.text().contains(text);
        let said = if holds {
            heard.text().to_owned()
        } else {
            heard.body.to_string()
        };
        self.claim(
            holds,
            &format!(
                "{GOOD}allowed{GOOD:#} {}: {}",
                took(heard.took),
                shown(&said)
            ),
        );
    }

    /// A message has to be refused with this status and code, by this control.
    pub(super) fn refused(&mut self, heard: &Heard, status: u16, code: &str, control: Control) {
        let Some(refusal) = heard.refusal() else {
            return self.claim(
                false,
                &format!(
                    "refused as {code}; what came back: {}",
                    shown(&heard.body.to_string())
                ),
            );
        };
        let holds =
            heard.status == status && refusal.code == code && refusal.control == control.id();
        let head = match heard.status {
            200 => refusal.code.clone(),
            status => format!("{status} {}", refusal.code),
        };
        let (time, by) = (took(heard.took), &refusal.control);
        self.claim(
            holds,
            &format!("{STOPPED}refused{STOPPED:#} {time}: {TITLE}{head}{TITLE:#}, control {by}"),
        );
        self.note(&refusal.reason);
        self.note(&format!("remedy: {}", refusal.remedy));
        self.refused.push(refusal.code);
    }

    /// The codes of every refusal that was printed.
    pub(super) fn codes(&self) -> &[String] {
        &self.refused
    }

    /// Says how it went, and how many claims did not hold.
    pub(super) fn closing(&self) -> usize {
        let Page { claims, broken, .. } = self;
        match broken {
            0 => println!("\n{GOOD}All {claims} claims above were checked and hold.{GOOD:#}"),
            _ => println!("\n{BAD}{broken} of {claims} claims above do not hold.{BAD:#}"),
        }
        self.broken
    }
}

/// How long something took.
fn took(time: Duration) -> String {
    format!("{FAINT}in {:.1} ms{FAINT:#}", time.as_secs_f64() * 1000.0)
}

/// A text of somebody else: one line, bounded, and without anything that moves a cursor.
fn shown(text: &str) -> String {
    let clean = inspect::text::clean(text);
    let mut line: String = clean
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    if clean.chars().count() > SHOWN {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_somebody_else_stays_on_its_line() {
        assert_eq!(shown("a\nb\u{1b}[2Jc"), "a bc");
        assert_eq!(shown(&"x".repeat(SHOWN + 1)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn counts_what_does_not_hold() {
        let mut page = Page::default();
        page.claim(true, "so it is");
        page.claim(false, "so it is not");
        assert_eq!(page.closing(), 1);
    }
}
