//! What a reload can change and what needs a restart.

use super::Settled;

impl Settled {
    /// The parts that differ from `other` and are only read at the start: a running gateway cannot
    /// take them over. Everything else can be swapped under it.
    pub fn differs_statically(&self, other: &Settled) -> Vec<&'static str> {
        let mut parts = Vec::new();
        if self.data != other.data {
            parts.push("data");
        }
        if self.listeners != other.listeners {
            parts.push("listeners");
        }
        if self.ledger != other.ledger {
            parts.push("ledger");
        }
        if self.log != other.log {
            parts.push("log");
        }
        let of_connections =
            |limits: &super::Limits| (limits.connections, limits.header_bytes, limits.header_time);
        if of_connections(&self.limits) != of_connections(&other.limits) {
            parts.push("limits of connections");
        }
        parts
    }
}
