//! The automaton of one expression: stepped byte by byte from a place that is given, it says in one pass
//! where the match ends and where in it the value stands that the expression marks.
//!
//! Its states are made of those of the expression (a Thompson automaton) as texts ask for them. A state
//! is the parts of the expression that may come next, those that the expression prefers first; each
//! of them knows by which register it goes, and a register holds where the groups on the way to it
//! began and ended. Most steps change no register, so that a step is one look into a table.
//!
//! It searches nothing: it never looks at another place than the one it is asked about. What was made
//! is forgotten once it takes more than is allowed, and made anew.

use regex_automata::nfa::thompson::{NFA, State as Part};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The most groups of an expression: a mark for where each begins and ends, in one word.
pub(super) const GROUPS: usize = 32;
/// The most that is remembered of states, in bytes.
const REMEMBERED: usize = 256 * 1024;
/// What a state or an edge takes beside its parts, about, in bytes.
const BESIDE: usize = 128;
/// A mark that was not passed.
const NOWHERE: usize = usize::MAX;

/// An edge of the table that nothing is known of yet.
const UNKNOWN: u32 = u32::MAX;
/// An edge that leads nowhere.
const DEAD: u32 = u32::MAX - 1;
/// Edges from here on do more than to lead to a state.
const ASIDE: u32 = 1 << 31;

/// An expression, ready to be stepped through.
pub(super) struct Automaton {
    nfa: NFA,
    /// Bytes that no part of the expression tells apart have one class.
    classes: [u8; 256],
    /// A byte of each class.
    of_class: Box<[u8]>,
    /// Where groups begin and end: two for each.
    marks: usize,
    /// Whether anything depends on the byte before.
    looks_back: bool,
}

/// What was matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Match {
    /// Where it ends.
    pub(in crate::data) end: usize,
    /// The first group that has a part in it, or all of it where the expression has no groups.
    pub(in crate::data) value: Option<Range<usize>>,
}

impl Match {
    /// The same in a text that begins so much earlier.
    pub(in crate::data) fn moved(self, by: usize) -> Match {
        Match {
            end: self.end + by,
            value: self.value.map(|at| at.start + by..at.end + by),
        }
    }
}

/// What was made of an automaton so far, and what one run through it needs.
#[derive(Debug, Default)]
pub(in crate::data) struct Memory {
    /// Where each state leads with each class, and with the end of the text behind them.
    table: Vec<u32>,
    states: Vec<Arc<State>>,
    known: HashMap<Arc<State>, u32>,
    edges: Vec<Edge>,
    /// The states that runs begin in, by the byte before.
    starts: Vec<(Option<u8>, u32)>,
    /// Bytes that edges and states take beside the table.
    beside: usize,
    registers: Registers,
}

/// The marks of each register of the state that a run is in.
#[derive(Debug, Default)]
struct Registers {
    now: Vec<usize>,
    next: Vec<usize>,
}

/// What may come next, what is preferred first.
#[derive(Debug, PartialEq, Eq, Hash)]
struct State {
    threads: Box<[Thread]>,
    before: Option<u8>,
}

/// A part of the expression, and the register of whoever comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    at: StateID,
    register: usize,
}

/// An edge that does more than to lead to a state.
#[derive(Clone, Debug)]
struct Edge {
    /// Where it leads, or that it leads nowhere.
    next: u32,
    /// Whether the expression matched before this byte, and whose marks those are.
    matched: Option<Move>,
    /// What the registers are behind it, if they are not what they were.
    moves: Option<Box<[Move]>>,
}

/// How far one goes without a change of registers.
#[derive(Debug)]
struct Way {
    /// The byte that goes no further that way.
    ahead: usize,
    state: u32,
    /// The edge of that byte, if there is one.
    edge: u32,
    /// The last place before which the expression matched, and the edge that says so.
    matched: Option<(usize, u32)>,
}

/// What a register takes over from another one, and which of its marks are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    from: usize,
    marks: u64,
}

/// All that comes of a state with one class.
#[derive(Debug, Default)]
struct Stepped {
    threads: Vec<Thread>,
    moves: Vec<Move>,
    matched: Option<Move>,
}

impl Automaton {
    /// Of a Thompson automaton with its groups, of which there are [`GROUPS`] at most, and without anything
    /// that asks for characters beyond ASCII around a place.
    pub(super) fn new(nfa: NFA) -> Automaton {
        let mut classes = [0; 256];
        let mut of_class = Vec::new();
        for (byte, class) in (0..=u8::MAX).zip(&mut classes) {
            *class = nfa.byte_classes().get(byte);
            if usize::from(*class) >= of_class.len() {
                of_class.push(byte);
            }
        }
        let looks_ahead =
            |look: Look| matches!(look, Look::End | Look::EndLF | Look::WordEndHalfAscii);
        Automaton {
            classes,
            of_class: of_class.into(),
            marks: nfa.group_info().explicit_slot_len(),
            looks_back: !nfa.look_set_any().iter().all(looks_ahead),
            nfa,
        }
    }

    /// Whether a text may begin with a match that begins with this byte.
    pub(super) fn goes_on_with(&self, memory: &mut Memory, byte: u8) -> bool {
        let state = memory.start(self, None);
        let class = usize::from(self.class(byte));
        memory.edge(self, state, class) != DEAD
    }

    /// What the expression matches from `start` on, if it does. `steps` grows by the bytes that were looked
    /// at.
    pub(super) fn run(
        &self,
        memory: &mut Memory,
        text: &[u8],
        start: usize,
        steps: &mut usize,
    ) -> Option<Match> {
        let rest = text.get(start..)?;
        let before = start.checked_sub(1).and_then(|it| text.get(it)).copied();
        let mut state = memory.start(self, self.before(before));
        memory.registers.begin(self.marks);
        let mut found = None;
        let mut ahead = 0;
        loop {
            let way = self.along(memory, rest, ahead, state);
            (ahead, state) = (way.ahead, way.state);
            if let Some((at, edge)) = way.matched {
                found = memory.matched(self.marks, edge, (start, start + at));
            }
            let Some(byte) = rest.get(ahead).filter(|_| way.edge != DEAD) else {
                break;
            };
            let class = usize::from(self.class(*byte));
            state = self.aside(memory, state, class, (start, start + ahead), &mut found);
            if state == DEAD {
                break;
            }
            ahead += 1;
        }
        *steps = steps.saturating_add(ahead + 1);
        if ahead == rest.len() {
            let class = self.of_class.len();
            self.aside(memory, state, class, (start, text.len()), &mut found);
        }
        found
    }

    /// Goes by edges that change no register, as far as there are such.
    ///
    /// What is read of the table says where to read next, which takes a while. So it is guessed: a count of
    /// a repetition leads to the state that was made behind it, and what repeats without a count leads to
    /// itself. Where the guess is right nothing waits.
    fn along(&self, memory: &Memory, text: &[u8], from: usize, state: u32) -> Way {
        let stride = u32::try_from(self.of_class.len() + 1).unwrap_or(0);
        let mut way = Way {
            ahead: from,
            state,
            edge: UNKNOWN,
            matched: None,
        };
        while let Some(byte) = text.get(way.ahead) {
            let state = way.state;
            let behind = state.wrapping_add(stride);
            let edge = memory.at(state, usize::from(self.class(*byte)));
            let mut next = edge;
            if edge >= ASIDE {
                let plain = memory.aside(edge).filter(|edge| edge.moves.is_none());
                let Some(plain) = plain else {
                    way.edge = edge;
                    return way;
                };
                if plain.matched.is_some() {
                    way.matched = Some((way.ahead, edge));
                }
                next = plain.next;
                if next == DEAD {
                    way.edge = DEAD;
                    return way;
                }
            }
            way.ahead += 1;
            if next == behind {
                way.state = behind;
                continue;
            }
            if next == state {
                let rest = text.get(way.ahead..).unwrap_or_default();
                let stays = |byte: &u8| memory.at(state, usize::from(self.class(*byte))) == state;
                let leaves = rest.iter().position(|byte| !stays(byte));
                way.ahead += leaves.unwrap_or(rest.len());
                continue;
            }
            way.state = next;
        }
        way
    }

    /// Goes by an edge that may do more than to lead to a state: where it leads, if anywhere. The run
    /// began at the first of the two places and is at the second.
    fn aside(
        &self,
        memory: &mut Memory,
        state: u32,
        class: usize,
        (start, here): (usize, usize),
        found: &mut Option<Match>,
    ) -> u32 {
        let number = memory.edge(self, state, class);
        let Some(edge) = memory.aside(number) else {
            return number;
        };
        let next = edge.next;
        if edge.matched.is_some() {
            *found = memory.matched(self.marks, number, (start, here));
        }
        memory.take_over(self.marks, number, here);
        next
    }

    fn class(&self, byte: u8) -> u8 {
        self.classes.get(usize::from(byte)).copied().unwrap_or(0)
    }

    /// As much of the byte before as anything depends on.
    fn before(&self, byte: Option<u8>) -> Option<u8> {
        match byte {
            _ if !self.looks_back => None,
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => Some(b'a'),
            Some(b'\n' | b'\r') | None => byte,
            Some(_) => Some(b' '),
        }
    }

    /// All that comes of a state with this byte, or with the end of the text.
    fn step(&self, state: &State, next: Option<u8>) -> Stepped {
        let mut stepped = Stepped::default();
        let parts = self.nfa.states().len();
        let (mut passed, mut reached) = (vec![false; parts], vec![false; parts]);
        let mut stack = Vec::new();
        for thread in &state.threads {
            stack.push((thread.at, 0));
            while let Some((at, marks)) = stack.pop() {
                if !first_time(&mut passed, at) {
                    continue;
                }
                let came = Move {
                    from: thread.register,
                    marks,
                };
                let reaches = match self.nfa.state(at) {
                    Part::ByteRange { trans } => next
                        .filter(|next| trans.matches_byte(*next))
                        .map(|_| trans.next),
                    Part::Sparse(some) => next.and_then(|next| some.matches_byte(next)),
                    Part::Dense(some) => next.and_then(|next| some.matches_byte(next)),
                    Part::Capture { next, slot, .. } => {
                        // The first two are those of the whole match.
                        let mark = slot.as_usize().checked_sub(2);
                        let mark = mark.map_or(0, |mark| 1_u64 << mark);
                        stack.push((*next, marks | mark));
                        None
                    }
                    Part::Look { look, next: to } => {
                        if self.holds(*look, state.before, next) {
                            stack.push((*to, marks));
                        }
                        None
                    }
                    Part::Union { alternates } => {
                        let last_first = alternates.iter().rev();
                        stack.extend(last_first.map(|alternate| (*alternate, marks)));
                        None
                    }
                    Part::BinaryUnion { alt1, alt2 } => {
                        stack.extend([(*alt2, marks), (*alt1, marks)]);
                        None
                    }
                    Part::Fail => None,
                    Part::Match { .. } => {
                        // Whatever comes behind it the expression likes less.
                        stepped.matched = Some(came);
                        return stepped;
                    }
                };
                if let Some(to) = reaches.filter(|to| first_time(&mut reached, *to)) {
                    stepped.reach(to, came);
                }
            }
        }
        stepped
    }

    fn holds(&self, look: Look, before: Option<u8>, next: Option<u8>) -> bool {
        let both = [before.unwrap_or_default(), next.unwrap_or_default()];
        let (from, to) = (
            usize::from(before.is_none()),
            1 + usize::from(next.is_some()),
        );
        let around = both.get(from..to).unwrap_or_default();
        self.nfa.look_matcher().matches(look, around, 1 - from)
    }
}

impl Stepped {
    fn reach(&mut self, at: StateID, came: Move) {
        let known = self.moves.iter().position(|known| *known == came);
        let register = known.unwrap_or(self.moves.len());
        if known.is_none() {
            self.moves.push(came);
        }
        self.threads.push(Thread { at, register });
    }
}

impl Memory {
    /// The state that a run begins in behind this byte.
    fn start(&mut self, automaton: &Automaton, before: Option<u8>) -> u32 {
        let known = self.starts.iter().find(|(known, _)| *known == before);
        if let Some((_, state)) = known {
            return *state;
        }
        let first = Thread {
            at: automaton.nfa.start_anchored(),
            register: 0,
        };
        let threads = Box::new([first]);
        let state = self.number(automaton, Arc::new(State { threads, before }));
        self.starts.push((before, state));
        state
    }

    /// The number of a state, which is where its edges begin.
    fn number(&mut self, automaton: &Automaton, state: Arc<State>) -> u32 {
        if let Some(known) = self.known.get(&state) {
            return *known;
        }
        // INVARIANT: far fewer bytes are remembered than would make a number as large as `ASIDE`.
        let number = u32::try_from(self.table.len()).unwrap_or(DEAD);
        let edges = self.table.len() + automaton.of_class.len() + 1;
        self.table.resize(edges, UNKNOWN);
        self.beside += BESIDE + size_of_val(&*state.threads);
        self.states.push(Arc::clone(&state));
        self.known.insert(state, number);
        number
    }

    fn at(&self, state: u32, class: usize) -> u32 {
        let state = usize::try_from(state).unwrap_or(usize::MAX);
        let at = state.saturating_add(class);
        self.table.get(at).copied().unwrap_or(DEAD)
    }

    /// The edge of this number, if it does more than to lead to a state.
    fn aside(&self, edge: u32) -> Option<&Edge> {
        let index = edge.checked_sub(ASIDE)?;
        self.edges.get(usize::try_from(index).ok()?)
    }

    /// What an edge says was matched, if it says so. The run began at the first of the two places, and the
    /// match ends at the second.
    fn matched(&self, marks: usize, edge: u32, (start, here): (usize, usize)) -> Option<Match> {
        let matched = self.aside(edge)?.matched?;
        Some(Match {
            end: here,
            value: match marks {
                0 => Some(start..here),
                _ => self.registers.value(marks, matched, here),
            },
        })
    }

    /// Makes the registers those behind an edge.
    fn take_over(&mut self, marks: usize, edge: u32, here: usize) {
        let index = edge.checked_sub(ASIDE).map(usize::try_from);
        let edge = index.and_then(|index| self.edges.get(index.ok()?));
        if let Some(moves) = edge.and_then(|edge| edge.moves.as_ref()) {
            self.registers.take_over(marks, moves, here);
        }
    }

    /// The edge from a state with a class: known, or made now.
    fn edge(&mut self, automaton: &Automaton, state: u32, class: usize) -> u32 {
        let known = self.at(state, class);
        if known != UNKNOWN {
            return known;
        }
        let stride = automaton.of_class.len() + 1;
        let index = usize::try_from(state).map_or(0, |state| state / stride);
        let Some(from) = self.states.get(index).map(Arc::clone) else {
            return DEAD;
        };
        let byte = automaton.of_class.get(class).copied();
        let stepped = automaton.step(&from, byte);
        let mut state = state;
        if self.bytes() > REMEMBERED {
            self.forget();
            state = self.number(automaton, from);
        }
        let before = automaton.before(byte);
        let threads = Some(stepped.threads).filter(|threads| !threads.is_empty());
        let next = threads.map(|threads| {
            let threads = threads.into();
            self.number(automaton, Arc::new(State { threads, before }))
        });
        let is_same = |(index, it): (usize, &Move)| it.from == index && it.marks == 0;
        let are_same = stepped.moves.iter().enumerate().all(is_same);
        let edge = match (next, stepped.matched) {
            (None, None) => DEAD,
            (Some(next), None) if are_same => next,
            (next, matched) => {
                let index = u32::try_from(self.edges.len()).unwrap_or(0);
                self.beside += BESIDE + size_of_val(&*stepped.moves);
                self.edges.push(Edge {
                    next: next.unwrap_or(DEAD),
                    matched,
                    moves: (next.is_some() && !are_same).then(|| stepped.moves.into()),
                });
                ASIDE + index
            }
        };
        let at = usize::try_from(state).unwrap_or(usize::MAX);
        if let Some(place) = self.table.get_mut(at.saturating_add(class)) {
            *place = edge;
        }
        edge
    }

    /// What is remembered, about.
    pub(in crate::data) fn bytes(&self) -> usize {
        self.beside + size_of_val(&*self.table)
    }

    fn forget(&mut self) {
        self.table.clear();
        self.states.clear();
        self.known.clear();
        self.edges.clear();
        self.starts.clear();
        self.beside = 0;
    }
}

impl Registers {
    /// One register, in which no mark was passed.
    fn begin(&mut self, marks: usize) {
        self.now.clear();
        self.now.resize(marks, NOWHERE);
    }

    /// The registers behind an edge.
    fn take_over(&mut self, marks: usize, moves: &[Move], here: usize) {
        self.next.clear();
        for it in moves {
            let all = 0..marks;
            self.next
                .extend(all.map(|mark| passed(&self.now, marks, *it, mark, here)));
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// The first group that was passed on the way to a match.
    fn value(&self, marks: usize, matched: Move, here: usize) -> Option<Range<usize>> {
        let at = |mark| passed(&self.now, marks, matched, mark, here);
        let mut groups = (0..marks / 2).map(|group| at(2 * group)..at(2 * group + 1));
        groups.find(|group| group.start != NOWHERE && group.end != NOWHERE)
    }
}

/// Where a mark is behind a move.
fn passed(registers: &[usize], marks: usize, of: Move, mark: usize, here: usize) -> usize {
    match (of.marks >> mark) & 1 {
        1 => here,
        _ => registers
            .get(of.from * marks + mark)
            .copied()
            .unwrap_or(NOWHERE),
    }
}

/// Whether nobody was here before.
fn first_time(places: &mut [bool], at: StateID) -> bool {
    let place = places.get_mut(at.as_usize());
    place.is_some_and(|place| !std::mem::replace(place, true))
}
