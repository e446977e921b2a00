//! What is added to a refusal for the very caller who is refused: a link, in the words their client has,
//! or a challenge, for the way in which they brought their token.

use crate::connect::{Links, Session};
use crate::gate::Gate;
use crate::stages::draft::Draft;
use crate::stages::identify;
use crate::stages::refused::{self, ConnectWords, Refused};
use identity::Scheme;
use protocol::Revision;
use protocol::bridge::Need;

/// The refusal, with the link if the user has to connect a server.
pub(super) async fn offered(gate: &Gate, refused: Refused, draft: &Draft) -> Refused {
    let (Some(need), Some(caller), Some(route)) = (&refused.connect, &draft.caller, &draft.route)
    else {
        return refused;
    };
    if caller.is_local() {
        return refused;
    }
    let words = words(draft);
    // Only in that revision is a session told when it is done.
    let session = draft
        .session
        .as_ref()
        .filter(|_| words == ConnectWords::Legacy);
    let session = session.map(|session| Session(session.id().to_owned()));
    match Links::offer(gate, need, caller, &route.path, session).await {
        Ok(offer) => refused::connection_at(refused, &offer, words),
        Err(error) => {
            tracing::warn!("no link to connect a server: {error}");
            refused::connections_full(refused, error.to_string())
        }
    }
}

/// The refusal, with the challenge if the caller has to log in more strongly, or again (RFC 9470).
pub(super) fn challenged(refused: Refused, draft: &Draft) -> Refused {
    let (Some(wanted), Some(caller), Some(route)) =
        (&refused.authentication, &draft.caller, &draft.route)
    else {
        return refused;
    };
    if caller.is_local() {
        return refused;
    }
    // INVARIANT: a token that is bound to a key came with a proof, and no other did.
    let brought = match caller.confirmation().key {
        Some(_) => Scheme::Dpop,
        None => Scheme::Bearer,
    };
    let challenges = identify::challenges_of(route, Some(brought), |challenge| {
        challenge.authentication(wanted, "a server wants another login")
    });
    refused::authentication_at(refused, challenges)
}

/// Which words this client has for a page to open, at this moment.
pub(in crate::stages) fn words(draft: &Draft) -> ConnectWords {
    let Some(session) = &draft.session else {
        return ConnectWords::Error;
    };
    let capabilities = session.capabilities();
    let offers = capabilities.is_some_and(|it| Need::ElicitationUrl.is_in(it.root()));
    let may_ask = matches!(
        draft.method.as_deref(),
        Some("tools/call" | "prompts/get" | "resources/read")
    );
    match session.revision() {
        Revision::V2026_07_28 if offers && may_ask => ConnectWords::Modern,
        Revision::V2025_11_25 if offers => ConnectWords::Legacy,
        _ => ConnectWords::Error,
    }
}
