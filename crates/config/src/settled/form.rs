//! How settled values are printed: in the shape of the file, so that they can be read again.
//!
//! It never prints a secret; there is none to print.

use super::{Credential, Keys, SigningKey, ToolLabels, Transport};
use crate::units;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::time::Duration;
use url::Url;

pub(super) fn time<S: Serializer>(it: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&units::show_time(*it))
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(super) fn some_time<S: Serializer>(
    it: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match it {
        Some(time) => self::time(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
pub(super) fn size<S: Serializer>(it: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&units::show_size(*it))
}

pub(super) fn address<S: Serializer>(it: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(it.as_str())
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(super) fn place<S: Serializer>(it: &Option<Url>, serializer: S) -> Result<S::Ok, S::Error> {
    match it {
        Some(url) => serializer.serialize_str(url.as_str()),
        None => serializer.serialize_none(),
    }
}

pub(super) fn tools<S: Serializer>(it: &[ToolLabels], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Labels<'a> {
        labels: &'a [String],
    }
    serializer.collect_map(it.iter().map(|ToolLabels { tools, labels }| {
        let labels = Labels { labels };
        (tools.to_string(), labels)
    }))
}

impl Serialize for Transport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Transport::Tls(tls) = self {
            map.serialize_entry("tls", tls)?;
        }
        map.end()
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Keys::At(url) = self {
            map.serialize_entry("keys", url.as_str())?;
        }
        map.end()
    }
}

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Credential::None => {}
            Credential::Bearer(secret) => map.serialize_entry("credential", secret)?,
            Credential::Header { name, secret } => {
                map.serialize_entry("credential", secret)?;
                map.serialize_entry("header", name)?;
            }
            Credential::Oauth(oauth) => map.serialize_entry("oauth", oauth)?,
        }
        map.end()
    }
}

impl Serialize for SigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let SigningKey::Given(secret) = self {
            map.serialize_entry("key", secret)?;
        }
        map.end()
    }
}
