//! Clients that are known by a document at their own address (control M3): what is believed of it, and
//! where the gateway can be led by one.

use anyhow::Result;
use http::Method;
use ringwall_tests::browser::Browser;
use ringwall_tests::certificates::Authority;
use ringwall_tests::dance::{Dancer, REDIRECT, Tokens, authority, registration};
use ringwall_tests::documents::Documents;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use std::time::Instant;
use url::Url;

async fn world(members: Value) -> Result<World> {
    let closed = json!({ "registration": "off" });
    let members = overlaid(closed, &members);
    World::start(Plan::default().whole(authority(members))).await
}

/// One that may read documents on this machine.
async fn nearby() -> Result<World> {
    world(json!({ "documents": ["127.0.0.1"], "network": "private" })).await
}

fn document(url: &Url) -> Value {
    overlaid(
        registration(REDIRECT),
        &json!({ "client_id": url.as_str() }),
    )
}

async fn visit(dancer: &Dancer) -> Result<Reply> {
    Outgoing::new(Method::GET, &dancer.way(&[])?).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_document_is_read_once_and_its_host_is_named() -> Result<()> {
    let (world, documents) = (nearby().await?, Documents::start().await?);
    let url = documents.at("/client.json")?;
    documents.put("/client.json", &document(&url).to_string());
    let dancer = Dancer::new(&world, url.as_str())?;
    let browser = Browser::default();
    let page = dancer.asks(&browser).await?;
    assert!(
        page.html().contains("<dd>127.0.0.1</dd>"),
        "{}",
        page.html()
    );
    assert!(!page.html().contains("not verified"));
    dancer.redeem(&dancer.code(&browser).await?).await?;
    assert_eq!(documents.read("/client.json"), 1);
    Ok(())
}

fn changed(url: &Url, name: &str, value: &Value) -> String {
    overlaid(document(url), &json!({ (name): value })).to_string()
}

/// Where it lies, how it is answered, and what it says.
type Case = (
    &'static str,
    u16,
    (&'static str, &'static str),
    fn(&Url) -> String,
);

const JSON: (&str, &str) = ("content-type", "application/json");
const HTML: (&str, &str) = ("content-type", "text/html");

const WRONG: [Case; 9] = [
    ("/missing.json", 404, JSON, |url| document(url).to_string()),
    ("/html.json", 200, HTML, |url| document(url).to_string()),
    ("/other.json", 200, JSON, |url| {
        changed(url, "client_id", &json!("https://app.example/other.json"))
    }),
    ("/secret.json", 200, JSON, |url| {
        changed(url, "client_secret", &json!("x"))
    }),
    ("/broken.json", 200, JSON, |_| "{".to_owned()),
    ("/empty.json", 200, JSON, |_| String::new()),
    ("/large.json", 200, JSON, |url| {
        changed(url, "x", &json!("x".repeat(20_000)))
    }),
    ("/script.json", 200, JSON, |url| {
        changed(url, "redirect_uris", &json!(["javascript:x"]))
    }),
    ("/moved.json", 302, ("location", "/good.json"), |_| {
        String::new()
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_document_that_is_not_as_it_should_be_is_no_client() -> Result<()> {
    let (world, documents) = (nearby().await?, Documents::start().await?);
    let elsewhere = documents.at("/good.json")?;
    documents.put("/good.json", &document(&elsewhere).to_string());
    for (path, status, header, body) in WRONG {
        let url = documents.at(path)?;
        documents.answer(path, status, &[header], &body(&url));
        let dancer = Dancer::new(&world, url.as_str())?;
        let reply = visit(&dancer).await?;
        assert_eq!(reply.status, 401, "{path}");
        assert!(reply.header("location").is_none(), "{path}");
        // What went wrong is not remembered.
        documents.put(path, &document(&url).to_string());
        assert_eq!(visit(&dancer).await?.status, 200, "{path}");
    }
    assert_eq!(documents.read("/good.json"), 0, "no redirect is followed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_id_leads_the_gateway_nowhere_near() -> Result<()> {
    // Both would be believed, if anybody went there.
    let authority_of_hosts = Authority::new()?;
    let over_tls = Documents::over_tls(&authority_of_hosts).await?;
    let plain = Documents::start().await?;
    let members = json!({ "documents": ["any"], "registration": "off" });
    let plan = Plan::default().whole(authority(members));
    let world = World::start(plan.trusting(&authority_of_hosts.pem())).await?;
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ip6-localhost",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "user@127.0.0.1",
    ] {
        for (scheme, documents) in [("https", &over_tls), ("http", &plain)] {
            let port = documents.at("/")?.port().unwrap_or_default();
            let id = format!("{scheme}://{host}:{port}/client.json");
            let members = json!({ "client_id": id });
            let document = overlaid(registration(REDIRECT), &members);
            documents.put("/client.json", &document.to_string());
            let reply = visit(&Dancer::new(&world, &id)?).await?;
            assert_eq!(reply.status, 401, "{id}");
        }
    }
    for documents in [&over_tls, &plain] {
        assert_eq!(documents.read("/client.json"), 0);
    }
    assert!(!world.events("authorize.refused", 10).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_that_changes_is_another_one_that_nobody_agreed_to() -> Result<()> {
    let (mut world, documents) = (nearby().await?, Documents::start().await?);
    let url = documents.at("/client.json")?;
    documents.put("/client.json", &document(&url).to_string());
    let dancer = Dancer::new(&world, url.as_str())?;
    let tokens = dancer
        .redeem(&dancer.code(&Browser::default()).await?)
        .await?;
    let tokens = Tokens::of(&dancer.refresh(&tokens.refresh).await?)?;
    let mut changed = document(&url);
    changed["redirect_uris"] = json!([REDIRECT, "https://evil.example/cb"]);
    documents.put("/client.json", &changed.to_string());
    // What was read is remembered until then.
    world.gateway.crash_and_restart().await?;
    let reply = dancer.refresh(&tokens.refresh).await?;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(world.events("family.killed", 1).await?.len(), 1);
    Ok(())
}

/// Where anybody's documents are read, a document is as good as a registration: a browser is not sent to an
/// address that nobody stands by before its person has decided.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_document_of_anybody_is_no_way_to_anywhere() -> Result<()> {
    let documents = Documents::start().await?;
    let url = documents.at("/client.json")?;
    let mut web = document(&url);
    let redirect = "https://app.example/cb";
    web["redirect_uris"] = json!([redirect]);
    documents.put("/client.json", &web.to_string());
    for (hosts, is_sent) in [("127.0.0.1", true), ("any", false)] {
        let world = world(json!({ "documents": [hosts], "network": "private" })).await?;
        let mut dancer = Dancer::new(&world, url.as_str())?;
        dancer.redirect = redirect.to_owned();
        let way = dancer.way(&[("scope", "everything")])?;
        let reply = Outgoing::new(Method::GET, &way).send().await?;
        assert_eq!(reply.header("location").is_some(), is_sent, "{hosts}");
    }
    Ok(())
}

/// Who is signed in to the gateway's own pages and agreed to exactly this is not asked again: they alone, and
/// about exactly that.
#[tokio::test(flavor = "multi_thread")]
async fn m3_who_agreed_to_exactly_this_is_not_asked_again_and_nobody_else_passes() -> Result<()> {
    let (world, documents) = (nearby().await?, Documents::start().await?);
    let url = documents.at("/client.json")?;
    let mut web = document(&url);
    let redirect = "https://app.example/cb";
    web["redirect_uris"] = json!([redirect, "https://app.example/other"]);
    documents.put("/client.json", &web.to_string());
    let mut dancer = Dancer::new(&world, url.as_str())?;
    dancer.redirect = redirect.to_owned();
    let browser = Browser::default();
    // Signed in here, and not asked yet: asked.
    browser.open(&world.gateway.at("/connections")?).await?;
    dancer.code(&browser).await?;
    // Asked once: straight to the provider, and back.
    let to = ringwall_tests::dance::stops_at(&browser, dancer.way(&[])?, redirect).await?;
    assert!(to.query_pairs().any(|(name, _)| name == "code"), "{to}");
    assert_eq!(world.events("consent.shown", 1).await?.len(), 1);
    // Something else, and another browser: asked.
    let other = dancer.way(&[("redirect_uri", "https://app.example/other")])?;
    assert_eq!(browser.open(&other).await?.reply.status, 200);
    assert_eq!(
        Browser::default()
            .open(&dancer.way(&[])?)
            .await?
            .reply
            .status,
        200
    );
    // Who agreed before has not agreed again.
    assert_eq!(world.events("consent.given", 1).await?.len(), 1);
    // Somebody else comes back from the provider, who let it in as well: they are asked before there is a code.
    world.issuer.at_the_browser("bob");
    dancer.code(&Browser::default()).await?;
    let page = browser.open(&dancer.way(&[])?).await?;
    assert_eq!(page.reply.status, 200);
    assert!(
        page.html().contains("Let a program act for you?"),
        "{}",
        page.html()
    );
    assert_eq!(world.events("code.issued", 3).await?.len(), 3);
    Ok(())
}

/// A program on the person's own machine could be any, whoever stands by its name: they are asked each time.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_program_on_the_own_machine_is_asked_about_each_time() -> Result<()> {
    let (world, documents) = (nearby().await?, Documents::start().await?);
    let url = documents.at("/client.json")?;
    documents.put("/client.json", &document(&url).to_string());
    let (dancer, browser) = (Dancer::new(&world, url.as_str())?, Browser::default());
    browser.open(&world.gateway.at("/connections")?).await?;
    dancer.code(&browser).await?;
    let way = dancer.way(&[])?;
    let reply = browser.once(Method::GET, &way, String::new()).await?;
    assert_eq!(reply.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_documents_of_hosts_that_nobody_chose_are_not_even_read() -> Result<()> {
    let documents = Documents::start().await?;
    let url = documents.at("/client.json")?;
    documents.put("/client.json", &document(&url).to_string());
    let members = json!({ "documents": ["app.example"], "network": "private" });
    let world = world(members).await?;
    let reply = visit(&Dancer::new(&world, url.as_str())?).await?;
    assert_eq!(reply.status, 401);
    assert_eq!(documents.read("/client.json"), 0);
    Ok(())
}

/// A page says who asks. Whoever is somebody else by the time it is answered was not agreed to.
#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_that_changes_while_its_page_is_open_was_not_agreed_to() -> Result<()> {
    let (mut world, documents) = (nearby().await?, Documents::start().await?);
    let url = documents.at("/client.json")?;
    documents.put("/client.json", &document(&url).to_string());
    let (dancer, browser) = (Dancer::new(&world, url.as_str())?, Browser::default());
    let page = dancer.asks(&browser).await?;
    let renamed = changed(&url, "client_name", &json!("Your Bank"));
    documents.put("/client.json", &renamed);
    // What was read is remembered until then.
    world.gateway.crash_and_restart().await?;
    let answer = browser.decide(&page, "agree").await?;
    assert_eq!(answer.reply.status, 403, "{}", answer.html());
    assert!(answer.html().contains("differently"), "{}", answer.html());
    assert!(answer.reply.header("refresh").is_none());
    Ok(())
}

/// Who is sent to sign in without a page takes a place like who has answered one.
#[tokio::test(flavor = "multi_thread")]
async fn n4_1_one_address_is_sent_to_sign_in_so_many_times() -> Result<()> {
    let (world, documents) = (nearby().await?, Documents::start().await?);
    let (url, redirect) = (documents.at("/client.json")?, "https://app.example/cb");
    let web = changed(&url, "redirect_uris", &json!([redirect]));
    documents.put("/client.json", &web);
    let mut dancer = Dancer::new(&world, url.as_str())?;
    dancer.redirect = redirect.to_owned();
    let browser = Browser::default();
    browser.open(&world.gateway.at("/connections")?).await?;
    let began = Instant::now();
    dancer.code(&browser).await?;
    let way = dancer.way(&[])?;
    let mut sent = 0;
    loop {
        let reply = browser.once(Method::GET, &way, String::new()).await?;
        let to = reply.header("location").unwrap_or_default();
        if !to.starts_with(world.issuer.url()) {
            assert!(to.contains("error=temporarily_unavailable"), "{to}");
            break;
        }
        sent += 1;
        anyhow::ensure!(sent < 120, "nothing is counted");
    }
    // One place was taken by the page. Sixty at once, and one more for each second that this took.
    let most = 59 + began.elapsed().as_secs();
    assert!((59..=most).contains(&sent), "{sent} of {most}");
    Ok(())
}
