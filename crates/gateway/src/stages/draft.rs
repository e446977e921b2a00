//! The receipt of one message while it is on its way: what is known of it so far, which controls
//! ran, how long each stage took. It carries no permission: stages read evidence from each other,
//! never from here. The stage `record` turns it into the one record of the ledger.

use crate::bridge::Asker;
use crate::catalog::Tool;
use crate::content;
use crate::gate::Gate;
use crate::providers::{Reading, Surface};
use crate::route::{Route, Served};
use crate::sessions::{InFlight, Session};
use crate::stages::raw::Raw;
use crate::stages::suspect::Beside;
use controls::{Control, Finding, Score};
use identity::Caller;
use policy::{Decision, Policies};
use protocol::{Id, Shape};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Characters of what a message is about, in its record.
const SUBJECT: usize = 256;

/// Reasons kept of one message; a stream may give the same one without end.
const SKIPPED: usize = 32;

/// What is known so far.
#[derive(Debug)]
pub struct Draft {
    pub(super) id: String,
    pub(super) at_ms: u64,
    pub(super) began_ns: u64,
    marked_ns: u64,
    clock: Arc<dyn crate::clock::Clock>,
    pub(super) route: Option<Arc<Route>>,
    pub(super) source: IpAddr,
    pub(super) transport: &'static str,
    pub(super) method: Option<Cow<'static, str>>,
    /// What it is about, as its sender calls it; its record has no more of it than may be quoted.
    subject: Option<Box<str>>,
    pub(super) message: Option<Id>,
    /// Who waits for this message, where it answers a question that nobody else can answer any more.
    pub(super) asked: Option<Asker>,
    pub(super) shape: Option<Shape>,
    pub(super) revision: Option<&'static str>,
    pub(super) caller: Option<Arc<Caller>>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) served: Option<Arc<Served>>,
    pub(super) tool: Option<Arc<Tool>>,
    pub(super) line: Arc<Line>,
    /// The entry of a stream of changes among the client's requests under way.
    pub(super) flight: Option<InFlight>,
    pub(super) policy: Option<Verdict>,
    pub(super) findings: Vec<Finding>,
    /// What was found in the answer, which has room of its own.
    pub(super) answer_findings: Vec<Finding>,
    pub(super) scores: Vec<Score>,
    /// What detectors say of the arguments while the call goes on.
    pub(super) beside: Option<Beside>,
    /// What detectors are still to read of the message that was looked at last.
    pub(super) reading: Option<(Surface, Reading)>,
    pub(super) timings: audit::Timings,
    pub(super) request_bytes: usize,
    pub(super) answer_bytes: Option<usize>,
    pub(super) arguments: Option<[u8; 32]>,
    pub(super) answer: Option<[u8; 32]>,
    pub(super) kept_arguments: Option<String>,
    pub(super) kept_answer: Option<String>,
    ran: u128,
    skipped: Vec<(Control, Cow<'static, str>)>,
}

/// Whether the client still waits. What it means that it does not is for its revision to say: the
/// call goes on (rule S6), or is cancelled (rule H13).
#[derive(Debug)]
pub(super) struct Line {
    pub(super) gone: Arc<watch::Sender<bool>>,
    cancels: AtomicBool,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            gone: Arc::new(watch::Sender::new(false)),
            cancels: AtomicBool::new(false),
        }
    }
}

impl Line {
    /// Says that hanging up cancels the call.
    pub(super) fn hanging_up_cancels(&self) {
        self.cancels.store(true, Ordering::Release);
    }

    /// Whether it does.
    pub(super) fn is_cancelled_by_hanging_up(&self) -> bool {
        self.cancels.load(Ordering::Acquire)
    }

    /// Waits until nobody wants the call any more.
    pub(super) async fn taken_back(&self) {
        // The sender is here: there is always somebody who could say so.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// The client has hung up.
    pub(super) fn hung_up(&self) {
        if self.is_cancelled_by_hanging_up() {
            self.gone.send_replace(true);
        }
    }
}

/// What the policies said.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) policies: Arc<Policies>,
    pub(super) decision: Arc<Decision>,
}

/// The stages whose time is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the stages")]
pub enum Stage {
    Frame,
    Identify,
    Admit,
    Resolve,
    Validate,
    Inspect,
    Authorize,
    Consult,
    Forward,
    Screen,
}

impl Draft {
    /// The receipt of what a server says unasked on the stream that this message opened.
    pub(super) fn aside(gate: &Gate, opened: &Draft) -> Self {
        let mut draft = Draft::begin(gate, opened.source, opened.transport);
        draft.route = opened.route.clone();
        draft.caller = opened.caller.clone();
        draft.session = opened.session.clone();
        draft.revision = opened.revision;
        draft.served = opened.served.clone();
        draft.line = Arc::clone(&opened.line);
        draft.method = opened.method.clone();
        draft
    }

    /// Whether the stage that says who it is came to its end. Before that, a token may be somebody's who
    /// stole it.
    pub(super) fn is_identified(&self) -> bool {
        self.timings.identify.is_some()
    }

    /// Says what it is about, by its name or its URI.
    pub(super) fn is_about(&mut self, subject: &str) {
        self.subject = Some(content::quotable(subject).into());
    }

    /// What it is about, as a record may have it.
    pub(super) fn subject(&self) -> Option<Cow<'_, str>> {
        Some(self.recorded(self.subject.as_deref()?, SUBJECT))
    }

    /// The id of the message, as a record may have it: of a text somebody made it, and anything may be in it.
    pub(super) fn message(&self) -> Option<Cow<'_, str>> {
        let raw = self.message.as_ref()?.raw();
        match std::str::from_utf8(raw) {
            Ok(id) if id.starts_with('"') => Some(self.recorded(id, id.len())),
            _ => Some(String::from_utf8_lossy(raw)),
        }
    }

    /// What an answer would be called by: nobody answers what is itself an answer.
    pub(super) fn replies_to(&self) -> Option<&Id> {
        let message = self.message.as_ref();
        message.filter(|_| self.shape != Some(Shape::Response))
    }

    /// So many characters of a text, without what is found in it.
    fn recorded<'t>(&self, text: &'t str, most: usize) -> Cow<'t, str> {
        let hushed = match &self.route {
            Some(route) => route.content(self.served.as_ref()).hushed(text),
            None => content::hushed(text),
        };
        match hushed.char_indices().nth(most) {
            None => hushed,
            Some(_) => hushed.chars().take(most).collect(),
        }
    }

    /// Says on which route it arrived, of something that is refused before it is a message.
    pub(crate) fn arrived_on(&mut self, route: &Arc<Route>) {
        self.route = Some(Arc::clone(route));
    }

    /// Says which message this is the receipt of.
    pub(super) fn enter(&mut self, raw: &Raw) {
        self.request_bytes = raw.body.len();
        self.route = Some(Arc::clone(&raw.route));
    }

    /// The receipt of something that just arrived, from here, this way.
    pub fn begin(gate: &Gate, source: IpAddr, transport: &'static str) -> Self {
        let clock = Arc::clone(gate.clock());
        let now = clock.monotonic_ns();
        Draft {
            id: gate.next_id(),
            at_ms: clock.unix_ms(),
            began_ns: now,
            marked_ns: now,
            clock,
            route: None,
            source,
            transport,
            method: None,
            subject: None,
            message: None,
            asked: None,
            shape: None,
            revision: None,
            caller: None,
            session: None,
            served: None,
            tool: None,
            line: Arc::default(),
            flight: None,
            policy: None,
            findings: Vec::new(),
            answer_findings: Vec::new(),
            scores: Vec::new(),
            beside: None,
            reading: None,
            timings: audit::Timings::default(),
            request_bytes: 0,
            answer_bytes: None,
            arguments: None,
            answer: None,
            kept_arguments: None,
            kept_answer: None,
            ran: 0,
            skipped: Vec::new(),
        }
    }

    /// Wall time when the message arrived, in milliseconds since the Unix epoch.
    pub(super) fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// Says that this control's check ran to its end on this message.
    pub(super) fn ran(&mut self, control: Control) {
        self.ran |= 1u128.checked_shl(u32::from(control.row())).unwrap_or(0);
    }

    /// The same of several.
    pub(super) fn ran_all(&mut self, controls: impl Iterator<Item = Control>) {
        controls.for_each(|control| self.ran(control));
    }

    /// Says that this control's check had nothing to do here, and why.
    pub(super) fn skipped(&mut self, control: Control, why: impl Into<Cow<'static, str>>) {
        let skipped = (control, why.into());
        if self.skipped.len() < SKIPPED && !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }

    /// The controls that ran, in the order of the catalogue.
    pub(super) fn controls_run(&self) -> impl Iterator<Item = Control> + '_ {
        Control::all().filter(|control| self.ran >> u32::from(control.row()) & 1 == 1)
    }

    /// The controls that did not, and why.
    pub(super) fn controls_skipped(&self) -> &[(Control, Cow<'static, str>)] {
        &self.skipped
    }

    /// Notes how long the stage took that just ended; one that is gone through twice took both times.
    pub(super) fn done(&mut self, stage: Stage) {
        let now = self.clock.monotonic_ns();
        let micros = now.saturating_sub(self.marked_ns) / 1000;
        self.marked_ns = now;
        let slot = match stage {
            Stage::Frame => &mut self.timings.frame,
            Stage::Identify => &mut self.timings.identify,
            Stage::Admit => &mut self.timings.admit,
            Stage::Resolve => &mut self.timings.resolve,
            Stage::Validate => &mut self.timings.validate,
            Stage::Inspect => &mut self.timings.inspect,
            Stage::Authorize => &mut self.timings.authorize,
            Stage::Consult => &mut self.timings.consult,
            Stage::Forward => &mut self.timings.forward,
            Stage::Screen => &mut self.timings.screen,
        };
        *slot = Some(slot.unwrap_or(0).saturating_add(micros));
    }

    /// Everything from arrival until now, in microseconds.
    pub(super) fn total_us(&self) -> u64 {
        self.clock.monotonic_ns().saturating_sub(self.began_ns) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use controls::{N1_2, N1_3};

    #[tokio::test]
    async fn n5_1_of_the_reasons_why_checks_did_not_run_so_many_are_kept_and_each_once() {
        let still = Still::with("").await;
        let mut draft = Draft::begin(still.gate(), [127, 0, 0, 1].into(), "http");
        let reasons = (0..SKIPPED).map(|turn| format!("for the reason {turn}"));
        let expected: Vec<(_, Cow<'static, str>)> = reasons.map(|why| (N1_3, why.into())).collect();
        for (control, why) in &expected {
            draft.skipped(*control, why.clone());
            // A stream says the same of every message.
            draft.skipped(*control, why.clone());
        }
        assert_eq!(draft.controls_skipped(), expected);
        for control in [N1_2, N1_3] {
            draft.skipped(control, "for one reason more");
        }
        assert_eq!(draft.controls_skipped(), expected);
    }

    #[tokio::test]
    async fn n9_3_what_is_recorded_before_a_route_is_known_has_nothing_in_it_that_is_found() {
        let still = Still::with("").await;
        let mut draft = Draft::begin(still.gate(), [127, 0, 0, 1].into(), "http");
        draft.is_about("of 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");
        let told = draft.subject();
        let expected = "of [redacted: secret.github_token]";
        assert_eq!(told.as_deref(), Some(expected));
    }
}
