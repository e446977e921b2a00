//! Lines of refresh tokens: how long they are known, and how they end, also while somebody turns them.

use super::*;
use crate::possession::{Of, Purpose};
use crate::state::Kind;
use http::HeaderMap;
use identity::authority::{AuthorityError, CodeText, Family};
use identity::possession::dpop::Signer;
use url::Url;

fn says(told: Told) -> Option<&'static str> {
    told.err().map(|error| error.says)
}

/// The text of a token or a code.
fn text(token: &str) -> CodeText {
    CodeText::read(token).unwrap()
}

/// What somebody got who agreed just now, and the text of its refresh token.
async fn begun(world: &World, client: &Client) -> (Value, CodeText) {
    let code = world.code(client, person("alice")).await;
    let tokens = world.redeemed(client, &code).await.unwrap();
    let refresh = text(tokens["refresh_token"].as_str().unwrap());
    (tokens, refresh)
}

async fn redeems(world: &World, client: &Client, code: &str) -> Told {
    let form = format!("code={code}&code_verifier={VERIFIER}");
    let (authority, form) = (world.authority(), Parameters::read(&form).unwrap());
    token::redeemed(&world.at(&authority), client, &form, None).await
}

#[tokio::test]
async fn n2_3_a_code_is_known_until_the_last_token_that_came_of_it_is_over() {
    let over_ms = (5 * 60 + identity::IssuerRules::CLOCK_SKEW_S) * 1000;
    for (later_ms, is_known) in [(over_ms - 1, true), (over_ms, false)] {
        let world = World::new().await;
        // It uses no refresh tokens: all there is of it is an access token.
        let members = json!({ "redirect_uris": ["http://127.0.0.1/cb"] });
        let client = world.registered(&members).await;
        let code = world.code(&client, person("alice")).await;
        let tokens = world.redeemed(&client, &code).await.unwrap();
        assert_eq!(tokens.get("refresh_token"), None);
        let caller = world.speaks_for(&tokens).await.unwrap();
        world.clock.advance_ms(later_ms);
        let told = says(redeems(&world, &client, &code).await).unwrap();
        assert_eq!(told.contains("used before"), is_known, "{told}");
        let barred = world.gate().revocations.check_facts(|| Facts::of(&caller));
        assert_eq!(barred.is_err(), is_known, "{later_ms}");
    }
}

/// A line with one token whose name no revocation can hold.
async fn line_that_cannot_be_revoked(world: &World, client: &Client) -> (String, Value) {
    let code = world.code(client, person("alice")).await;
    let tokens = world.redeemed(client, &code).await.unwrap();
    let authority = world.authority();
    let at = world.at(&authority);
    let refresh = text(tokens["refresh_token"].as_str().unwrap());
    let mut family = families::find(&at, &refresh).await.unwrap().unwrap();
    let now = world.clock.unix_s();
    family.issued(&"x".repeat(600), now + 300, now).unwrap();
    let until = now + 3600;
    families::keep(&at, &refresh, &family, until).await.unwrap();
    (code, tokens)
}

#[tokio::test]
async fn n2_3_a_line_whose_tokens_cannot_be_revoked_ends_and_that_they_stay_good_is_told() {
    let broken = Err(ErrorCode::ServerError);
    let world = World::new().await;
    let client = world.client().await;
    // Whoever takes back, whoever brings a code twice: each hears that it is not done.
    let (code, tokens) = line_that_cannot_be_revoked(&world, &client).await;
    assert_eq!(world.redeemed(&client, &code).await, broken);
    let refresh = &tokens["refresh_token"];
    let over = Err(ErrorCode::InvalidGrant);
    assert_eq!(world.refreshed(&client, refresh).await, over);
    let (_, tokens) = line_that_cannot_be_revoked(&world, &client).await;
    let user = person("alice").key();
    let agreed = list(world.gate(), user.as_str()).await.unwrap();
    let revoked = revoke(world.gate(), user.as_str(), &agreed[0].id, "alice").await;
    assert!(revoked.is_err());
    let refresh = &tokens["refresh_token"];
    assert_eq!(world.refreshed(&client, refresh).await, over);
}

#[tokio::test]
async fn n2_3_a_line_that_cannot_be_read_is_an_error_that_names_nobody() {
    let world = World::new().await;
    let client = world.client().await;
    let code = world.code(&client, person("alice")).await;
    let tokens = world.redeemed(&client, &code).await.unwrap();
    let refresh = text(tokens["refresh_token"].as_str().unwrap());
    let (rows, key) = (&world.gate().rows, families::key(&refresh));
    let put = rows.put(Kind::Family, &key, b"no line", None, NOW_MS);
    put.await.unwrap();
    let broken = Err(ErrorCode::ServerError);
    assert_eq!(
        world.refreshed(&client, &tokens["refresh_token"]).await,
        broken
    );
    assert_eq!(world.redeemed(&client, &code).await, broken);
    let user = person("alice").key();
    let listed = list(world.gate(), user.as_str()).await.err().unwrap();
    let revoked = revoke(world.gate(), user.as_str(), "any", "alice").await;
    for told in [listed.to_string(), revoked.err().unwrap().to_string()] {
        assert!(told.contains("family"), "{told}");
        assert!(
            !told.contains(refresh.family()) && !told.contains(refresh.user()),
            "{told}"
        );
    }
    assert_eq!(format!("{refresh:?}"), "CodeText");
}

/// What is taken back while its line is being turned ends with what comes of that turn.
#[tokio::test]
async fn m3_what_is_taken_back_while_a_client_refreshes_ends_with_what_comes_of_it() {
    let world = World::new().await;
    let client = world.client().await;
    let (_, refresh) = begun(&world, &client).await;
    let authority = world.authority();
    let at = world.at(&authority);
    let user = person("alice").key();
    let [agreed] = &list(world.gate(), user.as_str()).await.unwrap()[..] else {
        panic!("not one");
    };
    // Somebody turns the line, and has seen that it is agreed to.
    let turning = authority.desk.alone_with(refresh.family()).await.unwrap();
    let mut family = families::find(&at, &refresh).await.unwrap().unwrap();
    let (gate, id) = (Arc::clone(world.gate()), agreed.id.clone());
    let taken = tokio::spawn(async move { revoke(&gate, user.as_str(), &id, "alice").await });
    let user = person("alice").key();
    while !list(world.gate(), user.as_str()).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    // Whatever else there is to do for it is done by then, if nobody is waited for.
    for _ in 0..100 {
        list(world.gate(), user.as_str()).await.unwrap();
    }
    assert!(!taken.is_finished());
    let now = world.clock.unix_s();
    family.issued("of-this-turn", now + 300, now).unwrap();
    let kept = families::keep(&at, &refresh, &family, now + 3600);
    kept.await.unwrap();
    drop(turning);
    assert!(taken.await.unwrap().unwrap());
    assert_eq!(families::find(&at, &refresh).await.unwrap(), None);
    assert_eq!(
        barred(&world, &family, "of-this-turn"),
        Err(Barred::Revoked)
    );
}

/// Whether a token of this name is good for nothing.
fn barred(world: &World, family: &Family, name: &str) -> Result<(), Barred> {
    let user = family.person.key();
    world.gate().revocations.check_facts(|| Facts {
        issuer: family.person.issuer(),
        subject: family.person.subject(),
        user: user.as_str(),
        client: Some(&family.client_id),
        actors: &[],
        token_id: Some(name),
        token_digest: &[0; 32],
        login: None,
        issued_s: world.clock.unix_s(),
        session: None,
    })
}

/// The same where whoever takes it back has met no line yet, or has looked at it too early.
#[tokio::test]
async fn m3_no_token_is_handed_out_that_nobody_agrees_to_by_then() {
    let world = World::new().await;
    let client = world.client().await;
    let (tokens, refresh) = begun(&world, &client).await;
    let authority = world.authority();
    let at = world.at(&authority);
    let mut family = families::find(&at, &refresh).await.unwrap().unwrap();
    let consent = format!("{}/{}", refresh.user(), family.consent);
    let removed = world.gate().rows.remove(Kind::Consent, &consent).await;
    assert!(removed.unwrap());
    let of = ("token.refreshed", &refresh, &mut family);
    let told = token::issued(&at, &client, of, "", None).await;
    assert_eq!(
        told.err().map(|error| error.code),
        Some(ErrorCode::InvalidGrant)
    );
    assert_eq!(families::find(&at, &refresh).await.unwrap(), None);
    let caller = world.speaks_for(&tokens).await.unwrap();
    let barred = world.gate().revocations.check_facts(|| Facts::of(&caller));
    assert_eq!(barred, Err(Barred::Revoked));
}

/// A proof for tokens, as its header has it.
fn proof(world: &World, signer: &Signer) -> HeaderMap {
    let place = Url::parse(&format!("{OWN}/token")).unwrap();
    let now = world.clock.unix_s();
    let nonce = world.gate().proofs.nonces().at(now).unwrap();
    let proof = signer.proof("POST", &place, now, None, Some(&nonce));
    let proof = proof.unwrap();
    [(
        http::HeaderName::from_static("dpop"),
        proof.parse().unwrap(),
    )]
    .into_iter()
    .collect()
}

#[tokio::test]
async fn n7_4_a_proof_counts_once_it_is_known_whose_tokens_it_came_for() {
    let world = World::new().await;
    let client = world.client().await;
    let authority = world.authority();
    let at = world.at(&authority);
    let signer = Signer::generate().unwrap();
    let asks = async |headers: &HeaderMap, form: String| {
        let form = Parameters::read(&form).unwrap();
        let shown = token::shown(&at, &client, headers)?;
        let told = match form.get("code") {
            Some(_) => token::redeemed(&at, &client, &form, shown.as_ref()).await,
            None => token::refreshed(&at, &client, &form, shown.as_ref()).await,
        };
        let answer = told?;
        Ok::<Value, AuthorityError>(serde_json::from_str(&answer.body).unwrap())
    };
    let headers = proof(&world, &signer);
    let code = world.code(&client, person("alice")).await;
    let made_up = CodeText::new(&person("alice").key(), text(&code).family(), &[7; 32]);
    // Whoever holds nothing of anybody uses up no proof, and nobody's quota.
    let with = |code: &str| format!("code={code}&code_verifier={VERIFIER}");
    let refused = asks(&headers, with(made_up.expose())).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
    let tokens = asks(&headers, with(&code)).await.unwrap();
    assert_eq!(tokens["token_type"], "DPoP");
    // Brought again it is refused, and the refresh token is as good as before.
    let refresh = format!(
        "refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    let again = asks(&headers, refresh.clone()).await.err().unwrap();
    assert_eq!(again.code, ErrorCode::InvalidDpopProof);
    assert!(asks(&proof(&world, &signer), refresh).await.is_ok());
}

#[tokio::test]
async fn n7_4_proofs_for_tokens_take_no_room_from_calls_and_those_of_one_person_none_from_others() {
    let world = World::new().await;
    let client = world.client().await;
    let authority = world.authority();
    let at = world.at(&authority);
    let (signer, now) = (Signer::generate().unwrap(), world.clock.unix_s());
    let brings = async |name: &str| {
        let shown = token::shown(&at, &client, &proof(&world, &signer)).unwrap();
        let used = token::used(&at, shown.as_ref(), &person(name)).await;
        used.map_err(|error| error.code)
    };
    for turn in 0..1000 {
        assert_eq!(brings("alice").await, Ok(()), "{turn}");
    }
    assert_eq!(
        brings("alice").await,
        Err(ErrorCode::TemporarilyUnavailable)
    );
    assert_eq!(brings("bob").await, Ok(()));
    // Her calls are counted for themselves.
    let (user, key) = (person("alice").key(), [7; 32]);
    let of = Of {
        purpose: Purpose::Call,
        user: user.as_str(),
        key: &identity::possession::Thumbprint::from_hex(&crate::small::hex(&key)).unwrap(),
        most: 1,
    };
    let call = identity::possession::dpop::Proof {
        id: [1; 32],
        until_s: now + 60,
    };
    let gate = world.gate();
    let used = gate.proofs.using(&*gate.marks, &of, &call, now).await;
    assert!(used.is_ok());
}

#[tokio::test]
async fn n5_1_pages_that_ask_are_written_down_at_a_pace_and_counted_beyond_it() {
    let world = World::new().await;
    let authority = world.authority();
    let asks = |many: usize| {
        for _ in 0..many {
            agree::shown(&world.at(&authority), "rw-1", "Editor").unwrap();
        }
    };
    asks(300);
    // Refusals have a pace of their own.
    assert!(world.gate().strangers.is_worth_a_record(world.gate()));
    world.clock.advance_ms(1000);
    asks(300);
    let written = crate::house::still::ledger_of(world.gate());
    assert_eq!(written.matches("\"consent.shown\"").count(), 220);
    let counted = "{\"after\":\"100\",\"name\":\"consent.shown_counted\"}";
    assert!(written.contains(counted), "{written}");
}
