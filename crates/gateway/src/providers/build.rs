//! From the configuration to providers that can be asked: secrets resolved once, each with its own way
//! out. A provider that did not change goes on as it runs, with what it remembers.

use super::credential::Credential;
use super::line::Wire;
use super::provider::Provider;
use super::{Detector, Member, Panel, Providers};
use super::{safety, shields};
use crate::clock::Clock;
use crate::egress::{Authority, Destination, DestinationError, Egress, Fetcher, Network};
use crate::secret::{self, SecretError};
use config::settled::{self, AzureCredential, ProviderKind};
use identity::client::{Credentials, SecretMethod};
use identity::{ServiceToken, ServiceTokenRules};
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// Why a provider cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It lies where nobody is asked.
    #[error("provider `{provider}`: {error}")]
    Destination {
        /// Its name.
        provider: String,
        /// What is wrong.
        error: DestinationError,
    },
    /// Its address is none.
    #[error("provider `{provider}` has no address that can be asked")]
    Address {
        /// Its name.
        provider: String,
    },
    /// What it is to be shown cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// What providers are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workbench<'a> {
    /// The way out.
    pub(crate) egress: &'a Arc<Egress>,
    /// Where time is read.
    pub(crate) clock: &'a Arc<dyn Clock>,
}

/// The providers of this configuration.
pub(crate) fn providers(
    settled: &[settled::Provider],
    workbench: Workbench<'_>,
    before: Option<&Providers>,
) -> Result<Providers, ProviderError> {
    let each = settled.iter().map(|one| {
        let running = before.and_then(|before| before.get(one.name.as_str()));
        let provider = match running.filter(|running| running.settled() == one) {
            Some(running) => Arc::clone(running),
            None => provider(one, workbench)?,
        };
        Ok((Arc::clone(provider.name()), provider))
    });
    each.collect()
}

/// Who is asked about the messages of one server on one route.
pub(crate) fn panel(content: &settled::Content, providers: &Providers) -> Panel {
    let members = content.providers.iter().filter_map(|one| {
        // INVARIANT: the configuration names none that is not there.
        let provider = providers.get(one.provider.as_str())?;
        Some(Member {
            detector: Detector::Remote(Arc::clone(provider)),
            on: one.on.iter().map(|it| (*it).into()).collect(),
            mode: one.mode.into(),
        })
    });
    let modes = content.modes.iter();
    let modes = modes.map(|(rule, mode)| (rule.clone(), (*mode).into()));
    Panel::new(members.collect(), modes.collect())
}

fn provider(
    one: &settled::Provider,
    workbench: Workbench<'_>,
) -> Result<Arc<Provider>, ProviderError> {
    let network = match one.network {
        settled::Network::Public => Network::Public,
        settled::Network::Private => Network::Private,
    };
    let below = |endpoint: &Url, path: &str| {
        endpoint.join(path).map_err(|_| ProviderError::Address {
            provider: one.name.clone(),
        })
    };
    let (url, credential) = match &one.kind {
        ProviderKind::ContentSafety(it) => (
            below(&it.endpoint, safety::PATH)?,
            azure(&it.credential, network, workbench)?,
        ),
        ProviderKind::PromptShields(it) => (
            below(&it.endpoint, shields::PATH)?,
            azure(&it.credential, network, workbench)?,
        ),
        ProviderKind::Http(it) => (it.url.clone(), shown(it)?),
    };
    let destination = Destination::new(url, network);
    let destination = destination.map_err(|error| ProviderError::Destination {
        provider: one.name.clone(),
        error,
    })?;
    let line = Box::new(Wire {
        egress: Arc::clone(workbench.egress),
        destination,
    });
    Ok(Provider::new(
        one,
        line,
        credential,
        Arc::clone(workbench.clock),
    ))
}

fn shown(it: &settled::HttpProvider) -> Result<Credential, SecretError> {
    Ok(match (&it.bearer, &it.hmac) {
        (Some(bearer), _) => Credential::bearer(&resolved(bearer)?)?,
        (None, Some(key)) => Credential::signature(&resolved(key)?),
        (None, None) => Credential::Nothing,
    })
}

fn azure(
    credential: &AzureCredential,
    network: Network,
    workbench: Workbench<'_>,
) -> Result<Credential, SecretError> {
    let client = match credential {
        AzureCredential::Key(key) => return Credential::azure_key(&resolved(key)?),
        AzureCredential::Entra(client) => client,
    };
    let near = match network {
        Network::Public => None,
        Network::Private => Some(Authority::of(&client.token_url)),
    };
    let fetcher = Fetcher::new(Arc::clone(workbench.egress), near);
    let secret = Zeroizing::new(resolved(&client.secret)?.expose().to_owned());
    let rules = ServiceTokenRules {
        token_url: client.token_url.clone(),
        client: client.client.clone(),
        credentials: Credentials::Secret(Arc::new(secret), SecretMethod::Basic),
        scope: client.scope.clone(),
    };
    let token = ServiceToken::new(Arc::new(fetcher), rules);
    Ok(Credential::Token(Box::new(token)))
}

fn resolved(reference: &settled::SecretRef) -> Result<secret::Secret, SecretError> {
    secret::resolve(&reference.to_string())
}
