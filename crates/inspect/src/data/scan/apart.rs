//! What counts where several rules see something at one place.

use super::Sight;
use crate::data::Confidence;
use crate::data::rule::Kind;

/// What counts where two are at one place: `s3cret@host` in a URL is a password, and no address.
fn weight(sight: &Sight<'_>) -> (bool, Confidence, usize) {
    let opens = sight.rule.kind == Kind::Secret && sight.confidence > Confidence::Low;
    (opens, sight.confidence, sight.at.len())
}

/// Whether two that overlap are taken for one thing, so that no part of either is left: two secrets, or
/// two that say something of a person, unless one of them is doubtful.
fn is_one(one: &Sight<'_>, other: &Sight<'_>) -> bool {
    let sure = |sight: &Sight<'_>| sight.confidence > Confidence::Low;
    one.rule.kind == other.rule.kind && sure(one) && sure(other)
}

/// In order, and no two at one place: secrets before personal data, the surer one before the others,
/// then the longer one, then the one whose rule comes first.
pub(in crate::data) fn apart(mut seen: Vec<Sight<'_>>) -> Vec<Sight<'_>> {
    if seen.len() < 2 {
        return seen;
    }
    seen.sort_by(|one, other| {
        let rank = |sight: &Sight<'_>| {
            let order = std::ptr::from_ref(sight.rule).addr();
            (sight.at.start, std::cmp::Reverse(sight.at.end), order)
        };
        rank(one).cmp(&rank(other))
    });
    let mut kept: Vec<Sight<'_>> = Vec::with_capacity(seen.len());
    for sight in seen {
        match kept.last_mut() {
            Some(last) if sight.at.start < last.at.end => {
                let both = last.at.start..last.at.end.max(sight.at.end);
                let are_one = is_one(last, &sight);
                if weight(&sight) > weight(last) {
                    *last = sight;
                }
                if are_one {
                    last.at = both;
                }
            }
            _ => kept.push(sight),
        }
    }
    kept
}
