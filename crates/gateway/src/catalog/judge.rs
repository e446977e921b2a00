//! Whether a definition is trusted: by its pin, by what it hides, by what it says to the model, and by
//! what it passes for. What differs from its pin is held; what is seen for the first time is held unless
//! the operator trusts first uses and nothing speaks against it.

use crate::pins::{Entry, Kind, Pin, Pins, PinsError, Sighting};
use crate::squats;
use config::settled;
use controls::{Mode, SCORE_MAX, Score, Severity};
use inspect::likeness::{Likeness, Neighbour, Neighbourhood};
use inspect::pin::{self, Digest, Risk};
use inspect::{likeness, poison};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

/// From which severity on a suspicion holds a definition that nobody approved.
const HELD: Severity = Severity::High;
/// Suspicions that are written down of one definition.
pub(super) const SCORES: usize = 16;
/// Characters of a reason.
const WHY: usize = 300;

/// What all servers offer of one kind.
type Make<'a> = &'a dyn Fn(Kind) -> Neighbourhood;

/// What all servers offer, made ready when somebody is to be compared with it.
pub struct Around<'a> {
    make: Make<'a>,
    tools: OnceCell<Neighbourhood>,
    prompts: OnceCell<Neighbourhood>,
}

impl<'a> Around<'a> {
    /// What this makes of the tools and of the prompts of all servers, once it is asked for.
    pub fn new(make: Make<'a>) -> Self {
        Around {
            make,
            tools: OnceCell::new(),
            prompts: OnceCell::new(),
        }
    }

    fn tools(&self) -> &Neighbourhood {
        self.tools.get_or_init(|| (self.make)(Kind::Tool))
    }

    fn prompts(&self) -> &Neighbourhood {
        self.prompts.get_or_init(|| (self.make)(Kind::Prompt))
    }

    fn compare(&self, case: &Case<'_>) -> Vec<Likeness> {
        self.alike(&neighbour(case), (case.kind, case.definition))
    }

    /// What a definition has in common with those of other servers, and what its texts say of their tools;
    /// most severe first. Tools are compared with tools, prompts with prompts, and what data is called with
    /// nothing.
    pub(crate) fn alike(
        &self,
        it: &Neighbour<'_>,
        (kind, definition): (Kind, &Value),
    ) -> Vec<Likeness> {
        let told = match kind {
            Kind::Tool => self.tools().compare(it),
            Kind::Prompt => {
                let mut told = self.prompts().compare(it);
                for alike in &mut told {
                    alike.name = kind.key(&alike.name).into_owned();
                }
                told
            }
            Kind::Instructions | Kind::Resource | Kind::Template => Vec::new(),
        };
        with_spoken_of(told, self.tools().spoken_of_in(it, definition))
    }
}

/// All of both, each once, most severe first.
fn with_spoken_of(mut told: Vec<Likeness>, spoken_of: Vec<Likeness>) -> Vec<Likeness> {
    for more in spoken_of {
        let again = |it: &Likeness| {
            (it.rule, &it.server, &it.name) == (more.rule, &more.server, &more.name)
        };
        if !told.iter().any(again) {
            told.push(more);
        }
    }
    told.sort_by_key(|it| std::cmp::Reverse(it.severity));
    told
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Around")
    }
}

/// A definition in hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) server: &'a settled::Server,
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) definition: &'a Value,
    pub(crate) digest: Digest,
}

/// How a definition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is pinned as it is.
    Pinned,
    /// Something else is pinned.
    Changed,
    /// Nothing is pinned.
    Unapproved,
}

/// What is at hand where cases are judged, and what comes of it.
pub(crate) struct Desk<'a> {
    pub(crate) pins: &'a Pins,
    pub(crate) around: &'a Around<'a>,
    pub(crate) now_ms: u64,
    /// What is to be written down, in its order.
    pub(crate) entries: Vec<Entry>,
    waiting: HashSet<String>,
    /// How many more pins there may be of the server, once that was asked.
    room: Option<u32>,
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl<'a> Desk<'a> {
    pub(crate) fn new(pins: &'a Pins, around: &'a Around<'a>, now_ms: u64) -> Self {
        Desk {
            pins,
            around,
            now_ms,
            entries: Vec::new(),
            waiting: HashSet::new(),
            room: None,
        }
    }

    /// Judges a case, and says what speaks against it.
    pub(crate) fn judge(
        &mut self,
        case: &Case<'_>,
        pin: Option<&Pin>,
    ) -> Result<(Verdict, Vec<Score>), PinsError> {
        match pin {
            Some(pin) if pin.digest == case.digest => {
                self.settle(case);
                Ok((Verdict::Pinned, Vec::new()))
            }
            Some(pin) => Ok(self.differs(case, pin)),
            None => self.unknown(case),
        }
    }

    /// What speaks against a definition that is pinned otherwise, where only one party was shown it: it waits,
    /// and nobody's approval changes. Nothing if it would be taken over, were it shown to everybody.
    pub(crate) fn shown_otherwise(&mut self, case: &Case<'_>, pin: &Pin) -> Option<Vec<Score>> {
        let doubts = Doubts::of(case, None);
        if is_slight(case, pin, &doubts) {
            return None;
        }
        self.wait(
            case,
            "changed since it was approved, as it was shown to one user",
        );
        Some(doubts.scores)
    }

    fn differs(&mut self, case: &Case<'_>, pin: &Pin) -> (Verdict, Vec<Score>) {
        let doubts = Doubts::of(case, None);
        if is_slight(case, pin, &doubts) {
            let pin = case.pin(self.now_ms, "accepted as slight");
            self.waiting.remove(&*case.key());
            self.entries.push(Entry::Accepted {
                server: case.server.name.to_string(),
                tool: case.key().into_owned(),
                pin,
            });
            return (Verdict::Pinned, doubts.scores);
        }
        self.wait(case, "changed since it was approved");
        (Verdict::Changed, doubts.scores)
    }

    fn unknown(&mut self, case: &Case<'_>) -> Result<(Verdict, Vec<Score>), PinsError> {
        let doubts = Doubts::of(case, Some(self.around));
        let key = case.key();
        // What was taken back, or waited once, is not seen for the first time.
        let is_trusted = case.trusts_first_use()
            && doubts.held.is_none()
            && !self.waiting.contains(&*key)
            && self
                .pins
                .sighting(case.server.name.as_str(), &key)?
                .is_none();
        if is_trusted && self.has_room(case)? {
            let pin = case.pin(self.now_ms, "first use");
            self.entries.push(Entry::Approved {
                server: case.server.name.to_string(),
                tool: key.into_owned(),
                pin,
            });
            self.settle(case);
            return Ok((Verdict::Pinned, doubts.scores));
        }
        self.wait(case, doubts.held.as_deref().unwrap_or("never approved"));
        Ok((Verdict::Unapproved, doubts.scores))
    }

    /// Holds a definition, whatever speaks for it, and says what speaks against it.
    pub(crate) fn hold(&mut self, case: &Case<'_>, why: &str) -> Vec<Score> {
        self.wait(case, why);
        Doubts::of(case, Some(self.around)).scores
    }

    fn has_room(&mut self, case: &Case<'_>) -> Result<bool, PinsError> {
        let room = match self.room {
            Some(room) => room,
            None => Pins::PER_SERVER.saturating_sub(self.pins.count(case.server.name.as_str())?),
        };
        self.room = Some(room.saturating_sub(1));
        Ok(room > 0)
    }

    fn wait(&mut self, case: &Case<'_>, why: &str) {
        let key = case.key().into_owned();
        self.waiting.insert(key.clone());
        self.entries.push(Entry::Waiting(Sighting {
            server: case.server.name.to_string(),
            tool: key,
            digest: case.digest,
            definition: case.definition.clone(),
            at_ms: self.now_ms,
            why: why.chars().take(WHY).collect(),
        }));
    }

    /// Nothing of that name waits any more.
    pub(crate) fn settle(&mut self, case: &Case<'_>) {
        let key = case.key();
        self.waiting.remove(&*key);
        self.entries.push(Entry::Settled {
            server: case.server.name.to_string(),
            tool: key.into_owned(),
        });
    }
}

/// Whether a difference is so little that the operator accepts it unseen.
fn is_slight(case: &Case<'_>, pin: &Pin, doubts: &Doubts) -> bool {
    if case.server.accept_drift != settled::Drift::Low || doubts.held.is_some() {
        return false;
    }
    let changes = pin::diff(&pin.definition, case.definition);
    // Nothing that is told means that the comparison does not see it: then somebody has to.
    !changes.is_empty() && changes.iter().all(|change| change.risk == Risk::Low)
}

impl Case<'_> {
    pub(crate) fn key(&self) -> Cow<'_, str> {
        self.kind.key(self.name)
    }

    /// What a server lists as resources is data, which comes and goes: its first definition is believed
    /// if nothing speaks against it. Everything else is as the operator says.
    fn trusts_first_use(&self) -> bool {
        self.server.pins == settled::Pins::FirstUse || self.kind == Kind::Resource
    }

    fn pin(&self, at_ms: u64, by: &str) -> Pin {
        Pin {
            digest: self.digest,
            definition: self.definition.clone(),
            at_ms,
            by: by.to_owned(),
        }
    }
}

/// What speaks against a definition.
struct Doubts {
    /// Why it is held until somebody looked, if it is.
    held: Option<String>,
    /// What is suspected, as records have it. Hidden text is a fact and not among it.
    scores: Vec<Score>,
}

impl Doubts {
    fn of(case: &Case<'_>, around: Option<&Around<'_>>) -> Self {
        let suspicions = poison::study(case.definition);
        let mut scores: Vec<Score> = suspicions
            .iter()
            .map(|it| case.score(it.rule.name, it.rule.severity, it.place.clone()))
            .collect();
        let mut held = match inspect::definition::hidden(case.definition) {
            Ok(findings) if findings.is_empty() => None,
            Ok(_) => Some("hides text in its definition".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let mut enforced = suspicions.iter().filter(|it| case.holds(it.rule.name));
        let worst = enforced.next().filter(|it| it.rule.severity >= HELD);
        held = held.or_else(|| {
            worst.map(|it| format!("{} ({} at {})", it.rule.says, it.rule.name, it.place))
        });
        let alike = around.map(|around| around.compare(case));
        for alike in alike.unwrap_or_default() {
            scores.push(case.score(alike.rule, alike.severity, String::new()));
            if held.is_none() && alike.severity >= HELD && case.holds(alike.rule) {
                let says = likeness::named(alike.rule).map_or("", |rule| rule.says);
                let (server, name) = (alike.server, alike.name);
                held = Some(format!("{says}: `{server}/{name}` ({})", alike.rule));
            }
        }
        // Of more than are kept, those that decide are.
        scores.sort_by_key(|score| std::cmp::Reverse(score.refuses()));
        scores.truncate(SCORES);
        Doubts { held, scores }
    }
}

fn neighbour<'a>(case: &Case<'a>) -> Neighbour<'a> {
    Neighbour {
        server: case.server.name.as_str(),
        name: case.name,
        description: described(case.definition),
        digest: case.digest,
    }
}

/// What is suspected of what a server says it is, if it is not to be told because of it: it is not pinned,
/// since every release has another version.
pub(crate) fn speaks(server: &settled::Server, info: &Value) -> Option<Vec<Score>> {
    let scores = suspected(server, info);
    scores.iter().any(Score::refuses).then_some(scores)
}

/// What is suspected of something that a model reads, no list has, and so nobody approves. What is hidden in it
/// is dealt with where every text is.
pub(crate) fn suspected(server: &settled::Server, said: &Value) -> Vec<Score> {
    let case = Case {
        server,
        kind: Kind::Instructions,
        name: "",
        definition: said,
        digest: pin::digest(said),
    };
    Doubts::of(&case, None).scores
}

/// The rules whose suspicions hold a definition that nobody approved, unless the operator says otherwise.
/// Who a server passes for is no rule about a definition.
pub(crate) fn holding() -> impl Iterator<Item = &'static poison::Rule> {
    let all = poison::RULES.iter().chain(likeness::RULES);
    all.filter(|rule| rule.severity >= HELD && rule.name != squats::RULE)
}

/// What a definition says of itself.
pub(crate) fn described(definition: &Value) -> &str {
    let description = definition.get("description").and_then(Value::as_str);
    description.unwrap_or_default()
}

impl Case<'_> {
    /// What a suspicion of it under this rule comes to: it holds the definition, unless the operator of
    /// the server says otherwise.
    fn mode(&self, rule: &str) -> Mode {
        let said = self.server.content.modes.get(rule).copied();
        said.map_or(Mode::Enforce, Mode::from)
    }

    fn holds(&self, rule: &str) -> bool {
        self.mode(rule) == Mode::Enforce
    }

    fn score(&self, rule: &'static str, severity: Severity, place: String) -> Score {
        Score {
            control: controls::N9_2,
            detector: "definitions".into(),
            rule: rule.into(),
            value: value(severity),
            threshold: value(HELD),
            mode: self.mode(rule),
            place: place.into(),
        }
    }
}

/// How sure a rule is that is of this severity.
fn value(severity: Severity) -> u16 {
    match severity {
        Severity::Info => 100,
        Severity::Low => 300,
        Severity::Medium => 500,
        Severity::High => 800,
        Severity::Critical => SCORE_MAX,
    }
}
