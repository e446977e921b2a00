//! Attacks on people and clients at the gateway's own authorization server (control M3): the confused
//! deputy of the MCP security page, addresses that look like another one, forms and answers of somebody
//! else. Each is refused, and written down with its control.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::browser::{Browser, Page};
use ringwall_tests::dance::{Dancer, authority, registration, stops_at};
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use url::Url;

async fn world() -> Result<World> {
    World::start(Plan::default().whole(authority(json!({})))).await
}

/// Whoever answers a page takes a place until that page is too old, be the answer worth anything or not.
#[tokio::test(flavor = "multi_thread")]
async fn n4_4_what_people_of_one_address_decide_is_counted() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let cookie = format!("__Host-ringwall-authority={}", "A".repeat(43));
    let fields = [("csrf", "00"), ("decision", "agree")];
    let mut answered = 0;
    loop {
        let reply = dancer
            .post("/authority/agree", &fields, &[("cookie", &cookie)])
            .await?;
        if reply.status == 503 {
            break;
        }
        assert_eq!(reply.status, 403, "{reply:?}");
        answered += 1;
        anyhow::ensure!(answered < 120, "nothing is counted");
    }
    // Sixty at once, and one more for each second that this took.
    assert!(answered >= 60, "{answered}");
    assert_eq!(
        visit(&dancer.way(&[])?).await?.status,
        200,
        "it is asked on"
    );
    let busy = ("temporarily_unavailable".to_owned(), "M3".to_owned());
    assert!(
        refusals(&world, "authorize.refused", answered + 1)
            .await?
            .contains(&busy)
    );
    Ok(())
}

/// A client whose answers go over the network.
async fn on_the_web(world: &World) -> Result<Dancer> {
    let mut dancer = Dancer::new(world, "")?;
    dancer.redirect = "https://app.example/cb".to_owned();
    let reply = dancer.register(&registration(&dancer.redirect)).await?;
    let answer = reply.json()?;
    let id = answer.get("client_id").and_then(Value::as_str);
    id.context("not registered")?.clone_into(&mut dancer.id);
    Ok(dancer)
}

async fn visit(url: &Url) -> Result<Reply> {
    Outgoing::new(Method::GET, url).send().await
}

fn says(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Everything refused so far: the codes, each with its control.
async fn refusals(world: &World, event: &str, count: usize) -> Result<Vec<(String, String)>> {
    let events = world.events(event, count).await?;
    let of = |line: &Value, member: &str| {
        let member = line.pointer(&format!("/record/refusal/{member}"));
        member
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(events
        .iter()
        .map(|line| (of(line, "code"), of(line, "control")))
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_nobody_is_sent_to_an_address_that_is_not_the_clients_own() -> Result<()> {
    let world = world().await?;
    let dancer = on_the_web(&world).await?;
    let spellings = [
        "https://evil.example/cb",
        "https://app.example/cb/",
        "https://app.example/cb/../other",
        "https://app.example/cb%2f..%2fother",
        "https://app.example/CB",
        "https://APP.example/cb",
        "https://app.example./cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://app.example/cb?next=https://evil.example",
        "https://app.example/cb#@evil.example",
        "https://app.example@evil.example/cb",
        "https://user@app.example/cb",
        "https://app.example\\@evil.example/cb",
        "https://evil.example\\app.example/cb",
        "https:\\\\app.example\\cb",
        "//app.example/cb",
        "https:///app.example/cb",
        "https:/app.example/cb",
        "http://app.example/cb",
        "https://app.example.evil.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://xn--pp-6kc.example/cb",
        "https://\u{430}pp.example/cb",
        "https://app.example%2eevil.example/cb",
        "https://app.example/cb ",
        " https://app.example/cb",
        "javascript:alert(1)//https://app.example/cb",
        "data:text/html,<script>alert(1)</script>",
        "",
    ];
    for spelling in spellings {
        let reply = visit(&dancer.way(&[("redirect_uri", spelling)])?).await?;
        assert_eq!(reply.status, 400, "{spelling}");
        assert!(reply.header("location").is_none(), "{spelling}");
        assert!(reply.header("refresh").is_none(), "{spelling}");
        assert!(!says(&reply).contains("evil.example"), "{spelling}");
    }
    // Two of them, one of which is good, are none.
    let good = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let evil = "redirect_uri=https%3A%2F%2Fevil.example";
    for (first, second) in [(good, evil), (evil, good), (good, good)] {
        let mut way = dancer.way(&[("redirect_uri", "")])?;
        let query = way.query().unwrap_or_default().to_owned();
        way.set_query(Some(&format!("{first}&{query}&{second}")));
        let reply = visit(&way).await?;
        assert_eq!(reply.status, 400, "{way}");
        assert!(reply.header("location").is_none(), "{way}");
    }
    let refused = refusals(&world, "authorize.refused", spellings.len() + 3).await?;
    let expected = ("invalid_request".to_owned(), "M3".to_owned());
    assert!(refused.iter().all(|one| *one == expected), "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_that_anybody_could_register_is_no_way_to_anywhere() -> Result<()> {
    let world = world().await?;
    let dancer = on_the_web(&world).await?;
    // Its address is its own, and a browser is not sent there all the same, before its person has decided.
    let reply = visit(&dancer.way(&[("scope", "everything")])?).await?;
    assert_eq!(reply.status, 400);
    assert!(reply.header("location").is_none() && reply.header("refresh").is_none());
    assert!(
        says(&reply).contains("Return to app.example"),
        "{}",
        says(&reply)
    );
    // A program on the person's own machine waits for its answer there.
    let local = Dancer::registered(&world).await?;
    let reply = visit(&local.way(&[("scope", "everything")])?).await?;
    let to = reply.header("location").context("no way back")?;
    assert!(
        to.starts_with("http://127.0.0.1:9/callback?error=invalid_scope"),
        "{to}"
    );
    assert!(
        to.contains("state=of-the-client") && to.contains("&iss=http"),
        "{to}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_what_makes_a_request_weaker_is_refused() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    for (name, value, code) in [
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("response_mode", "fragment", "invalid_request"),
        (
            "resource",
            "https://elsewhere.example/mcp",
            "invalid_target",
        ),
        ("resource", "", "invalid_target"),
        ("scope", "admin", "invalid_scope"),
        ("prompt", "none", "interaction_required"),
        ("request", "e30.e30.", "invalid_request"),
        ("request_uri", "https://evil.example/r", "invalid_request"),
    ] {
        let reply = visit(&dancer.way(&[(name, value)])?).await?;
        let to = reply
            .header("location")
            .with_context(|| format!("{name}={value}"))?;
        assert!(
            to.contains(&format!("error={code}&")),
            "{name}={value}: {to}"
        );
        assert!(!to.contains("code="), "{to}");
    }
    for twice in ["state=other", "scope=x", "resource=x", "code_challenge=x"] {
        let mut way = dancer.way(&[])?;
        let query = way.query().unwrap_or_default().to_owned();
        way.set_query(Some(&format!("{query}&{twice}")));
        let reply = visit(&way).await?;
        let to = reply.header("location").unwrap_or_default();
        assert!(to.contains("error=invalid_"), "{twice}: {to}");
    }
    Ok(())
}

/// Sends the form of a page as some browser would.
async fn sends(
    page: &Page,
    browser: &Browser,
    change: impl Fn(Outgoing) -> Outgoing,
) -> Result<Reply> {
    let csrf = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", &csrf.context("no token")?)
        .append_pair("decision", "agree")
        .finish();
    let url = page.url.join("/authority/agree")?;
    let mut request = Outgoing::new(Method::POST, &url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &url.origin().ascii_serialization())
        .body(form);
    if let Some(cookie) = browser.holds(&url).get("__Host-ringwall-authority") {
        request = request.header("cookie", &format!("__Host-ringwall-authority={cookie}"));
    }
    change(request).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_nobody_agrees_for_somebody_else() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let (victim, thief) = (Browser::default(), Browser::default());
    let page = dancer.asks(&victim).await?;
    let of_thief = dancer.asks(&thief).await?;
    // A page of the thief, posted by the victim's browser: with its cookie, and without any.
    let reply = sends(&of_thief, &victim, |it| it).await?;
    assert_eq!(reply.status, 403, "{}", says(&reply));
    let reply = sends(&page, &Browser::default(), |it| it).await?;
    assert_eq!(reply.status, 403, "{}", says(&reply));
    // A foreign page that posts there.
    let reply = sends(&page, &victim, |it| {
        it.header("origin", "https://evil.example")
    })
    .await?;
    assert_eq!(reply.status, 403);
    let reply = sends(&page, &victim, |it| {
        it.header("sec-fetch-site", "cross-site")
    })
    .await?;
    assert_eq!(reply.status, 403);
    let reply = sends(&page, &victim, |it| it.body("decision=agree")).await?;
    assert_eq!(reply.status, 403);
    let reply = sends(&page, &victim, |it| it.body("decision=agree&csrf=00ff")).await?;
    assert_eq!(reply.status, 403);
    // None of that used the page up; it is good once.
    let reply = sends(&page, &victim, |it| it).await?;
    assert_eq!(reply.status, 200, "{}", says(&reply));
    let reply = sends(&page, &victim, |it| it).await?;
    assert_eq!(reply.status, 403);
    assert!(world.events("consent.given", 0).await?.is_empty());
    let refused = refusals(&world, "authorize.refused", 6).await?;
    assert!(
        refused.iter().all(|(_, control)| control == "M3"),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_an_answer_of_the_provider_counts_once_and_in_the_browser_it_is_for() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let victim = Browser::default();
    let back = dancer.agreed(&victim).await?;
    let thief = Browser::default();
    dancer.asks(&thief).await?;
    for browser in [&thief, &Browser::default()] {
        let reply = browser.once(Method::GET, &back, String::new()).await?;
        assert_eq!(reply.status, 403);
        assert!(reply.header("location").is_none());
    }
    let mut made_up = back.clone();
    made_up.set_query(Some("code=sign-in-code-0&state=made-up"));
    let reply = victim.once(Method::GET, &made_up, String::new()).await?;
    assert_eq!(reply.status, 403);
    // Neither took it away from the one whose it is.
    let to = stops_at(&victim, back.clone(), &dancer.redirect).await?;
    assert!(to.query_pairs().any(|(name, _)| name == "code"), "{to}");
    let reply = victim.once(Method::GET, &back, String::new()).await?;
    assert_eq!(reply.status, 403, "once");
    assert_eq!(world.events("code.issued", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_an_answer_that_another_issuer_gave_is_none() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let back = dancer.agreed(&browser).await?;
    let pairs: Vec<(String, String)> = back.query_pairs().into_owned().collect();
    let mut mixed = back.clone();
    mixed
        .query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().map(|(name, value)| match &**name {
            "iss" => ("iss", "https://evil.example"),
            name => (name, value.as_str()),
        }));
    let to = stops_at(&browser, mixed, &dancer.redirect).await?;
    assert!(
        to.as_str().contains("error=") && !to.as_str().contains("code="),
        "{to}"
    );
    assert!(world.events("consent.given", 0).await?.is_empty());
    Ok(())
}

/// The attack of the MCP security page: somebody who agreed to one client once is sent here for another one,
/// under the gateway's one client id at the provider, where a cookie lets everything pass.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_provider_that_asks_nobody_lets_no_other_client_pass() -> Result<()> {
    let world = world().await?;
    let browser = Browser::default();
    let known = Dancer::registered(&world).await?;
    known.code(&browser).await?;
    let evil = on_the_web(&world).await?;
    let page = evil.asks(&browser).await?;
    assert!(page.html().contains("app.example"), "{}", page.html());
    assert_eq!(page.url.path(), "/authorize");
    // Known already, and asking for something else: asked again.
    let page = browser
        .open(&known.way(&[("redirect_uri", "http://127.0.0.1:10/callback")])?)
        .await?;
    assert_eq!(page.reply.status, 200);
    assert_eq!(world.events("code.issued", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_flood_of_registrations_ends_and_disturbs_no_call() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let tokens = dancer
        .redeem(&dancer.code(&Browser::default()).await?)
        .await?;
    let alice = ringwall_tests::mcp::Client::connect(&world.url()?, Some(&tokens.access)).await?;
    let mut taken = 0;
    for _ in 0..200 {
        let reply = dancer
            .register(&registration("http://127.0.0.1/cb"))
            .await?;
        match reply.status.as_u16() {
            201 => taken += 1,
            status => assert!([429, 503].contains(&status), "{reply:?}"),
        }
    }
    assert!((1..100).contains(&taken), "{taken} were let in");
    let answer = alice.call("echo", json!({ "text": "hello" })).await?;
    assert_eq!(ringwall_tests::mcp::text(&answer), "hello");
    Ok(())
}

/// Somebody who agreed to a client that anybody could have registered is asked about it each time, also where
/// they are signed in here.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_that_nobody_stands_by_is_asked_about_each_time() -> Result<()> {
    let world = world().await?;
    let (dancer, browser) = (on_the_web(&world).await?, Browser::default());
    browser.open(&world.gateway.at("/connections")?).await?;
    dancer.code(&browser).await?;
    let way = dancer.way(&[])?;
    let reply = browser.once(Method::GET, &way, String::new()).await?;
    assert_eq!(reply.status, 200);
    assert_eq!(world.events("consent.shown", 2).await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_nobody_is_asked_on_a_page_that_is_fetched_ahead_of_time() -> Result<()> {
    let world = world().await?;
    let way = Dancer::registered(&world).await?.way(&[])?;
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let request = Outgoing::new(Method::GET, &way).header(name, value);
        let reply = request.send().await?;
        assert_eq!(reply.status, 400, "{name}");
        assert!(reply.header("set-cookie").is_none(), "{name}");
    }
    assert!(world.events("consent.shown", 0).await?.is_empty());
    Ok(())
}

/// What somebody planted is no name of a browser: it is given one that nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_browser_has_a_name_of_ours_or_gets_one() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let (name, home) = ("__Host-ringwall-authority", world.gateway.at("/")?);
    for planted in ["", "x", &"x".repeat(42), &"x".repeat(44), &"+".repeat(43)] {
        let browser = Browser::default();
        browser.plant(&home, name, planted);
        dancer.asks(&browser).await?;
        let held = browser.holds(&home);
        let now = held.get(name).context("no name")?;
        assert!(now != planted && now.len() == 43, "{planted}: {now}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_1_one_address_answers_so_many_pages() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Browser::default();
    // Sixty at once, and one more for each second that this takes. One that is worth nothing takes a place as
    // well; where a place came back meanwhile, one that is worth something has it.
    let mut answered = 0;
    let mut forged = true;
    let mut page = dancer.asks(&browser).await?;
    loop {
        let change = |it: Outgoing| match forged {
            true => it.body("decision=agree&csrf=00ff"),
            false => it,
        };
        let reply = sends(&page, &browser, change).await?;
        match (reply.status.as_u16(), forged) {
            (503, true) => forged = false,
            (503, false) => break,
            (403, true) => answered += 1,
            (200, false) => {
                answered += 1;
                forged = true;
                page = dancer.asks(&browser).await?;
            }
            _ => panic!("{}", says(&reply)),
        }
        anyhow::ensure!(answered < 120, "nothing is counted");
    }
    assert!(answered >= 60, "{answered}");
    Ok(())
}

/// Whoever is kept out here is kept out of this as well, whatever their provider says.
#[tokio::test(flavor = "multi_thread")]
async fn n8_3_whoever_is_revoked_lets_no_client_in() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let block = ["revoke", "user", "alice", "--block"];
    world.gateway.with_config(&block).await?;
    assert_eq!(world.events("revoked", 1).await?.len(), 1);
    let answer = dancer.answered(&Browser::default()).await?;
    assert!(
        answer.contains_key("error") && !answer.contains_key("code"),
        "{answer:?}"
    );
    assert!(world.events("consent.given", 0).await?.is_empty());
    assert!(world.events("code.issued", 0).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_request_for_tokens_is_read_strictly() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let tokens = dancer
        .redeem(&dancer.code(&Browser::default()).await?)
        .await?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", &tokens.refresh)
        .append_pair("client_id", &dancer.id)
        .finish();
    let media = "application/x-www-form-urlencoded";
    for (media, body) in [
        ("application/json", form.clone()),
        ("text/plain", form.clone()),
        (media, format!("{form}&scope=a&scope=b")),
        (media, format!("{form}&more={}", "x".repeat(20_000))),
    ] {
        let request = Outgoing::new(Method::POST, &dancer.at("/token")?);
        let request = request.header("content-type", media).body(body);
        let reply = request.send().await?;
        let said = (reply.status.as_u16(), reply.json()?["error"].clone());
        assert_eq!(said, (400, json!("invalid_request")), "{media}");
    }
    // None of it has used the token up.
    assert_eq!(dancer.refresh(&tokens.refresh).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_registration_is_read_strictly() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::new(&world, "")?;
    let redirect = "http://127.0.0.1/cb";
    for (members, code) in [
        (json!({}), "invalid_redirect_uri"),
        (registration("javascript:alert(1)"), "invalid_redirect_uri"),
        (
            registration("https://app.example/cb#x"),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": [redirect], "client_name": "a\u{202e}b" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [redirect], "grant_types": ["implicit"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [redirect], "client_name": "x".repeat(20_000) }),
            "invalid_request",
        ),
    ] {
        let reply = dancer.register(&members).await?;
        let said = (reply.status.as_u16(), reply.json()?["error"].clone());
        assert_eq!(said, (400, json!(code)));
    }
    let request = Outgoing::new(Method::POST, &dancer.at("/register")?);
    let twice =
        r#"{"redirect_uris":["http://127.0.0.1/a"],"redirect_uris":["http://127.0.0.1/b"]}"#;
    let request = request
        .header("content-type", "application/json")
        .body(twice);
    assert_eq!(request.send().await?.status, 400);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_clients_register_only_where_the_operator_lets_them() -> Result<()> {
    let closed = authority(json!({ "registration": "off", "documents": ["app.example"] }));
    let world = World::start(Plan::default().whole(closed)).await?;
    let dancer = Dancer::new(&world, "rw-made-up")?;
    let reply = dancer
        .register(&registration("http://127.0.0.1/cb"))
        .await?;
    assert_eq!(reply.status, 403);
    for id in [
        "rw-made-up",
        "anybody",
        "https://evil.example/client.json",
        "https://app.example",
    ] {
        let reply = visit(&dancer.way(&[("client_id", id)])?).await?;
        assert_eq!(reply.status, 401, "{id}");
        assert!(reply.header("location").is_none());
    }
    Ok(())
}
