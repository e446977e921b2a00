//! What administrators may do: Cedar policies of their own, with roles, over operations of the gateway.
//! They decide about nothing else, and the policies of calls decide nothing here.

use crate::error::{PolicyError, Problem};
use crate::names::NAMESPACE;
use crate::policies::Source;
use crate::principal::{Groups, texts};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    ParseErrors, Policy, PolicyId, PolicySet, Request, RestrictedExpression, Schema,
    ValidationMode, Validator,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// What an administrator is for. An admin has the other roles, too, and operators and approvers are
/// viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Ends what is open, and takes back what was granted.
    Operator,
    /// Decides what waits for a second person.
    Approver,
    /// Does everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];

    /// The id in policies, as in `Ringwall::Role::"viewer"`.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }

    /// The roles that come with it at once.
    const fn parents(self) -> &'static [Role] {
        match self {
            Role::Viewer => &[],
            Role::Operator | Role::Approver => &[Role::Viewer],
            Role::Admin => &[Role::Operator, Role::Approver],
        }
    }
}

/// The kind of an operation: the group of its action, which built-in policies give to one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Duty {
    /// Whatever else there is.
    Administer,
    /// To decide what waits for a second person.
    Decide,
    /// To see.
    Look,
    /// To end what is open, and to take back what was granted.
    Operate,
}

impl Duty {
    /// Every duty.
    pub const ALL: [Duty; 4] = [Duty::Administer, Duty::Decide, Duty::Look, Duty::Operate];

    /// The id in policies, as in `Ringwall::Action::"look"`.
    pub const fn name(self) -> &'static str {
        match self {
            Duty::Administer => "administer",
            Duty::Decide => "decide",
            Duty::Look => "look",
            Duty::Operate => "operate",
        }
    }

    /// The least role that has it by the built-in policies.
    pub const fn role(self) -> Role {
        match self {
            Duty::Administer => Role::Admin,
            Duty::Decide => Role::Approver,
            Duty::Look => Role::Viewer,
            Duty::Operate => Role::Operator,
        }
    }
}

/// How an administrator came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// As the user that the gateway runs as, on its machine.
    Machine,
    /// With the passkey of the account for emergencies.
    Passkey,
    /// Signed in at an identity provider.
    SignIn,
}

impl Way {
    /// The word for it in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Machine => "machine",
            Way::Passkey => "passkey",
            Way::SignIn => "sign_in",
        }
    }
}

/// Who administers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// Who knows them.
    pub issuer: String,
    /// Their name there.
    pub user: String,
    /// How they came.
    pub way: Way,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their groups.
    pub groups: Groups,
    /// How they were authenticated (`acr`).
    pub acr: Option<String>,
    /// With which methods (`amr`).
    pub amr: Vec<String>,
}

/// The policies of administration, compiled.
#[derive(Debug)]
pub struct Administration {
    set: PolicySet,
    authorizer: Authorizer,
    names: Names,
    operations: Vec<&'static str>,
    /// Actions with their duties, roles with those that come with them, and the gateway itself.
    fixed: Entities,
}

#[derive(Debug)]
struct Names {
    administrator: EntityTypeName,
    role: EntityTypeName,
    gateway: EntityTypeName,
    action: EntityTypeName,
}

impl Administration {
    /// The policies that hold unless the configuration names others.
    pub const BUILT_IN: &'static str = include_str!("administration.cedar");

    /// The same as a source.
    pub fn built_in() -> Source {
        Source {
            name: "the built-in policies of administration".to_owned(),
            text: Self::BUILT_IN.to_owned(),
        }
    }

    /// Compiles these sources for these operations, each an action with its duty. A policy that could
    /// not work is an error.
    pub fn compile(
        sources: &[Source],
        operations: &[(&'static str, Duty)],
    ) -> Result<Self, PolicyError> {
        let broken = |told: String| PolicyError::from(Problem::general(told));
        let names = Names::new().ok_or_else(|| broken("a name of ours is none".to_owned()))?;
        let schema = Schema::from_json_value(json!({ NAMESPACE: document(operations) }));
        let schema = schema.map_err(|error| broken(format!("the schema is broken: {error}")))?;
        let fixed = schema
            .action_entities()
            .map_err(|error| broken(error.to_string()))?
            .add_entities(names.fixed(), None)
            .map_err(|error| broken(error.to_string()))?;
        let validator = Validator::new(schema);
        let mut policies: Vec<Policy> = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        for source in sources {
            match read(source, &validator) {
                Ok(set) => policies.extend(set.policies().cloned()),
                Err(told) => problems.extend(told),
            }
        }
        if !problems.is_empty() {
            return Err(PolicyError::new(problems));
        }
        let named = policies.iter().enumerate();
        let named = named.map(|(nth, policy)| policy.new_id(PolicyId::new(format!("{nth}"))));
        let set = PolicySet::from_policies(named).map_err(|error| broken(error.to_string()))?;
        Ok(Administration {
            set,
            authorizer: Authorizer::new(),
            names,
            operations: operations.iter().map(|(name, _)| *name).collect(),
            fixed,
        })
    }

    /// Whether somebody may do this, an operation by its name. Whatever goes wrong while deciding is a no.
    pub fn allows(&self, who: &Administrator, operation: &str) -> bool {
        // A duty is an action as well, and nothing to do.
        let is_known = self.operations.contains(&operation);
        is_known && self.decided(who, operation).unwrap_or(false)
    }

    fn decided(&self, who: &Administrator, operation: &str) -> Option<bool> {
        let names = &self.names;
        let id = format!("{}#{}", who.issuer, who.user);
        let principal = uid(&names.administrator, &id);
        let roles = who.roles.iter();
        let roles = roles.map(|role| uid(&names.role, role.name())).collect();
        let entity = Entity::new(principal.clone(), attributes(who), roles).ok()?;
        let entities = self.fixed.clone().add_entities([entity], None).ok()?;
        let action = uid(&names.action, operation);
        let gateway = uid(&names.gateway, GATEWAY);
        let request = Request::new(principal, action, gateway, Context::empty(), None).ok()?;
        let answer = self
            .authorizer
            .is_authorized(&request, &self.set, &entities);
        let failed = answer.diagnostics().errors().next().is_some();
        Some(answer.decision() == Decision::Allow && !failed)
    }
}

/// The id of the one thing that operations are about.
const GATEWAY: &str = "gateway";

impl Names {
    fn new() -> Option<Self> {
        let name = |name: &str| format!("{NAMESPACE}::{name}").parse().ok();
        Some(Names {
            administrator: name("Administrator")?,
            role: name("Role")?,
            gateway: name("Gateway")?,
            action: name("Action")?,
        })
    }

    fn fixed(&self) -> Vec<Entity> {
        let role = |role: Role| {
            let parents = role.parents().iter();
            let parents: HashSet<EntityUid> = parents
                .map(|parent| uid(&self.role, parent.name()))
                .collect();
            Entity::new_no_attrs(uid(&self.role, role.name()), parents)
        };
        let mut fixed: Vec<Entity> = Role::ALL.into_iter().map(role).collect();
        fixed.push(Entity::new_no_attrs(
            uid(&self.gateway, GATEWAY),
            HashSet::new(),
        ));
        fixed
    }
}

fn read(source: &Source, validator: &Validator) -> Result<PolicySet, Vec<Problem>> {
    let set: PolicySet = source.text.parse().map_err(|errors: ParseErrors| {
        let told = |error| Problem::told(&source.name, &source.text, error);
        errors.iter().map(|error| told(error)).collect::<Vec<_>>()
    })?;
    if set.num_of_templates() > 0 {
        let message = "a policy with a slot (`?principal`, `?resource`) cannot be used";
        return Err(vec![Problem::at(&source.name, &source.text, 0, message)]);
    }
    let result = validator.validate(&set, ValidationMode::Strict);
    let wrong = result.validation_errors();
    let wrong: Vec<Problem> = wrong
        .map(|error| Problem::told(&source.name, &source.text, error))
        .collect();
    match wrong.is_empty() {
        true => Ok(set),
        false => Err(wrong),
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn document(operations: &[(&'static str, Duty)]) -> Value {
    let texts = || json!({"type": "Set", "element": {"type": "String"}});
    let text = || json!({"type": "String"});
    let absent_at_times = |mut of: Value| {
        if let Some(of) = of.as_object_mut() {
            of.insert("required".to_owned(), Value::Bool(false));
        }
        of
    };
    let duties = Duty::ALL.into_iter().map(|duty| {
        let of = json!({"appliesTo": {"principalTypes": [], "resourceTypes": []}});
        (duty.name().to_owned(), of)
    });
    let actions = operations.iter().map(|(name, duty)| {
        let of = json!({
            "memberOf": [{"id": duty.name()}],
            "appliesTo": {"principalTypes": ["Administrator"], "resourceTypes": ["Gateway"]},
        });
        ((*name).to_owned(), of)
    });
    let actions: Map<String, Value> = duties.chain(actions).collect();
    json!({
        "entityTypes": {
            "Administrator": {"memberOfTypes": ["Role"], "shape": {"type": "Record", "attributes": {
                "issuer": text(), "user": text(), "way": text(), "amr": texts(),
                "acr": absent_at_times(text()), "groups": texts(),
            }}},
            "Role": {"memberOfTypes": ["Role"]},
            "Gateway": {},
        },
        "actions": actions,
    })
}

fn attributes(who: &Administrator) -> HashMap<String, RestrictedExpression> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut attributes = HashMap::from([
        ("issuer".to_owned(), text(&who.issuer)),
        ("user".to_owned(), text(&who.user)),
        ("way".to_owned(), text(who.way.name())),
        ("amr".to_owned(), texts(&who.amr)),
    ]);
    if let Some(acr) = &who.acr {
        attributes.insert("acr".to_owned(), text(acr));
    }
    // Unknown groups are absent, so that a policy that reads them fails instead of seeing none.
    if let Groups::Known(groups) = &who.groups {
        attributes.insert("groups".to_owned(), texts(groups));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: [(&str, Duty); 4] = [
        ("things.list", Duty::Look),
        ("things.end", Duty::Operate),
        ("things.decide", Duty::Decide),
        ("things.make", Duty::Administer),
    ];

    fn somebody(roles: &[Role]) -> Administrator {
        Administrator {
            issuer: "https://id.example.com".into(),
            user: "alice".into(),
            way: Way::SignIn,
            roles: roles.to_vec(),
            groups: Groups::Known(vec!["ops".into()]),
            acr: Some("phr".into()),
            amr: vec!["hwk".into()],
        }
    }

    fn compiled(text: &str) -> Result<Administration, PolicyError> {
        let source = Source {
            name: "own.cedar".into(),
            text: text.into(),
        };
        Administration::compile(&[source], &OPERATIONS)
    }

    #[test]
    fn n2_2_the_built_in_roles_may_do_what_their_duty_is_and_no_more() {
        let built_in = [Administration::built_in()];
        let policies = Administration::compile(&built_in, &OPERATIONS).unwrap();
        let check = |roles: &[Role], allowed: [bool; 4]| {
            let found = OPERATIONS.map(|(name, _)| policies.allows(&somebody(roles), name));
            assert_eq!(found, allowed, "{roles:?}");
        };
        check(&[], [false; 4]);
        check(&[Role::Viewer], [true, false, false, false]);
        check(&[Role::Operator], [true, true, false, false]);
        check(&[Role::Approver], [true, false, true, false]);
        check(&[Role::Operator, Role::Approver], [true, true, true, false]);
        check(&[Role::Admin], [true; 4]);
        // What is no operation, or the name of a duty, is nobody's to do.
        for other in ["", "look", "things", "things.list ", "administer"] {
            assert!(
                !policies.allows(&somebody(&[Role::Admin]), other),
                "{other}"
            );
        }
    }

    #[test]
    fn n2_2_own_policies_take_the_place_of_the_built_in_ones() {
        let none = Administration::compile(&[], &OPERATIONS).unwrap();
        assert!(!none.allows(&somebody(&[Role::Admin]), "things.list"));
        let own = compiled(
            "permit(principal, action in Ringwall::Action::\"operate\", resource) \
             when { principal.groups.contains(\"ops\") && principal.amr.contains(\"hwk\") };\n\
             forbid(principal, action, resource) when { principal.way == \"passkey\" };",
        )
        .unwrap();
        let check = |who: Administrator, allowed: bool| {
            assert_eq!(own.allows(&who, "things.end"), allowed, "{who:?}");
            assert!(!own.allows(&who, "things.list"), "{who:?}");
        };
        check(somebody(&[]), true);
        check(
            Administrator {
                way: Way::Passkey,
                ..somebody(&[Role::Admin])
            },
            false,
        );
        check(
            Administrator {
                amr: Vec::new(),
                ..somebody(&[])
            },
            false,
        );
        // What is not known is not none: the policy fails, and that is a no.
        check(
            Administrator {
                groups: Groups::Unknown,
                ..somebody(&[])
            },
            false,
        );
    }

    #[test]
    fn n2_2_a_policy_of_administration_that_could_not_work_is_refused() {
        for text in [
            "permit(principal, action, resource) when { principal.role == \"admin\" };",
            "permit(principal, action == Ringwall::Action::\"call\", resource);",
            "permit(principal in Ringwall::Group::\"x\", action, resource);",
            "permit(principal, action, resource) when { principal.acr == \"phr\" };",
            "permit(principal == ?principal, action, resource);",
            "permit(principal, action, resource)",
        ] {
            assert!(compiled(text).is_err(), "{text}");
        }
        let error = compiled("permit(principal, action, resource);\npermit(x);").unwrap_err();
        assert!(error.to_string().contains("own.cedar:2"), "{error}");
    }
}
