//! The groups of people whose tokens leave them out ("overage"), looked up in the directory of their
//! tenant: the shape of Microsoft Graph's `getMemberObjects`. A look-up that fails leaves the groups
//! unknown; it never makes them none.

use crate::client::Credentials;
use crate::fetch::{Fetch, Outbound};
use crate::latest::Latest;
use crate::members;
use crate::service_token::{ServiceToken, ServiceTokenRules};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// How long groups are remembered, and how long it is that nobody asks again, in seconds.
const GROUPS_S: u64 = 300;
const UNKNOWN_S: u64 = 10;

/// How much the remembered groups of one tenant may weigh, in bytes.
const REMEMBERED_BYTES: u64 = 8 * 1024 * 1024;

/// The most groups of one person that are read, and the longest name of one, in bytes.
const GROUPS_MAX: usize = 2048;
const GROUP_BYTES_MAX: usize = 128;

/// Where the groups of a tenant's people are looked up, and as whom.
#[derive(Clone, Debug)]
pub struct DirectoryRules {
    /// The service: `https://graph.microsoft.com/`.
    pub url: Url,
    /// Where our client gets its token, in the tenant of the issuer.
    pub token_url: Url,
    /// Our client there.
    pub client: String,
    /// How it proves itself.
    pub credentials: Credentials,
}

/// The directory of one tenant.
pub(crate) struct Directory {
    fetch: Arc<dyn Fetch>,
    url: Url,
    token: ServiceToken,
    latest: Latest,
    found: Cache<String, Found, Weight>,
}

#[derive(Clone)]
struct Found {
    groups: Option<Arc<[String]>>,
    since: u64,
    until: u64,
}

#[derive(Clone)]
struct Weight;

impl Directory {
    /// Nothing is asked yet.
    pub(crate) fn new(fetch: Arc<dyn Fetch>, rules: DirectoryRules) -> Self {
        let scope = format!("{}/.default", rules.url.origin().ascii_serialization());
        let token = ServiceTokenRules {
            token_url: rules.token_url,
            client: rules.client,
            credentials: rules.credentials,
            scope,
        };
        Directory {
            token: ServiceToken::new(Arc::clone(&fetch), token),
            fetch,
            url: rules.url,
            latest: Latest::default(),
            found: Cache::with_weighter(1024, REMEMBERED_BYTES, Weight),
        }
    }

    /// All groups of this person or app, if they can be had, and until when they are remembered.
    pub(crate) async fn groups(&self, object: &str, now: u64) -> (Option<Arc<[String]>>, u64) {
        self.latest.see(now);
        if !is_guid(object) {
            return (None, now.saturating_add(UNKNOWN_S));
        }
        self.found
            .remove_if(object, |found| found.since > now || now >= found.until);
        let found = match self.found.get_value_or_guard_async(object).await {
            Ok(found) => found,
            Err(first) => {
                let groups = self.look_up(object, now).await;
                let until = match &groups {
                    Some(_) => now.saturating_add(GROUPS_S),
                    None => self.latest.after(now).saturating_add(UNKNOWN_S),
                };
                let found = Found {
                    groups: groups.map(Into::into),
                    since: now,
                    until,
                };
                let _ = first.insert(found.clone());
                found
            }
        };
        (found.groups, found.until)
    }

    async fn look_up(&self, object: &str, now: u64) -> Option<Vec<String>> {
        let path = format!("v1.0/directoryObjects/{object}/getMemberObjects");
        let url = self.url.join(&path).ok()?;
        let body = Zeroizing::new(br#"{"securityEnabledOnly":false}"#.to_vec());
        let bearer = self.token.bearer(now).await?;
        let request = Outbound::post(url, "application/json", body).header("authorization", bearer);
        let answer = self.fetch.send(request).await.ok()?;
        if answer.status == 401 {
            // The next look-up begins with a new token of ours.
            self.token.forget().await;
        }
        if answer.status != 200 {
            return None;
        }
        let members = members::object(&answer.body)?;
        // A page of many would be half of the groups.
        if members.contains_key("@odata.nextLink") {
            return None;
        }
        let names = members.get("value")?.as_array()?;
        if names.len() > GROUPS_MAX {
            return None;
        }
        names.iter().map(group).collect()
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Weighter<String, Found> for Weight {
    fn weight(&self, _: &String, found: &Found) -> u64 {
        let names = found.groups.iter().flat_map(|groups| groups.iter());
        256 + names.map(|name| name.len() as u64 + 32).sum::<u64>()
    }
}

fn group(name: &Value) -> Option<String> {
    let name = name.as_str()?;
    let fits = !name.is_empty() && name.len() <= GROUP_BYTES_MAX;
    fits.then(|| name.to_owned())
}

/// 36 characters that mean the same in every URL.
fn is_guid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match byte {
            b'-' => hyphens.contains(&at),
            _ => byte.is_ascii_hexdigit() && !hyphens.contains(&at),
        })
}

#[cfg(test)]
mod tests;
