//! `/connections` and the pages beside it: what is a person's own, ended by themselves and by nobody else,
//! and what every page says to a browser.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::authority::Realm;
use ringwall_tests::browser::{Browser, Page, link_in};
use ringwall_tests::chromium::Chromium;
use ringwall_tests::comes::comes;
use ringwall_tests::dance::{Dancer, authority, registration, stops_at};
use ringwall_tests::documents::Documents;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::Client;
use ringwall_tests::place;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::{CREDENTIAL, Plan, World};
use serde_json::json;
use url::Url;

/// A world in which users connect a server and administrators sign in.
async fn world(realm: &Realm) -> Result<World> {
    let oauth = json!({ "grant": "connection", "network": "private" });
    let http = json!({ "url": realm.server().as_str(), "network": "private", "oauth": oauth });
    let whole = json!({ "administration": {
        "amr": ["mfa"], "roles": [{ "role": "admin", "users": ["alice"] }]
    } });
    let plan = Plan::default().whole(whole).whole(authority(json!({})));
    let plan = plan.server(json!({ "http": http }));
    let world = World::start(plan).await?;
    realm.guards(world.fixture_url(), CREDENTIAL);
    world
        .issuer
        .change_identity_tokens(json!({ "amr": ["mfa"], "auth_time": place::now() }));
    Ok(world)
}

/// A client of this user, who has connected the server with this browser.
async fn connected(world: &World, user: &str, browser: &Browser) -> Result<Client> {
    world.issuer.at_the_browser(user);
    let client = Client::new(&world.url()?, Some(&world.token(user)?));
    let opened = client
        .initialize_with(json!({ "elicitation": { "url": {} } }))
        .await?;
    let link: Url = link_in(&opened).with_context(|| format!("no link: {opened}"))?;
    browser.connect(&link).await?;
    world.client(user).await
}

/// What a person reads of a page. What is in its markup is at random in part, and may spell anybody's name.
fn words(page: &Page) -> String {
    let html = page.html();
    let parts = html.split('<').filter_map(|part| part.split_once('>'));
    parts.map(|(_, text)| text).collect()
}

async fn own(world: &World, browser: &Browser) -> Result<Page> {
    browser.open(&world.gateway.at("/connections")?).await
}

/// The fields of the form that ends a thing of this kind, as the page has them.
fn form(page: &Page, kind: &str) -> Result<String> {
    let html = page.html();
    let field =
        format!("name=\"kind\" value=\"{kind}\"><input type=\"hidden\" name=\"name\" value=\"");
    let (before, after) = html
        .split_once(&field)
        .with_context(|| format!("no {kind}: {html}"))?;
    let (name, _) = after.split_once('"').context("no name")?;
    let (_, csrf) = before
        .rsplit_once("name=\"csrf\" value=\"")
        .context("no token")?;
    let (csrf, _) = csrf.split_once('"').context("no token")?;
    Ok(fields(csrf, kind, name))
}

fn fields(csrf: &str, kind: &str, name: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", csrf)
        .append_pair("kind", kind)
        .append_pair("name", name)
        .finish()
}

async fn ended(world: &World, browser: &Browser, form: String) -> Result<u16> {
    let url = world.gateway.at("/connections")?;
    let reply = browser.once(Method::POST, &url, form).await?;
    Ok(reply.status.as_u16())
}

/// Whoever owns the machine sees the connections of both, or of one.
async fn are_listed(world: &World) -> Result<()> {
    let listed = async |of: &str| -> Result<Vec<serde_json::Value>> {
        let list = ["admin", "connections.list", of];
        Ok(serde_json::from_str(
            &world.gateway.with_data(&list).await?,
        )?)
    };
    let both = listed("{}").await?;
    let user = both.first().and_then(|one| one.get("user")).cloned();
    let one = listed(&json!({ "user": user }).to_string()).await?;
    assert_eq!((both.len(), one.len()), (2, 1), "{both:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_people_end_what_is_their_own_and_nothing_else() -> Result<()> {
    let realm = Realm::start().await?;
    let world = world(&realm).await?;
    let (alice, bob) = (Browser::default(), Browser::default());
    let hers = connected(&world, "alice", &alice).await?;
    let his = connected(&world, "bob", &bob).await?;
    are_listed(&world).await?;
    world.issuer.at_the_browser("alice");
    let page = own(&world, &alice).await?;
    world.issuer.at_the_browser("bob");
    let theirs = own(&world, &bob).await?;
    for (page, name) in [(&page, "alice"), (&theirs, "bob")] {
        let html = page.html();
        assert!(
            html.contains(name) && html.contains(realm.issuer()),
            "{html}"
        );
        assert!(
            html.contains("fixture") && html.contains("test-client"),
            "{html}"
        );
    }
    assert!(words(&page).contains("alice") && words(&theirs).contains("bob"));
    assert!(!words(&page).contains("bob") && !words(&theirs).contains("alice"));
    // What is somebody else's is not there, whoever names it; and a form is of its own page.
    for kind in ["connection", "session", "browser"] {
        let own = form(&page, kind)?;
        let other = form(&theirs, kind)?;
        let csrf = |form: &str| {
            let mut pairs = url::form_urlencoded::parse(form.as_bytes()).into_owned();
            pairs.next().map(|(_, value)| value).unwrap_or_default()
        };
        let name = |form: &str| {
            let pairs = url::form_urlencoded::parse(form.as_bytes()).into_owned();
            pairs.last().map(|(_, value)| value).unwrap_or_default()
        };
        let crossed = fields(&csrf(&own), kind, &name(&other));
        assert_eq!(ended(&world, &alice, crossed).await?, 404, "{kind}");
        let forged = fields(&csrf(&other), kind, &name(&own));
        assert_eq!(ended(&world, &alice, forged).await?, 403, "{kind}");
        let bare = fields("", kind, &name(&own));
        assert_eq!(ended(&world, &alice, bare).await?, 403, "{kind}");
    }
    assert_eq!(hers.send("ping", json!({})).await?.status, 200);
    // One after the other ends, hers alone.
    assert_eq!(ended(&world, &alice, form(&page, "session")?).await?, 303);
    let status = comes(async || {
        let status = hers.send("ping", json!({})).await?.status;
        Ok((status != 200).then_some(status))
    });
    assert_eq!(status.await.context("her session is still there")?, 404);
    assert_eq!(
        ended(&world, &alice, form(&page, "connection")?).await?,
        303
    );
    let after = own(&world, &alice).await?;
    assert!(!after.html().contains(realm.issuer()), "{}", after.html());
    assert_eq!(ended(&world, &alice, form(&page, "browser")?).await?, 303);
    assert_eq!(ended(&world, &alice, form(&page, "browser")?).await?, 403);
    assert_eq!(his.send("ping", json!({})).await?.status, 200);
    assert!(own(&world, &bob).await?.html().contains(realm.issuer()));
    let records = world.events("own.ended", 3).await?;
    assert_eq!(records.len(), 3, "{records:?}");
    let by =
        |line: &serde_json::Value| line.pointer("/record/who/subject") == Some(&json!("alice"));
    assert!(records.iter().all(by), "{records:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_person_takes_back_that_they_let_a_client_in_and_its_tokens_end() -> Result<()> {
    let world = World::start(Plan::default().whole(authority(json!({})))).await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let tokens = dancer.redeem(&dancer.code(&browser).await?).await?;
    let page = own(&world, &browser).await?;
    let html = page.html();
    assert!(
        html.contains("Clients you let in") && html.contains("not verified"),
        "{html}"
    );
    assert_eq!(ended(&world, &browser, form(&page, "client")?).await?, 303);
    let refused = dancer.refresh(&tokens.refresh).await?;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(ended(&world, &browser, form(&page, "client")?).await?, 404);
    assert_eq!(world.events("own.ended", 1).await?.len(), 1);
    assert_eq!(world.events("consent.revoked", 1).await?.len(), 1);
    Ok(())
}

/// What the keys of users are called is no secret, and an issuer may name a user like one of them.
#[tokio::test(flavor = "multi_thread")]
async fn n8_3_whoever_is_named_like_the_key_of_another_is_not_them() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let browser = Browser::default();
    let page = own(&world, &browser).await?;
    assert!(form(&page, "session").is_err());
    let signed_in = world.events("person.signed_in", 1).await?;
    let key = signed_in
        .first()
        .and_then(|line| line.pointer("/record/who/user"));
    let key = key.and_then(serde_json::Value::as_str).context("no key")?;
    let namesake = world.client(key).await?;
    let page = own(&world, &browser).await?;
    assert!(form(&page, "session").is_err(), "{}", page.html());
    let hers = world.client("alice").await?;
    let page = own(&world, &browser).await?;
    assert_eq!(page.html().matches("value=\"session\"").count(), 1);
    for client in [namesake, hers] {
        assert_eq!(client.send("ping", json!({})).await?.status, 200);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_nothing_is_ended_by_a_form_of_another_site() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let browser = Browser::default();
    let page = own(&world, &browser).await?;
    let url = world.gateway.at("/connections")?;
    let held = browser.holds(&url);
    let session = held.get("__Host-ringwall").context("not signed in")?;
    for (site, status) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 303),
    ] {
        let request = Outgoing::new(Method::POST, &url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &format!("__Host-ringwall={session}"))
            .header("sec-fetch-site", site)
            .body(form(&page, "browser")?);
        assert_eq!(request.send().await?.status.as_u16(), status, "{site}");
    }
    Ok(())
}

/// A client that stands by its name is let in without a page by whoever agreed before; not if they take
/// that back while they sign in.
#[tokio::test(flavor = "multi_thread")]
async fn m3_what_was_taken_back_meanwhile_is_asked_for_again() -> Result<()> {
    let members = json!({ "documents": ["127.0.0.1"], "network": "private" });
    let world = World::start(Plan::default().whole(authority(members))).await?;
    let (documents, browser) = (Documents::start().await?, Browser::default());
    let (url, redirect) = (documents.at("/client.json")?, "https://app.example/cb");
    let document = overlaid(
        registration(redirect),
        &json!({ "client_id": url.as_str() }),
    );
    documents.put("/client.json", &document.to_string());
    let mut dancer = Dancer::new(&world, url.as_str())?;
    dancer.redirect = redirect.to_owned();
    own(&world, &browser).await?;
    dancer.code(&browser).await?;
    let back = dancer.at("/authority/signed-in")?;
    let back = stops_at(&browser, dancer.way(&[])?, back.as_str()).await?;
    let page = own(&world, &browser).await?;
    assert_eq!(ended(&world, &browser, form(&page, "client")?).await?, 303);
    let asked = browser.open(&back).await?;
    assert_eq!(asked.reply.status, 200);
    assert!(asked.html().contains("Let a program act for you?"));
    assert_eq!(world.events("consent.given", 1).await?.len(), 1);
    assert_eq!(world.events("code.issued", 1).await?.len(), 1);
    let page = own(&world, &browser).await?;
    assert!(form(&page, "client").is_err(), "nobody agreed again");
    Ok(())
}

/// Every page that a browser can be shown without doing anything, and one that is none.
const PAGES: [&str; 18] = [
    "/approvals",
    "/approvals/none",
    "/authorize",
    "/authorize?client_id=rw-none&redirect_uri=https://evil.example",
    "/authority/agree",
    "/authority/signed-in",
    "/authority/signed-in?state=x&code=y",
    "/connections",
    "/sign-in",
    "/sign-in?issuer=https://evil.example",
    "/sign-in/back",
    "/sign-out",
    "/admin",
    "/admin/sign-in",
    "/admin/api/v1/whoami",
    "/admin/api/v1/none",
    "/connect/none",
    "/connect/callback",
];

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_every_page_says_what_a_browser_must_not_do() -> Result<()> {
    let realm = Realm::start().await?;
    let world = world(&realm).await?;
    let signed_in = Browser::default();
    signed_in.open(&world.gateway.at("/admin")?).await?;
    // The page that asks somebody, and the one that it becomes for a client that asks wrongly.
    let consent = Dancer::registered(&world).await?.way(&[])?;
    assert_eq!(signed_in.open(&consent).await?.reply.status, 200);
    for browser in [&Browser::default(), &signed_in] {
        for path in PAGES.into_iter().chain([consent.as_str()]) {
            let url = world.gateway.at(path)?;
            for method in [Method::GET, Method::POST] {
                let reply = browser.once(method.clone(), &url, String::new()).await?;
                let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
                let policy = header("content-security-policy");
                for part in [
                    "default-src 'none'",
                    "frame-ancestors 'none'",
                    "base-uri 'none'",
                    "form-action 'self'",
                ] {
                    assert!(policy.contains(part), "{method} {path}: {policy}");
                }
                assert!(
                    !policy.contains("unsafe") && !policy.contains('*'),
                    "{path}: {policy}"
                );
                for (name, value) in [
                    ("x-frame-options", "DENY"),
                    ("x-content-type-options", "nosniff"),
                    ("referrer-policy", "same-origin"),
                    ("cache-control", "no-store"),
                    ("cross-origin-resource-policy", "same-origin"),
                ] {
                    assert_eq!(header(name), value, "{method} {path}: {name}");
                }
                assert!(!header("permissions-policy").is_empty(), "{path}");
                assert_eq!(reply.header("server"), None, "{path}");
                for cookie in reply.headers.get_all("set-cookie") {
                    let cookie = cookie.to_str()?;
                    for part in ["__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                        assert!(cookie.contains(part), "{path}: {cookie}");
                    }
                    assert!(!cookie.contains("Domain"), "{path}: {cookie}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_the_pages_of_people_are_usable_in_a_real_browser_with_a_keyboard() -> Result<()> {
    let realm = Realm::start().await?;
    let world = world(&realm).await?;
    let _session = connected(&world, "alice", &Browser::default()).await?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    let shown = alice.open(&world.gateway.at("/connections")?).await?;
    assert_eq!(shown.title, "Connections · Ringwall");
    assert!(
        shown.text.contains("Sessions of your clients"),
        "{}",
        shown.text
    );
    alice.is_fit().await?;
    alice.picture("connections").await?;
    let mut way = Vec::new();
    for _ in 0..5 {
        way.push(alice.press("Tab").await?);
    }
    assert_eq!(
        way,
        [
            "Skip to the content",
            "Connections",
            "Approvals",
            "Administration",
            "Sign out"
        ]
    );
    let shown = alice.follow("Administration").await?;
    assert_eq!(shown.title, "Administration · Ringwall");
    assert!(shown.text.contains("sessions.list"), "{}", shown.text);
    alice.is_fit().await?;
    alice.picture("administration").await?;
    alice.follow("Sign out").await?;
    alice.is_fit().await?;
    alice.picture("sign-out").await?;
    let shown = alice.read().await?;
    assert_eq!(shown.title, "Sign out · Ringwall");
    Ok(())
}
