//! Where metadata is looked for, which of it is used, and which never.

use super::*;
use crate::client::fixture::{ISSUER, SERVER, World, metadata};
use serde_json::json;

const AT_PATH: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/files";
const AT_ROOT: &str = "https://mcp.example.com/.well-known/oauth-protected-resource";
const TOLD: &str = "https://mcp.example.com/meta";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn told(at: &str) -> Option<Demand> {
    let header = format!("Bearer resource_metadata=\"{at}\"");
    Demand::of(401, &[header])
}

fn document(resource: &str) -> Value {
    json!({"resource": resource, "authorization_servers": [ISSUER]})
}

#[tokio::test]
async fn n2_1_looks_for_the_metadata_of_a_server_in_the_order_of_mcp() {
    let world = World::new();
    let demand = told(TOLD);
    let found = find_resource(world.outside(), &url(SERVER), demand.as_ref()).await;
    let undescribed = ClientError::Undescribed("https://mcp.example.com".to_owned());
    assert_eq!(found.err(), Some(undescribed.clone()));
    assert_eq!(world.urls(), [TOLD, AT_PATH, AT_ROOT]);

    // The first that is there is used, and nothing is asked after it.
    for (at, asked) in [(TOLD, 1), (AT_PATH, 2), (AT_ROOT, 3)] {
        let world = World::new().says(at, 200, &document(SERVER));
        let found = find_resource(world.outside(), &url(SERVER), demand.as_ref()).await;
        assert_eq!(found.unwrap().issuers(), [ISSUER], "{at}");
        assert_eq!(world.urls().len(), asked, "{at}");
    }
    // A page for people is no document.
    let page = Ok(Fetched::of(200, ""));
    let world = World::new().gives(AT_PATH, page);
    let world = world.says(AT_ROOT, 200, &document(SERVER));
    assert!(
        find_resource(world.outside(), &url(SERVER), None)
            .await
            .is_ok()
    );
    // That there is none is said by each place, or by none of them.
    for (status, expected) in [
        (404, undescribed.clone()),
        (401, undescribed),
        (302, ClientError::Status(302)),
        (408, ClientError::Status(408)),
        (429, ClientError::Status(429)),
        (503, ClientError::Status(503)),
    ] {
        for at in [AT_PATH, AT_ROOT] {
            let world = World::new().says(at, status, &json!({}));
            let found = find_resource(world.outside(), &url(SERVER), None).await;
            assert_eq!(found.err(), Some(expected.clone()), "{at} {status}");
        }
    }
    let broken = Err(FetchError::TimedOut);
    let world = World::new().gives(AT_PATH, broken.clone());
    let found = find_resource(world.outside(), &url(SERVER), None).await;
    assert_eq!(found.err(), broken.err().map(ClientError::Fetch));
}

#[tokio::test]
async fn n7_2_metadata_of_another_resource_is_not_used() {
    let check = async |at: &str, resource: &str, expected: Option<&str>| {
        let world = World::new().says(at, 200, &document(resource));
        // Whatever comes after the document that names another resource is not asked.
        let world = world.says("https://mcp.example.com/never", 200, &document(SERVER));
        let demand = told(at);
        let found = find_resource(world.outside(), &url(SERVER), demand.as_ref()).await;
        let found = found.map(|found| found.resource().as_str().to_owned());
        match expected {
            Some(name) => assert_eq!(found.as_deref(), Ok(name), "{at} {resource}"),
            None => assert_eq!(
                found,
                Err(ClientError::Resource(SERVER.to_owned())),
                "{at} {resource}"
            ),
        }
        assert_eq!(world.urls(), [at]);
    };
    check(TOLD, SERVER, Some(SERVER)).await;
    // What is sent later is the name as it was published.
    let slashed = "https://mcp.example.com/files/";
    check(AT_PATH, slashed, Some(slashed)).await;
    // Only a document at the root of a host speaks for the whole of it.
    check(
        AT_ROOT,
        "https://mcp.example.com",
        Some("https://mcp.example.com"),
    )
    .await;
    check(AT_ROOT, SERVER, Some(SERVER)).await;
    check(AT_PATH, "https://mcp.example.com", None).await;
    check(TOLD, "https://mcp.example.com", None).await;
    check("https://evil.example/meta", "https://mcp.example.com", None).await;
    for at in [TOLD, AT_PATH, AT_ROOT] {
        check(at, "https://evil.example.com/mcp", None).await;
        check(at, "https://mcp.example.com/other", None).await;
        check(at, "https://mcp.example.com:444/files", None).await;
        check(at, "http://mcp.example.com/files", None).await;
        check(at, "", None).await;
    }
}

#[tokio::test]
async fn n2_1_metadata_that_two_readers_could_read_differently_is_not_used() {
    let unusable = ClientError::Metadata("https://mcp.example.com".to_owned());
    let check = async |body: String, expected: &ClientError| {
        let world = World::new().gives(AT_PATH, Ok(Fetched::of(200, body.clone())));
        let found = find_resource(world.outside(), &url(SERVER), None).await;
        assert_eq!(found.err().as_ref(), Some(expected), "{body:.200}");
        assert_eq!(world.urls(), [AT_PATH]);
    };
    let with = |name: &str, value: Value| {
        let mut document = document(SERVER);
        document[name] = value;
        document.to_string()
    };
    check("[]".to_owned(), &unusable).await;
    check("{".to_owned(), &unusable).await;
    let twice = format!(r#"{{"resource":"{SERVER}","resource":"https://evil.example"}}"#);
    check(twice, &unusable).await;
    check(with("resource", json!(1)), &unusable).await;
    check(with("authorization_servers", Value::Null), &unusable).await;
    check(with("authorization_servers", json!([])), &unusable).await;
    check(with("authorization_servers", json!(ISSUER)), &unusable).await;
    check(with("authorization_servers", json!([1])), &unusable).await;
    let many = vec![ISSUER; SERVERS_MAX + 1];
    check(with("authorization_servers", json!(many)), &unusable).await;
    check(with("scopes_supported", json!("a b")), &unusable).await;
    check(
        with("dpop_bound_access_tokens_required", json!("no")),
        &unusable,
    )
    .await;
    check(with("x", json!("x".repeat(METADATA_MAX))), &unusable).await;
    for issuer in [
        "http://as.example.com",
        "http://127.0.0.1:9",
        "https://me@as.example.com",
        "https://as.example.com?x",
        "https://as.example.com#x",
        "file:///etc/passwd",
        "as.example.com",
        " https://as.example.com",
    ] {
        let found = with("authorization_servers", json!([ISSUER, issuer]));
        let world = World::new().gives(AT_PATH, Ok(Fetched::of(200, found)));
        let found = find_resource(world.outside(), &url(SERVER), None).await;
        let refused = matches!(found, Err(ClientError::Endpoint(_)));
        assert!(refused, "{issuer}");
    }
}

#[tokio::test]
async fn n2_1_a_challenge_leads_to_no_plain_address() {
    for at in [
        "http://mcp.example.com/meta",
        "http://169.254.169.254/latest",
        "http://127.0.0.1:8080/admin",
        "https://me:pw@mcp.example.com/meta",
        "https://mcp.example.com/meta#x",
    ] {
        let world = World::new();
        let demand = told(at);
        let found = find_resource(world.outside(), &url(SERVER), demand.as_ref()).await;
        assert!(found.is_err());
        assert_eq!(world.urls(), [AT_PATH, AT_ROOT], "{at}");
    }
    // For a server on this machine they may be on this machine too.
    let local = "http://127.0.0.1:9/mcp";
    let at = "http://127.0.0.1:9/meta";
    let world = World::new().says(
        at,
        200,
        &json!({"resource": local, "authorization_servers": ["http://localhost:8"]}),
    );
    let demand = told(at);
    let found = find_resource(world.outside(), &url(local), demand.as_ref()).await;
    assert_eq!(found.unwrap().issuers(), ["http://localhost:8"]);
}

#[tokio::test]
async fn n2_1_a_server_cannot_move_itself_to_another_issuer() {
    let other = "https://other.example.com";
    let document = json!({"resource": SERVER, "authorization_servers": [other, ISSUER]});
    let world = World::new().says(AT_PATH, 200, &document);
    let found = find_resource(world.outside(), &url(SERVER), None).await;
    let found = found.unwrap();
    assert_eq!(found.issuer(None), Ok(other));
    assert_eq!(found.issuer(Some(ISSUER)), Ok(ISSUER));
    for gone in ["https://third.example.com", "https://as.example.com/"] {
        let expected = gone.to_owned();
        assert_eq!(
            found.issuer(Some(gone)),
            Err(ClientError::IssuerChanged { expected })
        );
    }
}

#[tokio::test]
async fn n2_1_looks_for_an_authorization_server_where_each_kind_keeps_its_metadata() {
    let check = async |issuer: &str, at: &str, asked: usize| {
        let mut document = metadata();
        document["issuer"] = json!(issuer);
        let world = World::new().says(at, 200, &document);
        let found = find_server(world.outside(), issuer).await.unwrap();
        assert_eq!(
            (found.issuer(), world.urls().len()),
            (issuer, asked),
            "{at}"
        );
    };
    let oauth = "https://as.example.com/.well-known/oauth-authorization-server";
    let openid = "https://as.example.com/.well-known/openid-configuration";
    check(ISSUER, oauth, 1).await;
    check(ISSUER, openid, 2).await;
    let tenant = "https://as.example.com/tenant";
    check(tenant, &format!("{oauth}/tenant"), 1).await;
    check(tenant, &format!("{openid}/tenant"), 2).await;
    check(
        tenant,
        "https://as.example.com/tenant/.well-known/openid-configuration",
        3,
    )
    .await;
    let away = Err(FetchError::TimedOut);
    let world = World::new().gives(oauth, away.clone()).gives(openid, away);
    let found = find_server(world.outside(), ISSUER).await.err();
    assert_eq!(found, Some(ClientError::Fetch(FetchError::TimedOut)));
}

#[tokio::test]
async fn n2_1_metadata_of_another_issuer_is_not_used() {
    let oauth = "https://as.example.com/.well-known/oauth-authorization-server";
    let openid = "https://as.example.com/.well-known/openid-configuration";
    for named in [
        json!("https://evil.example.com"),
        json!("https://as.example.com/"),
        json!("https://AS.example.com"),
        json!("http://as.example.com"),
        json!([ISSUER]),
        Value::Null,
    ] {
        let mut document = metadata();
        document["issuer"] = named.clone();
        // The second document would be right; the search ended with the first.
        let world = World::new().says(oauth, 200, &document);
        let world = world.says(openid, 200, &metadata());
        let found = find_server(world.outside(), ISSUER).await.err();
        let expected = ClientError::Metadata(ISSUER.to_owned());
        assert_eq!(found, Some(expected), "{named}");
        assert_eq!(world.urls(), [oauth]);
    }
}

#[tokio::test]
async fn only_a_server_of_the_first_revision_is_its_own_authorization_server() {
    let at = "https://mcp.example.com/.well-known/oauth-authorization-server";
    let server = url("https://mcp.example.com/files?x#y");
    let world = World::new();
    let found = find_legacy_server(world.outside(), &server).await.unwrap();
    assert_eq!(found.issuer(), "https://mcp.example.com");
    let endpoint = |found: &AuthorizationServer| found.token_endpoint().unwrap().to_string();
    assert_eq!(endpoint(&found), "https://mcp.example.com/token");
    assert!(found.registers());
    assert_eq!(world.urls(), [at]);

    let mut document = metadata();
    for issuer in ["https://mcp.example.com", "https://mcp.example.com/"] {
        document["issuer"] = json!(issuer);
        let world = World::new().says(at, 200, &document);
        let found = find_legacy_server(world.outside(), &server).await.unwrap();
        assert_eq!(found.issuer(), issuer);
        assert_eq!(endpoint(&found), "https://as.example.com/token");
    }
    document["issuer"] = json!(ISSUER);
    let world = World::new().says(at, 200, &document);
    assert!(find_legacy_server(world.outside(), &server).await.is_err());
    let world = World::new().says(at, 503, &json!({}));
    let found = find_legacy_server(world.outside(), &server).await.err();
    assert_eq!(found, Some(ClientError::Status(503)));
    let plain = url("http://mcp.example.com/files");
    assert!(
        find_legacy_server(World::new().outside(), &plain)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn n2_1_metadata_that_leads_where_nobody_may_go_ends_the_search() {
    let away = FetchError::NotAllowed("169.254.169.254".to_owned());
    let at = "https://metadata.example/latest";
    let world = World::new().gives(at, Err(away.clone()));
    let world = world.says(AT_PATH, 200, &document(SERVER));
    let demand = told(at);
    let found = find_resource(world.outside(), &url(SERVER), demand.as_ref()).await;
    assert_eq!(found.err(), Some(ClientError::Fetch(away.clone())));
    assert_eq!(world.urls(), [at]);

    let oauth = "https://as.example.com/.well-known/oauth-authorization-server";
    let openid = "https://as.example.com/.well-known/openid-configuration";
    let world = World::new().gives(oauth, Err(away.clone()));
    let world = world.says(openid, 200, &metadata());
    let found = find_server(world.outside(), ISSUER).await.err();
    assert_eq!(found, Some(ClientError::Fetch(away)));
    assert_eq!(world.urls(), [oauth]);
}
