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

#[cfg(test)]
mod tests {
    use super::*;
    use controls::{Action, N9_3};

    #[test]
    fn n5_1_of_too_many_findings_those_are_kept_that_matter_most() {
        use Severity::{High, Low, Medium};
        let finding = |severity| Finding {
            control: N9_3,
            rule: "personal.email".into(),
            severity,
            place: "".into(),
            action: Action::Report,
            count: 1,
        };
        let mut kept = Vec::new();
        keep(&mut kept, finding(High));
        for severity in [Low; FINDINGS + 8] {
            keep(&mut kept, finding(severity));
        }
        keep(&mut kept, finding(Medium));
        keep(&mut kept, finding(Low));
        keep(&mut kept, finding(High));
        assert_eq!(kept.len(), FINDINGS);
        let count = |severity| kept.iter().filter(|it| it.severity == severity).count();
        assert_eq!(
            (count(High), count(Medium), count(Low)),
            (2, 1, FINDINGS - 3)
        );
        assert!(!has_room(&kept, Low) && has_room(&kept, Medium));
    }
}
