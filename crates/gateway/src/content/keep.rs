//! Which findings of a message are kept: the first of them, and those that matter more than one of these.
//! That something was found is told of every rule, however much of it is kept.

use controls::{Finding, Severity};

/// Findings kept of one message; a message with more is not described better by more.
pub(crate) const FINDINGS: usize = 32;

/// Whether a finding that matters so much would be kept.
pub(super) fn has_room(kept: &[Finding], severity: Severity) -> bool {
    kept.len() < FINDINGS || kept.iter().any(|it| it.severity < severity)
}

/// Keeps a finding, in the place of the first of those that matter least where there is no other.
pub(crate) fn keep(kept: &mut Vec<Finding>, finding: Finding) {
    if !has_room(kept, finding.severity) {
        return;
    }
    if kept.len() >= FINDINGS {
        let least = kept.iter().enumerate().min_by_key(|(_, it)| it.severity);
        if let Some((index, _)) = least {
            kept.remove(index);
        }
    }
    kept.push(finding);
}
