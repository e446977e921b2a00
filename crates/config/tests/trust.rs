//! What the settings of issuers mean: profiles, tenants, introspection, attributes.
#![expect(clippy::panic, reason = "a failed expectation is how a test fails")]

use config::settled::{ClaimKind, Profile, Settled};
use ringwall_config as config;
use std::time::Duration;

const TENANT: &str = "0f4ae8d8-1c6c-4b52-9d4e-3a0c8f5d7b11";

/// A configuration with this issuer.
fn with(issuer: &str) -> Settled {
    let text = format!(
        "version: 1\nissuers:\n  - {issuer}\nservers: [{{ name: s, http: {{ url: 'https://mcp.example.com/mcp' }} }}]\n\
         routes: [{{ path: /s, server: s, audiences: ['api://s'] }}]\n"
    );
    match config::load(&text) {
        Ok((settled, _)) => settled,
        Err(problems) => panic!("{text}\n{problems:#?}"),
    }
}

#[test]
fn m1_the_profile_says_what_tokens_are_of() {
    let check = |issuer: &str, types: &[&str], user: &str, lifetime_s: u64| {
        let settled = with(issuer);
        let it = &settled.issuers[0];
        assert_eq!(it.token_types, types, "{issuer}");
        assert_eq!(it.claims.user, user, "{issuer}");
        assert_eq!(it.lifetime_max, Duration::from_secs(lifetime_s), "{issuer}");
    };
    let id = "issuer: 'https://id.example.com'";
    check(&format!("{{ {id} }}"), &["at+jwt"], "sub", 3600);
    check(
        &format!("{{ {id}, profile: rfc9068 }}"),
        &["at+jwt"],
        "sub",
        3600,
    );
    check(
        &format!("{{ {id}, profile: jwt }}"),
        &["JWT", "JOSE"],
        "sub",
        3600,
    );
    let own = format!("{{ {id}, profile: jwt, token_types: [own+jwt] }}");
    check(&own, &["own+jwt"], "sub", 3600);
    let entra = "issuer: 'https://login.example/{tenant}/v2.0', profile: entra";
    let entra = format!("{{ {entra}, tenants: [{TENANT}] }}");
    check(&entra, &["JWT"], "oid", 7200);
    assert_eq!(with(&entra).issuers[0].profile, Profile::Entra);
}

#[test]
fn n2_1_a_tenant_is_an_exact_issuer() {
    let settled = with("{ issuer: 'https://id.example/{tenant}/v2.0', tenants: [north, south] }");
    let exact = settled.issuers[0].exact();
    let names: Vec<_> = exact
        .iter()
        .map(|it| (&*it.issuer, it.tenant.as_deref()))
        .collect();
    let expected = [
        ("https://id.example/north/v2.0", Some("north")),
        ("https://id.example/south/v2.0", Some("south")),
    ];
    assert_eq!(names, expected);
    let alone = with("{ issuer: 'https://id.example' }").issuers[0].exact();
    assert_eq!((alone.len(), alone[0].tenant.as_deref()), (1, None));
    assert_eq!(alone[0].issuer, "https://id.example");
}

#[test]
fn n7_3_attributes_are_the_known_ones_and_those_declared() {
    let declared = "{ roles: { claim: realm_access.roles, kind: texts }, team: { claim: 'https://e.example/a.b', kind: text } }";
    let settled = with(&format!(
        "{{ issuer: 'https://id.example', attributes: {declared} }}"
    ));
    let attributes = &settled.issuers[0].attributes;
    let names: Vec<&str> = attributes.keys().map(String::as_str).collect();
    let expected = [
        "acr",
        "acrs",
        "amr",
        "auth_time",
        "email",
        "email_verified",
        "roles",
        "team",
        "tid",
    ];
    assert_eq!(names, expected);
    assert_eq!(attributes["roles"].path(), ["realm_access", "roles"]);
    assert_eq!(attributes["team"].path(), ["https://e.example/a.b"]);
    assert_eq!(attributes["acr"].kind, ClaimKind::Text);
    assert_eq!(settled.routes[0].audiences, ["api://s"]);
}

#[test]
fn n2_1_introspection_and_the_directory_are_asked_as_somebody() {
    let asked =
        with("{ issuer: 'https://id.example', introspection: { client: r, secret: env:S } }");
    let asked = asked.issuers[0].introspection.clone();
    let Some(asked) = asked else {
        panic!("it is asked");
    };
    assert_eq!((asked.url, asked.cache), (None, Duration::from_secs(30)));
    let issuer = format!(
        "{{ issuer: 'https://login.example/{{tenant}}/v2.0', profile: entra, tenants: [{TENANT}], graph: {{ client: r, secret: env:S }} }}"
    );
    let settled = with(&issuer);
    let Some(graph) = &settled.issuers[0].graph else {
        panic!("it is asked");
    };
    let url = graph.token_url(TENANT).map(String::from);
    let expected = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    assert_eq!(url, Ok(expected));
    assert_eq!(graph.url.as_str(), "https://graph.microsoft.com/");
}

/// A relative path of a secret is one from the file's folder, wherever the secret is for.
#[test]
fn n6_3_every_secret_of_an_issuer_lies_beside_the_file() {
    let issuer = format!(
        "{{ issuer: 'https://login.example/{{tenant}}/v2.0', profile: entra, tenants: [{TENANT}], graph: {{ client: r, secret: 'file:g' }} }}\n  \
         - {{ issuer: 'https://a.example', introspection: {{ client: r, secret: 'file:s' }} }}"
    );
    let key = "{ issuer: 'https://b.example', introspection: { client: r, key: 'file:k' }, sign_in: { client: c, secret: 'file:i' } }";
    for issuers in [&*issuer, key] {
        let settled = with(issuers).rooted_at(std::path::Path::new("/etc/ringwall"));
        let printed = serde_json::to_string(&settled.issuers).unwrap_or_default();
        let secrets = printed.matches("file:").count();
        assert!(secrets > 0);
        let rooted = printed.matches("file:/etc/ringwall/").count();
        assert_eq!(secrets, rooted, "{printed}");
    }
}
