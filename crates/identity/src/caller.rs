//! Who is calling. A [`Caller`] of an issuer exists only after its token was verified; nothing
//! outside this crate can make one or change one.

use crate::audience::{absorb, finish, sha_256};
use crate::possession::Confirmation;
use crate::profile::{self, Who};
use crate::{Actor, IssuerRules, TokenError, actor, base64url};
use aws_lc_rs::digest;
use serde_json::{Map, Value};
use std::fmt;

/// The longest name of a user, a client or a token, in bytes.
const NAME_MAX: usize = 512;

/// Whoever a verified token speaks for, or the user of this machine.
pub struct Caller {
    issuer: String,
    token_issuer: String,
    subject: String,
    user_name: String,
    user: UserKey,
    kind: Kind,
    client: Option<String>,
    client_authentication: Option<ClientAuthentication>,
    actors: Vec<Actor>,
    may_act: Option<Actor>,
    scopes: Vec<String>,
    groups: Groups,
    claims: Map<String, Value>,
    expires_at: u64,
    issued_at: u64,
    token_id: Option<String>,
    confirmation: Confirmation,
    token_digest: [u8; 32],
    standing: [u8; 32],
}

/// Whether somebody or something calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person, through a client.
    #[default]
    User,
    /// A client of its own accord, a service account, a machine.
    Workload,
}

/// How the client showed the issuer that it is the client, where the token says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthentication {
    /// With a key that a certificate vouches for.
    Certificate,
    /// Not at all.
    Public,
    /// With a shared secret.
    Secret,
}

impl ClientAuthentication {
    /// The word for it in policies.
    pub const fn name(self) -> &'static str {
        match self {
            ClientAuthentication::Certificate => "certificate",
            ClientAuthentication::Public => "public",
            ClientAuthentication::Secret => "secret",
        }
    }
}

/// Names one user of one issuer, the same in every process and for as long as the user exists:
/// 43 visible ASCII characters that tell nothing about the user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(Box<str>);

/// The groups of a caller. Unknown is not none: a rule that forbids a group cannot tell whether it
/// holds, so whoever decides must not treat it as if it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Exactly these.
    Known(Vec<String>),
    /// The token does not say.
    Unknown(Overage),
}

/// Why the groups of a caller are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overage {
    /// The issuer left them out because there are too many.
    LeftOut,
    /// The claim is not a list of names.
    Malformed,
}

impl Caller {
    /// The issuer of callers that no token speaks for. No issuer of tokens can have this name.
    pub const LOCAL_ISSUER: &'static str = "local";

    /// The user of this machine, whom the operating system authenticated.
    pub fn local(user: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        absorb(&mut context, Caller::LOCAL_ISSUER);
        absorb(&mut context, user);
        let digest = finish(context);
        Caller {
            issuer: Caller::LOCAL_ISSUER.to_owned(),
            token_issuer: Caller::LOCAL_ISSUER.to_owned(),
            subject: user.to_owned(),
            user_name: user.to_owned(),
            user: UserKey::of(Caller::LOCAL_ISSUER, user),
            kind: Kind::User,
            client: None,
            client_authentication: None,
            actors: Vec::new(),
            may_act: None,
            scopes: Vec::new(),
            groups: Groups::Known(Vec::new()),
            claims: Map::new(),
            expires_at: u64::MAX,
            issued_at: 0,
            token_id: None,
            confirmation: Confirmation::default(),
            token_digest: digest,
            standing: digest,
        }
    }

    /// The issuer that knows the user, byte for byte as configured.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who issued the token: the same, unless our own authorization server did for a user of that issuer.
    /// The token goes back there, if anywhere.
    pub fn token_issuer(&self) -> &str {
        &self.token_issuer
    }

    /// `sub` of the token; the client where an introspected token has none.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The user's name at the issuer, for as long as the user exists: `sub`, unless the rules of the
    /// issuer or its profile name another claim.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The name for the user that state is kept under.
    pub fn user(&self) -> &UserKey {
        &self.user
    }

    /// Whether a person calls.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Who acts for the user (RFC 8693, section 4.1), the current actor first. Those behind it did
    /// before, and are no more than information.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// Who may become the actor of a token made from this one (RFC 8693, section 4.4).
    pub fn may_act(&self) -> Option<&Actor> {
        self.may_act.as_ref()
    }

    /// How the client showed the issuer that it is the client.
    pub fn client_authentication(&self) -> Option<ClientAuthentication> {
        self.client_authentication
    }

    /// The client that acts for the user.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The scopes that were granted, in the order of the token, none twice.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The groups of the user.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Every claim of the token.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `exp` of the token, in unix seconds.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// `iat` of the token, in unix seconds; 0 if it does not say.
    pub fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// `jti` of the token.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// What whoever brings the token must hold. That they do is not known until they have shown it
    /// for this very request.
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// SHA-256 of the token.
    pub fn token_digest(&self) -> &[u8; 32] {
        &self.token_digest
    }

    /// Differs between any two callers that differ in anything a policy may look at.
    pub fn fingerprint(&self) -> u64 {
        leading(&self.standing)
    }

    /// The same at full length, as a key of what is kept for such a caller.
    pub fn standing(&self) -> &[u8; 32] {
        &self.standing
    }

    /// Whether this is the user of this machine.
    pub fn is_local(&self) -> bool {
        self.issuer == Caller::LOCAL_ISSUER
    }

    /// That every one of these scopes was granted.
    pub fn require_scopes<S: AsRef<str>>(&self, required: &[S]) -> Result<(), TokenError> {
        let granted = |scope: &str| self.scopes.iter().any(|held| held == scope);
        match required.iter().find(|scope| !granted(scope.as_ref())) {
            Some(scope) => Err(TokenError::Scope {
                missing: scope.as_ref().to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The caller that these claims describe. INVARIANT: they are those of a verified token.
    pub(crate) fn verified(
        rules: &IssuerRules,
        claims: Map<String, Value>,
        times: (u64, u64),
        payload: &[u8],
        token_digest: [u8; 32],
    ) -> Result<Self, TokenError> {
        let who = profile::who(rules, &claims)?;
        Caller::known(rules, who, claims, times, payload, token_digest)
    }

    /// The caller that the issuer describes when it is asked about a token (RFC 7662). INVARIANT: the
    /// claims are those of its answer that the token is active, and `answer` names that answer.
    pub(crate) fn introspected(
        rules: &IssuerRules,
        claims: Map<String, Value>,
        times: (u64, u64),
        answer: &[u8; 32],
        token_digest: [u8; 32],
    ) -> Result<Self, TokenError> {
        let who = profile::introspected(rules, &claims)?;
        Caller::known(rules, who, claims, times, answer, token_digest)
    }

    fn known(
        rules: &IssuerRules,
        who: Who,
        claims: Map<String, Value>,
        times: (u64, u64),
        payload: &[u8],
        token_digest: [u8; 32],
    ) -> Result<Self, TokenError> {
        let actors = actor::chain(&claims, &rules.issuer, rules.actors_max)?;
        let may_act = actor::permitted(&claims, &rules.issuer)?;
        let confirmation = Confirmation::of(&claims)?;
        let scopes = read_scopes(claims.get(&rules.claims.scopes))?;
        let groups = read_groups(&claims, &rules.claims.groups);
        let user = match who.kind {
            Kind::User => UserKey::of(rules.home(), &who.user),
            Kind::Workload => UserKey::of_workload(rules.home(), &who.user),
        };

        // Who it is and what the groups are depends on the rules as well as on the claims; all the
        // rest is in the payload.
        let mut seen = digest::Context::new(&digest::SHA256);
        let client = who.client.as_deref();
        for text in [&rules.issuer, &*user.0, client.unwrap_or("")] {
            absorb(&mut seen, text);
        }
        seen.update(&[u8::from(client.is_some()), u8::from(who.kind == Kind::User)]);
        absorb(&mut seen, &scopes.join(" "));
        absorb_groups(&mut seen, &groups);
        seen.update(payload);

        Ok(Caller {
            issuer: rules.home().to_owned(),
            token_issuer: rules.issuer.clone(),
            subject: who.subject,
            user_name: who.user,
            user,
            kind: who.kind,
            client: who.client,
            client_authentication: who.client_authentication,
            actors,
            may_act,
            scopes,
            groups,
            claims,
            expires_at: times.1,
            issued_at: times.0,
            token_id: who.token_id,
            confirmation,
            token_digest,
            standing: finish(seen),
        })
    }

    /// The same caller, of whom a directory has said the groups that the token leaves out.
    pub(crate) fn with_groups(self, names: Vec<String>) -> Self {
        let groups = Groups::Known(names);
        let mut seen = digest::Context::new(&digest::SHA256);
        seen.update(&self.standing);
        absorb_groups(&mut seen, &groups);
        Caller {
            groups,
            standing: finish(seen),
            ..self
        }
    }
}

fn absorb_groups(seen: &mut digest::Context, groups: &Groups) {
    match groups {
        Groups::Known(names) => names.iter().for_each(|name| absorb(seen, name)),
        Groups::Unknown(_) => seen.update(b"unknown"),
    }
}

/// Claims may hold what a log should not; who it is can be told without them.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("issuer", &self.issuer)
            .field("user", &self.user)
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl UserKey {
    /// The user that this issuer knows by this name.
    pub fn of(issuer: &str, user: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        absorb(&mut context, issuer);
        absorb(&mut context, user);
        UserKey(base64url::encode(&finish(context)).into())
    }

    /// The program that this issuer knows by this name. A person of the same name is somebody else:
    /// not every issuer keeps the names of its clients apart from those of its users (RFC 9068,
    /// section 5).
    fn of_workload(issuer: &str, name: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        absorb(&mut context, issuer);
        absorb(&mut context, name);
        absorb(&mut context, "workload");
        UserKey(base64url::encode(&finish(context)).into())
    }

    /// Whoever this issuer knows by this name, person and program.
    pub fn all_of(issuer: &str, name: &str) -> [Self; 2] {
        [
            UserKey::of(issuer, name),
            UserKey::of_workload(issuer, name),
        ]
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a token.
pub(crate) fn token_digest(token: &str) -> [u8; 32] {
    sha_256(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

/// A claim that is a name, or nothing if it is not there.
pub(crate) fn name(
    claims: &Map<String, Value>,
    claim: &str,
    role: &'static str,
) -> Result<Option<String>, TokenError> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= NAME_MAX => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(TokenError::Claim(role)),
    }
}

/// Scopes as one string with spaces (RFC 9068) or, as some issuers write them, as a list.
fn read_scopes(claim: Option<&Value>) -> Result<Vec<String>, TokenError> {
    let wrong = TokenError::Claim("scopes");
    let words: Vec<&str> = match claim {
        None => Vec::new(),
        Some(Value::String(text)) => text.split(' ').filter(|word| !word.is_empty()).collect(),
        Some(Value::Array(items)) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            words.ok_or_else(|| wrong.clone())?
        }
        Some(_) => return Err(wrong),
    };
    if !words.iter().all(|word| is_scope(word)) {
        return Err(wrong);
    }
    let mut seen = std::collections::HashSet::new();
    let fresh = words.into_iter().filter(|word| seen.insert(*word));
    Ok(fresh.map(str::to_owned).collect())
}

/// `scope-token` of RFC 6749.
pub(crate) fn is_scope(word: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !word.is_empty() && word.bytes().all(allowed)
}

pub(crate) fn read_groups(claims: &Map<String, Value>, claim: &str) -> Groups {
    // OpenID Connect "distributed claims": the value is somewhere else; and the shape Entra ID
    // uses where even that would be too long.
    let elsewhere = match claims.get("_claim_names") {
        Some(Value::Object(names)) => names.contains_key(claim),
        Some(_) => true,
        None => false,
    };
    let has_groups = !matches!(claims.get("hasgroups"), None | Some(Value::Bool(false)));
    if elsewhere || has_groups {
        return Groups::Unknown(Overage::LeftOut);
    }
    match claims.get(claim) {
        None => Groups::Known(Vec::new()),
        Some(Value::Array(items)) => {
            let names: Option<Vec<String>> = items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect();
            names.map_or(Groups::Unknown(Overage::Malformed), Groups::Known)
        }
        Some(_) => Groups::Unknown(Overage::Malformed),
    }
}

fn leading(digest: &[u8; 32]) -> u64 {
    let leading = digest.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(leading)
}

#[cfg(test)]
mod tests;
