//! Which scopes are asked for: what the server challenges for, else what it lists, else none; and
//! more of them, a few times, when it says that those were not enough.

use super::{AuthorizationServer, ClientError, Demand, Protected, Reason};
use crate::caller::is_scope;
use std::fmt;

/// The most scopes that are kept together.
const SCOPES_MAX: usize = 128;
/// The most bytes they may have together.
const SCOPE_BYTES_MAX: usize = 8 * 1024;
/// How often more scopes are asked for, for one operation of one resource.
const STEP_UPS_MAX: u8 = 3;
/// The scope that asks for a refresh token.
const OFFLINE: &str = "offline_access";

/// A set of scopes, in the order they were named first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Box<str>>);

/// Whether a refresh token is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offline {
    /// Nobody would use it.
    Unwanted,
    /// It saves the person from agreeing again.
    Wanted,
}

/// How often more scopes were asked for, for one operation of one resource. Whoever calls keeps
/// one for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts(u8);

impl Scopes {
    /// The scopes of a text with spaces between them (RFC 6749, section 3.3); nothing if one of
    /// them is none, or if they are more than are kept.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > SCOPE_BYTES_MAX {
            return None;
        }
        Scopes::of(text.split(' ').filter(|word| !word.is_empty()))
    }

    /// These scopes.
    pub fn of<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut scopes = Scopes::default();
        for word in words {
            scopes.add(word.as_ref())?;
        }
        Some(scopes)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &**scope)
    }

    /// Whether this scope is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held == scope)
    }

    /// Whether all of the others are among these.
    pub fn contains_all(&self, others: &Scopes) -> bool {
        others.iter().all(|scope| self.contains(scope))
    }

    /// These and the others; nothing if they are more than are kept.
    pub fn union(&self, others: &Scopes) -> Option<Self> {
        Scopes::of(self.iter().chain(others.iter()))
    }

    fn without_offline(&self) -> Self {
        let kept = self.0.iter().filter(|scope| &***scope != OFFLINE);
        Scopes(kept.cloned().collect())
    }

    fn add(&mut self, scope: &str) -> Option<()> {
        if !is_scope(scope) {
            return None;
        }
        if self.contains(scope) {
            return Some(());
        }
        let bytes: usize = self.0.iter().map(|scope| scope.len() + 1).sum();
        if self.0.len() >= SCOPES_MAX || bytes + scope.len() > SCOPE_BYTES_MAX {
            return None;
        }
        self.0.push(scope.into());
        Some(())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Attempts {
    /// Counts one more, or says that it was enough.
    pub fn another(&mut self) -> Result<(), ClientError> {
        if self.0 >= STEP_UPS_MAX {
            return Err(ClientError::StepUp);
        }
        self.0 += 1;
        Ok(())
    }
}

/// The scopes to ask for at first: those the operator set, else those of the challenge, else those
/// that the resource lists, else none. A resource has no say in whether there is a refresh token:
/// its `offline_access` is left out, and added only where one is wanted and the authorization
/// server lists it.
pub fn first_scopes(
    set: Option<&Scopes>,
    demand: Option<&Demand>,
    resource: &Protected,
    server: &AuthorizationServer,
    offline: Offline,
) -> Result<Scopes, ClientError> {
    let challenged = demand.and_then(Demand::scopes);
    let scopes = match set {
        Some(set) => set.clone(),
        None => challenged
            .or(resource.scopes())
            .map(Scopes::without_offline)
            .unwrap_or_default(),
    };
    let offered = server.scopes().is_some_and(|all| all.contains(OFFLINE));
    if offline == Offline::Wanted && offered {
        let offline = Scopes(vec![OFFLINE.into()]);
        return scopes.union(&offline).ok_or(ClientError::Scopes);
    }
    Ok(scopes)
}

/// The scopes to ask for after a server said that those of the token were not enough: what was
/// asked for before and what it asks for now. A server that asks for what was granted, or that
/// does not say what it wants, is not asked again; nor is more asked for than the operator set.
pub fn stepped_up(
    asked: &Scopes,
    granted: &Scopes,
    demand: &Demand,
    most: Option<&Scopes>,
) -> Result<Scopes, ClientError> {
    let wanted = demand.scopes().filter(|wanted| !wanted.is_empty());
    let wanted = wanted.ok_or(ClientError::StepUp)?.without_offline();
    if demand.reason() != Reason::InsufficientScope || granted.contains_all(&wanted) {
        return Err(ClientError::StepUp);
    }
    if most.is_some_and(|most| !most.contains_all(&wanted)) {
        return Err(ClientError::Beyond);
    }
    asked.union(&wanted).ok_or(ClientError::Scopes)
}

#[cfg(test)]
mod tests;
