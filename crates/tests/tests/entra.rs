//! Tokens of the shape of Entra ID's, from a provider of that shape. IT IS NOT ENTRA ID.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringwall_tests::authority::Realm;
use ringwall_tests::certificates::Identity;
use ringwall_tests::entra_shaped::{ALICE, API_URI, APP, BOB, EntraShaped, STRANGER, TENANT};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::proofs::opening;
use ringwall_tests::wire::Reply;
use ringwall_tests::world::{CREDENTIAL, Plan, World, ledger};
use serde_json::{Value, json};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// People of the staff, and apps that may read reports and have shown a certificate.
const POLICY: &str = r#"
permit(principal, action, resource)
when { principal.kind == "user" && principal.groups.contains("staff") };
permit(principal, action, resource)
when { principal.kind == "workload" && principal.claims has roles && principal.claims has client_auth }
when { principal.claims.roles.contains("Reports.Read.All") && principal.claims.client_auth == "certificate" };
"#;

async fn world(members: Value) -> Result<(World, EntraShaped)> {
    let entra = EntraShaped::start().await?;
    let old = json!({ "issuer": entra.v1(), "audiences": [API_URI] });
    let issuers = json!([entra.issuer(&members), entra.issuer(&old)]);
    let plan = Plan::default()
        .policy(POLICY)
        .whole(json!({ "issuers": issuers }));
    Ok((World::start(plan).await?, entra))
}

/// What somebody with this token hears who says hello: nothing, or the code of a refusal.
async fn told(world: &World, token: &str) -> Result<String> {
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    });
    let client = Client::new(&world.url()?, Some(token));
    let reply = client.send("initialize", params).await?;
    let is_good = reply
        .json()
        .is_ok_and(|answer| answer.get("result").is_some());
    Ok(if is_good { String::new() } else { reply.code() })
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_entra_shaped_people_and_apps_of_both_versions_are_known() -> Result<()> {
    let (world, entra) = world(json!({})).await?;
    for (name, claims, client) in [
        (ALICE, entra.claims(ALICE), "editor"),
        (BOB, entra.old_claims(BOB), "editor"),
        (APP, entra.app_claims(APP), "editor"),
    ] {
        let token = entra.sign(&claims, &json!({}))?;
        let caller = Client::connect(&world.url()?, Some(&token)).await?;
        let answer = caller.call("echo", json!({ "text": name })).await?;
        assert_eq!(text(&answer), name);
        let records = ledger(&world.gateway, &["tools/call"]).await?;
        let who = records.last().and_then(|line| line.pointer("/record/who"));
        let who = who.context("no record")?;
        assert_eq!(
            (&who["issuer"], &who["client"]),
            (&claims["iss"], &json!(client))
        );
    }
    // Policy tells an app from a person, and how the app showed what it is.
    let with_secret = entra.sign(&entra.app_claims(APP), &json!({"azpacr": "1"}))?;
    assert!(told(&world, &with_secret).await?.starts_with("policy_"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_entra_shaped_tokens_for_others_and_of_others_are_refused_and_recorded() -> Result<()> {
    let (world, entra) = world(json!({})).await?;
    let other = entra.v2().replace("{tenant}", STRANGER);
    let old = entra.v1().replace("{tenant}", TENANT);
    let template = entra.v2().replace("{tenant}", "{tenantid}");
    let rows = [
        (
            "of another tenant",
            json!({"iss": other, "tid": STRANGER}),
            "token_issuer",
        ),
        (
            "whose tenant is another",
            json!({"tid": STRANGER}),
            "token_tenant",
        ),
        ("of all tenants", json!({ "iss": template }), "token_issuer"),
        (
            "of the other version",
            json!({ "iss": old }),
            "token_audience",
        ),
        (
            "whose version is another",
            json!({"ver": "1.0"}),
            "token_claim",
        ),
        (
            "for Graph",
            json!({"aud": "00000003-0000-0000-c000-000000000000"}),
            "token_audience",
        ),
        (
            "for the other version's name",
            json!({ "aud": API_URI }),
            "token_audience",
        ),
        (
            "that is an ID token",
            json!({"scp": null, "nonce": "n"}),
            "token_not_access",
        ),
        ("of nobody", json!({"scp": null}), "token_not_access"),
        ("without a person", json!({"oid": null}), "token_claim"),
        ("without a client", json!({"azp": null}), "token_claim"),
        (
            "of an app and a person",
            json!({"idtyp": "app"}),
            "token_claim",
        ),
    ];
    for (name, changes, code) in &rows {
        let token = entra.sign(&entra.claims(ALICE), changes)?;
        assert_eq!(told(&world, &token).await?, *code, "a token {name}");
    }
    assert_eq!(world.arrived()?, 0, "something reached the server");
    let records = ledger(&world.gateway, &["--verdict", "refused", "-n", "100"]).await?;
    assert_eq!(records.len(), rows.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_3_entra_shaped_groups_that_were_left_out_deny_until_they_are_looked_up() -> Result<()> {
    let left_out = json!({
        "groups": null, "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "http://127.0.0.1:9/getMemberObjects"}}
    });
    let (blind, entra) = world(json!({})).await?;
    let token = entra.sign(&entra.claims(ALICE), &left_out)?;
    assert!(told(&blind, &token).await?.starts_with("policy_"));
    assert!(entra.asked().is_empty());

    let entra = EntraShaped::start().await?;
    let issuers = json!([entra.issuer(&json!({ "graph": entra.graph() }))]);
    let plan = Plan::default()
        .policy(POLICY)
        .whole(json!({ "issuers": issuers }));
    let world = World::start(plan).await?;
    entra.groups(ALICE, Some(&["staff", "leads"]));
    entra.groups(BOB, None);
    let token = |person: &str| entra.sign(&entra.claims(person), &left_out);
    assert_eq!(told(&world, &token(ALICE)?).await?, "");
    // A directory that fails, and one that knows nobody of that name.
    assert!(told(&world, &token(BOB)?).await?.starts_with("policy_"));
    assert!(
        told(&world, &token(STRANGER)?)
            .await?
            .starts_with("policy_")
    );
    let asked = entra.asked();
    let paths: Vec<&str> = asked.iter().map(|asked| &*asked.path).collect();
    let members = |person: &str| format!("/graph/v1.0/directoryObjects/{person}/getMemberObjects");
    let tokens = format!("/{TENANT}/oauth2/v2.0/token");
    assert_eq!(
        paths,
        [&*tokens, &members(ALICE), &members(BOB), &members(STRANGER)]
    );
    // No caller's token is among what was sent there.
    let sent = format!("{asked:?}");
    assert!(!sent.contains(&token(ALICE)?), "{sent}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_entra_shaped_metadata_that_tenants_share_serves_each_tenant_that_is_named()
-> Result<()> {
    let entra = EntraShaped::start().await?;
    let shared = json!({ "metadata": entra.shared_metadata(), "tenants": [TENANT, STRANGER] });
    let plan = Plan::default().whole(json!({ "issuers": [entra.issuer(&shared)] }));
    let world = World::start(plan).await?;
    let other = json!({ "iss": entra.v2().replace("{tenant}", STRANGER), "tid": STRANGER });
    for changes in [json!({}), other] {
        let token = entra.sign(&entra.claims(ALICE), &changes)?;
        assert_eq!(told(&world, &token).await?, "", "{changes}");
    }
    let mixed = entra.sign(&entra.claims(ALICE), &json!({ "tid": STRANGER }))?;
    assert_eq!(told(&world, &mixed).await?, "token_tenant");
    Ok(())
}

/// A file that only its owner can read.
fn secret(folder: &Path, name: &str, text: &str) -> Result<String> {
    let path = folder.join(name);
    let mut options = std::fs::File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(format!("file:{}", path.display()))
}

/// A world whose server is shown tokens on behalf of people, of a provider of Entra ID's shape that
/// knows the gateway by a certificate.
async fn on_behalf(key: &str, members: Value) -> Result<(World, EntraShaped, Realm)> {
    let (entra, realm) = (EntraShaped::start().await?, Realm::start().await?);
    realm.accepts(&["obo-"]);
    let old = json!({ "issuer": entra.v1(), "audiences": [API_URI] });
    let old_name = entra.v1().replace("{tenant}", TENANT);
    let oauth = json!({
        "grant": "on_behalf_of", "issuer": entra.v2().replace("{tenant}", TENANT),
        "subject_issuer": old_name, "network": "private", "client": { "id": "ringwall" },
        "key": key, "assertion_audience": "token_endpoint", "scopes": ["api://files/read"]
    });
    let oauth = overlaid(oauth, &members);
    let http = json!({ "url": realm.server().as_str(), "network": "private", "oauth": oauth });
    let issuers = json!([entra.issuer(&json!({})), entra.issuer(&old)]);
    let plan = Plan::default().whole(json!({ "issuers": issuers }));
    let world = World::start(plan.server(json!({ "http": http }))).await?;
    realm.guards(world.fixture_url(), CREDENTIAL);
    Ok((world, entra, realm))
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_entra_shaped_tokens_of_both_versions_are_exchanged_by_a_certificate() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let own = Identity::of_nobody_with_rsa("ringwall")?;
    let key = secret(folder.path(), "client.pem", &(own.key_pem() + &own.pem))?;
    let (world, entra, realm) = on_behalf(&key, json!({})).await?;
    entra.knows(&own);
    for (person, claims) in [(ALICE, entra.claims(ALICE)), (BOB, entra.old_claims(BOB))] {
        let token = entra.sign(&claims, &json!({}))?;
        let caller = Client::connect(&world.url()?, Some(&token)).await?;
        let answer = caller.call("echo", json!({ "text": "hello" })).await?;
        assert_eq!(text(&answer), "hello");
        let asked = entra.asked();
        let last = asked.last().context("nobody was asked")?;
        assert!(entra.token_endpoint().ends_with(&last.path), "{last:?}");
        assert!(
            last.body.contains(&format!("assertion={token}")),
            "{last:?}"
        );
        let at_server = realm.at_server();
        assert!(at_server.contains(&format!("Bearer obo-{person}")));
        assert!(!at_server.contains(&token));
    }
    // An app is not acted for, and a token of its own is got by another grant.
    let app = entra.sign(&entra.app_claims(APP), &json!({}))?;
    assert_eq!(told(&world, &app).await?, "oauth_app_only");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_entra_shaped_assertions_say_what_they_are_documented_to_say() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (own, other) = (
        Identity::of_nobody_with_rsa("ringwall")?,
        Identity::of_nobody_with_rsa("ringwall")?,
    );
    let with = secret(folder.path(), "with.pem", &(own.key_pem() + &own.pem))?;
    let without = secret(folder.path(), "without.pem", &own.key_pem())?;
    let unknown = secret(
        folder.path(),
        "unknown.pem",
        &(other.key_pem() + &other.pem),
    )?;
    let no_name = json!({ "subject_issuer": null });
    let rows = [
        (&with, json!({}), "", 1),
        (
            &with,
            json!({ "assertion_audience": null }),
            "oauth_denied",
            1,
        ),
        (&without, json!({}), "oauth_denied", 1),
        (&unknown, json!({}), "oauth_denied", 1),
        // A token of a name that nobody said belongs to it goes nowhere.
        (&with, no_name, "oauth_other_issuer", 0),
    ];
    for (key, members, expected, asked) in rows {
        let (world, entra, _realm) = on_behalf(key, members.clone()).await?;
        entra.knows(&own);
        let token = entra.sign(&entra.old_claims(BOB), &json!({}))?;
        assert_eq!(told(&world, &token).await?, expected, "{key} {members}");
        assert_eq!(entra.asked().len(), asked, "{key} {members}");
    }
    Ok(())
}

/// The claims that the challenge of an answer asks for.
fn claims_wanted(reply: &Reply) -> Result<String> {
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.contains("error=\"insufficient_claims\""),
        "{challenge}"
    );
    assert!(
        challenge.contains("resource_metadata=\"http"),
        "{challenge}"
    );
    let (_, rest) = challenge.split_once(" claims=\"").context("no claims")?;
    let (encoded, _) = rest.split_once('"').context("no end")?;
    Ok(String::from_utf8(STANDARD.decode(encoded)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_entra_shaped_conditional_access_is_met_by_the_caller_who_logs_in_again() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let own = Identity::of_nobody_with_rsa("ringwall")?;
    let key = secret(folder.path(), "client.pem", &(own.key_pem() + &own.pem))?;
    let (world, entra, realm) = on_behalf(&key, json!({})).await?;
    entra.knows(&own);
    entra.wants("c1");
    let opens = |token: String| {
        let url = world.url();
        async move {
            let params = opening()["params"].clone();
            Client::new(&url?, Some(&token))
                .send("initialize", params)
                .await
        }
    };
    let weak = opens(entra.sign(&entra.claims(ALICE), &json!({}))?).await?;
    assert_eq!(
        (weak.status.as_u16(), &*weak.code()),
        (401, "upstream_claims")
    );
    let wanted = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    assert_eq!(claims_wanted(&weak)?, wanted);
    assert!(
        !realm.at_server().contains("Bearer "),
        "nobody was acted for"
    );
    let strong = || entra.sign(&entra.claims(ALICE), &json!({ "acrs": ["c1"] }));
    assert_eq!(opens(strong()?).await?.status, 200);
    // The server may want a login after this moment, whatever the provider was content with.
    let since = r#"{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}"#;
    let encoded = STANDARD.encode(since);
    realm.challenges(Some(&format!(
        "Bearer error=\"insufficient_claims\", claims=\"{encoded}\""
    )));
    let old = opens(strong()?).await?;
    assert_eq!(
        (old.status.as_u16(), &*old.code()),
        (401, "upstream_claims")
    );
    assert_eq!(claims_wanted(&old)?, since);
    Ok(())
}
