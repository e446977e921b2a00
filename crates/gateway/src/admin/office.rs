//! Who administers this gateway: which role somebody has, how strongly they must have signed in, and the
//! policies that say what a role may do.

use super::Operation;
use crate::people::Person;
use config::settled::{Administration as Settled, BreakGlass, Role as Word, RoleRule};
use identity::{Caller, Groups, Strength};
use policy::{Administration, Administrator, PolicyError, Role, Source, Way};
use serde_json::Value;

/// What the configuration says of administration.
#[derive(Debug)]
pub struct Office {
    settled: Option<Settled>,
    sources: Vec<Source>,
    policies: Administration,
}

/// Why there is no office.
#[derive(Debug, thiserror::Error)]
#[error("the policies of administration: {0}")]
pub struct OfficeError(#[from] PolicyError);

impl Office {
    /// The office of a configuration, with these policies.
    pub(crate) fn of(settled: Option<&Settled>, sources: Vec<Source>) -> Result<Self, OfficeError> {
        Ok(Office {
            policies: Administration::compile(&sources, &Operation::actions())?,
            settled: settled.cloned(),
            sources,
        })
    }

    /// Its policies as written.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where administrators sign in, if anybody administers with a browser.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.settled.as_ref().map(|it| it.issuer.as_str())
    }

    /// How strongly they must have signed in to see anything.
    pub(crate) fn strength(&self) -> Strength {
        let (contexts, methods) = match &self.settled {
            Some(settled) => (settled.acr.clone(), settled.amr.clone()),
            None => (Vec::new(), Vec::new()),
        };
        Strength {
            contexts,
            methods,
            max_age_s: None,
        }
    }

    /// The same, to change anything.
    pub(crate) fn strength_to_change(&self) -> Strength {
        let max_age_s = self.settled.as_ref().map(|it| it.max_age.as_secs());
        Strength {
            max_age_s: Some(max_age_s.unwrap_or_default()),
            ..self.strength()
        }
    }

    /// A person as an administrator, if they signed in where administrators do.
    pub(crate) fn administrator(&self, person: &Person) -> Option<Administrator> {
        let settled = self.settled.as_ref()?;
        let way = match person.issuer() {
            Caller::LOCAL_ISSUER if settled.break_glass == BreakGlass::On => Way::Passkey,
            issuer if *issuer == *settled.issuer => Way::SignIn,
            _ => return None,
        };
        Some(Administrator {
            issuer: person.issuer().to_owned(),
            user: person.user_name().to_owned(),
            roles: match way {
                Way::SignIn => roles(&settled.roles, person),
                Way::Machine | Way::Passkey => vec![Role::Admin],
            },
            groups: match person.groups() {
                Groups::Known(names) => policy::Groups::Known(names.clone()),
                Groups::Unknown(_) => policy::Groups::Unknown,
            },
            acr: person.context().map(str::to_owned),
            amr: person.methods().map(str::to_owned).collect(),
            way,
        })
    }

    /// The user that the gateway runs as, on its machine: whoever can be that can read and change
    /// everything of it anyway.
    pub(crate) fn owner(&self, name: &str) -> Administrator {
        Administrator {
            issuer: Caller::LOCAL_ISSUER.to_owned(),
            user: name.to_owned(),
            way: Way::Machine,
            roles: vec![Role::Admin],
            groups: policy::Groups::Known(Vec::new()),
            acr: None,
            amr: Vec::new(),
        }
    }

    /// Whether somebody may do this.
    pub(crate) fn allows(&self, who: &Administrator, operation: Operation) -> bool {
        self.policies.allows(who, operation.name())
    }
}

/// The roles that these rules give to a person, the least first.
fn roles(rules: &[RoleRule], person: &Person) -> Vec<Role> {
    let mut roles: Vec<Role> = rules
        .iter()
        .filter(|rule| is_of(rule, person))
        .map(|rule| match rule.role {
            Word::Viewer => Role::Viewer,
            Word::Operator => Role::Operator,
            Word::Approver => Role::Approver,
            Word::Admin => Role::Admin,
        })
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn is_of(rule: &RoleRule, person: &Person) -> bool {
    // Groups that are not known give no role.
    let in_group = match person.groups() {
        Groups::Known(names) => names.iter().any(|name| rule.groups.contains(name)),
        Groups::Unknown(_) => false,
    };
    let is_value = |value: &Value| match value {
        Value::String(text) => rule.values.contains(text),
        _ => false,
    };
    let claimed = rule
        .claim
        .as_ref()
        .and_then(|name| person.claims().get(name));
    let has_claim = claimed.is_some_and(|value| match value {
        Value::Array(values) => values.iter().any(is_value),
        value => is_value(value),
    });
    let named = rule.users.iter().any(|user| user == person.user_name());
    named || in_group || has_claim
}
