//! What is accepted from one issuer. Plain data that the configuration is mapped into, and the
//! one place that refuses rules no issuer should be trusted under.

use crate::actor::Actor;
use crate::checks::IssueTime;
use crate::directory::DirectoryRules;
use crate::introspection::IntrospectionRules;
use crate::{Algorithm, Profile};
use url::{Host, Url};

/// The longest clock skew that may be granted, in seconds.
pub const CLOCK_SKEW_MAX_S: u64 = 300;

/// What is accepted from one issuer.
#[derive(Clone, Debug)]
pub struct IssuerRules {
    /// The issuer, compared byte for byte with `iss` and with the issuer's own metadata.
    pub issuer: String,
    /// Which text its tokens follow.
    pub profile: Profile,
    /// The algorithms its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// The values of `typ` its tokens may have; case and `application/` in front do not matter.
    pub token_types: Vec<String>,
    /// The longest time from `iat` to `exp`, in seconds.
    pub lifetime_max_s: u64,
    /// Whether its signed tokens have to say when they were issued, where the profile does not ask for
    /// it. One that does not say so may come into the last of its life long after what was told of its
    /// user was forgotten.
    pub issue_time: IssueTime,
    /// How far its clock may be off ours, in seconds.
    pub clock_skew_s: u64,
    /// Where its keys are; found by discovery if not given.
    pub keys: Option<Url>,
    /// Where its metadata is; where RFC 8414 and OpenID Connect say if not given.
    pub metadata: Option<Url>,
    /// The tenant it is of, if its provider has many.
    pub tenant: Option<Tenant>,
    /// Further names that its tokens may have in `aud`, letter for letter.
    pub audiences: Vec<String>,
    /// The most actors a token may name (RFC 8693).
    pub actors_max: u8,
    /// Which claims say what.
    pub claims: ClaimNames,
    /// How it is asked about opaque tokens; they are refused if not given.
    pub introspection: Option<IntrospectionRules>,
    /// Where groups are looked up that a token leaves out; they stay unknown if not given.
    pub directory: Option<DirectoryRules>,
    /// The issuer whose users its tokens speak for, by that issuer's names: for our own authorization
    /// server, which knows nobody itself. Its own if not given.
    pub home: Option<String>,
}

/// One tenant of a provider that gives each its own issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name, which stands in the issuer.
    pub id: String,
}

/// Which claims of an issuer's tokens say what.
#[derive(Clone, Debug)]
pub struct ClaimNames {
    /// Who the user is, for as long as the user exists.
    pub user: String,
    /// Which client acts for the user.
    pub client: String,
    /// The groups of the user.
    pub groups: String,
    /// The scopes that were granted.
    pub scopes: String,
}

/// Why rules are not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// More actors than any chain may have.
    #[error("issuer `{0}`: no more than {most} actors can be allowed", most = Actor::MOST)]
    Actors(String),
    /// No algorithm is accepted.
    #[error("issuer `{0}`: no algorithm is accepted, so no token could be")]
    Algorithms(String),
    /// The skew is too generous.
    #[error("issuer `{0}`: a clock skew over {CLOCK_SKEW_MAX_S} seconds is no skew")]
    ClockSkew(String),
    /// A claim name is empty.
    #[error("issuer `{0}`: a claim has no name")]
    ClaimName(String),
    /// Not a URL an issuer may have.
    #[error(
        "issuer `{0}`: an issuer is an https URL (http on loopback) without user, query or fragment"
    )]
    Issuer(String),
    /// Not a URL keys, metadata or an endpoint may be at.
    #[error(
        "issuer `{0}`: keys and endpoints are at an https URL (http on loopback, for an issuer there)"
    )]
    Keys(String),
    /// No token could live.
    #[error("issuer `{0}`: a lifetime of 0 seconds accepts no token")]
    Lifetime(String),
    /// Two sets of rules for one issuer.
    #[error("issuer `{0}` is there twice")]
    Repeated(String),
    /// The issuer is not of the tenant.
    #[error("issuer `{0}`: its tenant is not named in it")]
    Tenant(String),
    /// No type is accepted.
    #[error("issuer `{0}`: no token type is accepted, so no token could be")]
    TokenTypes(String),
}

impl IssuerRules {
    /// How far clocks may be apart where nobody says otherwise, in seconds.
    pub const CLOCK_SKEW_S: u64 = 30;

    /// The safe rules for an issuer: every algorithm there is, `at+jwt` only, an hour, 30 seconds.
    pub fn new(issuer: impl Into<String>) -> Self {
        IssuerRules {
            issuer: issuer.into(),
            profile: Profile::default(),
            algorithms: Algorithm::ALL.to_vec(),
            token_types: vec!["at+jwt".to_owned()],
            lifetime_max_s: 3600,
            issue_time: IssueTime::Optional,
            clock_skew_s: IssuerRules::CLOCK_SKEW_S,
            keys: None,
            metadata: None,
            tenant: None,
            audiences: Vec::new(),
            actors_max: 1,
            claims: ClaimNames::default(),
            introspection: None,
            directory: None,
            home: None,
        }
    }

    /// The safe rules for an issuer of this profile.
    pub fn of_profile(issuer: impl Into<String>, profile: Profile) -> Self {
        let types = profile.token_types().iter();
        let claims = match profile {
            Profile::Entra => ClaimNames {
                user: "oid".to_owned(),
                client: "azp".to_owned(),
                scopes: "scp".to_owned(),
                ..ClaimNames::default()
            },
            Profile::Jwt | Profile::Rfc9068 => ClaimNames::default(),
        };
        IssuerRules {
            profile,
            claims,
            token_types: types.map(|&typ| typ.to_owned()).collect(),
            ..IssuerRules::new(issuer)
        }
    }

    /// The issuer that knows the users its tokens speak for.
    pub(crate) fn home(&self) -> &str {
        self.home.as_deref().unwrap_or(&self.issuer)
    }

    /// Whether tokens of this type are accepted.
    pub(crate) fn accepts_type(&self, typ: &str) -> bool {
        let typ = without_media_prefix(typ);
        let accepted = |name: &String| without_media_prefix(name).eq_ignore_ascii_case(typ);
        self.token_types.iter().any(accepted)
    }

    /// The issuer as a URL, if these rules can be kept.
    pub(crate) fn checked(&self) -> Result<Url, RulesError> {
        let name = || self.issuer.clone();
        let url = Url::parse(&self.issuer).map_err(|_not_url| RulesError::Issuer(name()))?;
        if !may_hold_keys(&url, &url) || url.query().is_some() || self.issuer.trim() != self.issuer
        {
            return Err(RulesError::Issuer(name()));
        }
        if self.algorithms.is_empty() {
            return Err(RulesError::Algorithms(name()));
        }
        if self.token_types.is_empty() || self.token_types.iter().any(String::is_empty) {
            return Err(RulesError::TokenTypes(name()));
        }
        if self.lifetime_max_s == 0 {
            return Err(RulesError::Lifetime(name()));
        }
        if self.clock_skew_s > CLOCK_SKEW_MAX_S {
            return Err(RulesError::ClockSkew(name()));
        }
        if self.claims.all().iter().any(|claim| claim.is_empty()) {
            return Err(RulesError::ClaimName(name()));
        }
        if self.actors_max > Actor::MOST {
            return Err(RulesError::Actors(name()));
        }
        if let Some(tenant) = &self.tenant
            && (tenant.id.is_empty() || !self.issuer.contains(&tenant.id))
        {
            return Err(RulesError::Tenant(name()));
        }
        if !self.places().all(|place| may_hold_keys(place, &url)) {
            return Err(RulesError::Keys(name()));
        }
        Ok(url)
    }

    /// Every address that is asked because these rules name it.
    fn places(&self) -> impl Iterator<Item = &Url> {
        let introspection = self.introspection.as_ref();
        let directory = self.directory.iter();
        [
            self.keys.as_ref(),
            self.metadata.as_ref(),
            introspection.and_then(|rules| rules.url.as_ref()),
        ]
        .into_iter()
        .flatten()
        .chain(directory.flat_map(|rules| [&rules.url, &rules.token_url]))
    }
}

impl ClaimNames {
    fn all(&self) -> [&str; 4] {
        [&self.user, &self.client, &self.groups, &self.scopes]
    }
}

impl Default for ClaimNames {
    fn default() -> Self {
        ClaimNames {
            user: "sub".to_owned(),
            client: "client_id".to_owned(),
            groups: "groups".to_owned(),
            scopes: "scope".to_owned(),
        }
    }
}

/// Whether keys of this issuer may be fetched from this URL. Plain http is for an issuer that is
/// itself plain http on loopback; metadata of any other issuer cannot lead there.
pub(crate) fn may_hold_keys(url: &Url, issuer: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let plain = |url: &Url| url.scheme() == "http" && is_loopback(url);
    bare && url.has_host() && (url.scheme() == "https" || plain(url) && plain(issuer))
}

/// Whether the host of this URL is this machine, by its spelling alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// RFC 7515 lets `application/` in front of a media type be left out if no other slash follows.
fn without_media_prefix(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
        {
            rest
        }
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_rules_no_issuer_should_be_trusted_under() {
        let check = |change: fn(&mut IssuerRules), expected: Option<fn(String) -> RulesError>| {
            let mut rules = IssuerRules::new("https://id.example.com/a");
            change(&mut rules);
            let expected = expected.map(|error| error(rules.issuer.clone()));
            assert_eq!(rules.checked().err(), expected, "{rules:?}");
        };
        let url = |text: &str| Some(Url::parse(text).unwrap());
        check(|_| {}, None);
        check(|rules| rules.issuer = "http://127.0.0.1:9".into(), None);
        check(|rules| rules.issuer = "http://[::1]:9/x".into(), None);
        check(|rules| rules.clock_skew_s = CLOCK_SKEW_MAX_S, None);
        for issuer in [
            |rules: &mut IssuerRules| rules.issuer = String::new(),
            |rules: &mut IssuerRules| rules.issuer = "id.example.com".into(),
            |rules: &mut IssuerRules| rules.issuer = "http://id.example.com".into(),
            |rules: &mut IssuerRules| rules.issuer = "http://127.0.0.1.example.com".into(),
            |rules: &mut IssuerRules| rules.issuer = "https://id.example.com/?a".into(),
            |rules: &mut IssuerRules| rules.issuer = "https://id.example.com/#a".into(),
            |rules: &mut IssuerRules| rules.issuer = "https://me@id.example.com/".into(),
            |rules: &mut IssuerRules| rules.issuer = " https://id.example.com".into(),
            |rules: &mut IssuerRules| rules.issuer = "file:///etc/keys".into(),
        ] {
            check(issuer, Some(RulesError::Issuer));
        }
        check(
            |rules| rules.algorithms.clear(),
            Some(RulesError::Algorithms),
        );
        check(
            |rules| rules.token_types.clear(),
            Some(RulesError::TokenTypes),
        );
        check(|rules| rules.lifetime_max_s = 0, Some(RulesError::Lifetime));
        check(
            |rules| rules.clock_skew_s = 301,
            Some(RulesError::ClockSkew),
        );
        check(
            |rules| rules.claims.user.clear(),
            Some(RulesError::ClaimName),
        );
        let mut rules = IssuerRules::new("https://id.example.com/a");
        for (keys, accepted) in [
            ("https://elsewhere.example/keys?a=b", true),
            ("http://127.0.0.1/keys", false),
            ("http://id.example.com/keys", false),
            ("https://me:pw@id.example.com/keys", false),
        ] {
            rules.keys = url(keys);
            assert_eq!(rules.checked().is_ok(), accepted, "{keys}");
        }
    }

    #[test]
    fn m1_token_types_are_compared_as_media_types() {
        let rules = IssuerRules::new("https://id.example.com");
        for (typ, accepted) in [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/AT+jwt", true),
            ("JWT", false),
            ("jwt", false),
            ("", false),
            ("at+jwt ", false),
            ("application/application/at+jwt", false),
            ("text/at+jwt", false),
            ("dpop+jwt", false),
            ("logout+jwt", false),
            ("id_token", false),
        ] {
            assert_eq!(rules.accepts_type(typ), accepted, "`{typ}`");
        }
    }
}
