//! The tape: one small node per value, in the order of the text. It holds places, never text.

use super::Kind;

/// One value or member name. 16 bytes, so that a message of a hundred values is two kilobytes.
///
/// A member is two neighbours: its name, then its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// First byte, quotes and brackets included.
    pub(super) start: u32,
    /// One past the last byte.
    pub(super) end: u32,
    /// The node after this one and everything inside it. While a container is open: its parent.
    pub(super) next: u32,
    /// Low byte: kind and marks. The rest: how many members or elements.
    meta: u32,
}

/// No node: the parent of the root.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The most that fits into the counter of a node.
pub(super) const COUNT_MAX: usize = (1 << 24) - 1;

const KIND: u32 = 0b111;
/// This string is the name of a member.
pub(super) const KEY: u32 = 1 << 3;
/// This string has escapes.
pub(super) const ESCAPED: u32 = 1 << 4;
/// This string has bytes outside printable ASCII.
pub(super) const WIDE: u32 = 1 << 5;
/// This number has a point or an exponent.
pub(super) const FRACTION: u32 = 1 << 6;
/// This boolean is true.
pub(super) const TRUE: u32 = 1 << 7;

const STEP: u32 = 1 << 8;

impl Node {
    pub(super) fn new(kind: Kind, marks: u32, start: usize, end: usize, next: u32) -> Self {
        // INVARIANT: the reader refuses texts whose length does not fit 32 bits before it starts.
        debug_assert!(end < u32::MAX as usize);
        Node {
            start: start as u32,
            end: end as u32,
            next,
            meta: tag(kind) | marks,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self.meta & KIND {
            0 => Kind::Null,
            1 => Kind::Boolean,
            2 => Kind::Number,
            3 => Kind::String,
            4 => Kind::Array,
            _ => Kind::Object,
        }
    }

    pub(super) fn has(self, mark: u32) -> bool {
        self.meta & mark != 0
    }

    pub(super) fn count(self) -> usize {
        (self.meta >> 8) as usize
    }

    pub(super) fn count_one(&mut self) {
        // INVARIANT: the number of nodes, and so of children, is at most `COUNT_MAX`.
        self.meta = self.meta.saturating_add(STEP);
    }
}

/// The nodes of one text.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    nodes: Vec<Node>,
    plain: bool,
}

impl Tape {
    pub(super) fn new(nodes: Vec<Node>, plain: bool) -> Self {
        Tape { nodes, plain }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(super) fn node(&self, index: u32) -> Node {
        // INVARIANT: a document has at least its root, and indexes only come from the tape itself;
        // an index past the end would read as null.
        self.nodes
            .get(index as usize)
            .copied()
            .unwrap_or(Node::new(Kind::Null, 0, 0, 0, NOWHERE))
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

fn tag(kind: Kind) -> u32 {
    match kind {
        Kind::Null => 0,
        Kind::Boolean => 1,
        Kind::Number => 2,
        Kind::String => 3,
        Kind::Array => 4,
        Kind::Object => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_sixteen_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }

    #[test]
    fn a_node_keeps_kind_marks_and_count_apart() {
        let mut node = Node::new(Kind::Object, 0, 3, 9, 1);
        for _ in 0..300 {
            node.count_one();
        }
        assert_eq!(node.kind(), Kind::Object);
        assert_eq!(node.count(), 300);
        assert!(!node.has(KEY | ESCAPED | WIDE | FRACTION | TRUE));
        assert!(Node::new(Kind::String, KEY | WIDE, 0, 2, 1).has(WIDE));
    }
}
