//! The profiles of tokens: what the tokens of one must say, and whom they speak for. It knows which
//! claims there are, never whether a signature is right.

use crate::caller::{ClientAuthentication, Kind, name};
use crate::{IssuerRules, TokenError};
use serde_json::{Map, Value};

/// Which text an issuer's tokens follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Access tokens of the Microsoft identity platform, of version 1.0 and 2.0.
    Entra,
    /// A JWT for this audience (RFC 7519), and no more is asked of it: service accounts of
    /// Kubernetes, JWT-SVIDs of SPIFFE, providers that do not follow RFC 9068.
    Jwt,
    /// JWT access tokens (RFC 9068).
    #[default]
    Rfc9068,
}

/// Whom a token speaks for, as its profile says it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) subject: String,
    pub(crate) user: String,
    pub(crate) client: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) token_id: Option<String>,
    pub(crate) client_authentication: Option<ClientAuthentication>,
}

impl Profile {
    /// The values of `typ` that tokens of this profile have.
    pub const fn token_types(self) -> &'static [&'static str] {
        match self {
            Profile::Rfc9068 => &["at+jwt"],
            // RFC 7519 writes `JWT`; SPIFFE allows `JOSE` beside it.
            Profile::Jwt => &["JWT", "JOSE"],
            Profile::Entra => &["JWT"],
        }
    }

    /// Whether `typ` may be missing. Kubernetes writes none, SPIFFE need not.
    pub(crate) const fn needs_type(self) -> bool {
        !matches!(self, Profile::Jwt)
    }

    /// Whether `iat` may be missing: the SPIFFE texts ask for `exp` alone.
    pub(crate) const fn needs_issue_time(self) -> bool {
        !matches!(self, Profile::Jwt)
    }

    /// The claims that must be there, beside those that are checked one by one.
    const fn required(self) -> &'static [&'static str] {
        match self {
            // RFC 9068, section 2.2.
            Profile::Rfc9068 => &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
            Profile::Jwt => &["iss", "exp", "aud", "sub"],
            Profile::Entra => &[
                "iss", "exp", "aud", "sub", "iat", "nbf", "oid", "tid", "ver",
            ],
        }
    }
}

/// That the token says everything its profile asks for, and is of the tenant its issuer is of.
pub(crate) fn check(rules: &IssuerRules, claims: &Map<String, Value>) -> Result<(), TokenError> {
    let missing = |name: &&&str| !claims.contains_key(**name);
    if let Some(name) = rules.profile.required().iter().find(missing) {
        return Err(TokenError::Claim(name));
    }
    if rules.profile == Profile::Rfc9068 {
        name(claims, "client_id", "client_id")?;
    }
    // An ID token has the same `typ`, and its audience may be named for access tokens.
    if rules.profile == Profile::Jwt && claims.contains_key("nonce") {
        return Err(TokenError::NotAccess("nonce"));
    }
    tenant(rules, claims)
}

/// That a token of Entra ID is of the tenant that stands in its issuer.
fn tenant(rules: &IssuerRules, claims: &Map<String, Value>) -> Result<(), TokenError> {
    let said = claims.get("tid").and_then(Value::as_str);
    match (&rules.tenant, rules.profile) {
        (Some(tenant), Profile::Entra) if said != Some(&*tenant.id) => Err(TokenError::Tenant),
        _ => Ok(()),
    }
}

/// The user whom an ID token names: by the same name as in access tokens. Nothing else of it is
/// read, because it says nothing of a client or of what was granted.
pub(crate) fn signed_in(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
) -> Result<String, TokenError> {
    tenant(rules, claims)?;
    name(claims, "sub", "sub")?.ok_or(TokenError::Claim("sub"))?;
    let user = match rules.profile {
        Profile::Entra => name(claims, "oid", "oid")?,
        Profile::Jwt | Profile::Rfc9068 => name(claims, &rules.claims.user, "user")?,
    };
    user.ok_or(TokenError::Claim("user"))
}

/// Whom the token speaks for.
pub(crate) fn who(rules: &IssuerRules, claims: &Map<String, Value>) -> Result<Who, TokenError> {
    let subject = name(claims, "sub", "sub")?.ok_or(TokenError::Claim("sub"))?;
    if rules.profile == Profile::Entra {
        return entra(rules, claims, subject);
    }
    let user = name(claims, &rules.claims.user, "user")?.ok_or(TokenError::Claim("user"))?;
    let client = name(claims, &rules.claims.client, "client")?;
    // RFC 9068, section 2.2: without a resource owner `sub` is the client.
    let is_client = client.as_deref() == Some(&*subject);
    // No person has a name of these forms.
    let is_machine = rules.profile == Profile::Jwt
        && (subject.starts_with("spiffe://") || subject.starts_with("system:serviceaccount:"));
    Ok(Who {
        subject,
        user,
        client,
        kind: kind(is_client || is_machine),
        token_id: name(claims, "jti", "jti")?,
        client_authentication: None,
    })
}

/// Whom an introspected token speaks for (RFC 7662, section 2.2). `sub` is the resource owner; where
/// there is none, the client speaks for itself, by the name its JWTs would have in `sub`.
pub(crate) fn introspected(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
) -> Result<Who, TokenError> {
    let client = name(claims, &rules.claims.client, "client")?;
    let subject = name(claims, "sub", "sub")?;
    let is_client = subject.is_none() || client == subject;
    let user = match &subject {
        Some(_) => name(claims, &rules.claims.user, "user")?,
        None => client.clone(),
    };
    let user = user.ok_or(TokenError::Claim("sub"))?;
    Ok(Who {
        subject: subject.unwrap_or_else(|| user.clone()),
        user,
        client,
        kind: kind(is_client),
        token_id: name(claims, "jti", "jti")?,
        client_authentication: None,
    })
}

/// Entra ID. The person is `oid` within the tenant: `sub` differs from one client to the next, and
/// every other name can pass from one person to another.
fn entra(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
    subject: String,
) -> Result<Who, TokenError> {
    // What only ID tokens carry: these have the same `typ` and may have the same audience.
    if claims.contains_key("nonce") {
        return Err(TokenError::NotAccess("nonce"));
    }
    let version = claims.get("ver").and_then(Value::as_str);
    let (client, authentication) = match (version, rules.issuer.ends_with("/v2.0")) {
        (Some("2.0"), true) => ("azp", "azpacr"),
        (Some("1.0"), false) => ("appid", "appidacr"),
        _ => return Err(TokenError::Claim("ver")),
    };
    let client = name(claims, client, "client")?.ok_or(TokenError::Claim("client"))?;
    let authentication = match claims.get(authentication).map(Value::as_str) {
        None => None,
        Some(Some("0")) => Some(ClientAuthentication::Public),
        Some(Some("1")) => Some(ClientAuthentication::Secret),
        Some(Some("2")) => Some(ClientAuthentication::Certificate),
        Some(_) => return Err(TokenError::Claim("azpacr")),
    };
    let person = name(claims, "oid", "oid")?.ok_or(TokenError::Claim("oid"))?;
    Ok(Who {
        kind: entra_kind(claims, &subject, &person)?,
        subject,
        user: person,
        client: Some(client),
        token_id: name(claims, "uti", "uti")?,
        client_authentication: authentication,
    })
}

/// `scp` is there for users only. Without it the token is of an app: either it says so (`idtyp`, an
/// optional claim), or its subject is the app's own object. `roles` tell nothing: people have them
/// too, and so have ID tokens, which are what is left over here.
fn entra_kind(
    claims: &Map<String, Value>,
    subject: &str,
    object: &str,
) -> Result<Kind, TokenError> {
    let delegated = match claims.get("scp") {
        None => false,
        Some(Value::String(scopes)) if !scopes.trim().is_empty() => true,
        Some(_) => return Err(TokenError::Claim("scopes")),
    };
    match (claims.get("idtyp").map(Value::as_str), delegated) {
        (None | Some(Some("user")), true) => Ok(Kind::User),
        (Some(Some("app")), false) => Ok(Kind::Workload),
        (None, false) if subject == object => Ok(Kind::Workload),
        (None, false) => Err(TokenError::NotAccess("no scope and no app")),
        (Some(_), _) => Err(TokenError::Claim("idtyp")),
    }
}

fn kind(is_workload: bool) -> Kind {
    match is_workload {
        true => Kind::Workload,
        false => Kind::User,
    }
}

#[cfg(test)]
mod tests;
