//! Secrets and personal data in what is said: found by the rules of `inspect::data`, and treated by
//! label as the operator has it. What is found is never written down, only its label.

mod hushed;
mod log;
mod named;
mod number;
mod packs;
mod reveal;
mod sought;
mod threads;
mod tokens;
mod whole;

pub(super) use hushed::hushed;
pub(crate) use hushed::quotable;

pub(crate) use log::Log;
pub(super) use number::digits;
pub(crate) use packs::PackError;
pub(crate) use packs::read as read_packs;
pub(crate) use threads::Threads;
pub(crate) use tokens::Tokens;
pub(crate) use tokens::TokensError;

use super::inner::Extent;
use super::{Because, Passage, Role, Toward};
use config::settled::{self, DataAction, DataHandling};
use controls::{Action, Control, Severity};
use inspect::data::token;
use inspect::data::{Confidence, Kind, Rules, Sight, mark};
use inspect::view::Budget;
use number::Number;
use sought::Ignored;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What a text is told by of which not all was searched.
const UNREAD: &str = "text.unread";

/// What is done about secrets and personal data of one server on one route.
#[derive(Debug)]
pub(crate) struct Data {
    settled: settled::Data,
    /// What else counts, where several servers are concerned: the strictest of it.
    also: Box<[settled::Data]>,
    /// All there are: no record holds what they find in the name of a member, whatever is ignored.
    rules: Arc<Rules>,
    /// What is looked for on the way to a model, and to a server.
    answers: Arc<Rules>,
    arguments: Arc<Rules>,
    /// The route: tokens are good on the one that they were made on.
    route: Arc<str>,
    tokens: Option<Arc<Tokens>>,
}

/// One place of a text, and what is done about it.
#[derive(Clone, Debug)]
struct Treated {
    at: Range<usize>,
    label: Arc<str>,
    severity: Severity,
    action: DataAction,
}

impl Treated {
    /// Goes as far as another one that begins in it, and is as strict.
    fn take_in(&mut self, other: &Treated) {
        self.at.end = self.at.end.max(other.at.end);
        if strictness(other.action) > strictness(self.action) {
            self.action = other.action;
        }
    }
}

impl Data {
    pub(crate) fn new(settled: &settled::Data, route: &Arc<str>) -> Result<Data, PackError> {
        Data::of(settled.clone(), Box::default(), route)
    }

    /// The same where others count as well.
    fn of(
        settled: settled::Data,
        also: Box<[settled::Data]>,
        route: &Arc<str>,
    ) -> Result<Data, PackError> {
        let counting = || std::iter::once(&settled).chain(&also);
        let sought = |toward| packs::rules(&settled.packs, &Ignored::of(counting(), toward));
        Ok(Data {
            rules: packs::rules(&settled.packs, &Ignored::default())?,
            answers: sought(Toward::Model)?,
            arguments: sought(Toward::Server)?,
            also,
            route: Arc::clone(route),
            tokens: None,
            settled,
        })
    }

    /// Takes the key that tokens are made with.
    pub(crate) fn keyed(&mut self, tokens: &Arc<Tokens>) {
        self.tokens = Some(Arc::clone(tokens));
    }

    /// What remembers the ends of one message of a stream until the next. Streams are what servers send.
    pub(crate) fn threads(&self) -> Threads {
        Threads::new(Arc::clone(&self.answers))
    }

    /// What is looked for on this way.
    fn sought(&self, toward: Toward) -> &Rules {
        match toward {
            Toward::Model => &self.answers,
            Toward::Server => &self.arguments,
        }
    }

    /// Whether anything is looked for on this way.
    pub(super) fn looks(&self, toward: Toward) -> bool {
        self.sought(toward).iter().next().is_some()
    }

    /// What is done about something that was seen: of all that counts the strictest.
    fn action(&self, sight: &Sight<'_>, toward: Toward) -> DataAction {
        let actions = self.counting().map(|it| action(it, sight, toward));
        let strictest = actions.max_by_key(|action| strictness(*action));
        strictest.unwrap_or(DataAction::Refuse)
    }

    /// Whether anything that is found is kept from whoever reads this, and not just told.
    fn acts(&self, toward: Toward) -> bool {
        self.counting().any(|settled| acts(settled, toward))
    }

    /// Everything that counts here.
    fn counting(&self) -> impl Iterator<Item = &settled::Data> {
        std::iter::once(&self.settled).chain(&self.also)
    }

    /// What is found in a name, if something is; that it was not searched to its end, if it was not.
    pub(super) fn label(&self, name: &str) -> Option<Arc<str>> {
        let views = inspect::view::views(name, &Budget::default());
        let mut is_cut = views.is_cut();
        let found = views.search(|text| {
            let seen = self.rules.look(text);
            is_cut |= seen.is_cut;
            let all = seen.sights.into_iter();
            all.map(|it| (it.at, it.rule.label.clone()))
        });
        let found = found.into_iter().next().map(|seen| seen.what);
        found.or_else(|| is_cut.then(|| UNREAD.into()))
    }

    fn treated(&self, sight: &Sight<'_>, toward: Toward) -> Treated {
        Treated {
            at: sight.at.clone(),
            label: sight.rule.label.clone(),
            severity: sight.rule.severity,
            action: self.action(sight, toward),
        }
    }

    /// Everything of a text that something is done about. What its member is called says something of the
    /// whole of it, and excuses nothing that stands in it.
    fn seen(&self, passage: &mut Passage<'_, '_>) -> Vec<Treated> {
        let toward = passage.toward();
        let treated = |sight: &Sight<'_>| self.treated(sight, toward);
        let mut all = Vec::new();
        let is_cut = Cell::new(false);
        if is_told(passage)
            && let Some((thread, text)) = passage.thread()
        {
            let seen = thread.look(text);
            is_cut.set(seen.is_cut);
            all.extend(seen.sights.iter().map(treated));
        }
        let rules = self.sought(toward);
        let scanned = |text: &str| {
            let seen = rules.look(text);
            is_cut.set(is_cut.get() || seen.is_cut);
            let all = seen
                .sights
                .iter()
                .map(|it| (it.by.clone(), it.at.clone(), treated(it)));
            all.collect::<Vec<_>>()
        };
        if passage.is_bare() {
            // No other view of it says anything else.
            all.extend(scanned(passage.text()).into_iter().map(|(_, _, seen)| seen));
        } else {
            let views = passage.views();
            // Where not all views are made, not everything was looked at either.
            is_cut.set(is_cut.get() || views.is_cut());
            let found = views.search_by(scanned);
            all.extend(found.into_iter().map(|seen| Treated {
                at: seen.range,
                ..seen.what
            }));
        }
        let (named, extent) = self.named(passage);
        if is_cut.get() || extent == Extent::Part {
            passage.unread();
            if self.acts(toward) {
                // No honest text is made so, and what is in the rest of it is not known.
                let label = UNREAD.into();
                passage.refuse(|place, _| Because::Data { place, label });
            }
        }
        if !named.is_empty() {
            // Of the name and the form of a value the form knows more, but it excuses nothing.
            let by_form = strictest(&all);
            all.extend(named.into_iter().filter(|it| {
                let form = by_form.get(&(it.at.start, it.at.end));
                form.is_none_or(|form| *form < strictness(it.action))
            }));
        }
        all.retain(|it| it.action != DataAction::Ignore);
        once_each(all)
    }
}

/// What one of those that count does about something that was seen.
fn action(settled: &settled::Data, sight: &Sight<'_>, toward: Toward) -> DataAction {
    let side = |handling: &DataHandling| toward.side(handling);
    if let Some(own) = settled.rules.get(&*sight.rule.label).and_then(side) {
        return own;
    }
    let (handling, usual) = match sight.rule.kind {
        Kind::Personal => (&settled.personal, DataAction::Report),
        Kind::Secret => (
            &settled.secrets,
            match (toward, sight.confidence) {
                (Toward::Server, Confidence::High) => DataAction::Refuse,
                (Toward::Model, _) => DataAction::Redact,
                (Toward::Server, _) => DataAction::Report,
            },
        ),
    };
    match (side(handling).unwrap_or(usual), sight.confidence) {
        (DataAction::Ignore, _) => DataAction::Ignore,
        // What is doubtful changes nothing, unless its label is named.
        (_, Confidence::Low) => DataAction::Report,
        (action, _) => action,
    }
}

/// Whether one of those that count keeps anything from whoever reads this.
fn acts(settled: &settled::Data, toward: Toward) -> bool {
    let side = |handling: &DataHandling| toward.side(handling);
    let is_told = |action| strictness(action) <= strictness(DataAction::Report);
    let mut others = settled.rules.values().chain([&settled.personal]);
    // Of secrets something is done unless the operator says otherwise.
    side(&settled.secrets).is_none_or(|action| !is_told(action))
        || others.any(|handling| side(handling).is_some_and(|action| !is_told(action)))
}

impl Toward {
    /// What is done in this direction, where something is said of it.
    pub(crate) fn side(self, handling: &DataHandling) -> Option<DataAction> {
        match self {
            Toward::Model => handling.answers,
            Toward::Server => handling.arguments,
        }
    }
}

/// Whether messages of a stream say it one after the other: prose, and whatever is logged.
fn is_told(passage: &Passage<'_, '_>) -> bool {
    let mut names = passage.names();
    let is_logged = names.next().is_some_and(|name| name.is("params"))
        && names
            .next()
            .is_some_and(|name| name.is("data") || name.is("message"));
    match passage.role() {
        Role::Words => true,
        Role::Name => false,
        _ => is_logged,
    }
}

/// What is done at each place at most.
fn strictest(all: &[Treated]) -> HashMap<(usize, usize), u8> {
    let mut places = HashMap::new();
    for it in all {
        let strict = places.entry((it.at.start, it.at.end)).or_default();
        *strict = strictness(it.action).max(*strict);
    }
    places
}

/// In order, and each label once at one place: what is found in several views of a text is one thing.
fn once_each(mut all: Vec<Treated>) -> Vec<Treated> {
    if all.len() < 2 {
        return all;
    }
    all.sort_by_key(|it| (it.at.start, std::cmp::Reverse(it.at.end)));
    let mut last: HashMap<Arc<str>, usize> = HashMap::new();
    let mut kept: Vec<Treated> = Vec::with_capacity(all.len());
    for next in all {
        let before = last.get(&next.label).and_then(|at| kept.get_mut(*at));
        match before {
            Some(before) if next.at.start < before.at.end => before.take_in(&next),
            _ => {
                last.insert(next.label.clone(), kept.len());
                kept.push(next);
            }
        }
    }
    kept
}

/// The places where something is done, no two of which overlap: what is done about the strictest label of a
/// place is done about all that stand there, and each is told with that.
fn apart(seen: &mut [Treated]) -> Vec<Treated> {
    let mut places: Vec<Treated> = Vec::with_capacity(seen.len());
    let mut place_of = Vec::with_capacity(seen.len());
    for next in seen.iter() {
        match places.last_mut() {
            Some(last) if next.at.start < last.at.end => {
                if strictness(next.action) > strictness(last.action) {
                    last.label = next.label.clone();
                }
                last.take_in(next);
            }
            _ => places.push(next.clone()),
        }
        place_of.push(places.len() - 1);
    }
    for (it, place) in seen.iter_mut().zip(place_of) {
        if let Some(place) = places.get(place) {
            it.action = place.action;
        }
    }
    places
}

fn strictness(action: DataAction) -> u8 {
    match action {
        DataAction::Ignore => 0,
        DataAction::Report => 1,
        DataAction::Tokenise => 2,
        DataAction::Redact => 3,
        DataAction::Refuse => 4,
    }
}

/// Looks at one string: finds, rewrites, refuses.
pub(super) fn treat(passage: &mut Passage<'_, '_>, data: &Data) {
    if !data.looks(passage.toward()) {
        return;
    }
    match passage.role() {
        Role::Wire => {}
        Role::Address
        | Role::Blob
        | Role::Failure
        | Role::Name
        | Role::Structured
        | Role::Text
        | Role::Words => look(passage, data),
    }
}

fn look(passage: &mut Passage<'_, '_>, data: &Data) {
    let mut seen = data.seen(passage);
    // The names of things are what they are found by: they are told, or refused.
    if passage.role() == Role::Name {
        for it in &mut seen {
            if strictness(it.action) < strictness(DataAction::Refuse) {
                it.action = DataAction::Report;
            }
        }
    }
    let Some(first) = seen.first() else {
        return;
    };
    passage.hush(&first.label);
    let places = apart(&mut seen);
    told(passage, &seen);
    let because = |label: &str| {
        let label = label.into();
        move |place, _| Because::Data { place, label }
    };
    if let Some(first) = places.iter().find(|it| it.action == DataAction::Refuse) {
        passage.refuse(because(&first.label));
        return;
    }
    if let Some(text) = rewritten(passage.text(), &places, data) {
        if let Some(first) = places.first().filter(|_| passage.is_number()) {
            passage.refuse_instead(because(&first.label));
        }
        passage.rewrite(text);
    }
}

/// Writes down each label and what was done about it, once with how often.
fn told(passage: &mut Passage<'_, '_>, seen: &[Treated]) {
    let control = control(passage.toward());
    let mut told: Vec<(&Treated, u32)> = Vec::new();
    let mut places: BTreeMap<(&str, u8), usize> = BTreeMap::new();
    for it in seen {
        let next = told.len();
        let place = *places
            .entry((&it.label, strictness(it.action)))
            .or_insert(next);
        match told.get_mut(place) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => told.push((it, 1)),
        }
    }
    for (it, count) in told {
        let action = match it.action {
            DataAction::Ignore | DataAction::Report => Action::Report,
            DataAction::Redact => Action::Redact,
            DataAction::Refuse => Action::Refuse,
            DataAction::Tokenise => Action::Tokenise,
        };
        let rule = Cow::Owned(it.label.to_string());
        passage.found(control, rule, it.severity, count, action);
    }
}

fn control(toward: Toward) -> Control {
    match toward {
        Toward::Model => controls::N9_3,
        Toward::Server => controls::N1_1,
    }
}

/// The text with a word in each place that may not pass as it is.
fn rewritten(text: &str, seen: &[Treated], data: &Data) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut numbers = None;
    // What stands in an earlier message of its stream is not here to be replaced.
    for it in seen.iter().filter(|it| !it.at.is_empty()) {
        let word = match it.action {
            DataAction::Redact | DataAction::Refuse => mark(&it.label),
            DataAction::Tokenise => {
                let value = text.get(it.at.clone()).unwrap_or_default();
                let tokens = data.tokens.as_ref();
                let token = tokens.and_then(|tokens| tokens.write(&data.route, &it.label, value));
                token.unwrap_or_else(|| mark(&it.label))
            }
            DataAction::Ignore | DataAction::Report => continue,
        };
        // In the place of a number of JSON stands a string, so that the text is still JSON.
        let numbers = numbers.get_or_insert_with(|| number::numbers(text));
        let known = numbers.binary_search_by_key(&it.at.start, |number| number.at.start);
        let number = known.ok().and_then(|at| numbers.get(at));
        let number = number.filter(|number| number.at == it.at);
        let quote = number.map(Number::quote).unwrap_or_default();
        out.push_str(text.get(done..it.at.start)?);
        out.extend([&*quote, &word, &quote]);
        done = it.at.end;
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

impl Data {
    /// A token of this label for a whole value, or the mark of what is redacted where there can be none.
    /// What is such a token already stays it.
    pub(super) fn stand_in(&self, label: &str, value: &str) -> String {
        let tokens = self.tokens.as_ref();
        let known = token::find(value).into_iter().next().filter(|token| {
            let opens = tokens.is_some_and(|tokens| tokens.read(&self.route, token).is_some());
            token.at == (0..value.len()) && token.label == label && opens
        });
        match known {
            Some(_) => value.to_owned(),
            None => tokens
                .and_then(|tokens| tokens.write(&self.route, label, value))
                .unwrap_or_else(|| mark(label)),
        }
    }
}

#[cfg(test)]
mod tests;
