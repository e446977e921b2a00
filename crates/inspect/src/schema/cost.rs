//! What checking a value may cost, bounded before anything runs.
//!
//! A subschema that applies several others to the same part of a value costs their sum; what it
//! applies to different parts costs no more than the dearest of them at each part. The bound of the
//! root times the size of a value is then a bound on the whole check. Where references lead back,
//! there is no such bound: then each pass through a reference is paid for while it happens
//! (see [`super::meter`]), at the bound of what lies before the next reference.

use super::error::SchemaError;
use super::graph::{Edge, Graph, Kind};
use serde_json::Value;

/// Subschemas that may apply to one part of a value.
const MOST_IN_PLACE: u64 = 2048;
/// Subschemas that may apply to one part of a value, each because of the one before.
const DEEPEST_IN_PLACE: u32 = 48;

/// Work for each part of a value, for each byte of its text, and for each pair of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) per_part: u64,
    pub(super) per_byte: u64,
    /// Times that items are compared with each other.
    pub(super) per_pair: u64,
}

impl Work {
    fn plus(self, other: Work) -> Work {
        Work {
            per_part: self.per_part.saturating_add(other.per_part),
            per_byte: self.per_byte.saturating_add(other.per_byte),
            per_pair: self.per_pair.saturating_add(other.per_pair),
        }
    }

    fn times(self, factor: u64) -> Work {
        Work {
            per_part: self.per_part.saturating_mul(factor),
            per_byte: self.per_byte.saturating_mul(factor),
            per_pair: self.per_pair.saturating_mul(factor),
        }
    }

    pub(super) fn or(self, other: Work) -> Work {
        Work {
            per_part: self.per_part.max(other.per_part),
            per_byte: self.per_byte.max(other.per_byte),
            per_pair: self.per_pair.max(other.per_pair),
        }
    }
}

/// The bounds of one schema.
#[derive(Debug)]
pub(super) struct Cost {
    /// From the root through every reference. No bound if [`Cost::recursive`].
    pub(super) whole: Work,
    /// From each node up to the next references.
    pub(super) stretches: Vec<Work>,
    /// Whether a reference leads back.
    pub(super) recursive: bool,
    /// Subschemas that can be open at once for each level of a value.
    pub(super) chain: u32,
    /// Subschemas that can be open at once for any value. No bound if [`Cost::recursive`].
    pub(super) height: u32,
}

impl Cost {
    /// `patterns` is the work of each node's own patterns for each byte.
    pub(super) fn of(graph: &Graph<'_>, patterns: &[u64]) -> Result<Self, SchemaError> {
        let chains = chains(graph)?;
        let unevaluated = (0..graph.nodes.len()).any(|at| looks_back(graph, at));
        if unevaluated {
            Expansion::new(graph, &chains).fits()?;
        }
        let all = Order::of(graph, |_| true);
        let whole = work(graph, &all, patterns, &chains, true);
        let stretches = if unevaluated {
            // What `unevaluated…` looks back at reaches through references.
            whole.clone()
        } else {
            let short = Order::of(graph, |kind| kind != Kind::Reference);
            work(graph, &short, patterns, &chains, false)
        };
        Ok(Cost {
            whole: whole.first().copied().unwrap_or_default(),
            stretches,
            recursive: all.back.is_some(),
            chain: chains.iter().copied().max().unwrap_or(1),
            height: height(graph, &all),
        })
    }
}

/// Subschemas that may be compiled where `unevaluated…` makes the same one be compiled often.
const MOST_EXPANDED: u64 = 20_000;
/// Subschemas on one way through such a schema.
const DEEPEST_EXPANDED: usize = 200;

/// What `unevaluated…` looks back at is compiled again for each way that leads there, and for each
/// such keyword on the way. This goes all those ways beforehand, and gives up early.
struct Expansion<'g, 's> {
    graph: &'g Graph<'s>,
    chains: &'g [u32],
    path: Vec<usize>,
    left: u64,
}

impl<'g, 's> Expansion<'g, 's> {
    fn new(graph: &'g Graph<'s>, chains: &'g [u32]) -> Self {
        Expansion {
            graph,
            chains,
            path: Vec::new(),
            left: MOST_EXPANDED,
        }
    }

    fn fits(mut self) -> Result<(), SchemaError> {
        if self.spend(0, 1) {
            return Ok(());
        }
        let what = "subschemas once `unevaluated` keywords are worked out";
        Err(SchemaError::TooLarge {
            what,
            limit: MOST_EXPANDED as usize,
        })
    }

    fn spend(&mut self, at: usize, times: u64) -> bool {
        let Some(left) = self.left.checked_sub(times) else {
            return false;
        };
        self.left = left;
        if self.path.contains(&at) {
            return true;
        }
        if self.path.len() >= DEEPEST_EXPANDED {
            return false;
        }
        self.path.push(at);
        let again = if looks_back(self.graph, at) {
            2 + u64::from(self.chains.get(at).copied().unwrap_or(1))
        } else {
            1
        };
        let graph = self.graph;
        let fits = graph.edges(at).iter().all(|edge| {
            let factor = if edge.kind.is_in_place() { again } else { 1 };
            self.spend(edge.to, times.saturating_mul(factor))
        });
        self.path.pop();
        fits
    }
}

/// Nodes in an order in which each comes after all it applies, but for edges that lead back.
struct Order {
    nodes: Vec<usize>,
    /// A node some edge leads back to.
    back: Option<usize>,
}

impl Order {
    fn of(graph: &Graph<'_>, follow: impl Fn(Kind) -> bool) -> Self {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let mut states = vec![State::New; graph.nodes.len()];
        let mut order = Order {
            nodes: Vec::with_capacity(graph.nodes.len()),
            back: None,
        };
        for start in 0..graph.nodes.len() {
            // Each entry is a node and how many of its edges were followed.
            let mut open = vec![(start, 0)];
            while let Some((at, followed)) = open.pop() {
                let Some(state) = states.get_mut(at) else {
                    continue;
                };
                if followed == 0 {
                    match *state {
                        State::New => *state = State::Open,
                        State::Open => {
                            order.back.get_or_insert(at);
                            continue;
                        }
                        State::Done => continue,
                    }
                }
                let mut edges = graph.edges(at).iter().enumerate().skip(followed);
                match edges.find(|(_, edge)| follow(edge.kind)) {
                    Some((index, edge)) => {
                        open.push((at, index + 1));
                        open.push((edge.to, 0));
                    }
                    None => {
                        *state = State::Done;
                        order.nodes.push(at);
                    }
                }
            }
        }
        order
    }
}

/// How many subschemas apply to one part of a value one because of another, from each node.
fn chains(graph: &Graph<'_>) -> Result<Vec<u32>, SchemaError> {
    let order = Order::of(graph, Kind::is_in_place);
    if let Some(node) = order.back.and_then(|at| graph.nodes.get(at)) {
        return Err(SchemaError::Loop {
            pointer: super::error::shorten(&node.pointer),
        });
    }
    let mut chains = vec![0u32; graph.nodes.len()];
    let mut counts = vec![0u64; graph.nodes.len()];
    for at in order.nodes {
        let in_place = || {
            graph
                .edges(at)
                .iter()
                .filter(|edge| edge.kind.is_in_place())
        };
        let chain = 1 + in_place()
            .filter_map(|edge| chains.get(edge.to))
            .max()
            .copied()
            .unwrap_or(0);
        let count = in_place()
            .filter_map(|edge| counts.get(edge.to))
            .fold(1u64, |sum, count| sum.saturating_add(*count));
        if count > MOST_IN_PLACE {
            let what = "subschemas that apply to the same value";
            return Err(SchemaError::TooLarge {
                what,
                limit: MOST_IN_PLACE as usize,
            });
        }
        if chain > DEEPEST_IN_PLACE {
            let what = "nested subschemas that apply to the same value";
            return Err(SchemaError::TooLarge {
                what,
                limit: DEEPEST_IN_PLACE as usize,
            });
        }
        if let (Some(slot), Some(total)) = (chains.get_mut(at), counts.get_mut(at)) {
            *slot = chain;
            *total = count;
        }
    }
    Ok(chains)
}

/// The bound of each node. Edges that lead back count as one step.
fn work(
    graph: &Graph<'_>,
    order: &Order,
    patterns: &[u64],
    chains: &[u32],
    through_references: bool,
) -> Vec<Work> {
    let step = Work {
        per_part: 1,
        ..Work::default()
    };
    // What a node does to the part it is applied to, and to any single part below that.
    let mut here = vec![step; graph.nodes.len()];
    let mut below = vec![Work::default(); graph.nodes.len()];
    let mut bounds = vec![step; graph.nodes.len()];
    for &at in &order.nodes {
        let (mut own, mut under) = (own(graph, at, patterns), Work::default());
        let mut part = Work::default();
        let again = looks_back(graph, at);
        let factor = if again {
            2 + u64::from(chains.get(at).copied().unwrap_or(1))
        } else {
            1
        };
        for Edge { kind, to } in graph.edges(at) {
            let cut = *kind == Kind::Reference && !through_references;
            let get = |list: &[Work]| list.get(*to).copied().unwrap_or(step);
            match kind {
                _ if cut => own = own.plus(step),
                Kind::Part => part = part.or(get(&bounds)),
                Kind::Each | Kind::Contains => under = under.plus(get(&bounds)),
                _ => {
                    own = own.plus(get(&here).times(factor));
                    under = under.plus(get(&below).times(factor));
                }
            }
        }
        under = under.plus(part);
        for (list, value) in [
            (&mut here, own),
            (&mut below, under),
            (&mut bounds, own.or(under)),
        ] {
            if let Some(slot) = list.get_mut(at) {
                *slot = value;
            }
        }
    }
    bounds
}

/// What a node does itself, in steps of looking at one subschema.
fn own(graph: &Graph<'_>, at: usize, patterns: &[u64]) -> Work {
    let keywords = graph.nodes.get(at).and_then(|node| node.keywords());
    if keywords.is_none() {
        // `true` and `false` are known without a look.
        return Work::default();
    }
    let listed = keywords.map_or(0, |keywords| {
        keywords
            .iter()
            .map(|(keyword, value)| listed(keyword, value))
            .sum()
    });
    Work {
        per_part: 1 + listed as u64 / 4,
        per_byte: patterns.get(at).copied().unwrap_or(0),
        per_pair: keywords.map_or(0, |keywords| {
            u64::from(keywords.contains_key("uniqueItems"))
        }),
    }
}

/// How many entries a keyword may have to go through.
fn listed(keyword: &str, value: &Value) -> usize {
    match (keyword, value) {
        ("enum" | "const", _) => values(value),
        ("required", Value::Array(names)) => names.len(),
        ("properties", Value::Object(named)) => named.len(),
        ("dependentRequired" | "dependencies", Value::Object(named)) => named
            .values()
            .map(|names| 1 + names.as_array().map_or(0, Vec::len))
            .sum(),
        _ => 0,
    }
}

/// How many values there are in a value, itself included.
fn values(value: &Value) -> usize {
    let mut count = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    count
}

/// Whether a node looks again at what others have looked at.
fn looks_back(graph: &Graph<'_>, at: usize) -> bool {
    graph
        .nodes
        .get(at)
        .and_then(|node| node.keywords())
        .is_some_and(|keywords| {
            keywords.contains_key("unevaluatedProperties")
                || keywords.contains_key("unevaluatedItems")
        })
}

fn height(graph: &Graph<'_>, order: &Order) -> u32 {
    let mut heights = vec![1u32; graph.nodes.len()];
    for &at in &order.nodes {
        let below = graph
            .edges(at)
            .iter()
            .filter_map(|edge| heights.get(edge.to))
            .max();
        let height = 1 + below.copied().unwrap_or(0);
        if let Some(slot) = heights.get_mut(at) {
            *slot = height;
        }
    }
    heights.first().copied().unwrap_or(1)
}
