//! What a decision costs with 100 policies: reported, not asserted.
//!
//! `cargo run --release -p ringwall-policy --example timing`

use ringwall_policy::{
    Action, Caller, Catalog, Context, Groups, Policies, Principal, Request, ServerEntry, Source,
    Target, ToolEntry,
};
use serde_json::json;
use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

/// Tools per server, of ten servers.
const TOOLS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = catalog();
    let alice = Principal::new(Caller {
        issuer: "corp".into(),
        user: "alice".into(),
        groups: Groups::Known((0..20).map(|nth| format!("g{nth}")).collect()),
        scopes: (0..5).map(|nth| format!("s{nth}")).collect(),
        ..Caller::default()
    })?;
    let arguments = json!({"path": "/srv/projects/x", "limit": 10});
    for (name, text) in [
        ("100 policies, scoped by server and group", scoped()),
        ("100 policies, none of them scoped", unscoped()),
    ] {
        let source = Source {
            name: "p.cedar".into(),
            text,
        };
        let begin = Instant::now();
        let policies = Policies::compile(&[source], &catalog)?;
        println!("{name}: compiled in {:?}", begin.elapsed());
        for (what, action) in [
            ("call, depends on arguments", Action::Call),
            ("list, depends on nothing", Action::List),
        ] {
            let context = Context {
                arguments: arguments.as_object(),
                ..Context::default()
            };
            let request = Request {
                principal: &alice,
                action,
                resource: Target::Tool {
                    server: "s3",
                    name: "t3",
                },
                context: &context,
            };
            println!("  {what}: {}", policies.decide(&request).verdict);
            report("decide", || black_box(policies.decide(&request)).allows());
            report("decide_cached", || {
                black_box(policies.decide_cached(&request)).allows()
            });
        }
    }
    Ok(())
}

fn report(what: &str, mut once: impl FnMut() -> bool) {
    const ROUNDS: u32 = 20_000;
    for _ in 0..ROUNDS / 10 {
        black_box(once());
    }
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        black_box(once());
    }
    println!("    {what:<14} {:>9.3?}", begin.elapsed() / ROUNDS);
}

fn catalog() -> Catalog {
    let servers = (0..10).map(|server| ServerEntry {
        name: format!("s{server}"),
        labels: vec!["internal".into()],
    });
    let tools = (0..10 * TOOLS).map(|nth| ToolEntry {
        server: format!("s{}", nth / TOOLS),
        name: format!("t{}", nth % TOOLS),
        read_only: nth % 2 == 0,
        input_schema: json!({"type": "object", "properties": {
            "path": {"type": "string"}, "limit": {"type": "integer"}}}),
        ..ToolEntry::default()
    });
    Catalog {
        servers: servers.collect(),
        tools: tools.collect(),
        ..Catalog::default()
    }
}

fn scoped() -> String {
    let mut text = String::new();
    for nth in 0..50 {
        let server = nth % 10;
        let _ = write!(
            text,
            r#"
            permit (principal in Ringwall::Group::"corp#g{nth}",
                action in [Ringwall::Action::"list", Ringwall::Action::"call"],
                resource in Ringwall::Server::"s{server}");
            forbid (principal, action == Ringwall::Action::"call",
                resource in Ringwall::Server::"s{server}")
            when {{ context.arguments has path && context.arguments.path like "/etc/{nth}/*" }};
            "#
        );
    }
    text
}

fn unscoped() -> String {
    let mut text = String::new();
    for nth in 0..50 {
        let _ = write!(
            text,
            r#"
            permit (principal, action in [Ringwall::Action::"list", Ringwall::Action::"call"], resource)
            when {{ principal.groups.contains("g{nth}") && resource.labels.contains("internal") }};
            forbid (principal, action == Ringwall::Action::"call", resource)
            when {{ context.arguments has path && context.arguments.path like "/etc/{nth}/*" }};
            "#
        );
    }
    text
}
