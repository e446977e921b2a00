//! What a client asks a person for, and what it says of itself: never breaks, leads to no address that is
//! not its own, and what is kept of it reads back the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_identity::authority::{Client, ClientUrl, CodeText, Offered, Parameters, RedirectUri, Request};
use ringwall_identity::client::Scopes;

fuzz_target!(|data: &[u8]| {
    let (first, rest) = data.split_at(data.len() / 2);
    if let Ok(client) = Client::registering("rw-1", first) {
        let kept = Client::from_kept(client.to_kept().as_bytes());
        assert_eq!(kept.as_ref(), Some(&client));
    }
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    if let Some(url) = ClientUrl::read(text) {
        assert!(url.as_str() == text && url.url().scheme() == "https");
        let _ = Client::from_document(&url, first);
    }
    if let Some(uri) = RedirectUri::read(text) {
        assert!(uri.admits(text) && !text.contains(['#', '@', '\\']));
    }
    if let Some(code) = CodeText::read(text) {
        assert_eq!(code.expose(), text);
    }
    let members = br#"{"redirect_uris":["https://app.example/cb","http://127.0.0.1/cb"]}"#;
    let client = Client::registering("rw-1", members).unwrap();
    let offered = [Offered {
        resource: "https://gw.example/files".to_owned(),
        name: "/files".to_owned(),
        needed: Scopes::read("read").unwrap(),
        scopes: Scopes::read("read write").unwrap(),
    }];
    let Ok(parameters) = Parameters::read(text) else {
        return;
    };
    if let Ok(request) = Request::read(&parameters, &client, &offered) {
        let local = request.redirect_uri.starts_with("http://127.0.0.1")
            && request.redirect_uri.ends_with("/cb");
        assert!(local || request.redirect_uri == "https://app.example/cb");
        assert_eq!(request.resource, "https://gw.example/files");
        assert!(request.scopes.split(' ').all(|it| ["read", "write"].contains(&it)));
    }
});
