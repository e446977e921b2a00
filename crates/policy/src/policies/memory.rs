//! What is remembered between calls, all of it bounded and all of it derived.
//!
//! Two memories: what is the same for every call of one caller to one thing ([`Prepared`]), and
//! the decisions that can depend on nothing else than findings, labels, suspicions, method, purpose and client. Keys are
//! compared in full, never by hash alone.

use super::Parts;
use super::votes::Votes;
use crate::decision::Decision;
use crate::principal::Principal;
use crate::reads::{Dependence, Reads};
use crate::request::{Action, Context, Kind, Request};
use crate::schema::Fields;
use cedar_policy::{Entities, EntityUid};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes that may be held in each memory, roughly.
pub(crate) const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longer names of things are not remembered, nor are longer findings and the like.
const TEXT_MAX: usize = 2_048;

pub(crate) struct Memory {
    prepared: Cache<Key, Arc<Prepared>, Weights>,
    variants: Cache<Variant, Arc<Decision>, Weights>,
    next: AtomicU64,
}

/// Everything about a caller, an action and a thing that does not change from call to call.
pub(crate) struct Prepared {
    pub(crate) serial: u64,
    pub(crate) parts: Parts,
    pub(crate) reads: Reads,
    pub(crate) fields: Arc<Fields>,
    pub(crate) entities: Entities,
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) unknowns: Vec<String>,
    /// What the policies say that read nothing of the circumstances.
    pub(crate) steady: OnceLock<Result<Votes, String>>,
    /// The decision with nothing said of what it depends on.
    pub(crate) fixed: OnceLock<Arc<Decision>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Memory {
            prepared: Cache::with_weighter(4_096, BYTES_MAX, Weights),
            variants: Cache::with_weighter(4_096, BYTES_MAX, Weights),
            next: AtomicU64::new(0),
        }
    }

    /// A number nothing else of this set has.
    pub(crate) fn serial(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.prepared.weight().max(self.variants.weight())
    }

    pub(crate) fn prepared(
        &self,
        request: &Request<'_>,
        make: impl FnOnce() -> Result<Prepared, String>,
    ) -> Result<Arc<Prepared>, String> {
        let key = KeyRef {
            principal: request.principal,
            action: request.action,
            kind: request.resource.kind(),
            server: request.resource.server(),
            item: request.resource.item(),
        };
        if let Some(prepared) = self.prepared.get(&key) {
            return Ok(prepared);
        }
        let prepared = Arc::new(make()?);
        if key.server.len() + key.item.len() <= TEXT_MAX {
            self.prepared.insert(key.to_owned(), Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    pub(crate) fn decision(
        &self,
        prepared: &Prepared,
        request: &Request<'_>,
        decide: impl FnOnce() -> Decision,
    ) -> Arc<Decision> {
        let depends = prepared.reads.depends;
        if depends.is_volatile() || !request.context.lifted.is_empty() {
            return Arc::new(decide());
        }
        let variant = VariantRef::of(prepared.serial, depends, request.context);
        if variant.says_nothing() {
            return Arc::clone(prepared.fixed.get_or_init(|| Arc::new(decide())));
        }
        if let Some(decision) = self.variants.get(&variant) {
            return decision;
        }
        let decision = Arc::new(decide());
        if variant.bytes() <= TEXT_MAX {
            self.variants
                .insert(variant.to_owned(), Arc::clone(&decision));
        }
        decision
    }
}

/// Who does what to what.
#[derive(Clone)]
struct Key {
    principal: Principal,
    action: Action,
    kind: Kind,
    server: Box<str>,
    item: Box<str>,
}

#[derive(PartialEq, Eq, Hash)]
struct KeyRef<'a> {
    principal: &'a Principal,
    action: Action,
    kind: Kind,
    server: &'a str,
    item: &'a str,
}

impl KeyRef<'_> {
    fn to_owned(&self) -> Key {
        Key {
            principal: self.principal.clone(),
            action: self.action,
            kind: self.kind,
            server: self.server.into(),
            item: self.item.into(),
        }
    }
}

impl Key {
    fn as_ref(&self) -> KeyRef<'_> {
        KeyRef {
            principal: &self.principal,
            action: self.action,
            kind: self.kind,
            server: &self.server,
            item: &self.item,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Key {}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.as_ref()
    }
}

/// What else the decision can depend on and still be remembered.
#[derive(PartialEq, Eq, Hash)]
struct Variant {
    serial: u64,
    findings: Box<[Box<str>]>,
    labels: Box<[Box<str>]>,
    suspicions: Box<[Box<str>]>,
    method: Box<str>,
    purpose: Option<Box<str>>,
    client: Option<Box<str>>,
}

struct VariantRef<'a> {
    serial: u64,
    findings: &'a [Cow<'a, str>],
    labels: &'a [&'a str],
    suspicions: &'a [Cow<'a, str>],
    method: &'a str,
    purpose: Option<&'a str>,
    client: Option<&'a str>,
}

impl<'a> VariantRef<'a> {
    /// Only what is read: the rest cannot matter, and must not tell equal answers apart.
    fn of(serial: u64, depends: Dependence, context: &Context<'a>) -> Self {
        VariantRef {
            serial,
            findings: match depends.findings {
                true => context.findings,
                false => &[],
            },
            labels: match depends.labels {
                true => context.labels,
                false => &[],
            },
            suspicions: match depends.suspicions {
                true => context.suspicions,
                false => &[],
            },
            method: match depends.method {
                true => context.method,
                false => "",
            },
            purpose: context.purpose.filter(|_| depends.purpose),
            client: context.client.filter(|_| depends.client),
        }
    }

    fn says_nothing(&self) -> bool {
        self.findings.is_empty()
            && self.labels.is_empty()
            && self.suspicions.is_empty()
            && self.method.is_empty()
            && self.purpose.is_none()
            && self.client.is_none()
    }

    fn bytes(&self) -> usize {
        room(self.findings)
            + room(self.labels)
            + room(self.suspicions)
            + self.method.len()
            + self.purpose.map_or(0, str::len)
            + self.client.map_or(0, str::len)
    }

    fn to_owned(&self) -> Variant {
        Variant {
            serial: self.serial,
            findings: boxed(self.findings),
            labels: boxed(self.labels),
            suspicions: boxed(self.suspicions),
            method: self.method.into(),
            purpose: self.purpose.map(Box::from),
            client: self.client.map(Box::from),
        }
    }
}

impl Hash for VariantRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As the derived hash of `Variant` does it.
        self.serial.hash(state);
        self.findings.hash(state);
        self.labels.hash(state);
        self.suspicions.hash(state);
        self.method.hash(state);
        self.purpose.hash(state);
        self.client.hash(state);
    }
}

impl Equivalent<Variant> for VariantRef<'_> {
    fn equivalent(&self, variant: &Variant) -> bool {
        self.serial == variant.serial
            && same(self.findings, &variant.findings)
            && same(self.labels, &variant.labels)
            && same(self.suspicions, &variant.suspicions)
            && *self.method == *variant.method
            && self.purpose == variant.purpose.as_deref()
            && self.client == variant.client.as_deref()
    }
}

fn room(texts: &[impl AsRef<str>]) -> usize {
    texts.iter().map(|text| text.as_ref().len() + 16).sum()
}

fn boxed(texts: &[impl AsRef<str>]) -> Box<[Box<str>]> {
    texts.iter().map(|text| text.as_ref().into()).collect()
}

fn same(mine: &[impl AsRef<str>], theirs: &[Box<str>]) -> bool {
    mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| a.as_ref() == &**b)
}

/// Roughly what an entry weighs, in bytes.
#[derive(Clone)]
struct Weights;

impl Weighter<Key, Arc<Prepared>> for Weights {
    fn weight(&self, key: &Key, prepared: &Arc<Prepared>) -> u64 {
        let texts = key.server.len() + key.item.len();
        let bytes = 2_048 + 4 * texts + 96 * key.principal.weight() + 8 * prepared.parts.len();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Weighter<Variant, Arc<Decision>> for Weights {
    fn weight(&self, _: &Variant, _: &Arc<Decision>) -> u64 {
        // Texts are bounded by `TEXT_MAX`; decisions share the ids they name.
        4_096
    }
}
