//! Administrators with a browser: who is one, how strongly they signed in, what each role may do at every
//! endpoint there is, and that everything is written down.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::browser::{Browser, Page};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::wire::{self, Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use ringwall_tests::{mcp, place};
use serde_json::{Value, json};
use url::Url;

const SESSION: &str = "__Host-ringwall";
const BASE: &str = "/admin/api/v1";

/// The reference, which is made from the definitions.
const REFERENCE: &str = include_str!("../../../docs/admin-api.md");

/// An operation as the reference has it.
struct Endpoint {
    name: String,
    method: Method,
    path: String,
    /// Whether a viewer, an operator, an approver, an admin may do it.
    roles: Vec<bool>,
}

fn endpoints() -> Result<Vec<Endpoint>> {
    let rows = REFERENCE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, place, _, roles @ ..] = cells.as_slice() else {
            anyhow::bail!("no row: {row}");
        };
        let (method, path) = place
            .trim_matches('`')
            .split_once(' ')
            .context("no place")?;
        Ok(Endpoint {
            name: name.trim_matches('`').to_owned(),
            method: method.parse()?,
            path: path.to_owned(),
            roles: roles.iter().map(|role| *role == "yes").collect(),
        })
    })
    .collect()
}

fn administration() -> Value {
    json!({ "administration": {
        "amr": ["mfa"], "max_age": "1h",
        "roles": [
            { "role": "viewer", "users": ["viewer"] },
            { "role": "operator", "groups": ["operators"] },
            { "role": "approver", "claim": "department", "values": ["security"] },
            { "role": "admin", "users": ["admin"] }
        ]
    } })
}

async fn world() -> Result<World> {
    World::start(Plan::default().whole(administration())).await
}

/// An administrator at a browser, and what their pages would send.
struct Desk {
    browser: Browser,
    token: String,
    origin: String,
}

/// Lets this person be at the browser, authenticated like that and so many seconds ago.
fn comes(world: &World, user: &str, more: &Value, seconds_ago: u64) {
    let mut claims = json!({ "amr": ["pwd", "mfa"], "auth_time": place::now() - seconds_ago });
    let members = more.as_object().cloned().unwrap_or_default();
    if let Some(claims) = claims.as_object_mut() {
        claims.extend(members);
    }
    world.issuer.at_the_browser(user);
    world.issuer.change_identity_tokens(claims);
}

async fn arrives(world: &World) -> Result<(Browser, Page)> {
    let browser = Browser::default();
    let page = browser.open(&world.gateway.at("/admin")?).await?;
    Ok((browser, page))
}

impl Desk {
    async fn of(world: &World, user: &str, more: &Value) -> Result<Self> {
        comes(world, user, more, 5);
        let (browser, page) = arrives(world).await?;
        assert_eq!(page.reply.status, 200, "{}", page.html());
        let token = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
        Ok(Desk {
            browser,
            token: token.context("no token")?,
            origin: page.url.origin().ascii_serialization(),
        })
    }

    fn asks(&self, world: &World, name: &str, input: &Value) -> Result<Outgoing> {
        let all = endpoints()?;
        let it = all.iter().find(|it| it.name == name);
        let it = it.with_context(|| format!("no operation `{name}`"))?;
        let mut url = world.gateway.at(&it.path)?;
        let held = self.browser.holds(&url);
        let cookie = format!("{SESSION}={}", held.get(SESSION).context("signed out")?);
        let looks = it.method == Method::GET;
        if looks {
            let pairs = input.as_object().context("no object")?.iter();
            let pairs = pairs.filter_map(|(name, value)| Some((name, value.as_str()?)));
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let request = Outgoing::new(it.method.clone(), &url).header("cookie", &cookie);
        Ok(match looks {
            true => request,
            false => request
                .header("content-type", "application/json")
                .header("origin", &self.origin)
                .header("x-ringwall-form", &self.token)
                .body(input.to_string()),
        })
    }

    async fn done(&self, world: &World, name: &str, input: Value) -> Result<Value> {
        let reply = self.asks(world, name, &input)?.send().await?;
        anyhow::ensure!(reply.status == 200, "{name}: {reply:?}");
        Ok(serde_json::from_slice(&reply.body)?)
    }
}

fn code(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_default().to_owned()
}

/// An input that each operation can read, and that is about nothing there is.
fn input(name: &str) -> Value {
    match name {
        "approvals.decide" => json!({ "id": "none", "asked_ms": 1, "decision": "approve" }),
        "connections.revoke" => json!({ "name": "none" }),
        "consents.list" => json!({ "user": "none" }),
        "consents.revoke" => json!({ "user": "none", "id": "none" }),
        "people.end" => json!({ "session": "none" }),
        "revocations.add" => {
            json!({ "target": { "kind": "session", "name": "none" }, "why": "a test" })
        }
        "revocations.lift" => json!({ "id": "none" }),
        "tools.history" | "tools.revoke" => json!({ "server": "fixture", "tool": "none" }),
        "tools.approve" | "tools.roll_back" => {
            let digest = format!("sha256:{}", "0".repeat(64));
            json!({ "server": "fixture", "tool": "none", "digest": digest })
        }
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_2_every_endpoint_is_open_to_the_roles_that_have_it_and_to_nobody_else() -> Result<()> {
    let world = world().await?;
    assert!(endpoints()?.len() >= 11);
    let people = [
        (None, "nobody", json!({})),
        (Some(0), "viewer", json!({})),
        (Some(1), "olga", json!({ "groups": ["x", "operators"] })),
        (Some(2), "anna", json!({ "department": ["security"] })),
        // Another value, another group, and groups that nobody knows give no role.
        (None, "anna", json!({ "department": ["sales", 7] })),
        (None, "olga", json!({ "groups": ["staff"] })),
        (None, "olga", json!({ "groups": { "operators": true } })),
        (Some(3), "admin", json!({})),
    ];
    for (role, user, more) in &people {
        let desk = Desk::of(&world, user, more).await?;
        for it in endpoints()? {
            let allowed = role.is_some_and(|role: usize| it.roles[role]);
            let reply = desk
                .asks(&world, &it.name, &input(&it.name))?
                .send()
                .await?;
            let denied = code(&reply) == "admin_denied";
            assert_eq!(denied, !allowed, "{} {role:?}: {reply:?}", it.name);
            // What is not there is not found, by whoever may look for it.
            assert!(
                matches!(reply.status.as_u16(), 200 | 403 | 404),
                "{reply:?}"
            );
        }
    }
    let denied = world.events("admin.revocations.add", 8).await?;
    let refused =
        |line: &&Value| line.pointer("/record/refusal/code") == Some(&json!("admin_denied"));
    assert_eq!(denied.iter().filter(refused).count(), 6, "{denied:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_an_administrator_is_authenticated_strongly_and_lately() -> Result<()> {
    let world = world().await?;
    for (more, told) in [
        (json!({ "amr": ["pwd"] }), "amr"),
        (json!({ "amr": null }), "amr"),
        (json!({ "amr": "mfa" }), "amr"),
    ] {
        comes(&world, "admin", &more, 5);
        let (browser, page) = arrives(&world).await?;
        assert_eq!(page.reply.status, 403, "{more}");
        assert!(page.html().contains(told), "{}", page.html());
        assert!(!browser.holds(&page.url).contains_key(SESSION));
    }
    // Whoever signed in weakly for another page is no administrator by that.
    comes(&world, "admin", &json!({ "amr": ["pwd"] }), 5);
    let browser = Browser::default();
    browser.open(&world.gateway.at("/connections")?).await?;
    let url = world.gateway.at(&format!("{BASE}/whoami"))?;
    let reply = browser.once(Method::GET, &url, String::new()).await?;
    assert_eq!(
        (reply.status.as_u16(), code(&reply)),
        (403, "admin_weak".into())
    );
    // Nor is the page for administrators shown to them.
    let page = world.gateway.at("/admin")?;
    let reply = browser.once(Method::GET, &page, String::new()).await?;
    assert_eq!(reply.status, 303, "{reply:?}");
    let nobody = Browser::default()
        .once(Method::GET, &url, String::new())
        .await?;
    assert_eq!(
        (nobody.status.as_u16(), code(&nobody)),
        (401, "admin_signed_out".into())
    );
    // Long ago is good for a look, and to change anything they sign in again.
    comes(&world, "admin", &json!({}), 7200);
    let (browser, page) = arrives(&world).await?;
    assert!(page.html().contains("sign in again"), "{}", page.html());
    let token = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let desk = Desk {
        browser,
        token: token.context("no token")?,
        origin: page.url.origin().ascii_serialization(),
    };
    desk.done(&world, "sessions.list", json!({})).await?;
    let add = input("revocations.add");
    let reply = desk.asks(&world, "revocations.add", &add)?.send().await?;
    assert_eq!(
        (reply.status.as_u16(), code(&reply)),
        (403, "admin_step_up".into())
    );
    let again: Value = serde_json::from_slice(&reply.body)?;
    let again = again.pointer("/error/sign_in").and_then(Value::as_str);
    let again = world.gateway.at(again.context("no way to sign in")?)?;
    // A provider that does not authenticate anew has not been asked in vain.
    assert_eq!(desk.browser.open(&again).await?.reply.status, 403);
    comes(&world, "admin", &json!({}), 5);
    let page = desk.browser.open(&again).await?;
    assert_eq!(page.reply.status, 200, "{}", page.html());
    let token = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let desk = Desk {
        token: token.context("no token")?,
        ..desk
    };
    desk.done(&world, "revocations.add", add).await?;
    let asked = world.issuer.sign_in_requests();
    let last = asked.last().context("nothing asked")?;
    assert_eq!(last.get("max_age").map(String::as_str), Some("3600"));
    let weak = world.events("sign_in.refused", 4).await?;
    let is_2_4 = |line: &&Value| line.pointer("/record/refusal/control") == Some(&json!("2.4"));
    assert!(weak.iter().filter(is_2_4).count() >= 4, "{weak:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_nothing_is_changed_but_from_a_page_of_ours() -> Result<()> {
    let world = world().await?;
    let desk = Desk::of(&world, "admin", &json!({})).await?;
    let other = Desk::of(&world, "admin", &json!({})).await?;
    let operation = "revocations.add";
    let asks = || desk.asks(&world, operation, &input(operation));
    let text = "text/plain";
    for (row, (request, status)) in [
        (asks()?.without("origin"), 403),
        (asks()?.header("origin", "https://evil.example"), 403),
        (asks()?.header("sec-fetch-site", "cross-site"), 403),
        (asks()?.header("sec-fetch-site", "same-site"), 403),
        (asks()?.without("x-ringwall-form"), 403),
        (asks()?.header("x-ringwall-form", &other.token), 403),
        (asks()?.header("content-type", text), 400),
        (asks()?.body("{\"target\":{},\"target\":{}}"), 400),
        (
            desk.asks(&world, "revocations.lift", &input("revocations.lift"))?
                .body(r#"{"id":"none","id":"none"}"#),
            400,
        ),
        (asks()?.body("[]"), 400),
        (
            asks()?.body(format!("{{\"why\":\"{}\"}}", "x".repeat(70_000))),
            400,
        ),
        (
            asks()?.body(format!("{}{}", input(operation), " ".repeat(70_000))),
            400,
        ),
        (asks()?.without("cookie"), 401),
        (asks()?.method(Method::GET), 403),
        (asks()?.method(Method::PUT), 405),
        (asks()?.method(Method::DELETE), 405),
        (asks()?, 200),
    ]
    .into_iter()
    .enumerate()
    {
        // A look does not bear the origin of another page either.
        let looks = row == 13;
        let request = match looks {
            true => request.header("origin", "https://evil.example"),
            false => request,
        };
        let reply = request.send().await?;
        assert_eq!(reply.status.as_u16(), status, "{row}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    let unknown = world.gateway.at(&format!("{BASE}/nothing"))?;
    let reply = desk
        .browser
        .once(Method::GET, &unknown, String::new())
        .await?;
    assert_eq!(
        (reply.status.as_u16(), code(&reply)),
        (404, "admin_unknown".into())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_1_what_administrators_do_happens_and_is_written_down() -> Result<()> {
    let world = world().await?;
    let client = world.client("mallory").await?;
    let desk = Desk::of(&world, "admin", &json!({})).await?;
    let who = desk.done(&world, "whoami", json!({})).await?;
    assert_eq!(who["roles"], json!(["admin"]));
    let held = desk
        .done(&world, "sessions.list", json!({ "user": "mallory" }))
        .await?;
    assert_eq!(held.pointer("/sessions/0/subject"), Some(&json!("mallory")));
    // Somebody is kept out, and comes in again once that is taken back.
    let target = json!({ "kind": "user", "issuer": world.issuer.url(), "name": "mallory" });
    let order = json!({ "target": target, "block": true, "why": "incident 7" });
    let entry = desk.done(&world, "revocations.add", order).await?;
    assert_eq!(client.send("ping", json!({})).await?.status, 401);
    let listed = desk.done(&world, "revocations.list", json!({})).await?;
    assert_eq!(listed.pointer("/0/id"), entry.get("id"));
    let by = listed.pointer("/0/by").and_then(Value::as_str);
    assert_eq!(by, Some(format!("{}#admin", world.issuer.url()).as_str()));
    let lift = json!({ "id": entry["id"] });
    desk.done(&world, "revocations.lift", lift).await?;
    let again = world.client("mallory").await?;
    assert_eq!(again.send("ping", json!({})).await?.status, 200);
    // A browser is signed out.
    let other = Desk::of(&world, "viewer", &json!({})).await?;
    let people = desk.done(&world, "people.list", json!({})).await?;
    let people = people.as_array().context("no list")?;
    let viewer = people.iter().find(|one| one["subject"] == "viewer");
    let session = viewer.context("not listed")?["session"].clone();
    let end = json!({ "session": session });
    assert_eq!(desk.done(&world, "people.end", end).await?["ended"], 1);
    let reply = other.asks(&world, "whoami", &json!({}))?.send().await?;
    assert_eq!(reply.status, 401);
    for (name, after) in [
        ("admin.revocations.add", "revoked and blocked: incident 7"),
        ("admin.revocations.lift", "lifted"),
        ("admin.people.end", "signed out"),
    ] {
        let records = world.events(name, 1).await?;
        let record = records.first().with_context(|| format!("no {name}"))?;
        assert_eq!(
            record.pointer("/record/event/after"),
            Some(&json!(after)),
            "{record}"
        );
        assert_eq!(
            record.pointer("/record/who/subject"),
            Some(&json!("admin")),
            "{record}"
        );
    }
    assert!(!world.events("admin.sessions.list", 1).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_1_what_the_owner_of_the_machine_does_is_written_down_too() -> Result<()> {
    let world = world().await?;
    let _desk = Desk::of(&world, "admin", &json!({})).await?;
    // Whoever owns the machine asks for the same operations, and is written down when they change.
    let listed = world.gateway.with_data(&["admin", "people.list"]).await?;
    assert!(listed.contains("\"subject\": \"admin\""), "{listed}");
    let added = input("revocations.add").to_string();
    world
        .gateway
        .with_data(&["admin", "revocations.add", &added])
        .await?;
    assert!(
        world
            .gateway
            .with_data(&["admin", "nothing"])
            .await
            .is_err()
    );
    let records = world.events("admin.revocations.add", 1).await?;
    let issuers = records
        .iter()
        .filter_map(|line| line.pointer("/record/who/issuer"));
    assert!(
        issuers.into_iter().any(|issuer| issuer == "local"),
        "{records:?}"
    );
    Ok(())
}

/// A call waits, and its entry in the list, for somebody who may look.
async fn held(world: &World, desk: &Desk) -> Result<Value> {
    let alice = world.client("alice").await?;
    let answer = alice.call("echo", json!({ "text": "hello" })).await?;
    assert_eq!(wire::code(&answer), "approval_needed", "{answer}");
    let all = desk.done(world, "approvals.list", json!({})).await?;
    let all = all.as_array().context("no list")?;
    assert_eq!(all.len(), 1, "{all:?}");
    all.first().cloned().context("nothing waits")
}

/// A world in which one tool takes the approval of somebody of a group.
async fn careful() -> Result<World> {
    let policy = r#"
        permit(principal, action, resource);
        @lift("approval: owners")
        forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/echo");
        permit(principal, action == Ringwall::Action::"approve", resource == Ringwall::Tool::"fixture/echo")
        when { principal has groups && principal.groups.contains("owners") };
    "#;
    World::start(Plan::default().whole(administration()).policy(policy)).await
}

/// An approver whom the policy of that tool lets approve, too.
fn owner() -> Value {
    json!({ "department": ["security"], "groups": ["owners"] })
}

/// What is said of a call in the list, with some members changed.
fn says(one: &Value, decision: &str, changes: &Value) -> Value {
    let say = json!({ "id": one["id"], "asked_ms": one["asked_ms"], "decision": decision });
    overlaid(say, changes)
}

/// A role lets somebody use the operation; which calls they approve is for the policies of the tools to say.
#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_role_alone_approves_no_call() -> Result<()> {
    let world = careful().await?;
    let groups = json!({ "groups": ["owners"] });
    let viewer = Desk::of(&world, "viewer", &groups).await?;
    let one = held(&world, &viewer).await?;
    let admin = Desk::of(&world, "admin", &json!({})).await?;
    let hers = Desk::of(&world, "alice", &owner()).await?;
    let anna = Desk::of(&world, "anna", &owner()).await?;
    let approve = |changes: Value| says(&one, "approve", &changes);
    let (earlier, another) = (json!({ "asked_ms": 1 }), json!({ "id": "none" }));
    let no_reason = says(&one, "decline", &json!({ "why": "" }));
    let plain = || approve(json!({}));
    for (who, desk, said, status, expected) in [
        ("a viewer", &viewer, plain(), 403, "admin_denied"),
        (
            "an admin in no group",
            &admin,
            plain(),
            403,
            "approval_denied",
        ),
        ("whoever asked", &hers, plain(), 403, "approval_denied"),
        (
            "of an earlier request",
            &anna,
            approve(earlier),
            409,
            "approval_decision",
        ),
        (
            "without a reason",
            &anna,
            no_reason,
            409,
            "approval_decision",
        ),
        ("of no call", &anna, approve(another), 404, "admin_unknown"),
    ] {
        let reply = desk.asks(&world, "approvals.decide", &said)?;
        let reply = reply.send().await?;
        let told = (reply.status.as_u16(), code(&reply));
        assert_eq!(told, (status, expected.to_owned()), "{who}");
    }
    held(&world, &viewer).await?;
    assert!(world.events("approval.given", 0).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_approvers_decide_over_the_admin_api_what_policies_let_them() -> Result<()> {
    let world = careful().await?;
    let viewer = Desk::of(&world, "viewer", &json!({})).await?;
    let one = held(&world, &viewer).await?;
    assert_eq!(
        (&one["state"], &one["call"]),
        (&json!("waiting"), &json!([]))
    );
    let of = json!({ "id": one["id"] });
    let whole = viewer.done(&world, "approvals.list", of).await?;
    let text = json!({ "path": "/arguments/text", "value": "\"hello\"" });
    assert_eq!(whole[0]["call"][0], text, "{whole}");
    let hers = Desk::of(&world, "alice", &owner()).await?;
    let anna = Desk::of(&world, "anna", &owner()).await?;
    let alice = world.client("alice").await?;
    let echo = || alice.call("echo", json!({ "text": "hello" }));
    let yes = says(&one, "approve", &json!({}));
    let done = anna.done(&world, "approvals.decide", yes).await?;
    assert_eq!(done["state"], "approved", "{done}");
    assert_eq!(mcp::text(&echo().await?), "hello");
    // Another one, which its requester may end as well.
    let one = held(&world, &viewer).await?;
    let no = says(&one, "decline", &json!({ "why": "not on a Friday" }));
    let done = hers.done(&world, "approvals.decide", no).await?;
    assert_eq!(done["declined"]["why"], "not on a Friday", "{done}");
    assert_eq!(wire::code(&echo().await?), "approval_declined");
    assert_eq!(world.events("approval.given", 1).await?.len(), 1);
    assert_eq!(world.events("approval.declined", 1).await?.len(), 1);
    let decided = world.events("admin.approvals.decide", 2).await?;
    let by = |line: &Value| line.pointer("/record/who/subject").cloned();
    let by: Vec<_> = decided.iter().filter_map(by).collect();
    assert_eq!(by, [json!("anna"), json!("alice")], "{decided:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_2_own_policies_of_administration_decide_in_place_of_the_built_in_ones() -> Result<()> {
    let mut whole = administration();
    whole["administration"]["policies"] = json!(["own.cedar"]);
    let plan = Plan::default().whole(whole).file(
        "own.cedar",
        "permit(principal, action == Ringwall::Action::\"sessions.list\", resource) \
         when { principal.user == \"admin\" };\n",
    );
    let world = World::start(plan).await?;
    let desk = Desk::of(&world, "admin", &json!({})).await?;
    desk.done(&world, "sessions.list", json!({})).await?;
    let reply = desk.asks(&world, "people.list", &json!({}))?.send().await?;
    assert_eq!(code(&reply), "admin_denied");
    // They decide about whoever owns the machine as well.
    assert!(world.gateway.with_data(&["sessions"]).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_without_administration_nobody_administers_with_a_browser() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    world
        .issuer
        .change_identity_tokens(json!({ "amr": ["mfa"], "auth_time": place::now() }));
    let browser = Browser::default();
    browser.open(&world.gateway.at("/connections")?).await?;
    let get = async |path: &str| -> Result<Reply> {
        let url: Url = world.gateway.at(path)?;
        browser.once(Method::GET, &url, String::new()).await
    };
    assert_eq!(get("/admin").await?.status, 404);
    assert_eq!(get("/admin/sign-in").await?.status, 404);
    let reply = get(&format!("{BASE}/whoami")).await?;
    assert_eq!(
        (reply.status.as_u16(), code(&reply)),
        (404, "admin_unknown".into())
    );
    Ok(())
}
