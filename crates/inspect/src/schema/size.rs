//! How large a value is: the other factor of what a check costs.

use super::cost::Work;
use serde_json::Value;

/// Levels a value may have. The strict reader refuses more on the wire, too.
const DEEPEST: u32 = 128;
/// Items of an array up to which comparing each with each is nothing to speak of.
const FEW: usize = 15;
/// Comparisons of two parts that take as long as one step of a check.
const COMPARED: u64 = 8;
/// The largest integer up to which each is told from its neighbours by every hash of numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The size of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Values and members.
    pub(super) parts: u64,
    /// Bytes of strings and keys.
    pub(super) bytes: u64,
    /// Steps it takes to compare the items of each array with each other, at worst: the hash that
    /// finds equal items can be made to collide for everything but text and small numbers.
    pub(super) pairs: u64,
    /// Levels.
    pub(super) depth: u32,
}

impl Size {
    /// The size of a value, or nothing if it is too deep to be looked at.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Size::up_to(value, u64::MAX)
    }

    /// The same, giving up beyond a number of parts.
    pub(super) fn up_to(value: &Value, most: u64) -> Option<Self> {
        let mut size = Size::default();
        size.add(value, 1, most).then_some(size)
    }

    /// What work costs on a value of this size.
    pub(super) fn costs(self, work: Work) -> u64 {
        let parts = self.parts.saturating_mul(work.per_part);
        let bytes = self.bytes.saturating_mul(work.per_byte);
        let pairs = self.pairs.saturating_mul(work.per_pair);
        parts.saturating_add(bytes).saturating_add(pairs)
    }

    fn add(&mut self, value: &Value, depth: u32, most: u64) -> bool {
        self.parts += 1;
        self.depth = self.depth.max(depth);
        if self.parts > most || depth > DEEPEST {
            return false;
        }
        match value {
            Value::String(text) => self.bytes += text.len() as u64,
            Value::Array(items) => {
                let before = self.parts;
                if !items.iter().all(|item| self.add(item, depth + 1, most)) {
                    return false;
                }
                if items.len() > FEW {
                    let alike = items.iter().filter(|item| may_collide(item)).count() as u64;
                    let pairs = alike.saturating_mul(self.parts - before) / COMPARED;
                    self.pairs = self.pairs.saturating_add(pairs);
                }
            }
            Value::Object(members) => {
                return members.iter().all(|(key, member)| {
                    self.bytes += key.len() as u64;
                    self.add(member, depth + 1, most)
                });
            }
            _ => {}
        }
        true
    }
}

fn may_collide(item: &Value) -> bool {
    match item {
        Value::Array(_) | Value::Object(_) => true,
        Value::Number(number) => number.as_f64().is_none_or(|number| number.abs() >= EXACT),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
