//! One agent against an authorization server that is a table, on a clock that the test moves.

mod issuers;

use super::connections::Connected;
use super::*;
use crate::clock::{Clock, StillClock};
use crate::revocation::{Order, Origin, Revocations, Target};
use crate::state::{Database, Rows};
use bytes::Bytes;
use config::settled::{Actor, Authority, TokenKind as Wanted};
use http::Method;
use identity::client::{ClientError, Credentials, Identity, SecretMethod, Tokens};
use identity::{BoxFuture, Fetch, FetchError, Fetched, Outbound};
use std::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

const ISSUER: &str = "https://as.example.com";
const SERVER: &str = "https://files.example.com/mcp";
/// An hour's token.
const LIFE_S: u64 = 3600;

/// What is answered at the token endpoint, and how often it was asked.
#[derive(Debug, Default)]
struct Table {
    asked: Mutex<Vec<String>>,
    is_away: Mutex<bool>,
}

impl Table {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Fetch for Table {
    fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        let body = request
            .body
            .map(|body| String::from_utf8(body.to_vec()).unwrap());
        Box::pin(async move {
            if *self.is_away.lock().unwrap() {
                return Err(FetchError::TimedOut);
            }
            let Some(body) = body else {
                let metadata = serde_json::json!({
                    "issuer": ISSUER, "token_endpoint": format!("{ISSUER}/token"),
                    "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "response_types_supported": ["code"],
                });
                return Ok(Fetched::of(200, metadata.to_string()));
            };
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(body);
                asked.len()
            };
            let answer = serde_json::json!({
                "access_token": format!("access-{number}"), "token_type": "Bearer",
                "expires_in": LIFE_S,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            });
            Ok(Fetched::of(200, answer.to_string()))
        })
    }
}

struct Scene {
    agent: Arc<Agent>,
    table: Arc<Table>,
    clock: Arc<StillClock>,
    rows: Rows,
    revocations: Arc<Revocations>,
    _folder: tempfile::TempDir,
}

fn scene(grant: Grant) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let rows = Rows::new(
        Arc::new(Database::open(folder.path()).unwrap()),
        Arc::new(vault::Vault::ephemeral().unwrap()),
    );
    let (table, clock) = (
        Arc::new(Table::default()),
        Arc::new(StillClock::at_unix_ms(1_800_000_000_000)),
    );
    let url: Url = SERVER.parse().unwrap();
    let secret = Arc::new(Zeroizing::new("hush".to_owned()));
    let credentials = Credentials::Secret(secret, SecretMethod::AsListed);
    let own = OwnClient::at(
        &"https://gate.example.com".parse().unwrap(),
        &OwnClient::fresh_key().unwrap(),
    );
    let spec = Spec {
        grant,
        bound: Bound {
            url,
            name: None,
            authority: Authority::Exactly(ISSUER.to_owned()),
            speaks_for: None,
            client: ClientSpec::Known(Identity::preregistered(ISSUER, "gateway", credentials)),
            described: Described::ByOperator,
            undescribed: Undescribed::Nothing,
        },
        scopes: None,
        kind: Wanted::Bearer,
    };
    let fetch: Arc<dyn Fetch> = Arc::<Table>::clone(&table);
    let revocations = Arc::new(Revocations::none(rows.clone()));
    let world = World {
        revocations: Arc::clone(&revocations),
        fetch: Arc::clone(&fetch),
        provider: fetch,
        clock: Arc::<StillClock>::clone(&clock),
        rows: rows.clone(),
        own: Arc::new(own.unwrap()),
    };
    Scene {
        agent: Agent::new("files", spec, world),
        table,
        clock,
        rows,
        revocations,
        _folder: folder,
    }
}

impl Scene {
    fn holder(&self) -> Holder {
        let owner = Owner {
            user: "alice".into(),
            client: None,
            route: "/files".into(),
            session: "s".into(),
        };
        let source = Source::Issued(Arc::clone(&self.agent));
        source.held_by(&owner).unwrap()
    }

    /// A call of this tool, which the server answers with this status, and with this challenge; and
    /// what is shown then.
    async fn answered(
        &self,
        tool: &str,
        status: u16,
        challenge: &str,
    ) -> Result<Option<String>, UpstreamError> {
        let params = format!(r#"{{"name":"{tool}"}}"#);
        let id = protocol::Id::from(1);
        let body = protocol::write::request(&id, "tools/call", Some(params.as_bytes()));
        let (holder, url): (_, Url) = (self.holder(), SERVER.parse().unwrap());
        let asked = Asked {
            method: &Method::POST,
            url: &url,
            body: &body,
        };
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        let shown = holder.show(&asked, deadline).await?;
        let mut headers = HeaderMap::new();
        if !challenge.is_empty() {
            headers.insert(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let said = (StatusCode::from_u16(status).unwrap(), &headers);
        let Some(down) = holder.heard(shown, &asked, said) else {
            return Ok(None);
        };
        let better = holder.better(down, &asked, deadline).await?;
        Ok(better.map(|shown| shown.headers()[0].1.to_str().unwrap().to_owned()))
    }

    async fn shown(&self) -> Result<Option<String>, UpstreamError> {
        let url: Url = SERVER.parse().unwrap();
        let asked = Asked {
            method: &Method::POST,
            url: &url,
            body: &Bytes::new(),
        };
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        let shown = self.holder().show(&asked, deadline).await?;
        let value = shown
            .headers()
            .first()
            .map(|(_, value)| value.to_str().unwrap().to_owned());
        assert!(!format!("{shown:?}").contains("access-"));
        Ok(value)
    }
}

#[tokio::test]
async fn n2_3_a_token_is_renewed_before_its_end_and_never_shown_past_it() {
    let scene = scene(Grant::ClientCredentials);
    let first = Some("Bearer access-1".to_owned());
    assert_eq!(scene.shown().await, Ok(first.clone()));
    scene.clock.advance_ms((LIFE_S - 31) * 1000);
    assert_eq!(
        scene.shown().await,
        Ok(first.clone()),
        "it has more than half a minute left"
    );
    assert_eq!(scene.table.asked(), 1);
    // In its last half minute it is renewed; if that fails, what is left of it is used, and no more.
    scene.clock.advance_ms(2_000);
    *scene.table.is_away.lock().unwrap() = true;
    assert_eq!(scene.shown().await, Ok(first));
    scene.clock.advance_ms(29_000);
    assert!(matches!(
        scene.shown().await,
        Err(UpstreamError::Token { .. })
    ));
    *scene.table.is_away.lock().unwrap() = false;
    assert_eq!(scene.shown().await, Ok(Some("Bearer access-2".to_owned())));
}

#[tokio::test]
async fn n7_1_nothing_is_exchanged_without_a_call_under_way() {
    let exchange = || Grant::TokenExchange {
        audience: None,
        actor: Actor::None,
    };
    for grant in [exchange(), Grant::OnBehalfOf] {
        let scene = scene(grant);
        assert_eq!(scene.shown().await, Err(UpstreamError::Subject));
        assert_eq!(
            Carried::during(scene.shown()).await,
            Err(UpstreamError::Subject)
        );
        assert_eq!(scene.table.asked(), 0);
    }
    // A caller without a token, at the other end of a pipe, brings nothing that could be.
    let local = identity::Caller::local("alice");
    assert!(matches!(
        Subject::of(&local, "token"),
        Err(ClientError::Subject)
    ));
}

#[tokio::test]
async fn n2_3_a_revocation_forgets_what_is_held() {
    let scene = scene(Grant::ClientCredentials);
    scene.shown().await.unwrap();
    scene.agent.forget();
    assert_eq!(scene.shown().await, Ok(Some("Bearer access-2".to_owned())));
    assert!(!format!("{:?}", scene.agent).contains("hush"));
    assert_eq!(scene.clock.unix_s(), 1_800_000_000);
}

#[tokio::test]
async fn n2_1_a_server_that_always_wants_more_for_one_operation_gets_it_for_the_others() {
    let scene = scene(Grant::ClientCredentials);
    let spent = UpstreamError::Token {
        error: ClientError::StepUp,
    };
    let mut asked = 0;
    let mut more = |tool: &'static str| {
        asked += 1;
        let challenge = format!("Bearer error=insufficient_scope, scope=\"s{asked}\"");
        let scene = &scene;
        async move { scene.answered(tool, 403, &challenge).await }
    };
    for _ in 0..3 {
        assert!(more("read").await.unwrap().is_some());
    }
    assert_eq!(more("read").await, Err(spent.clone()));
    assert!(more("write").await.unwrap().is_some());
    // Once the server has taken it, it may be asked for more again; the other one's are its own.
    assert_eq!(scene.answered("read", 200, "").await, Ok(None));
    for _ in 0..3 {
        assert!(more("read").await.unwrap().is_some());
    }
    assert_eq!(more("read").await, Err(spent.clone()));
    // What fails for another reason says nothing of the scopes.
    assert_eq!(scene.answered("read", 500, "").await, Ok(None));
    assert_eq!(more("read").await, Err(spent));
    scene.clock.advance_ms(601_000);
    assert!(more("read").await.unwrap().is_some());
}

#[tokio::test]
async fn n7_1_a_login_is_asked_of_the_caller_only_where_it_is_their_token_that_is_exchanged() {
    let challenge = "Bearer error=insufficient_user_authentication, acr_values=gold";
    let demand = Demand::of(401, &[challenge]).unwrap();
    let exchange = Grant::TokenExchange {
        audience: None,
        actor: Actor::None,
    };
    for (grant, is_passed_on) in [
        (exchange, true),
        (Grant::OnBehalfOf, true),
        (Grant::ClientCredentials, false),
        (Grant::Connection, false),
    ] {
        let scene = scene(grant);
        let told = scene.agent.passed_on(demand.authentication());
        assert_eq!(told.is_some(), is_passed_on, "{:?}", scene.agent);
    }
    let scene = scene(Grant::ClientCredentials);
    assert_eq!(scene.answered("read", 401, challenge).await, Ok(None));
    assert_eq!(
        scene.table.asked(),
        1,
        "no other token would change its mind"
    );
}

#[tokio::test]
async fn n2_3_a_grant_that_is_blocked_is_not_used_though_it_is_still_kept() {
    let scene = scene(Grant::Connection);
    let now_ms = scene.clock.unix_ms();
    let kept = serde_json::json!({
        "access": "access-0", "kind": "Bearer", "expires_at": now_ms / 1000 + LIFE_S,
        "asked": "", "granted": "", "refresh": null, "issuer": ISSUER,
        "client_id": "gateway", "resource": SERVER,
    });
    let connected = Connected {
        about: About {
            at: now_ms / 1000,
            ..About::default()
        },
        key: None,
        tokens: Tokens::from_kept(kept.to_string().as_bytes()).unwrap(),
    };
    let connections = Connections::new(scene.rows.clone());
    let keep = connections.keep("files", "alice", &connected, now_ms);
    keep.await.unwrap();
    assert_eq!(scene.shown().await, Ok(Some("Bearer access-0".to_owned())));
    let order = Order {
        target: Target::Grant {
            name: connection_name("files", "alice", ISSUER),
        },
        at_ms: now_ms,
        block: true,
        origin: Origin::Operator,
        why: "leaked".into(),
        by: "carol".into(),
    };
    scene.revocations.add(order, now_ms).await.unwrap();
    // It was removed with that; whoever was renewing it at that moment has put it back.
    let keep = connections.keep("files", "alice", &connected, now_ms);
    keep.await.unwrap();
    scene.agent.forget();
    assert_eq!(scene.shown().await, Ok(None));
}
