//! Who asks: a client as it describes itself, in a document at its own address or by registering
//! (RFC 7591). What it says of itself is a claim and not a fact; what is checked is that it can be kept
//! to. Its logo and its links are never loaded, and no secret is ever shared with it.

use super::document::ID_MAX;
use super::{AuthorityError, ClientUrl, ErrorCode, RedirectUri};
use crate::audience::{absorb, finish};
use crate::{base64url, members};
use aws_lc_rs::digest;
use serde_json::{Map, Value, json};
use url::Url;

/// The largest description that is read, in bytes.
const DESCRIPTION_MAX: usize = 16 * 1024;
/// The longest name, in characters.
const NAME_MAX: usize = 100;
/// The most addresses answers may go to.
const REDIRECTS_MAX: usize = 16;
/// The largest key set in a description, in bytes.
const KEYS_MAX: usize = 8 * 1024;

/// A client, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    id: Box<str>,
    origin: Origin,
    name: Option<Box<str>>,
    redirects: Vec<RedirectUri>,
    authentication: Authentication,
    refreshing: Refreshing,
    binding: Binding,
    kind: Option<Box<str>>,
}

/// Where the description is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A document of this host, which stands by it.
    Document(Box<str>),
    /// Whoever asked to be registered. Nobody stands by it.
    Registration,
}

/// How a client shows that it is the one it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all: a public client.
    None,
    /// By assertions that a key of its own signs (RFC 7523).
    Key(ClientKeys),
}

/// Where the keys of a client are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKeys {
    /// In its description: the text of a JWK set.
    Here(Box<str>),
    /// At this address.
    At(Url),
}

/// Whether it uses refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshing {
    /// It does.
    Wanted,
    /// It does not, and gets none.
    Unused,
}

/// What its tokens are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A key where it shows one.
    AsShown,
    /// A key always (RFC 9449, section 5.2).
    Proof,
}

impl Client {
    /// The client that its document describes. The document has to name the address it was read from
    /// (section 4.1 of the draft on metadata documents), and holds no secret.
    pub fn from_document(url: &ClientUrl, document: &[u8]) -> Result<Self, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClient.because(says);
        if document.len() > DESCRIPTION_MAX {
            return Err(invalid("the metadata document of the client is too large"));
        }
        let members = members::object(document);
        let members = members.ok_or(invalid("the metadata document is not a strict object"))?;
        if members.get("client_id").and_then(Value::as_str) != Some(url.as_str()) {
            return Err(invalid("the metadata document names another client_id"));
        }
        if members.contains_key("client_secret") || members.contains_key("client_secret_expires_at")
        {
            return Err(invalid("the metadata document holds a secret"));
        }
        let method = text(&members, "token_endpoint_auth_method")?;
        if method.is_some_and(|method| !["none", "private_key_jwt"].contains(&method)) {
            return Err(invalid(
                "the metadata document names an authentication that needs a secret",
            ));
        }
        let origin = Origin::Document(url.host().into());
        let client = Client::described(url.as_str(), origin, &members);
        // What is wrong with a registration is not what is wrong with a document.
        client.map_err(|error| invalid(error.says))
    }

    /// The client that asks to be registered (RFC 7591, section 3.1), under an id that was drawn for it.
    /// A way to authenticate that needs a secret becomes none, as section 3.2.1 allows.
    pub fn registering(id: &str, request: &[u8]) -> Result<Self, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClientMetadata.because(says);
        if request.len() > DESCRIPTION_MAX {
            return Err(invalid("the registration is too large"));
        }
        let members = members::object(request);
        let members = members.ok_or(invalid("the registration is not a strict object"))?;
        Client::described(id, Origin::Registration, &members)
    }

    /// The client id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its description is from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What it calls itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How it authenticates.
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// Whether it gets refresh tokens.
    pub fn refreshing(&self) -> Refreshing {
        self.refreshing
    }

    /// What its tokens are bound to.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// Whether every answer goes to the person's own machine: then any program there can say that it
    /// is this client, and people are told so.
    pub fn is_local(&self) -> bool {
        let mut redirects = self.redirects.iter();
        redirects.all(|uri| uri.reach() == super::Reach::Machine)
    }

    /// The registered address that lets an answer go to this one.
    pub fn redirect(&self, asked: &str) -> Option<&RedirectUri> {
        self.redirects.iter().find(|uri| uri.admits(asked))
    }

    /// Differs between any two descriptions that differ in anything people or checks rely on.
    pub fn digest(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        absorb(&mut context, &self.id);
        absorb(&mut context, self.name.as_deref().unwrap_or_default());
        let mut redirects: Vec<&RedirectUri> = self.redirects.iter().collect();
        redirects.sort_unstable();
        absorb(&mut context, &redirects.len().to_string());
        redirects
            .iter()
            .for_each(|uri| absorb(&mut context, uri.as_str()));
        let (method, keys) = match &self.authentication {
            Authentication::None => ("none", ""),
            Authentication::Key(ClientKeys::Here(set)) => ("here", &**set),
            Authentication::Key(ClientKeys::At(url)) => ("at", url.as_str()),
        };
        absorb(&mut context, method);
        absorb(&mut context, keys);
        absorb(
            &mut context,
            match self.refreshing {
                Refreshing::Wanted => "refreshing",
                Refreshing::Unused => "once",
            },
        );
        absorb(
            &mut context,
            match self.binding {
                Binding::Proof => "bound",
                _ => "unbound",
            },
        );
        base64url::encode(&finish(context))
    }

    /// What answers a registration (RFC 7591, section 3.2.1): everything that was registered, and what
    /// it became. `now` is in unix seconds.
    pub fn to_registration(&self, now: u64) -> String {
        let mut members = self.members();
        members.insert("client_id_issued_at".to_owned(), json!(now));
        Value::Object(members).to_string()
    }

    /// What is to be kept of it. It holds no secret.
    pub fn to_kept(&self) -> String {
        let host = match &self.origin {
            Origin::Document(host) => Some(host),
            Origin::Registration => None,
        };
        json!({"host": host, "client": self.members()}).to_string()
    }

    /// The client that was kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let mut kept = members::object(kept)?;
        let origin = match kept.get("host")? {
            Value::String(host) => Origin::Document(host.as_str().into()),
            _ => Origin::Registration,
        };
        let Value::Object(members) = kept.remove("client")? else {
            return None;
        };
        let id = members.get("client_id")?.as_str()?;
        Client::described(id, origin, &members).ok()
    }

    fn described(
        id: &str,
        origin: Origin,
        members: &Map<String, Value>,
    ) -> Result<Self, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClientMetadata.because(says);
        if id.is_empty() || id.len() > ID_MAX {
            return Err(invalid("the client_id is too long"));
        }
        let grants = texts(members, "grant_types")?;
        let grants = grants.unwrap_or_else(|| vec!["authorization_code"]);
        if !grants.contains(&"authorization_code") {
            return Err(invalid(
                "grant_types without authorization_code are of no use here",
            ));
        }
        let responses = texts(members, "response_types")?;
        if responses.is_some_and(|responses| !responses.contains(&"code")) {
            return Err(invalid("response_types without code are of no use here"));
        }
        let binding = match members.get("dpop_bound_access_tokens") {
            None | Some(Value::Bool(false)) => Binding::AsShown,
            Some(Value::Bool(true)) => Binding::Proof,
            Some(_) => return Err(invalid("dpop_bound_access_tokens is true or false")),
        };
        let kind = text(members, "application_type")?;
        if kind.is_some_and(|kind| !["native", "web"].contains(&kind)) {
            return Err(invalid("application_type is native or web"));
        }
        Ok(Client {
            id: id.into(),
            origin,
            name: name(members)?,
            redirects: redirects(members)?,
            authentication: authentication(members)?,
            refreshing: match grants.contains(&"refresh_token") {
                true => Refreshing::Wanted,
                false => Refreshing::Unused,
            },
            binding,
            kind: kind.map(Into::into),
        })
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
        say("client_id", json!(self.id));
        if let Some(name) = &self.name {
            say("client_name", json!(name));
        }
        let redirects: Vec<&str> = self.redirects.iter().map(RedirectUri::as_str).collect();
        say("redirect_uris", json!(redirects));
        let grants: &[&str] = match self.refreshing {
            Refreshing::Wanted => &["authorization_code", "refresh_token"],
            Refreshing::Unused => &["authorization_code"],
        };
        say("grant_types", json!(grants));
        say("response_types", json!(["code"]));
        if let Some(kind) = &self.kind {
            say("application_type", json!(kind));
        }
        if self.binding == Binding::Proof {
            say("dpop_bound_access_tokens", json!(true));
        }
        let method = match &self.authentication {
            Authentication::None => "none",
            Authentication::Key(keys) => {
                match keys {
                    ClientKeys::Here(set) => {
                        let set = members::object(set.as_bytes()).unwrap_or_default();
                        say("jwks", Value::Object(set));
                    }
                    ClientKeys::At(url) => {
                        say("jwks_uri", json!(url.as_str()));
                    }
                }
                "private_key_jwt"
            }
        };
        say("token_endpoint_auth_method", json!(method));
        members
    }
}

fn text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, AuthorityError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ErrorCode::InvalidClientMetadata.because("a member that is a text is none")),
    }
}

fn texts<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<Vec<&'a str>>, AuthorityError> {
    let wrong =
        ErrorCode::InvalidClientMetadata.because("a member that is a list of texts is none");
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.map(Some).ok_or(wrong)
        }
        Some(_) => Err(wrong),
    }
}

/// A name that people can read for what it is: it is shown to them, and must not pass for more.
fn name(members: &Map<String, Value>) -> Result<Option<Box<str>>, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidClientMetadata.because(says);
    let Some(name) = text(members, "client_name")? else {
        return Ok(None);
    };
    let name = name.trim();
    if name.chars().count() > NAME_MAX {
        return Err(invalid("the client_name is too long"));
    }
    if name.chars().any(is_hidden) {
        return Err(invalid("the client_name has characters that nobody sees"));
    }
    Ok(Some(name).filter(|name| !name.is_empty()).map(Into::into))
}

/// Characters that are not seen, or that make others be seen elsewhere.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn redirects(members: &Map<String, Value>) -> Result<Vec<RedirectUri>, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidRedirectUri.because(says);
    let texts = texts(members, "redirect_uris")?.unwrap_or_default();
    if texts.is_empty() || texts.len() > REDIRECTS_MAX {
        return Err(invalid("redirect_uris names none, or too many"));
    }
    let says =
        "a redirect URI is https, or http on 127.0.0.1, [::1] or localhost, without fragment";
    let read = texts
        .into_iter()
        .map(|text| RedirectUri::read(text).ok_or(invalid(says)));
    read.collect()
}

fn authentication(members: &Map<String, Value>) -> Result<Authentication, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidClientMetadata.because(says);
    let method = text(members, "token_endpoint_auth_method")?;
    if method != Some("private_key_jwt") {
        return Ok(Authentication::None);
    }
    let keys = match (members.get("jwks"), text(members, "jwks_uri")?) {
        (Some(Value::Object(set)), None) => {
            let set = Value::Object(set.clone()).to_string();
            if set.len() > KEYS_MAX {
                return Err(invalid("the jwks are too large"));
            }
            ClientKeys::Here(set.into())
        }
        (None, Some(at)) => {
            let url = Url::parse(at).ok();
            let url = url.filter(|url| crate::rules::may_hold_keys(url, url));
            ClientKeys::At(url.ok_or(invalid("the jwks_uri is no https URL"))?)
        }
        _ => {
            return Err(invalid(
                "private_key_jwt needs jwks or jwks_uri, one of them",
            ));
        }
    };
    Ok(Authentication::Key(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://app.example/client.json";

    fn document(change: impl FnOnce(&mut Value)) -> Result<Client, AuthorityError> {
        let mut document = json!({
            "client_id": URL, "client_name": "Editor", "redirect_uris": ["https://app.example/cb"],
        });
        change(&mut document);
        Client::from_document(
            &ClientUrl::read(URL).unwrap(),
            document.to_string().as_bytes(),
        )
    }

    fn registered(members: &Value) -> Result<Client, ErrorCode> {
        Client::registering("c-1", members.to_string().as_bytes()).map_err(|error| error.code)
    }

    #[test]
    fn m3_a_document_names_its_own_address_and_no_secret() {
        let client = document(|_| {}).unwrap();
        assert_eq!((client.id(), client.name()), (URL, Some("Editor")));
        assert_eq!(client.origin(), &Origin::Document("app.example".into()));
        assert_eq!(client.refreshing(), Refreshing::Unused);
        let wrong: [fn(&mut Value); 14] = [
            |it| it["client_id"] = json!("https://app.example/other.json"),
            |it| it["client_id"] = json!("https://app.example/client.json/"),
            |it| it["client_id"] = json!([URL]),
            |it| drop(it.as_object_mut().unwrap().remove("client_id")),
            |it| it["client_secret"] = json!("hush"),
            |it| it["client_secret_expires_at"] = json!(0),
            |it| it["token_endpoint_auth_method"] = json!("client_secret_basic"),
            |it| it["token_endpoint_auth_method"] = json!("private_key_jwt"),
            |it| it["redirect_uris"] = json!([]),
            |it| it["redirect_uris"] = json!("https://app.example/cb"),
            |it| it["redirect_uris"] = json!(["javascript:alert(1)"]),
            |it| it["client_name"] = json!("Edi\u{202e}rot"),
            |it| it["client_name"] = json!("Editor\u{200b}"),
            |it| it["client_name"] = json!("x".repeat(NAME_MAX + 1)),
        ];
        for change in wrong {
            let code = document(change).err().map(|error| error.code);
            assert_eq!(code, Some(ErrorCode::InvalidClient));
        }
        let url = ClientUrl::read(URL).unwrap();
        for body in [
            &b""[..],
            b"[]",
            br#"{"client_id":"https://app.example/client.json","client_id":"x"}"#,
            b"<html>",
        ] {
            assert!(Client::from_document(&url, body).is_err());
        }
        let large = format!("{{\"x\":\"{}\"}}", "x".repeat(DESCRIPTION_MAX));
        assert!(Client::from_document(&url, large.as_bytes()).is_err());
    }

    #[test]
    fn m3_a_registration_is_read_strictly_and_answered_whole() {
        let client = registered(&json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "client_name": " Editor ",
            "grant_types": ["authorization_code", "refresh_token", "urn:x"],
            "token_endpoint_auth_method": "client_secret_basic", "application_type": "native",
            "logo_uri": "https://evil.example/logo.png", "unknown": {"a": 1}, "scope": "everything",
        }));
        let client = client.unwrap();
        assert!(client.is_local());
        let answer: Value = serde_json::from_str(&client.to_registration(5)).unwrap();
        let expected = json!({
            "client_id": "c-1", "client_name": "Editor", "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "application_type": "native", "token_endpoint_auth_method": "none",
            "client_id_issued_at": 5,
        });
        assert_eq!(answer, expected);
        let redirects = json!(["https://app.example/cb"]);
        let many: Vec<String> = (0..=REDIRECTS_MAX)
            .map(|i| format!("https://a.example/{i}"))
            .collect();
        let metadata = ErrorCode::InvalidClientMetadata;
        for (members, code) in [
            (json!({}), ErrorCode::InvalidRedirectUri),
            (
                json!({"redirect_uris": many}),
                ErrorCode::InvalidRedirectUri,
            ),
            (
                json!({"redirect_uris": ["http://app.example/cb"]}),
                ErrorCode::InvalidRedirectUri,
            ),
            (json!({"redirect_uris": [5]}), metadata),
            (
                json!({"redirect_uris": redirects, "more": "x".repeat(DESCRIPTION_MAX)}),
                metadata,
            ),
            (
                json!({"redirect_uris": redirects, "client_name": 5}),
                metadata,
            ),
            (
                json!({"redirect_uris": redirects, "grant_types": ["implicit"]}),
                metadata,
            ),
            (
                json!({"redirect_uris": redirects, "response_types": ["token"]}),
                metadata,
            ),
            (
                json!({"redirect_uris": redirects, "application_type": "tv"}),
                metadata,
            ),
            (
                json!({"redirect_uris": redirects, "dpop_bound_access_tokens": "yes"}),
                metadata,
            ),
        ] {
            assert_eq!(registered(&members).err(), Some(code), "{members}");
        }
    }

    #[test]
    fn m3_a_client_that_has_a_key_says_where() {
        let check = |more: Value, expected: bool| {
            let mut members = json!({
                "redirect_uris": ["https://app.example/cb"],
                "token_endpoint_auth_method": "private_key_jwt",
            });
            let all = members.as_object_mut().unwrap();
            all.extend(more.as_object().unwrap().clone());
            assert_eq!(registered(&members).is_ok(), expected, "{members}");
        };
        check(json!({"jwks": {"keys": []}}), true);
        check(json!({"jwks_uri": "https://app.example/jwks"}), true);
        check(json!({"jwks_uri": "http://app.example/jwks"}), false);
        check(
            json!({"jwks_uri": "https://app.example/jwks", "jwks": {"keys": []}}),
            false,
        );
        check(json!({"jwks": "keys"}), false);
        check(json!({"jwks": {"x": "x".repeat(KEYS_MAX)}}), false);
        check(json!({}), false);
    }

    #[test]
    fn m3_what_is_kept_is_the_same_client_and_any_change_is_another_one() {
        let client =
            document(|it| it["grant_types"] = json!(["authorization_code", "refresh_token"]));
        let client = client.unwrap();
        assert_eq!(
            Client::from_kept(client.to_kept().as_bytes()).as_ref(),
            Some(&client)
        );
        let plain = document(|_| {}).unwrap().digest();
        assert_eq!(document(|_| {}).unwrap().digest(), plain);
        let changes: [fn(&mut Value); 6] = [
            |it| it["grant_types"] = json!(["authorization_code", "refresh_token"]),
            |it| it["dpop_bound_access_tokens"] = json!(true),
            |it| it["client_name"] = json!("Editor 2"),
            |it| it["redirect_uris"] = json!(["https://app.example/cb2"]),
            |it| it["redirect_uris"] = json!(["https://app.example/cb", "https://app.example/d"]),
            |it| {
                it["token_endpoint_auth_method"] = json!("private_key_jwt");
                it["jwks_uri"] = json!("https://app.example/jwks");
            },
        ];
        for change in changes {
            assert_ne!(document(change).unwrap().digest(), plain);
        }
        // The order in which addresses are listed says nothing.
        let two = |a: &str, b: &str| {
            let list = json!([
                format!("https://app.example/{a}"),
                format!("https://app.example/{b}")
            ]);
            document(|it| it["redirect_uris"] = list).unwrap().digest()
        };
        assert_eq!(two("a", "b"), two("b", "a"));
    }
}
