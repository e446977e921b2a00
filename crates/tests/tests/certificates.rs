//! Tokens that are bound to client certificates (RFC 8705), over our own TLS and behind a proxy that
//! tells of them (RFC 9440). Each attack is refused and is in the ledger, under control 7.4.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringwall_tests::certificates::{Authority, Good, Identity};
use ringwall_tests::comes::comes;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::place;
use ringwall_tests::proofs::{Prover, of_certificate, opening, with};
use ringwall_tests::provider::Provider;
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// A world behind TLS, and who has signed what.
struct Sealed {
    world: World,
    authority: Authority,
    _folder: TempDir,
}

impl Sealed {
    /// A listener with these members of `tls.clients`, and this `front`.
    async fn start(clients: Value, front: Option<Value>, route: Value) -> Result<Self> {
        Sealed::with(clients, front, route, None).await
    }

    /// The same, with tokens of this issuer.
    async fn with(
        clients: Value,
        front: Option<Value>,
        route: Value,
        issuer: Option<&str>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let files = authority.write(folder.path())?;
        let mut clients = clients;
        if clients.get("authorities").is_some() {
            clients = overlaid(clients, &json!({ "authorities": files.authority }));
        }
        let key = format!("file:{}", files.key.display());
        let address = format!("127.0.0.1:{}", place::free_port()?);
        let mut listener = json!({
            "address": address,
            "tls": { "certificate": files.certificate, "key": key, "clients": clients },
        });
        if let Some(front) = front {
            listener = overlaid(listener, &json!({ "front": front }));
        }
        let mut whole = json!({
            "public_url": format!("https://{address}"), "listeners": [listener], "dpop": { "nonce": "off", "skew": "0s" },
        });
        if let Some(issuer) = issuer {
            let claims = json!({ "client": "client_id", "groups": "groups" });
            let issuers = json!([{ "issuer": issuer, "network": "private", "claims": claims }]);
            whole = overlaid(whole, &json!({ "issuers": issuers }));
        }
        let world = World::start(Plan::default().whole(whole).route(route)).await?;
        Ok(Sealed {
            world,
            authority,
            _folder: folder,
        })
    }

    fn url(&self) -> Result<Url> {
        self.world.url()
    }

    /// A token of Alice that is bound to this.
    fn bound(&self, confirmation: Value) -> Result<String> {
        let claims = json!({ "cnf": confirmation });
        let resource = self.world.resource()?;
        self.world
            .issuer
            .sign_changed(&resource, &json!({}), &claims)
    }

    fn request(&self, token: &str) -> Result<Outgoing> {
        let request = Outgoing::message(&self.url()?, &opening());
        Ok(request.header("authorization", &format!("Bearer {token}")))
    }

    async fn send(&self, request: Outgoing, identity: Option<&Identity>) -> Result<Reply> {
        self.authority.send(&self.url()?, request, identity).await
    }

    /// That this is refused with this code, and that the ledger has it.
    async fn refused(
        &self,
        request: Outgoing,
        identity: Option<&Identity>,
        expected: (u16, &str),
    ) -> Result<()> {
        let reply = self.send(request, identity).await?;
        assert_eq!((reply.status.as_u16(), &*reply.code()), expected);
        assert_eq!(reply.control().as_deref(), Some("7.4"));
        self.recorded(expected.1).await
    }

    /// That the ledger has it. What happened before there was a route is written within its interval.
    async fn recorded(&self, code: &str) -> Result<()> {
        let record = comes(async || {
            let records = ledger(&self.world.gateway, &["--code", code]).await?;
            Ok(records.last().map(Value::to_string))
        });
        let record = record.await.with_context(|| code.to_owned())?;
        assert!(record.contains("\"7.4\""), "{record}");
        Ok(())
    }
}

/// A certificate as nginx tells of it.
fn escaped(identity: &Identity) -> String {
    let text: String = url::form_urlencoded::byte_serialize(identity.pem.as_bytes()).collect();
    text.replace('+', "%20")
}

fn hex(identity: &Identity) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &identity.der);
    let bytes = digest.as_ref().iter().map(|byte| format!("{byte:02X}"));
    bytes.collect::<Vec<_>>().join(":")
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_token_is_good_with_the_certificate_it_is_bound_to() -> Result<()> {
    let sealed = Sealed::start(json!({ "authorities": "" }), None, json!({})).await?;
    let alice = sealed.authority.issue("alice", Good::Long)?;
    let thief = sealed.authority.issue("thief", Good::Long)?;
    let token = sealed.bound(of_certificate(&alice.der))?;
    let reply = sealed.send(sealed.request(&token)?, Some(&alice)).await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    let other = (401, "certificate_other");
    sealed
        .refused(sealed.request(&token)?, Some(&thief), other)
        .await?;
    let missing = (401, "certificate_missing");
    sealed
        .refused(sealed.request(&token)?, None, missing)
        .await?;
    // A header that no proxy was named for tells nobody anything.
    let told = format!(":{}:", STANDARD.encode(&alice.der));
    let claimed = sealed.request(&token)?.header("client-cert", &told);
    sealed.refused(claimed, None, missing).await?;
    // A token that is bound to nothing needs none, and one that is bound to a key has another scheme.
    let unbound = sealed.world.token("alice")?;
    let reply = sealed.send(sealed.request(&unbound)?, None).await?;
    assert_eq!(reply.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_token_that_is_bound_twice_needs_both() -> Result<()> {
    let sealed = Sealed::start(json!({}), None, json!({})).await?;
    let url = sealed.url()?;
    let (alice, certificate) = (Prover::new()?, Identity::of_nobody("alice", Good::Long)?);
    let mut both = alice.confirmation()?;
    both["x5t#S256"] = of_certificate(&certificate.der)["x5t#S256"].clone();
    let token = sealed.bound(both)?;
    let proved = || -> Result<Outgoing> {
        let request = Outgoing::message(&url, &opening());
        Ok(with(request, &token, &alice.proof("POST", &url, &token)?))
    };
    let reply = sealed.send(proved()?, Some(&certificate)).await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    sealed
        .refused(proved()?, None, (401, "certificate_missing"))
        .await?;
    let bearer = sealed.request(&token)?;
    sealed
        .refused(bearer, Some(&certificate), (401, "token_bound"))
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_session_is_good_with_the_certificate_that_opened_it() -> Result<()> {
    let sealed = Sealed::start(json!({}), None, json!({})).await?;
    let alice = Identity::of_nobody("alice", Good::Long)?;
    let other = Identity::of_nobody("other", Good::Long)?;
    let token = sealed.bound(of_certificate(&alice.der))?;
    let opened = sealed.send(sealed.request(&token)?, Some(&alice)).await?;
    let session = ringwall_tests::proofs::session(&opened)?;
    let url = sealed.url()?;
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    let ping = |token: &str| {
        Outgoing::message(&url, &ping)
            .header("mcp-session-id", &session)
            .header("authorization", &format!("Bearer {token}"))
    };
    let anothers = sealed.bound(of_certificate(&other.der))?;
    let reply = sealed.send(ping(&anothers), Some(&other)).await?;
    assert_eq!(reply.code(), "session_unknown");
    let reply = sealed.send(ping(&token), Some(&alice)).await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_certificate_that_is_not_accepted_opens_no_connection_and_is_recorded() -> Result<()>
{
    // Of a stranger, where authorities are named; expired, whoever signed it; none, where one is wanted.
    let named = json!({ "authorities": "", "mode": "required" });
    let sealed = Sealed::start(named, None, json!({})).await?;
    let token = sealed.world.token("alice")?;
    let stranger = Identity::of_nobody("stranger", Good::Long)?;
    let expired = sealed.authority.issue("alice", Good::Over)?;
    for identity in [Some(&stranger), Some(&expired), None] {
        let sent = sealed.send(sealed.request(&token)?, identity).await;
        assert!(sent.is_err(), "{sent:?}");
    }
    sealed.recorded("certificate_refused").await?;
    sealed.recorded("certificate_unshown").await?;
    let alice = sealed.authority.issue("alice", Good::Long)?;
    let reply = sealed.send(sealed.request(&token)?, Some(&alice)).await?;
    assert_eq!(reply.status, 200);

    let anybody = Sealed::start(json!({ "mode": "required" }), None, json!({})).await?;
    let token = anybody.world.token("alice")?;
    let expired = Identity::of_nobody("alice", Good::Over)?;
    assert!(
        anybody
            .send(anybody.request(&token)?, Some(&expired))
            .await
            .is_err()
    );
    assert!(anybody.send(anybody.request(&token)?, None).await.is_err());
    let alice = Identity::of_nobody("alice", Good::Long)?;
    let reply = anybody.send(anybody.request(&token)?, Some(&alice)).await?;
    assert_eq!(reply.status, 200);
    anybody.recorded("certificate_refused").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_route_demands_a_certificate_and_its_metadata_says_so() -> Result<()> {
    let route = json!({ "possession": "certificate" });
    let sealed = Sealed::start(json!({}), None, route).await?;
    let alice = Identity::of_nobody("alice", Good::Long)?;
    let unbound = sealed.world.token("alice")?;
    let required = (401, "possession_required");
    sealed
        .refused(sealed.request(&unbound)?, Some(&alice), required)
        .await?;
    let token = sealed.bound(of_certificate(&alice.der))?;
    let reply = sealed.send(sealed.request(&token)?, Some(&alice)).await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    let page = sealed
        .world
        .gateway
        .at("/.well-known/oauth-protected-resource/fixture")?;
    let page = sealed
        .send(Outgoing::new(http::Method::GET, &page), None)
        .await?;
    let page = page.json()?;
    assert_eq!(
        page["tls_client_certificate_bound_access_tokens"], true,
        "{page}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_proxy_in_front_is_believed_by_its_own_certificate_alone() -> Result<()> {
    let proxy = Identity::of_nobody("proxy", Good::Long)?;
    let alice = Identity::of_nobody("alice", Good::Long)?;
    let base64 = format!(":{}:", STANDARD.encode(&alice.der));
    let escaped = escaped(&alice);
    let envoy = format!(
        "Hash={};Cert=\"{escaped}\";Subject=\"CN=alice\"",
        hex(&alice).replace(':', "").to_ascii_lowercase()
    );
    for (header, told) in [
        ("client-cert", &base64),
        ("x-ssl-client-cert", &escaped),
        ("x-forwarded-client-cert", &envoy),
    ] {
        let front = json!({ "header": header, "proxies": [hex(&proxy)] });
        let sealed = Sealed::start(json!({}), Some(front), json!({})).await?;
        let token = sealed.bound(of_certificate(&alice.der))?;
        let request = || sealed.request(&token);
        let reply = sealed
            .send(request()?.header(header, told), Some(&proxy))
            .await?;
        assert_eq!(reply.status, 200, "{header}: {}", reply.code());
        // The proxy says nothing, or says it twice, or says what nobody can read.
        let missing = (401, "certificate_missing");
        sealed.refused(request()?, Some(&proxy), missing).await?;
        let twice = request()?.header(header, told).and_header(header, told);
        sealed
            .refused(twice, Some(&proxy), (400, "front_repeated"))
            .await?;
        let broken = request()?.header(header, "nonsense");
        sealed
            .refused(broken, Some(&proxy), (400, "front_unreadable"))
            .await?;
        // Anybody else who says it is refused, with or without a certificate, whatever the token.
        let untrusted = (403, "front_untrusted");
        sealed
            .refused(request()?.header(header, told), None, untrusted)
            .await?;
        sealed
            .refused(request()?.header(header, told), Some(&alice), untrusted)
            .await?;
        let unbound = sealed.world.token("alice")?;
        let claimed = sealed.request(&unbound)?.header(header, told);
        sealed.refused(claimed, None, untrusted).await?;
        // The proxy's own certificate is nobody's; a direct caller's is their own.
        let proxys = sealed.bound(of_certificate(&proxy.der))?;
        sealed
            .refused(sealed.request(&proxys)?, Some(&proxy), missing)
            .await?;
        let reply = sealed.send(request()?, Some(&alice)).await?;
        assert_eq!(reply.status, 200, "{header}: {}", reply.code());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_certificate_that_a_proxy_tells_of_is_good_in_its_time_only() -> Result<()> {
    let proxy = Identity::of_nobody("proxy", Good::Long)?;
    let front = json!({ "header": "client-cert", "proxies": [hex(&proxy)] });
    let sealed = Sealed::start(json!({}), Some(front), json!({})).await?;
    let over = Identity::of_nobody("alice", Good::Over)?;
    let token = sealed.bound(of_certificate(&over.der))?;
    let told = format!(":{}:", STANDARD.encode(&over.der));
    let request = sealed.request(&token)?.header("client-cert", &told);
    let expired = (401, "certificate_expired");
    sealed.refused(request, Some(&proxy), expired).await
}

/// A certified OpenID provider binds the token to the certificate it was told of, and the same certificate
/// opens the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn n7_4_accepts_the_token_a_certified_provider_bound_to_the_certificate() -> Result<()> {
    let mut provider = Provider::start(&[]).await?;
    let issuer = provider.issuer().to_owned();
    let sealed = Sealed::with(json!({}), None, json!({}), Some(&issuer)).await?;
    let resource = sealed.world.resource()?;
    provider.add_resource(&resource).await?;
    let alice = Identity::of_nobody("alice", Good::Long)?;
    let thief = Identity::of_nobody("thief", Good::Long)?;
    let told = escaped(&alice);
    let shown = ("x-ssl-client-cert", told.as_str());
    let token = provider
        .bound_token("certified-agent", &resource, shown)
        .await?;
    let other = (401, "certificate_other");
    sealed
        .refused(sealed.request(&token)?, Some(&thief), other)
        .await?;
    let missing = (401, "certificate_missing");
    sealed
        .refused(sealed.request(&token)?, None, missing)
        .await?;
    let reply = sealed.send(sealed.request(&token)?, Some(&alice)).await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    Ok(())
}
