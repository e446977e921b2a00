//! Signing in with time passed in, and while other things happen.

use super::*;
use crate::house::still::{Still, cookies_of};
use crate::people::signed_in;
use identity::Caller;
use serde_json::json;

/// Signs somebody of this gateway's own in, and says what their browser holds.
fn enters(still: &Still, user: &str) -> Result<HeaderMap, String> {
    let now_s = still.gate().clock().unix_s();
    let who = SignedIn::local(user, &["hwk"], now_s);
    let page = Response::new(Body::empty());
    enter(still.gate(), &HeaderMap::new(), who, page).map(|answer| cookies_of(&answer))
}

#[tokio::test]
async fn n8_3_whoever_is_revoked_is_nobody_in_any_browser_from_then_on() {
    let still = Still::with("").await;
    let (alice, bob) = (enters(&still, "alice"), enters(&still, "bob"));
    let (alice, bob) = (alice.unwrap(), bob.unwrap());
    assert!(signed_in(still.gate(), &alice).is_some());
    still.revokes(Caller::LOCAL_ISSUER, "alice").await;
    assert!(signed_in(still.gate(), &alice).is_none());
    assert!(signed_in(still.gate(), &bob).is_some());
    assert!(enters(&still, "alice").is_err());
}

#[tokio::test]
async fn n5_1_whoever_cannot_be_written_down_does_not_come_in() {
    let still = Still::with("").await;
    still.loses_its_ledger();
    assert!(enters(&still, "alice").is_err());
    let gate = still.gate();
    assert!(gate.people.list(None, gate.clock().unix_ms()).is_empty());
}

fn errand(back_to: &str, contexts: Vec<String>) -> Errand {
    let flow = json!({
        "state": "s", "verifier": "v", "nonce": "n", "issuer": "https://id.example.com",
        "says_issuer": true, "client_id": "ringwall", "redirect_uri": "https://mcp.example.com/",
        "resource": null, "scopes": "openid", "expires_at": 1,
    });
    Errand {
        flow: Flow::from_kept(flow.to_string().as_bytes()).unwrap(),
        back_to: BackTo::read(back_to).unwrap(),
        strength: Strength {
            contexts,
            ..Strength::default()
        },
    }
}

#[tokio::test]
async fn n8_3_a_browser_is_on_its_way_for_ten_minutes() {
    let still = Still::with("").await;
    let (seal, now_ms) = (&still.gate().seal, still.gate().clock().unix_ms());
    let errand = errand("/approvals?x=1", vec!["phr".to_owned()]);
    let sealed = errand.sealed(seal, now_ms).ok().unwrap();
    let until_ms = now_ms + PATIENCE_S * 1000;
    let opened = Errand::opened(seal, until_ms - 1, &sealed).unwrap();
    assert_eq!(opened.back_to, errand.back_to);
    assert_eq!(opened.strength, errand.strength);
    assert!(Errand::opened(seal, until_ms, &sealed).is_none());
}

#[tokio::test]
async fn n8_3_what_a_browser_would_not_keep_is_not_handed_to_it() {
    let still = Still::with("").await;
    let (seal, now_ms) = (&still.gate().seal, still.gate().clock().unix_ms());
    for (contexts, fits) in [(1, true), (200, false)] {
        let contexts = vec!["urn:example:context".to_owned(); contexts];
        let sealed = errand("/approvals", contexts).sealed(seal, now_ms);
        assert_eq!(sealed.is_ok(), fits, "{sealed:?}");
    }
}
