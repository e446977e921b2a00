//! One server that moves between two authorization servers, and what the gateway is known by at each.

use crate::credential::OwnClient;
use crate::credential::discovered::{Bound, ClientSpec, Described, Lead, Undescribed};
use crate::state::{Database, Rows};
use config::settled::Authority;
use identity::client::{
    ClientDocument, ClientError, Credentials, Identity, Outside, SecretMethod, SystemEntropy,
};
use identity::{BoxFuture, Fetch, FetchError, Fetched, Outbound};
use serde_json::json;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const FIRST: &str = "https://first.example.com";
const SECOND: &str = "https://second.example.com";
const SERVER: &str = "https://files.example.com/mcp";
const DOCUMENT: &str = "https://apps.example.com/ringwall.json";
const NOW: u64 = 1_800_000_000;

/// A server and two authorization servers, the first of which takes documents.
#[derive(Debug)]
struct Table {
    issuer: Mutex<&'static str>,
    /// Where somebody registered, and with what.
    registered: Mutex<Vec<(String, String)>>,
}

impl Table {
    fn registered_at(&self, issuer: &str) -> usize {
        let registered = self.registered.lock().unwrap();
        registered.iter().filter(|(at, _)| at == issuer).count()
    }
}

impl Fetch for Table {
    fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let origin = request.url.origin().ascii_serialization();
            let body = match request.url.path() {
                "/.well-known/oauth-protected-resource/mcp" => json!({
                    "resource": SERVER, "authorization_servers": [*self.issuer.lock().unwrap()],
                }),
                "/.well-known/oauth-authorization-server" => json!({
                    "issuer": origin, "token_endpoint": format!("{origin}/token"),
                    "authorization_endpoint": format!("{origin}/authorize"),
                    "registration_endpoint": format!("{origin}/register"),
                    "response_types_supported": ["code"],
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true,
                    "client_id_metadata_document_supported": origin == FIRST,
                    "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
                }),
                "/register" => {
                    let sent = request.body.unwrap_or_default();
                    let sent = String::from_utf8(sent.to_vec()).unwrap();
                    self.registered.lock().unwrap().push((origin.clone(), sent));
                    json!({ "client_id": format!("of {origin}"), "client_secret": format!("secret of {origin}") })
                }
                _ => return Ok(Fetched::of(404, "{}")),
            };
            Ok(Fetched::of(200, body.to_string()))
        })
    }
}

struct Scene {
    table: Table,
    own: OwnClient,
    rows: Rows,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let own = OwnClient::at(
        &"http://127.0.0.1:8080".parse().unwrap(),
        &OwnClient::fresh_key().unwrap(),
    );
    Scene {
        table: Table {
            issuer: Mutex::new(FIRST),
            registered: Mutex::default(),
        },
        own: own.unwrap(),
        rows: Rows::new(
            Arc::new(Database::open(folder.path()).unwrap()),
            Arc::new(vault::Vault::ephemeral().unwrap()),
        ),
        _folder: folder,
    }
}

impl Scene {
    /// As whom the gateway appears while the server's tokens are issued here.
    async fn at(&self, issuer: &'static str, client: ClientSpec) -> Result<Identity, ClientError> {
        *self.table.issuer.lock().unwrap() = issuer;
        let bound = Bound {
            url: SERVER.parse().unwrap(),
            name: None,
            authority: Authority::Discovered,
            client,
            described: Described::ByServer,
            undescribed: Undescribed::Nothing,
            speaks_for: None,
        };
        let outside = Outside {
            fetch: &self.table,
            entropy: &SystemEntropy,
            now: NOW,
        };
        let with = (&self.own, &self.rows);
        let found = bound.find(outside, Lead::Nothing, NOW * 1000, with).await?;
        assert_eq!(found.server.issuer(), issuer);
        assert_eq!(found.identity.issuer(), issuer);
        Ok(found.identity)
    }
}

#[tokio::test]
async fn n2_1_what_one_issuer_registered_is_kept_for_it_and_shown_to_no_other() {
    let scene = scene();
    for round in 1..=2 {
        for issuer in [FIRST, SECOND] {
            let known = scene.at(issuer, ClientSpec::Automatic).await.unwrap();
            assert_eq!(known.client_id(), Some(&*format!("of {issuer}")));
            assert_eq!(known.redirect_uris(), [scene.own.redirect_uri_of(issuer)]);
            assert_eq!(scene.table.registered_at(issuer), 1, "round {round}");
        }
    }
    // Each heard of its own address for answers and of nothing that another one gave.
    let registered = scene.table.registered.lock().unwrap();
    for (at, sent) in registered.iter() {
        assert!(sent.contains(&scene.own.redirect_uri_of(at)), "{sent}");
        assert!(!sent.contains("secret of"), "{sent}");
    }
}

#[tokio::test]
async fn n2_1_a_document_of_somebody_else_is_the_client_where_documents_are_taken_only() {
    let scene = scene();
    let document = || {
        let place = format!("http://127.0.0.1:8080{}", OwnClient::CALLBACK);
        ClientSpec::Document(Box::new(
            ClientDocument::new(DOCUMENT, "Ringwall", &place).unwrap(),
        ))
    };
    for _ in 0..2 {
        let known = scene.at(FIRST, document()).await.unwrap();
        assert_eq!(known.client_id(), Some(DOCUMENT));
        assert_eq!(scene.table.registered_at(FIRST), 0);
        let known = scene.at(SECOND, document()).await.unwrap();
        assert_eq!(known.client_id(), Some(&*format!("of {SECOND}")));
        assert_eq!(scene.table.registered_at(SECOND), 1);
    }
}

#[tokio::test]
async fn n2_1_a_client_of_the_operator_is_shown_to_no_issuer_but_its_own() {
    let scene = scene();
    let known = || {
        let secret = Arc::new(Zeroizing::new("hush".to_owned()));
        let credentials = Credentials::Secret(secret, SecretMethod::AsListed);
        ClientSpec::Known(Identity::preregistered(FIRST, "gateway", credentials))
    };
    let found = scene.at(FIRST, known()).await.unwrap();
    assert_eq!(found.client_id(), Some("gateway"));
    let moved = scene.at(SECOND, known()).await;
    let expected = FIRST.to_owned();
    assert_eq!(
        moved.map(drop),
        Err(ClientError::IssuerChanged { expected })
    );
    let none = scene.at(SECOND, ClientSpec::Unregistered).await.unwrap();
    assert_eq!(none.client_id(), None);
    assert!(scene.table.registered.lock().unwrap().is_empty());
}
