//! What is approved and cannot be written down is not used.

use super::super::entry::Vote;
use super::super::entry::tests::{entry, person};
use super::*;
use crate::house::still::Still;

/// An approved call, and what asks for it. `recorded`: whether who approved is in the ledger.
async fn approved(still: &Still, recorded: bool) -> Asking {
    let gate = still.gate();
    let now_ms = gate.clock().unix_ms();
    let mut approved = entry(&[("owners", 1)]);
    (approved.asked_ms, approved.until_ms) = (now_ms, now_ms + approved.lasts_ms);
    approved.votes.push(Vote {
        by: person("bob"),
        at_ms: now_ms,
        needs: vec![0],
        recorded,
    });
    let put = gate.approvals.register.put(None, &approved, now_ms).await;
    assert!(put.unwrap());
    Asking {
        binding: approved.binding,
        call: approved.call,
        outward: approved.outward,
        requester: approved.requester,
        needs: approved.needs,
        policies: approved.policies,
        reason: None,
        session: None,
    }
}

#[tokio::test]
async fn n5_1_an_approval_that_cannot_be_written_down_is_not_used() {
    for recorded in [true, false] {
        let still = Still::with("").await;
        let asking = approved(&still, recorded).await;
        let (id, now_ms) = (asking.binding.id(), still.gate().clock().unix_ms());
        still.loses_its_ledger();
        let standing = ask(still.gate(), asking).await;
        // What nobody was told of who approved is not even taken out.
        let kept = still.gate().approvals.register.entry(&id, now_ms).await;
        assert_eq!(kept.unwrap().is_some(), !recorded);
        assert!(
            matches!(standing, Err(AskError::Unrecorded)),
            "{standing:?}"
        );
    }
    let still = Still::with("").await;
    let asking = approved(&still, false).await;
    let standing = ask(still.gate(), asking).await;
    assert!(matches!(standing, Ok(Standing::Granted(_))), "{standing:?}");
}
