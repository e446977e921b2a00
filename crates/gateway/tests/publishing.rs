//! How what servers offer comes into force: the policies first, and once for all of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

mod fittings;

use fittings::{Settings, World, code};
use gateway::clock::Clock as _;
use gateway::gate::Gate;
use gateway::route::Served;
use policy::{Action, Context, Principal, Request, Target};
use ringwall_gateway as gateway;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

const SERVERS: &str = ", { name: other, pins: first_use, http: { url: 'http://127.0.0.1:9/mcp', network: private } }, \
     { name: third, pins: first_use, http: { url: 'http://127.0.0.1:9/mcp', network: private } }";

fn served(gate: &Gate, name: &str) -> Arc<Served> {
    Arc::clone(&gate.runtime().servers[name])
}

/// Whether the policies in force know this tool. They permit everything they know.
fn is_known(gate: &Gate, server: &str, name: &str) -> bool {
    let principal = Principal::new(policy::Caller {
        issuer: "corp".into(),
        user: "alice".into(),
        ..policy::Caller::default()
    });
    let request = Request {
        principal: &principal.unwrap(),
        action: Action::List,
        resource: Target::Tool { server, name },
        context: &Context::default(),
    };
    gate.policies().decide_cached(&request).allows()
}

#[tokio::test]
async fn n9_2_tools_of_several_servers_come_into_force_with_policies_compiled_once() {
    let settings = Settings {
        servers: SERVERS,
        ..Settings::default()
    };
    let world = World::start(&settings).await;
    let gate = &*world.gate;
    let tool = json!({ "name": "new", "inputSchema": { "type": "object" } });
    let servers = ["other", "third"].map(|name| served(gate, name));
    let before = Arc::clone(&gate.policies());
    let seen = RefCell::new(Vec::new());
    let readings = servers.iter().map(|served| {
        let shelf = served.shelves.of(protocol::Revision::V2025_06_18);
        let study = |around: &gateway::catalog::Around<'_>| {
            seen.borrow_mut()
                .push(Arc::ptr_eq(&gate.policies(), &before));
            let reading = gateway::catalog::Reading {
                pins: &gate.pins,
                around,
                party: &gateway::catalog::Drift::default(),
                now_ms: world.clock.unix_ms(),
            };
            shelf.page([&tool].map(|it: &Value| it), &reading)
        };
        (&**served, shelf, study)
    });
    let outcomes = gate.publish_all(readings.collect());
    assert!(outcomes.iter().all(Result::is_ok) && outcomes.len() == 2);
    // Every study was done with the policies of before: none were compiled in between.
    assert_eq!(seen.into_inner(), [true, true]);
    for name in ["other", "third"] {
        assert!(is_known(gate, name, "new"), "{name}");
        assert_eq!(served(gate, name).shelves.count(), (1, 0), "{name}");
    }
    assert!(!is_known(gate, "small", "new"));
    let (session, token) = (world.open().await, world.token(600));
    let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    let (status, answer) = world.call(&session, &token, &message).await;
    assert_eq!((status.as_u16(), code(&answer)), (200, "none"));
}
