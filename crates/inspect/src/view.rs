//! The views of one text: what it says once it is read as a model may read it, not as it is written.
//!
//! A text is looked at as it is (the raw view) and in views that are made of it: without what is
//! hidden and with its characters normalised (Unicode NFKC), with letters that look like ASCII ones
//! folded into those (UTS 39), decoded (base64, hexadecimal, percent, HTML entities, `\u` escapes,
//! quoted-printable, ROT13, invisible characters that carry bytes), what its markup keeps from a
//! reader, and what a reader sees without its markup. Views are made of views, so an encoding inside
//! an encoding is read too. Every span of a view is mapped back to bytes of the text.
//!
//! A view holds what it changed and what stands around it, not the text once more: a mark shows where
//! something was left out. Plain text has no views but itself, and costs one pass and no allocation.
//!
//! This module never judges what it makes readable, and never makes more than its [`Budget`]: work
//! and memory are linear in the text, whatever it holds.

mod decode;
mod escape;
pub(crate) mod fold;
mod hint;
mod map;
mod markup;
mod normal;
mod quoted;
mod rotated;
mod runs;
mod smuggled;
mod weave;

use hint::Hints;
use map::Map;
pub use map::{Kind, Kinds};
pub use markup::code;
use std::borrow::Cow;
use std::ops::Range;
use weave::{Weaver, Woven};

/// How much may be made of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Encodings inside encodings that are followed.
    pub depth: usize,
    /// Views of one text, without the raw one.
    pub count: usize,
    /// Bytes of all views together: so many times those of the text, and
    pub growth: usize,
    /// so many bytes on top, since a short text is cheap in any case.
    pub slack: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            depth: 4,
            count: 32,
            growth: 8,
            slack: 4096,
        }
    }
}

/// Longer texts are looked at raw only, and count as cut: spans are kept in 32 bits.
const LONGEST: usize = u32::MAX as usize / 2;

/// How a view is made of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Normal,
    Folded,
    Decoded,
    Quoted,
    Smuggled,
    Unseen,
    Visible,
    Rotated,
}

/// What no more views are made of than once: each stands beside the main line of views.
const BRANCHES: [Step; 5] = [
    Step::Unseen,
    Step::Visible,
    Step::Quoted,
    Step::Rotated,
    Step::Smuggled,
];

/// A view that was made, and what of.
#[derive(Clone, Debug)]
struct Made {
    text: String,
    map: Map,
    /// 0 is the raw text, others count from one.
    parent: usize,
}

/// The views of one text.
#[derive(Debug)]
pub struct Views<'t> {
    raw: &'t str,
    made: Cow<'t, [Made]>,
    cut: bool,
}

/// The views of one text without the text, for whoever keeps that elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    made: Vec<Made>,
    cut: bool,
}

/// What was found in some view, and where in the text that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// Bytes of the text; of a run that was decoded as a whole, the whole run.
    pub range: Range<usize>,
    /// What was done to see it; nothing where it stands in the text just so.
    pub kinds: Kinds,
    /// What it is.
    pub what: T,
}

/// Makes the views of a text.
///
/// Linear in time and space; nothing is allocated for text that has no view but itself.
pub fn views<'t>(text: &'t str, budget: &Budget) -> Views<'t> {
    let Kept { made, cut } = Kept::new(text, budget);
    Views {
        raw: text,
        made: Cow::Owned(made),
        cut,
    }
}

impl Kept {
    /// Makes the views of a text.
    pub fn new(text: &str, budget: &Budget) -> Kept {
        if text.len() > LONGEST {
            return Kept {
                made: Vec::new(),
                cut: true,
            };
        }
        let room = text.len().saturating_mul(budget.growth);
        let mut maker = Maker {
            raw: text,
            budget: *budget,
            room: room.saturating_add(budget.slack),
            kept: Kept::default(),
        };
        maker.make();
        maker.kept
    }

    /// Whether the budget ended before everything was looked at.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The views again, of the very text they were made of.
    pub fn of<'t>(&'t self, text: &'t str) -> Views<'t> {
        Views {
            raw: text,
            made: Cow::Borrowed(&self.made),
            cut: self.cut,
        }
    }
}

impl<'t> Views<'t> {
    /// Whether the text has no view but itself.
    pub fn is_plain(&self) -> bool {
        self.made.is_empty()
    }

    /// Whether the budget ended before everything was looked at.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The text itself.
    pub fn raw(&self) -> &'t str {
        self.raw
    }

    /// Every view: the raw one first, those made of it behind it.
    pub fn iter(&self) -> impl Iterator<Item = View<'_>> {
        (0..=self.made.len()).map(|at| View { views: self, at })
    }

    /// Every view but the raw one.
    pub fn made(&self) -> impl Iterator<Item = View<'_>> {
        self.iter().skip(1)
    }

    /// Looks for something in every view, and says where in the text it is.
    ///
    /// What a view has just as the text has it is found in the text alone. The same may be found in
    /// several views.
    pub fn search<T, I>(&self, mut find: impl FnMut(&str) -> I) -> Vec<Seen<T>>
    where
        I: IntoIterator<Item = (Range<usize>, T)>,
    {
        self.search_by(|text| {
            let found = find(text).into_iter();
            found.map(|(at, what)| (at.clone(), at, what))
        })
    }

    /// The same for what is seen by more than what is looked for: of each the span that it is seen by, and
    /// then its own. A value may stand in the text just so, and the word that says what it is may not.
    pub fn search_by<T, I>(&self, mut find: impl FnMut(&str) -> I) -> Vec<Seen<T>>
    where
        I: IntoIterator<Item = (Range<usize>, Range<usize>, T)>,
    {
        let mut seen = Vec::new();
        for view in self.iter() {
            let found = find(view.text()).into_iter();
            seen.extend(found.filter_map(|(by, range, what)| {
                let kinds = view.kinds(by);
                (view.is_raw() || !kinds.is_empty()).then(|| Seen {
                    range: view.original(range),
                    kinds,
                    what,
                })
            }));
        }
        seen
    }
}

/// What a view says: 0 is the raw text, others count from one.
fn said<'v>(raw: &'v str, made: &'v [Made], at: usize) -> &'v str {
    match at.checked_sub(1).and_then(|at| made.get(at)) {
        Some(made) => &made.text,
        None => raw,
    }
}

/// One view of a text.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    views: &'v Views<'v>,
    at: usize,
}

impl<'v> View<'v> {
    /// What it says.
    pub fn text(&self) -> &'v str {
        said(self.views.raw, &self.views.made, self.at)
    }

    /// Whether it is the text itself.
    pub fn is_raw(&self) -> bool {
        self.at == 0
    }

    /// The bytes of the text that these bytes of the view were made of. Of a run that was decoded as
    /// a whole it is the whole run.
    ///
    /// A span that reaches over a place where something was left out covers that too.
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        let made = self.line();
        made.fold(range, |range, made| made.map.original(range))
    }

    /// What was done to get these bytes; empty if they stand in the text just so, and what is found
    /// in them is found in the raw view too.
    pub fn kinds(&self, range: Range<usize>) -> Kinds {
        let made = self.line();
        let start = (range, Kinds::NONE);
        let (_, kinds) = made.fold(start, |(range, kinds), made| {
            let more = made.map.kinds(&range);
            (made.map.original(range), kinds.with(more))
        });
        kinds
    }

    /// The view and those it was made of, back to the text.
    fn line(&self) -> impl Iterator<Item = &'v Made> + use<'v> {
        let views = self.views;
        let parent = move |at: usize| views.made.get(at.checked_sub(1)?);
        std::iter::successors(parent(self.at), move |made| parent(made.parent))
    }
}

/// Makes views until there is nothing to make or nothing to make it with.
struct Maker<'t> {
    raw: &'t str,
    budget: Budget,
    room: usize,
    kept: Kept,
}

impl Maker<'_> {
    fn text(&self, at: usize) -> &str {
        said(self.raw, &self.kept.made, at)
    }

    /// The main line first: normalised, folded, decoded, and again. What stands beside it is made at
    /// every depth, and decoded in turn afterwards, so that no branch takes the main line's budget.
    fn make(&mut self) {
        let mut branches = Vec::new();
        let mut at = 0;
        for depth in 0..=self.budget.depth {
            let hints = Hints::of(self.text(at));
            if hints.is_plain() {
                break;
            }
            let found = at;
            let first = self.kept.made.len();
            at = self.normal(at, hints);
            // What carries bytes unseen was taken out of the view that has nothing hidden in it.
            let hidden = self.kept.made.get(first);
            let hides = hidden.is_some_and(|made| made.map.has(Kind::Invisible));
            // Normalising may bring out what the hints have not seen.
            let hints = match at == found {
                true => hints,
                false => hints.with(Hints::of(self.text(at))),
            };
            for step in BRANCHES {
                let of = match step {
                    Step::Smuggled if !hides => continue,
                    Step::Smuggled => found,
                    _ => at,
                };
                let branch = self.step(of, step, hints);
                branches.extend(branch.map(|branch| (branch, depth)));
            }
            match self.decoded(at, depth, hints) {
                Some(next) => at = next,
                None => break,
            }
        }
        for (mut at, depth) in branches {
            for depth in depth..=self.budget.depth {
                let hints = Hints::of(self.text(at));
                at = self.normal(at, hints);
                let hints = hints.with(Hints::of(self.text(at)));
                match self.decoded(at, depth, hints) {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
    }

    /// What is encoded in a view, decoded. At the last depth nothing is: whatever could be is not read.
    fn decoded(&mut self, at: usize, depth: usize, hints: Hints) -> Option<usize> {
        if depth < self.budget.depth {
            return self.step(at, Step::Decoded, hints);
        }
        if Step::Decoded.is_hinted(hints) {
            let text = self.text(at);
            // There is no room for anything, so whatever is there fills it.
            let mut weaver = Weaver::new(text, 0);
            decode::weave(text, hints, &mut weaver);
            self.kept.cut |= weaver.is_full();
        }
        None
    }

    /// The view with nothing hidden in it and its characters in their plainest form.
    fn normal(&mut self, at: usize, hints: Hints) -> usize {
        let at = self.step(at, Step::Normal, hints).unwrap_or(at);
        self.step(at, Step::Folded, hints).unwrap_or(at)
    }

    /// One more view, if there is anything to see in it and there is room.
    fn step(&mut self, parent: usize, step: Step, hints: Hints) -> Option<usize> {
        if !step.is_hinted(hints) {
            return None;
        }
        let text = self.text(parent);
        let mut weaver = Weaver::new(text, self.room);
        match step {
            Step::Normal => normal::weave(text, &mut weaver),
            Step::Folded => fold::weave(text, &mut weaver),
            Step::Decoded => decode::weave(text, hints, &mut weaver),
            Step::Quoted => quoted::weave(text, &mut weaver),
            Step::Smuggled => smuggled::weave(text, &mut weaver),
            Step::Unseen => markup::weave_unseen(text, &mut weaver),
            Step::Visible => markup::weave_visible(text, &mut weaver),
            Step::Rotated => rotated::weave(text, &mut weaver),
        }
        let Woven { text, map, cut } = weaver.finish()?;
        if self.kept.made.len() >= self.budget.count {
            self.kept.cut = true;
            return None;
        }
        self.kept.cut |= cut;
        // A text that is nothing but hidden is shown as what it is: empty.
        if text.is_empty() && cut {
            return None;
        }
        self.room = self.room.saturating_sub(text.len());
        self.kept.made.push(Made { text, map, parent });
        Some(self.kept.made.len())
    }
}

impl Step {
    /// Whether the text has any of the bytes this step works on.
    fn is_hinted(self, hints: Hints) -> bool {
        match self {
            Step::Normal | Step::Smuggled => hints.has(Hints::ODD),
            Step::Folded => hints.has(Hints::HIGH),
            Step::Decoded => hints.has(Hints::ESCAPES.with(Hints::RUNS)),
            Step::Quoted => hints.has(Hints::EQUALS),
            Step::Unseen | Step::Visible => hints.has(Hints::MARKUP),
            Step::Rotated => hints.has(Hints::ROTATED),
        }
    }
}

#[cfg(test)]
mod tests;
