//! People with a browser: signing in to the gateway's own pages and out again, and everything that must
//! not sign anybody in or keep them there.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::browser::{Browser, Page};
use ringwall_tests::comes::is_so;
use ringwall_tests::issuer::compact;
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use url::Url;

const SESSION: &str = "__Host-ringwall";
const ON_THE_WAY: &str = "__Host-ringwall-sign-in";

async fn world() -> Result<World> {
    World::start(Plan::default()).await
}

/// A browser that is signed in as whoever is at it, and the page it arrived at.
async fn signed_in(world: &World) -> Result<(Browser, Page)> {
    let browser = Browser::default();
    let page = browser.open(&world.gateway.at("/connections")?).await?;
    assert_eq!(page.reply.status, 200, "{}", page.html());
    Ok((browser, page))
}

/// Where a browser is sent to, and what its issuer would send it back to.
async fn begun(world: &World, browser: &Browser, path: &str) -> Result<(Url, Url)> {
    let get = async |url: &Url| -> Result<Url> {
        let reply = browser.once(Method::GET, url, String::new()).await?;
        let to = reply.header("location").context("not sent anywhere")?;
        Ok(url.join(to)?)
    };
    let to = get(&world.gateway.at(path)?).await?;
    let back = get(&to).await?;
    Ok((to, back))
}

/// Whether a browser that asks for its own page is shown one, without being sent anywhere.
async fn is_in(world: &World, browser: &Browser) -> Result<bool> {
    let url = world.gateway.at("/connections")?;
    let reply = browser.once(Method::GET, &url, String::new()).await?;
    Ok(reply.status == 200)
}

/// Waits until that is so no more.
async fn is_out(world: &World, browser: &Browser) -> Result<()> {
    is_so(async || Ok(!is_in(world, browser).await?)).await
}

fn named<'a>(records: &'a [Value], pointer: &str) -> Vec<&'a str> {
    let values = records.iter().filter_map(|line| line.pointer(pointer));
    values.filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_a_person_signs_in_at_their_provider_and_out_again() -> Result<()> {
    let world = world().await?;
    world
        .issuer
        .change_identity_tokens(json!({ "name": "Alice <b>", "acr": "phr", "amr": ["hwk"] }));
    let (browser, page) = signed_in(&world).await?;
    assert_eq!(page.url.path(), "/connections");
    assert!(page.html().contains("Alice &lt;b&gt;"), "{}", page.html());
    // Nothing is left of the way, and the session is for this host, this path and no script.
    let held = browser.holds(&world.gateway.at("/")?);
    assert_eq!(held.keys().collect::<Vec<_>>(), [SESSION]);
    let other = Browser::default();
    assert!(!is_in(&world, &other).await?);
    let page = browser.open(&world.gateway.at("/sign-out")?).await?;
    let page = browser.decide(&page, "").await?;
    assert!(page.html().contains("Signed out"), "{}", page.html());
    let cleared = page.reply.header("set-cookie").context("no cookie")?;
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
    // Neither what the browser holds now nor what it held before is good for anything.
    assert!(!is_in(&world, &browser).await?);
    let value = held.get(SESSION).context("no session")?;
    browser.plant(&world.gateway.at("/")?, SESSION, value);
    assert!(!is_in(&world, &browser).await?);
    let signed_in = world.events("person.signed_in", 1).await?;
    assert_eq!(named(&signed_in, "/record/who/subject"), ["alice"]);
    assert_eq!(
        named(&signed_in, "/record/event/after"),
        ["acr phr, amr hwk"]
    );
    let signed_out = world.events("person.signed_out", 1).await?;
    assert_eq!(
        named(&signed_out, "/record/who/session_digest"),
        named(&signed_in, "/record/who/session_digest")
    );
    for record in signed_in.iter().chain(&signed_out) {
        assert!(!record.to_string().contains(value.as_str()), "{record}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_an_answer_counts_in_the_browser_that_asked_and_once() -> Result<()> {
    let world = world().await?;
    let (mallory, alice) = (Browser::default(), Browser::default());
    let (_, back) = begun(&world, &mallory, "/connections").await?;
    // Login CSRF: the answer of somebody else's sign-in, in a browser that is on no way, and in one that
    // is on a way of its own.
    for begins in [false, true] {
        if begins {
            begun(&world, &alice, "/connections").await?;
        }
        let reply = alice.once(Method::GET, &back, String::new()).await?;
        assert_eq!(reply.status, 403);
        assert!(!alice.holds(&back).contains_key(SESSION));
    }
    // Nothing was lost by it: whoever asked is signed in, and only once.
    let held = mallory.holds(&back);
    let way = held.get(ON_THE_WAY).context("on no way")?;
    assert_eq!(mallory.open(&back).await?.reply.status, 200);
    mallory.plant(&back, ON_THE_WAY, way);
    let again = mallory.once(Method::GET, &back, String::new()).await?;
    assert_eq!(again.status, 403);
    // A way that was changed, or is none.
    for value in [
        "",
        "x",
        way.get(1..).unwrap_or_default(),
        &format!("{way}A"),
    ] {
        let browser = Browser::default();
        browser.plant(&back, ON_THE_WAY, value);
        let reply = browser.once(Method::GET, &back, String::new()).await?;
        assert_eq!(reply.status, 403, "{value}");
    }
    let records = world.events("sign_in.refused", 7).await?;
    let codes = named(&records, "/record/refusal/code");
    assert!(
        codes.len() >= 7 && codes.contains(&"sign_in_unknown"),
        "{codes:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_an_identity_token_that_is_not_as_it_must_be_signs_nobody_in() -> Result<()> {
    let world = world().await?;
    for (row, change) in [
        json!({ "nonce": "another" }),
        json!({ "aud": "another" }),
        json!({ "iss": "http://127.0.0.1:1" }),
        json!({ "exp": 1 }),
        json!({ "sub": null }),
        json!({ "azp": "another" }),
    ]
    .into_iter()
    .enumerate()
    {
        world.issuer.change_identity_tokens(change);
        let browser = Browser::default();
        let page = browser.open(&world.gateway.at("/connections")?).await?;
        assert_eq!(page.reply.status, 403, "{row}");
        assert!(!browser.holds(&page.url).contains_key(SESSION), "{row}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_signing_in_leads_back_to_a_page_of_ours_and_nowhere_else() -> Result<()> {
    let world = world().await?;
    for (back, arrives) in [
        ("/sign-out", "/sign-out"),
        ("//evil.example/", "/connections"),
        ("/\\evil.example", "/connections"),
        ("https://evil.example/", "/connections"),
        ("/..//evil.example/", "/connections"),
        ("/sign-out&back=/connections", "/connections"),
    ] {
        let browser = Browser::default();
        let back = back.replace('\\', "%5C");
        let page = browser
            .open(&world.gateway.at(&format!("/sign-in?back={back}"))?)
            .await?;
        assert_eq!(
            (page.reply.status.as_u16(), page.url.path()),
            (200, arrives),
            "{back}"
        );
        assert_eq!(page.url.origin(), world.gateway.at("/")?.origin(), "{back}");
    }
    let unknown = world.gateway.at("/sign-in?issuer=https://evil.example")?;
    let browser = Browser::default();
    let reply = browser.once(Method::GET, &unknown, String::new()).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (403, None)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_session_is_another_one_after_every_sign_in() -> Result<()> {
    let world = world().await?;
    let home = world.gateway.at("/")?;
    // Fixation: what somebody planted is not what counts afterwards.
    let browser = Browser::default();
    browser.plant(&home, SESSION, "planted");
    assert!(!is_in(&world, &browser).await?);
    browser.open(&world.gateway.at("/sign-in")?).await?;
    let first = browser.holds(&home).get(SESSION).cloned().context("none")?;
    assert_ne!(first, "planted");
    world.issuer.at_the_browser("bob");
    let page = browser.open(&world.gateway.at("/sign-in")?).await?;
    assert!(page.html().contains("bob"), "{}", page.html());
    let second = browser.holds(&home).get(SESSION).cloned().context("none")?;
    assert_ne!(first, second);
    let other = Browser::default();
    other.plant(&home, SESSION, &first);
    assert!(!is_in(&world, &other).await?, "the first is still good");
    // 256 bits each.
    assert!(first.len() >= 43 && second.len() >= 43);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_whoever_is_revoked_is_signed_out_and_does_not_come_in_again() -> Result<()> {
    let plan =
        json!({ "events": { "audience": "https://gateway.example/events" }, "clock_skew": "0s" });
    let world = World::start(Plan::default().issuer(plan)).await?;
    world
        .issuer
        .change_identity_tokens(json!({ "sid": "login-1" }));
    let (alice, _) = signed_in(&world).await?;
    let (same_login, _) = signed_in(&world).await?;
    world
        .issuer
        .change_identity_tokens(json!({ "sid": "login-2" }));
    world.issuer.at_the_browser("bob");
    let (bob, page) = signed_in(&world).await?;
    // The issuer says that a login is over (OpenID Connect Back-Channel Logout).
    let now = world.issuer.claims("", "")["iat"]
        .as_u64()
        .context("no time")?
        + 1;
    let claims = json!({
        "iss": world.issuer.url(), "aud": "https://gateway.example/events", "iat": now, "jti": "out",
        "exp": now + 60, "sid": "login-1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let key = world.issuer.key()?;
    let header = json!({ "alg": key.algorithm(), "typ": "logout+jwt", "kid": key.name() });
    let token = compact(&header, &claims, |input| key.sign(key.algorithm(), input))?;
    let url = world.gateway.at("/events/logout")?;
    let told = Outgoing::new(Method::POST, &url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("logout_token={token}"));
    assert_eq!(told.send().await?.status, 200);
    assert!(!is_in(&world, &alice).await? && !is_in(&world, &same_login).await?);
    assert!(is_in(&world, &bob).await?);
    // Whoever runs the gateway ends one session, by what its page calls it, then blocks the person.
    let html = page.html();
    let field = "value=\"browser\"><input type=\"hidden\" name=\"name\" value=\"";
    let name = html
        .split_once(field)
        .and_then(|(_, rest)| rest.split_once('"'));
    let (name, _) = name.context("no session")?;
    let (other, _) = signed_in(&world).await?;
    world
        .gateway
        .with_config(&["revoke", "session", name])
        .await?;
    is_out(&world, &bob).await?;
    assert!(is_in(&world, &other).await?);
    let (bob, _) = signed_in(&world).await?;
    world
        .gateway
        .with_config(&["revoke", "user", "bob", "--block"])
        .await?;
    is_out(&world, &bob).await?;
    let page = bob.open(&world.gateway.at("/connections")?).await?;
    assert_eq!(page.reply.status, 403);
    assert!(page.html().contains("not admitted"), "{}", page.html());
    let records = world.events("sign_in.refused", 1).await?;
    assert_eq!(named(&records, "/record/refusal/code"), ["revoked"]);
    assert_eq!(named(&records, "/record/who/subject"), ["bob"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_nobody_is_signed_out_by_a_form_of_somebody_elses() -> Result<()> {
    let world = world().await?;
    let (browser, _) = signed_in(&world).await?;
    let (other, _) = signed_in(&world).await?;
    let url = world.gateway.at("/sign-out")?;
    let page = other.open(&url).await?;
    let theirs = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let theirs = theirs.context("no token")?;
    for form in [String::new(), "csrf=".to_owned(), format!("csrf={theirs}")] {
        let reply = browser.once(Method::POST, &url, form).await?;
        assert_eq!(reply.status, 403);
    }
    // From another site, as a browser says itself; and from another origin, as it says as well.
    let page = browser.open(&url).await?;
    let own = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let own = own.context("no token")?;
    let held = browser.holds(&url);
    let cookie = format!("{SESSION}={}", held.get(SESSION).context("none")?);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = Outgoing::new(Method::POST, &url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &cookie)
            .header(name, value)
            .body(format!("csrf={own}"));
        assert_eq!(request.send().await?.status, 403, "{name}");
    }
    assert!(is_in(&world, &browser).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m2_a_browsers_session_opens_no_route() -> Result<()> {
    let world = world().await?;
    let (browser, _) = signed_in(&world).await?;
    let home = world.gateway.at("/")?;
    let held = browser.holds(&home);
    let value = held.get(SESSION).context("no session")?;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for (name, shown) in [
        ("cookie", format!("{SESSION}={value}")),
        ("authorization", format!("Bearer {value}")),
        ("mcp-session-id", value.clone()),
    ] {
        let request = wire::Outgoing::message(&world.url()?, &message).header(name, &shown);
        assert_eq!(request.send().await?.status, 401, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_sign_in_counts_once_also_where_the_provider_takes_its_code_twice() -> Result<()> {
    let world = world().await?;
    world.issuer.forgets_no_code();
    let browser = Browser::default();
    let (_, back) = begun(&world, &browser, "/connections").await?;
    let held = browser.holds(&back);
    let way = held.get(ON_THE_WAY).context("on no way")?;
    assert_eq!(browser.open(&back).await?.reply.status, 200);
    // Whoever has seen the cookie and the address of before.
    let thief = Browser::default();
    thief.plant(&back, ON_THE_WAY, way);
    let reply = thief.once(Method::GET, &back, String::new()).await?;
    assert_eq!(reply.status, 403);
    assert!(!thief.holds(&back).contains_key(SESSION));
    let records = world.events("sign_in.refused", 1).await?;
    assert_eq!(named(&records, "/record/refusal/code"), ["replayed"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_nothing_begins_with_a_page_that_is_fetched_ahead_of_time() -> Result<()> {
    let world = world().await?;
    let url = world.gateway.at("/sign-in")?;
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let request = Outgoing::new(Method::GET, &url).header(name, value);
        let reply = request.send().await?;
        assert_eq!(reply.status, 403, "{name}: {value}");
        assert_eq!(reply.header("location"), None, "{name}: {value}");
        assert_eq!(reply.header("set-cookie"), None, "{name}: {value}");
    }
    let reply = Outgoing::new(Method::GET, &url).send().await?;
    assert_eq!(reply.status, 303);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_a_form_is_read_as_a_form_and_within_its_bounds() -> Result<()> {
    let world = world().await?;
    let (browser, _) = signed_in(&world).await?;
    let url = world.gateway.at("/sign-out")?;
    let page = browser.open(&url).await?;
    let own = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let own = format!("csrf={}", own.context("no token")?);
    let held = browser.holds(&url);
    let cookie = format!("{SESSION}={}", held.get(SESSION).context("none")?);
    let form = "application/x-www-form-urlencoded";
    for (media, body, status) in [
        ("text/plain", own.clone(), 403),
        ("application/json", own.clone(), 403),
        ("", own.clone(), 403),
        (form, format!("{own}&{own}"), 403),
        (form, format!("{own}&more={}", "x".repeat(16 * 1024)), 403),
        (form, own, 200),
    ] {
        let length = body.len();
        let request = Outgoing::new(Method::POST, &url)
            .header("content-type", media)
            .header("cookie", &cookie)
            .body(body);
        let reply = request.send().await?;
        assert_eq!(reply.status.as_u16(), status, "{media}, {length} bytes");
    }
    Ok(())
}
