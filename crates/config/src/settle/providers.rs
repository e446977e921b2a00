//! Services that are asked about the text of messages: which ones there are, where they lie, and how the
//! gateway shows them who asks.

use super::address::{self, Query};
use super::servers::is_server_name;
use super::{limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{
    AzureCredential, ContentSafety, EntraClient, Harm, HttpProvider, Network, OnFailure,
    PromptShields, Provider, ProviderKind,
};
use crate::written;
use controls::N1_3;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Where one provider stands, and where it may lie.
struct At<'a> {
    path: &'a str,
    network: Network,
}

/// Every provider.
pub(super) fn settle(problems: &mut Problems, written: &[written::Provider]) -> Vec<Provider> {
    words::count(problems, "providers", written.len(), bounds::PROVIDERS);
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (index, one) in written.iter().enumerate() {
        let path = format!("providers[{index}]");
        named(problems, &path, &one.name);
        if !names.insert(one.name.as_str()) {
            let message = format!("is the name of another provider, too: `{}`", one.name);
            let path = format!("{path}.name");
            problems.refuse(None, &path, message, "give each its own name");
        }
        all.extend(provider(problems, &path, one));
    }
    all
}

fn named(problems: &mut Problems, path: &str, name: &str) {
    if !is_server_name(name) {
        let fix = "write up to 63 lowercase letters, digits, `-` and `_`, a letter or digit first";
        let path = format!("{path}.name");
        problems.refuse(None, &path, "is not a name for a provider", fix);
    }
}

fn provider(problems: &mut Problems, path: &str, written: &written::Provider) -> Option<Provider> {
    let at = |name: &str| format!("{path}.{name}");
    let network = written.network.unwrap_or(Network::Public);
    let on_failure = written.on_failure.unwrap_or(OnFailure::Refuse);
    let timeout = limits::time(
        problems,
        &at("timeout"),
        written.timeout.as_ref(),
        bounds::PROVIDER_TIMEOUT,
    );
    let counts = [
        (
            written.concurrent,
            "concurrent",
            bounds::PROVIDER_CONCURRENT,
        ),
        (
            written.characters,
            "characters",
            bounds::PROVIDER_CHARACTERS,
        ),
    ];
    let [concurrent, characters] =
        counts.map(|(said, name, bounds)| limits::number(problems, &at(name), said, bounds));
    if on_failure == OnFailure::Allow {
        let message = "lets messages go on that it said nothing of";
        let fix = "remove it, unless an answer is worth more than the check";
        problems.warn(N1_3, &at("on_failure"), message, fix);
    }
    let kind = kind(problems, &At { path, network }, written)?;
    Some(Provider {
        name: written.name.clone(),
        kind,
        network,
        timeout,
        concurrent,
        characters,
        on_failure,
    })
}

fn kind(problems: &mut Problems, at: &At<'_>, written: &written::Provider) -> Option<ProviderKind> {
    let path = at.path;
    match (
        &written.prompt_shields,
        &written.content_safety,
        &written.http,
    ) {
        (Some(it), None, None) => {
            let path = format!("{path}.prompt_shields");
            let endpoint = endpoint(problems, at, &path, &it.endpoint);
            let credential = azure(problems, at, &path, (it.key.as_ref(), it.entra.as_ref()));
            Some(ProviderKind::PromptShields(PromptShields {
                endpoint: endpoint?,
                credential: credential?,
            }))
        }
        (None, Some(it), None) => content_safety(problems, at, it).map(ProviderKind::ContentSafety),
        (None, None, Some(it)) => http(problems, at, it).map(ProviderKind::Http),
        _ => {
            let message = "is not exactly one of `prompt_shields`, `content_safety` and `http`";
            problems.refuse(N1_3, path, message, "write one of the three");
            None
        }
    }
}

fn content_safety(
    problems: &mut Problems,
    at: &At<'_>,
    written: &written::ContentSafety,
) -> Option<ContentSafety> {
    let path = format!("{}.content_safety", at.path);
    let endpoint = endpoint(problems, at, &path, &written.endpoint);
    let credential = (written.key.as_ref(), written.entra.as_ref());
    let credential = azure(problems, at, &path, credential);
    let said = &written.severity;
    let severity = [
        (Harm::Hate, said.hate),
        (Harm::SelfHarm, said.self_harm),
        (Harm::Sexual, said.sexual),
        (Harm::Violence, said.violence),
    ];
    let severity = severity.map(|(harm, said)| {
        let path = format!("{path}.severity.{harm}");
        let severity = limits::number(problems, &path, said, bounds::SEVERITY);
        (harm, u16::try_from(severity).unwrap_or(1))
    });
    let lists = format!("{path}.blocklists");
    words::count(
        problems,
        &lists,
        written.blocklists.len(),
        bounds::BLOCKLISTS,
    );
    for (index, name) in written.blocklists.iter().enumerate() {
        words::word(
            problems,
            &format!("{lists}[{index}]"),
            name,
            "the name of a blocklist",
        );
    }
    Some(ContentSafety {
        endpoint: endpoint?,
        credential: credential?,
        severity: severity.into_iter().collect(),
        blocklists: words::once(&written.blocklists),
    })
}

fn http(
    problems: &mut Problems,
    at: &At<'_>,
    written: &written::HttpProvider,
) -> Option<HttpProvider> {
    let path = format!("{}.http", at.path);
    let url = place(
        problems,
        at,
        &format!("{path}.url"),
        &written.url,
        Query::Allowed,
    );
    let known = written.bearer.is_some() || written.hmac.is_some();
    if written.bearer.is_some() && written.hmac.is_some() {
        let message = "has two ways to show who asks";
        problems.refuse(
            N1_3,
            &path,
            message,
            "write `bearer` or `hmac`, one of the two",
        );
    } else if !known && at.network == Network::Public {
        let message = "has no way to show who asks, so anybody could";
        problems.refuse(N1_3, &path, message, "write `bearer` or `hmac`");
    }
    let mut reference = |name: &str, said: &Option<written::Reference>| match said {
        None => Some(None),
        Some(said) => words::secret(problems, &format!("{path}.{name}"), said).map(Some),
    };
    let (bearer, hmac) = (
        reference("bearer", &written.bearer),
        reference("hmac", &written.hmac),
    );
    let threshold = limits::number(
        problems,
        &format!("{path}.threshold"),
        written.threshold,
        bounds::THRESHOLD,
    );
    let all = format!("{path}.thresholds");
    words::count(problems, &all, written.thresholds.len(), bounds::WORDS);
    let thresholds: BTreeMap<String, u16> = written
        .thresholds
        .iter()
        .map(|(rule, said)| {
            let path = format!("{all}.{rule}");
            words::word(problems, &path, rule, "the name of a rule");
            let value = limits::number(problems, &path, Some(*said), bounds::THRESHOLD);
            (rule.clone(), per_mille(value))
        })
        .collect();
    Some(HttpProvider {
        url: url?,
        bearer: bearer?,
        hmac: hmac?,
        threshold: per_mille(threshold),
        thresholds,
    })
}

/// INVARIANT: within its bounds; the fallback is the strictest there is.
fn per_mille(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(1)
}

/// How the gateway shows a service of Azure who asks.
fn azure(
    problems: &mut Problems,
    at: &At<'_>,
    path: &str,
    said: (Option<&written::Reference>, Option<&written::EntraClient>),
) -> Option<AzureCredential> {
    match said {
        (Some(key), None) => {
            let key = words::secret(problems, &format!("{path}.key"), key)?;
            Some(AzureCredential::Key(key))
        }
        (None, Some(client)) => {
            let path = format!("{path}.entra");
            let token = format!("{path}.token_url");
            let token_url = place(problems, at, &token, &client.token_url, Query::None);
            let id = format!("{path}.client");
            words::word(problems, &id, &client.client, "the id of a client");
            let secret = words::secret(problems, &format!("{path}.secret"), &client.secret);
            let scope = client.scope.as_deref();
            let scope = scope.unwrap_or(written::COGNITIVE_SERVICES);
            words::word(problems, &format!("{path}.scope"), scope, "a scope");
            Some(AzureCredential::Entra(EntraClient {
                token_url: token_url?,
                client: client.client.clone(),
                secret: secret?,
                scope: scope.to_owned(),
            }))
        }
        _ => {
            let message = "has not exactly one way to show who asks";
            problems.refuse(
                N1_3,
                path,
                message,
                "write `key` or `entra`, one of the two",
            );
            None
        }
    }
}

fn endpoint(problems: &mut Problems, at: &At<'_>, path: &str, text: &str) -> Option<Url> {
    let path = format!("{path}.endpoint");
    let url = place(problems, at, &path, text, Query::None)?;
    if url.path() != "/" {
        let fix = "write the endpoint alone: `https://NAME.cognitiveservices.azure.com`";
        problems.refuse(N1_3, &path, "has a path", fix);
        return None;
    }
    Some(url)
}

fn place(
    problems: &mut Problems,
    at: &At<'_>,
    path: &str,
    text: &str,
    query: Query,
) -> Option<Url> {
    let url = address::read(problems, path, text, query)?;
    let network = format!("{}.network", at.path);
    address::within(problems, path, &network, &url, at.network);
    Some(url)
}
