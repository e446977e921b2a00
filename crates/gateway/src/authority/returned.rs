//! Where clients give tokens back (RFC 7009): a refresh token ends its whole family, an access token ends
//! itself. Whoever brings what is none learns nothing.

use super::answer::{Answer, BROKEN, state};
use super::sent::Sent;
use super::{At, Told, families};
use crate::body::Body;
use crate::revocation::{Order, Origin, Target};
use http::{Request, Response};
use hyper::body::Incoming;
use identity::Audience;
use identity::authority::{CodeText, ErrorCode, Presented};

/// Takes a token back.
pub(super) async fn answer(at: &At<'_>, request: Request<Incoming>) -> Response<Body> {
    let sent = Sent::read(request).await;
    let done = async {
        let (client, parameters) = sent.by(at).await?;
        let token = parameters.require("token", "there is no token")?;
        match CodeText::read(token) {
            Some(text) => family(at, client.id(), &text).await,
            None => access(at, client.id(), token).await,
        }
    };
    let done = done.await;
    sent.told(at, done)
}

fn done() -> Told {
    Ok(Answer::ok(String::new()))
}

async fn family(at: &At<'_>, client: &str, text: &CodeText) -> Told {
    let desk = &at.authority.desk;
    let _alone = desk.alone_with(text.family()).await.ok_or(BROKEN)?;
    let Some(family) = families::find(at, text).await? else {
        return done();
    };
    if family.client_id != client {
        let says = "the token was issued to another client";
        return Err(ErrorCode::InvalidGrant.because(says));
    }
    let why = match family.presented(text) {
        Presented::Current => "its client gave it back",
        Presented::Code | Presented::Used => "a token of it came twice",
    };
    families::end(at.gate, &families::key(text), &family, why)
        .await
        .map_err(state)?;
    done()
}

async fn access(at: &At<'_>, client: &str, token: &str) -> Told {
    let runtime = std::sync::Arc::clone(&at.gate.runtime());
    let mut caller = None;
    for offer in &at.authority.offered {
        let Ok(audience) = Audience::of(&offer.resource) else {
            continue;
        };
        let audience = audience.only_from([&at.authority.issuer]);
        caller = runtime.issuers.verify(token, &audience, at.now).await.ok();
        if caller.is_some() {
            break;
        }
    }
    let Some(caller) = caller else {
        return done();
    };
    if caller.client() != Some(client) {
        let says = "the token was issued to another client";
        return Err(ErrorCode::InvalidGrant.because(says));
    }
    let order = Order {
        target: Target::token(token),
        at_ms: at.now_ms(),
        block: false,
        origin: Origin::Issuer,
        why: "its client gave it back".to_owned(),
        by: "the authorization server".to_owned(),
    };
    at.gate
        .revocations
        .add(order, at.now_ms())
        .await
        .map_err(|error| {
            tracing::error!("a token cannot be taken back: {error}");
            BROKEN
        })?;
    let who = audit::Who {
        user: Some(caller.user().as_str().into()),
        issuer: Some(caller.issuer().into()),
        subject: Some(caller.subject().into()),
        client: Some(client.into()),
        ..audit::Who::default()
    };
    at.note(Some(who), "token.revoked", client, "")?;
    done()
}
