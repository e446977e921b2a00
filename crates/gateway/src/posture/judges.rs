//! How each control is judged: what this version lacks of it, and what the configuration takes away
//! from the rest. A judgement reads; it never waits, asks a network or changes anything.

mod arguments;
mod data;
mod minimise;
mod output;
mod providers;
mod servers;

pub(super) use arguments::n1_1;
pub(super) use minimise::p1;
pub(super) use output::n9_1;
pub(super) use providers::n1_3;
pub(super) use servers::{n9_2, n9_3, n9_4, n10_1, n10_2, n10_3, n11_1};

use super::{NOBODYS_TOOL, Status, View, Way};
use config::settled::{
    Durability, HiddenText, Keys, Possession, ProofNonce, Revision, Schema, Transport, Upstream,
};
use controls::Control;
use policy::{Action, Caller, Context, Principal, Request, Target};
use std::time::Duration;

/// Tokens that live longer than this are not short-lived.
const SHORT_LIVED: Duration = Duration::from_secs(3600);

/// Where no listener is: the pipe of `ringwall wrap`.
fn local() -> Status {
    Status::off("`ringwall wrap`: nothing listens, the caller is whoever started it")
}

fn missing(what: &[&str]) -> Vec<String> {
    what.iter().map(|&what| what.to_owned()).collect()
}

fn reports_hidden_text(way: &Way<'_>) -> Option<String> {
    (way.server.hidden_text == HiddenText::Report)
        .then(|| "hidden text is reported and passes (`hidden_text: report`)".to_owned())
}

/// What is known from live state, to be told beside the status.
pub(super) fn notes(view: &View<'_>, control: Control) -> Vec<String> {
    let Some(gate) = view.live.filter(|_| control == controls::N9_2) else {
        return Vec::new();
    };
    let runtime = gate.runtime();
    let mut servers: Vec<_> = runtime.servers.values().collect();
    servers.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    let told = servers.into_iter().map(|served| {
        let (approved, aside) = served.shelves.count();
        format!(
            "`{}`: {approved} tools approved, {aside} stand aside",
            served.name
        )
    });
    told.collect()
}

/// M1, M2, 7.2: whole wherever a token is asked for at all.
pub(super) fn by_token(_: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        local()
    } else {
        Status::Enforced
    }
}

/// M4, 7.1, 8.1, 8.2: nothing in a configuration weakens it.
pub(super) fn always(_: &View<'_>, _: &Way<'_>) -> Status {
    Status::Enforced
}

pub(super) fn n1_2(_: &View<'_>, way: &Way<'_>) -> Status {
    let declared = way.server.schema == Schema::Declared;
    let text = "properties the schema does not name pass where it lets them (`schema: declared`)";
    Status::lacking(if declared {
        missing(&[text])
    } else {
        Vec::new()
    })
}

pub(super) fn n1_4(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = Vec::new();
    missing.extend(reports_hidden_text(way));
    missing.extend(data::answers(way));
    missing.extend(output::markup(way));
    missing.extend(output::addresses(way));
    Status::lacking(missing)
}

pub(super) fn n2_1(view: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    let mut missing = missing(&["on-behalf-of with Entra ID"]);
    let issuers = view
        .settled
        .issuers
        .iter()
        .filter(|issuer| way.route.issuers.contains(&issuer.issuer));
    for issuer in issuers {
        let keys = match &issuer.keys {
            Keys::At(url) => url.scheme() == "http",
            Keys::Discovered => issuer.issuer.starts_with("http:"),
        };
        if keys {
            missing.push(format!(
                "the keys of `{}` are fetched unencrypted (`network: private`)",
                issuer.issuer
            ));
        }
        let asked = issuer.introspection.as_ref();
        missing.extend(asked.filter(|asked| !asked.cache.is_zero()).map(|asked| {
            format!(
                "an opaque token of `{}` is good for {} s after it was revoked (`introspection.cache`)",
                issuer.issuer,
                asked.cache.as_secs()
            )
        }));
    }
    Status::lacking(missing)
}

pub(super) fn n2_2(view: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = missing(&["the risk of a call as something policies can ask for"]);
    match view.policies {
        None => missing.push("the policies were not looked at".to_owned()),
        Some(policies) => missing.extend(anybody(view, policies, way)),
    }
    Status::lacking(missing)
}

/// Asks the policies about a caller nobody knows and a tool nobody labelled: who permits that,
/// permits everything to everybody.
fn anybody(view: &View<'_>, policies: &policy::Policies, way: &Way<'_>) -> Option<String> {
    let issuer = way.route.issuers.first().map_or("local", String::as_str);
    let nobody = Caller {
        issuer: issuer.to_owned(),
        user: "\u{1}nobody".to_owned(),
        ..Caller::default()
    };
    let principal = Principal::new(nobody).ok()?;
    let server = way.server.name.as_str();
    let served = view
        .live
        .and_then(|gate| gate.runtime().servers.get(server).cloned());
    let approved: Vec<String> = served.map_or_else(Vec::new, |served| {
        served
            .shelves
            .approved()
            .iter()
            .map(|tool| tool.name.to_string())
            .collect()
    });
    let tools = std::iter::once(NOBODYS_TOOL).chain(approved.iter().map(String::as_str));
    let decisions = tools.map(|name| {
        let resource = Target::Tool { server, name };
        let (action, context) = (Action::Call, &Context::default());
        policies.decide(&Request {
            principal: &principal,
            action,
            resource,
            context,
        })
    });
    // A tool the policies do not know is an error, and says nothing either way.
    let known: Vec<_> = decisions
        .filter(|decision| decision.errors.is_empty())
        .collect();
    let open = known
        .first()
        .filter(|_| known.iter().all(policy::Decision::allows))?;
    let by = open.determining.join("`, `");
    Some(format!(
        "every caller may call every tool of `{server}` that no label keeps back (policy `{by}`)"
    ))
}

/// M3: where clients get their tokens from the provider itself, asking people is its business.
pub(super) fn m3(view: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    let own = view.settled.own_issuer();
    let accepted = way.route.issuers.iter().any(|issuer| issuer == own);
    match view.settled.authorization_server.is_some() && accepted {
        true => Status::Enforced,
        false => Status::off(
            "no `authorization_server`: clients are known to the identity provider, which asks people itself",
        ),
    }
}

pub(super) fn n2_3(view: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    let mut missing = Vec::new();
    let issuers = view
        .settled
        .issuers
        .iter()
        .filter(|issuer| way.route.issuers.contains(&issuer.issuer));
    let long = issuers.filter(|issuer| issuer.lifetime_max > SHORT_LIVED);
    missing.extend(long.map(|issuer| {
        let hours = issuer.lifetime_max.as_secs_f64() / 3600.0;
        format!(
            "tokens of `{}` may live for {hours:.1} h (`lifetime_max`)",
            issuer.issuer
        )
    }));
    Status::lacking(missing)
}

pub(super) fn n2_4(view: &View<'_>, _: &Way<'_>) -> Status {
    let told = "administrators who sign in with more than a password (`administration`): it is done on the machine itself";
    Status::lacking(match view.settled.administration {
        Some(_) => Vec::new(),
        None => missing(&[told]),
    })
}

pub(super) fn n3_1(view: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    let plain = view
        .settled
        .listeners
        .iter()
        .filter(|listener| listener.transport == Transport::Plaintext);
    let mut missing: Vec<String> = plain
        .map(|listener| {
            format!(
                "plaintext on loopback `{}` (`listeners[].tls` is not set)",
                listener.address
            )
        })
        .collect();
    if let Upstream::Http(http) = &way.server.upstream
        && http.url.scheme() == "http"
    {
        missing.push(format!(
            "server `{}` is reached in plaintext (`network: private`)",
            way.server.name
        ));
    }
    Status::lacking(missing)
}

pub(super) fn n3_4(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = Vec::new();
    let floor = way.route.protocol.minimum;
    if floor < Revision::R20250618 {
        missing.push(format!(
            "revisions back to {floor} are spoken (`protocol.minimum`)"
        ));
    }
    Status::lacking(missing)
}

pub(super) fn n4_1(_: &View<'_>, _: &Way<'_>) -> Status {
    Status::lacking(missing(&[
        "counts shared with other replicas: they are this process's own",
    ]))
}

pub(super) fn n4_3(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = missing(&["budgets of model tokens"]);
    if let Upstream::Stdio(_) = way.server.upstream {
        missing.push(format!(
            "limits of memory and processor for the process of `{}`",
            way.server.name
        ));
    }
    Status::lacking(missing)
}

pub(super) fn n4_4(_: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    Status::lacking(missing(&[
        "shedding of load by priority",
        "connections counted by source",
    ]))
}

pub(super) fn n5_1(view: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = Vec::new();
    if way.route.ledger.durability == Durability::Interval {
        let interval = view.settled.ledger.interval.as_millis();
        missing.push(format!(
            "a crash may lose the records of {interval} ms (`durability: interval`)"
        ));
    }
    if let Some(Err(error)) = view.live.map(|gate| gate.ledger.health()) {
        missing.push(format!(
            "the ledger accepts no record, and every call is refused: {error}"
        ));
    }
    Status::lacking(missing)
}

pub(super) fn n5_3(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = missing(&[
        "redaction of personal data in names and addresses",
        "a key per subject, so that a person can be erased",
        "retention by class",
    ]);
    let kept = &way.route.ledger.keep;
    missing.extend(
        kept.iter()
            .map(|keep| format!("{keep} are kept word for word (`ledger.keep`)")),
    );
    Status::lacking(missing)
}

pub(super) fn n3_2(_: &View<'_>) -> Status {
    Status::lacking(missing(&[
        "fields sealed for a server that holds the key",
        "encryption of pins and of the ledger, which the gateway's own account can read",
    ]))
}

pub(super) fn n5_4(view: &View<'_>) -> Status {
    let mut missing = missing(&["playbooks, webhooks and tickets", "events sent to others"]);
    let mut issuers = view.settled.issuers.iter();
    if !issuers.any(|issuer| issuer.events.is_some()) {
        missing.push("no issuer tells of events (`issuers[].events`)".to_owned());
    }
    Status::lacking(missing)
}

pub(super) fn n6_2(_: &View<'_>) -> Status {
    Status::lacking(missing(&["rotation of keys, on schedule or by command"]))
}

pub(super) fn n6_3(_: &View<'_>) -> Status {
    Status::lacking(missing(&[
        "secret managers: references are `env:` and `file:` only",
        "renewal: a secret is read when its server begins: at the start, or when a reload changes that server",
    ]))
}

pub(super) fn n7_3(_: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    Status::Enforced
}

pub(super) fn n7_4(view: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    let mut missing = Vec::new();
    if way.route.possession == Possession::None {
        let text = "a token that is bound to nothing is good for whoever has it, unless a policy asks \
                    for `principal.possession` (`possession: none`)";
        missing.push(text.to_owned());
    }
    let nonce = view.settled.dpop.nonce;
    if nonce != ProofNonce::Required && way.route.possession != Possession::Certificate {
        missing.push(format!(
            "whoever can use a key for a moment can make proofs for later (`dpop.nonce: {nonce}`)"
        ));
    }
    Status::lacking(missing)
}

pub(super) fn n8_3(_: &View<'_>, _: &Way<'_>) -> Status {
    Status::lacking(missing(&[
        "replicas: a revocation is known to the gateways on its own `state.db` only",
    ]))
}

pub(super) fn n8_4(_: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    Status::Enforced
}

pub(super) fn z1(_: &View<'_>, way: &Way<'_>) -> Status {
    if way.is_local() {
        return local();
    }
    Status::lacking(missing(&["canaries that prove each control alive"]))
}

pub(super) fn z2(_: &View<'_>, _: &Way<'_>) -> Status {
    Status::lacking(missing(&[
        "a network of its own for each server",
        "calls across servers as a decision of policy",
    ]))
}

pub(super) fn z3(_: &View<'_>, _: &Way<'_>) -> Status {
    Status::lacking(missing(&[
        "risk of user, client, tool and history",
        "step-up and holding a call",
    ]))
}

pub(super) fn c2(_: &View<'_>) -> Status {
    Status::lacking(missing(&["a notice when a server speaks something newer"]))
}
