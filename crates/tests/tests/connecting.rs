//! Browsers on their way to connect a server: several ways at once, pages of others that want to end or to
//! take over one, and authorization servers that answer for another one (controls 8.3, 2.1).

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::authority::Realm;
use ringwall_tests::browser::{Browser, Page, link_in};
use ringwall_tests::guarded::{connection, guarded, link};
use ringwall_tests::mcp::Client;
use ringwall_tests::world::World;
use serde_json::json;
use url::Url;

/// The link that alice is given at this route.
async fn link_at(world: &World, route: &str) -> Result<Url> {
    let url = world.gateway.at(route)?;
    let token = world.issuer.token(url.as_str(), "alice")?;
    let client = Client::new(&url, Some(&token));
    let refused = client.initialize_with(json!({})).await?;
    link_in(&refused).with_context(|| format!("no link: {refused}"))
}

/// Where a browser is sent by this address, and not one step further.
async fn sent_on(browser: &Browser, url: &Url) -> Result<Url> {
    let reply = browser.once(Method::GET, url, String::new()).await?;
    let to = reply.header("location").context("not sent anywhere")?;
    Ok(url.join(to)?)
}

/// The address behind the link of a page that leads to where a person agrees.
fn onward(page: &Page) -> Result<Url> {
    let onward = page.attribute("<a rel=\"noreferrer\" ", "href");
    Ok(onward.context("no way on")?.parse()?)
}

fn is_connected(page: &Page) -> bool {
    page.reply.status == 200 && page.html().contains("Connected")
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_one_browser_connects_in_two_tabs_and_neither_ends_the_other() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let browser = Browser::default();
    let (one, two) = (
        link_at(&world, "/fixture").await?,
        link_at(&world, "/other").await?,
    );
    assert_ne!(one, two);
    let one = browser.open(&one).await?;
    let two = browser.open(&two).await?;
    assert_eq!(
        (one.reply.status, two.reply.status),
        (http::StatusCode::OK, http::StatusCode::OK)
    );
    let one = browser.decide(&one, "agree").await?;
    let two = browser.decide(&two, "agree").await?;
    let two = browser.onward(&two).await?;
    assert!(is_connected(&two), "{}", two.html());
    let one = browser.onward(&one).await?;
    assert!(is_connected(&one), "{}", one.html());
    assert_eq!(realm.grants("authorization_code").len(), 2);
    // One that ends badly ends alone.
    realm.forget_grants();
    realm.accepts(&["refused-"]);
    let (one, two) = (
        link_at(&world, "/fixture").await?,
        link_at(&world, "/other").await?,
    );
    let one = browser.open(&one).await?;
    let two = browser.open(&two).await?;
    assert_eq!(browser.decide(&one, "decline").await?.reply.status, 403);
    let two = browser.decide(&two, "agree").await?;
    assert!(is_connected(&browser.onward(&two).await?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_page_of_somebody_else_ends_no_journey() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let browser = Browser::default();
    let sign_in = sent_on(&browser, &link(&world, "alice").await?).await?;
    // Whatever a page of somebody else sends this browser to, with its cookie.
    let made_up = "x".repeat(43);
    let foreign = || async {
        for path in [
            "/connect/signed-in".to_owned(),
            "/connect/signed-in?code=c".to_owned(),
            format!("/connect/signed-in?code=c&state={made_up}"),
            format!("/connect/signed-in?code=c&state={made_up}&state={made_up}"),
            format!("/connect/callback?error=access_denied&state={made_up}"),
            format!("/connect/callback/0123456789abcdef?code=c&state={made_up}"),
        ] {
            let page = browser.open(&world.gateway.at(&path)?).await?;
            assert_eq!(page.reply.status, 404, "{path}");
        }
        for form in [
            String::new(),
            "decision=decline".to_owned(),
            format!("csrf={made_up}&decision=decline"),
            format!("csrf={made_up}&csrf={made_up}&decision=agree"),
        ] {
            let agree = world.gateway.at("/connect/agree")?;
            let reply = browser.once(Method::POST, &agree, form.clone()).await?;
            assert_eq!(reply.status, 404, "{form}");
        }
        Ok::<_, anyhow::Error>(())
    };
    foreign().await?;
    let page = browser.open(&sign_in).await?;
    assert_eq!(page.reply.status, 200, "{}", page.html());
    foreign().await?;
    let page = browser.decide(&page, "agree").await?;
    foreign().await?;
    let page = browser.onward(&page).await?;
    assert!(is_connected(&page), "{}", page.html());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_no_other_browser_goes_on_with_a_journey_or_ends_it() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let (alices, other) = (Browser::default(), Browser::default());
    // The other one is on a way of its own, and has a cookie of its own.
    other.open(&link_at(&world, "/other").await?).await?;
    let sign_in = sent_on(&alices, &link(&world, "alice").await?).await?;
    let page = other.open(&sign_in).await?;
    assert_eq!(page.reply.status, 404, "{}", page.html());
    let page = alices.open(&sign_in).await?;
    assert_eq!(page.reply.status, 200, "{}", page.html());
    let taken = other.decide(&page, "agree").await?;
    assert_eq!(taken.reply.status, 404, "{}", taken.html());
    let page = alices.decide(&page, "agree").await?;
    let taken = other.open(&onward(&page)?).await?;
    assert_eq!(taken.reply.status, 404, "{}", taken.html());
    assert!(realm.grants("authorization_code").is_empty());
    let page = alices.onward(&page).await?;
    assert!(is_connected(&page), "{}", page.html());
    // What was used is used, in every browser.
    for browser in [&alices, &other] {
        let again = browser.open(&sign_in).await?;
        assert_eq!(again.reply.status, 404, "{}", again.html());
    }
    Ok(())
}

/// The page that alice arrives at, with her way back changed like this.
async fn bounced(world: &World, change: impl FnOnce(&mut Url)) -> Result<Page> {
    let browser = Browser::default();
    let page = browser.open(&link(world, "alice").await?).await?;
    let page = browser.decide(&page, "agree").await?;
    let mut back = sent_on(&browser, &onward(&page)?).await?;
    change(&mut back);
    browser.open(&back).await
}

/// That the ledger says so often that somebody answered for somebody else, and of no other failure.
async fn mixed_up(world: &World, count: usize) -> Result<()> {
    let failed = world.events("connect.failed", count).await?;
    let codes = failed
        .iter()
        .map(|line| line.pointer("/record/refusal/code"));
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes, vec![Some(&json!("oauth_mix_up")); count]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_mix_up_an_answer_counts_only_where_and_as_its_own_issuer_gives_it() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let refused = |page: Page, what: &str| {
        assert_eq!(page.reply.status, 403, "{what}: {}", page.html());
        assert!(!page.html().contains("attacker"), "{what}");
        assert!(
            realm.grants("authorization_code").is_empty(),
            "{what}: the code went on"
        );
    };
    // It says that it names itself, and names another one, or none.
    for named in ["https://attacker.example", ""] {
        realm.answers_as(named);
        refused(bounced(&world, |_| {}).await?, "named");
    }
    mixed_up(&world, 2).await?;
    // It says nothing of that, and has a place of its own: the answer counts there and nowhere else.
    let mut world = world;
    realm.metadata(&json!({ "authorization_response_iss_parameter_supported": null }));
    world.gateway.crash_and_restart().await?;
    for elsewhere in ["/connect/callback", "/connect/callback/0123456789abcdef"] {
        refused(
            bounced(&world, |back| back.set_path(elsewhere)).await?,
            elsewhere,
        );
    }
    realm.answers_as("https://attacker.example");
    refused(
        bounced(&world, |_| {}).await?,
        "another one, at its own place",
    );
    mixed_up(&world, 5).await?;
    realm.answers_as("");
    let page = bounced(&world, |back| {
        assert!(back.path().starts_with("/connect/callback/"))
    });
    let page = page.await?;
    assert!(is_connected(&page), "{}", page.html());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_what_the_identity_provider_says_of_itself_is_not_asked_at_every_step() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let mut asked = Vec::new();
    for user in ["alice", "bob", "carol"] {
        world.issuer.at_the_browser(user);
        let browser = Browser::default();
        let page = browser.open(&link(&world, user).await?).await?;
        let page = browser.decide(&page, "agree").await?;
        assert!(is_connected(&browser.onward(&page).await?));
        asked.push(world.issuer.descriptions());
    }
    assert_eq!(asked.last(), asked.first(), "{asked:?}");
    Ok(())
}
