//! Where the bytes of a view come from.

use std::fmt;
use std::ops::Range;

/// What is done to a text to make it readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Base64 (RFC 4648, both alphabets, with or without padding and line breaks), decoded.
    Base64,
    /// A character in its plainest form (NFKC).
    Compatible,
    /// A letter that looks like an ASCII one (UTS 39), as that.
    Confusable,
    /// An HTML entity or character reference, decoded.
    Entity,
    /// A `\u`, `\x` or `%u` escape, decoded.
    Escape,
    /// Hexadecimal digits, decoded.
    Hex,
    /// What [`text`](crate::text) counts as hidden, taken out.
    Invisible,
    /// A percent-encoded byte (RFC 3986 section 2.1), decoded.
    Percent,
    /// Quoted-printable (RFC 2045 section 6.7), decoded.
    Quoted,
    /// Letters turned back by 13 places.
    Rotated,
    /// Bytes carried by characters that cannot be seen, decoded.
    Smuggled,
    /// What markup keeps from a reader: comments, hidden elements, attributes, targets of links.
    Unseen,
    /// What a reader sees, with the markup taken out.
    Visible,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 13] = [
        Kind::Base64,
        Kind::Compatible,
        Kind::Confusable,
        Kind::Entity,
        Kind::Escape,
        Kind::Hex,
        Kind::Invisible,
        Kind::Percent,
        Kind::Quoted,
        Kind::Rotated,
        Kind::Smuggled,
        Kind::Unseen,
        Kind::Visible,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Base64 => "base64",
            Kind::Compatible => "compatible",
            Kind::Confusable => "confusable",
            Kind::Entity => "entity",
            Kind::Escape => "escape",
            Kind::Hex => "hex",
            Kind::Invisible => "invisible",
            Kind::Percent => "percent",
            Kind::Quoted => "quoted_printable",
            Kind::Rotated => "rot13",
            Kind::Smuggled => "smuggled",
            Kind::Unseen => "unseen",
            Kind::Visible => "visible",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u16);

impl Kinds {
    /// The empty set.
    pub const NONE: Kinds = Kinds(0);

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Kinds::NONE
    }

    /// Whether one is there.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & Kinds::from(kind).0 != 0
    }

    /// Those of both.
    #[must_use]
    pub fn with(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Each of them, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl From<Kind> for Kinds {
    fn from(kind: Kind) -> Kinds {
        Kinds(1 << kind as u16)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, kind) in self.iter().enumerate() {
            let joint = if at == 0 { "" } else { "+" };
            write!(f, "{joint}{}", kind.name())?;
        }
        Ok(())
    }
}

/// Segments kept of one view. With more, neighbours become one: spans get coarser, never wrong.
const SEGMENTS: usize = 1 << 14;

/// A part of a view that was made of a part of its parent, unit by unit.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Where it begins in the view.
    at: u32,
    /// Where its origin begins in the parent.
    from: u32,
    /// Bytes of the view that belong together; none where something was taken out.
    out: u32,
    /// Bytes of the parent that such a unit was made of.
    of: u32,
    kinds: Kinds,
}

impl Segment {
    /// Where the origin ends of what ends here in the view.
    fn origin_end(&self, end: u32) -> u32 {
        let units = end.saturating_sub(self.at).div_ceil(self.out.max(1));
        self.from + units.max(u32::from(self.out == 0)) * self.of
    }

    /// This one and all up to another one that ends here in the view, as one unit.
    fn joined(&self, last: &Segment, end: u32) -> Segment {
        Segment {
            out: end.saturating_sub(self.at),
            of: last.origin_end(end).saturating_sub(self.from),
            kinds: self.kinds.with(last.kinds),
            ..*self
        }
    }

    /// Where the origin begins of what begins here in the view.
    fn origin_start(&self, start: u32) -> u32 {
        let units = start.saturating_sub(self.at) / self.out.max(1);
        self.from + units * self.of
    }
}

/// Where each part of a view comes from: segments sorted in both texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    segments: Vec<Segment>,
    /// Bytes of the view.
    end: u32,
    /// Doublings of how many segments are kept as one.
    grain: u32,
    /// Segments that the last one was made of.
    held: u32,
}

impl Map {
    /// Adds `bytes` of the view, made of the parent's text at `from`: every `out` bytes of `of`.
    ///
    /// With `out` 0 nothing is added and `of` bytes were taken out.
    pub(super) fn push(
        &mut self,
        bytes: usize,
        from: usize,
        (out, of): (usize, usize),
        kinds: Kinds,
    ) {
        let small = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let segment = Segment {
            at: self.end,
            from: small(from),
            out: small(out),
            of: small(of),
            kinds,
        };
        self.end = self.end.saturating_add(small(bytes));
        let goes_on = self.segments.last().is_some_and(|last| {
            (last.out, last.of, last.kinds) == (segment.out, segment.of, kinds)
                && last.out > 0
                && segment.at.saturating_sub(last.at) % last.out == 0
                && last.origin_end(segment.at) == segment.from
        });
        if goes_on {
            return;
        }
        if self.held < 1 << self.grain
            && let Some(last) = self.segments.last_mut()
        {
            self.held += 1;
            *last = last.joined(&segment, self.end);
            return;
        }
        if self.segments.len() >= SEGMENTS {
            self.coarsen();
        }
        self.held = 1;
        self.segments.push(segment);
    }

    /// Makes every two segments one, and so those to come. They stay where they are: a view has many of
    /// them, and new memory has to be cleared first.
    fn coarsen(&mut self) {
        let ends = self.segments.iter().skip(2).step_by(2).map(|next| next.at);
        let ends: Vec<u32> = ends.chain([self.end]).collect();
        for (two, end) in self.segments.chunks_mut(2).zip(ends) {
            if let [first, rest @ ..] = two {
                let last = *rest.first().unwrap_or(first);
                *first = first.joined(&last, end);
            }
        }
        let mut is_first = false;
        self.segments.retain(|_| {
            is_first = !is_first;
            is_first
        });
        self.grain += 1;
    }

    /// The bytes of the parent that these bytes of the view were made of.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let (start, end) = self.within(&range);
        let Some(first) = self.segment(start) else {
            return 0..0;
        };
        let from = first.origin_start(start);
        let to = match end > start {
            true => self
                .segment(end - 1)
                .map_or(from, |last| last.origin_end(end)),
            false => from,
        };
        from as usize..to as usize
    }

    /// What was done to get these bytes, what was taken out between them included.
    pub(super) fn kinds(&self, range: &Range<usize>) -> Kinds {
        let (start, end) = self.within(range);
        let first = self.place(start);
        let touched = self.segments.iter().skip(first);
        touched
            .take_while(|segment| segment.at < end)
            .fold(Kinds::NONE, |kinds, segment| kinds.with(segment.kinds))
    }

    /// Whether this was done anywhere.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.segments.iter().any(|segment| segment.kinds.has(kind))
    }

    fn within(&self, range: &Range<usize>) -> (u32, u32) {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).min(self.end);
        (small(range.start), small(range.end))
    }

    fn place(&self, at: u32) -> usize {
        let after = self.segments.partition_point(|segment| segment.at <= at);
        after.saturating_sub(1)
    }

    fn segment(&self, at: u32) -> Option<&Segment> {
        self.segments.get(self.place(at))
    }
}
