//! The default and the bounds of every number in the configuration, once. The settled values, the
//! JSON Schema and the reference page all come from here.

use schemars::Schema;
use serde_json::Value;

/// A number with its default, the least and the most it may be. `T` is how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<T> {
    /// What it is when nobody says.
    pub default: T,
    /// The least it may be.
    pub least: T,
    /// The most it may be.
    pub most: T,
}

impl<T: Copy + Into<Value>> Bounds<T> {
    const fn new(default: T, least: T, most: T) -> Self {
        Bounds {
            default,
            least,
            most,
        }
    }

    /// Writes default and bounds into the schema of a field.
    pub(crate) fn told(self) -> impl FnMut(&mut Schema) {
        move |schema| {
            schema.insert("default".to_owned(), self.default.into());
            self.bound(schema);
        }
    }

    /// Writes the bounds alone, where the default depends on the place.
    pub(crate) fn told_bare(self) -> impl FnMut(&mut Schema) {
        move |schema| self.bound(schema)
    }

    fn bound(self, schema: &mut Schema) {
        let (least, most) = (self.least.into(), self.most.into());
        if least.is_number() {
            schema.insert("minimum".to_owned(), least);
            schema.insert("maximum".to_owned(), most);
        } else {
            schema.insert(LEAST.to_owned(), least);
            schema.insert(MOST.to_owned(), most);
        }
    }
}

pub(crate) const LEAST: &str = "x-least";
pub(crate) const MOST: &str = "x-most";

/// A time, size or pace, as text.
pub type Text = Bounds<&'static str>;
/// A plain number.
pub type Count = Bounds<u64>;

/// `issuers[].lifetime_max`. An access token that lives longer is a password.
pub const LIFETIME: Text = Text::new("1h", "1m", "24h");
/// `administration.max_age`.
pub const ADMINISTRATION_AGE: Text = Text::new("1h", "1m", "24h");
/// `issuers[].clock_skew`.
pub const CLOCK_SKEW: Text = Text::new("30s", "0s", "5m");
/// `dpop.age`. A stolen proof is good for no longer, and its id is remembered for as long.
pub const PROOF_AGE: Text = Text::new("60s", "5s", "5m");
/// `dpop.skew`.
pub const PROOF_SKEW: Text = Text::new("10s", "0s", "1m");
/// `dpop.nonce_age`. A nonce is handed out for 15 seconds.
pub const NONCE_AGE: Text = Text::new("5m", "30s", "1h");
/// `dpop.per_user`. More than the default rate of a user lets through while proofs are remembered, and
/// never more than a quarter of those of everybody.
pub const PROOFS_PER_USER: Count = Count::new(10_000, 16, 250_000);
/// How long a proof is remembered beyond its own time, in seconds.
pub const PROOF_MARGIN_S: u64 = 11;
/// `listeners[].front.proxies`.
pub const PROXIES: usize = 64;
/// `issuers[].lifetime_max` of the profile `entra`, whose tokens live for 60 to 90 minutes.
pub const LIFETIME_ENTRA: &str = "2h";
/// `issuers[].actors`. The token's own actor, and nobody behind it.
pub const ACTORS: Count = Count::new(1, 0, 8);
/// `issuers[].introspection.cache`. A revoked token is good for that long.
pub const INTROSPECTION_CACHE: Text = Text::new("30s", "0s", "5m");
/// `step_up.*.max_age`. Less than a person takes to sign in could never be shown.
pub const MAX_AGE: Text = Text::new("5m", "30s", "24h");
/// `approvals.expires`. Long enough for somebody to read what would run, short enough to still mean it.
pub const APPROVAL_TIME: Text = Text::new("10m", "1m", "24h");
/// `approvals.per_user`. What waits is read by people.
pub const APPROVALS_PER_USER: Count = Count::new(16, 1, 1_000);
/// `approvals.in_all`.
pub const APPROVALS: Count = Count::new(1_000, 1, 10_000);
/// `servers[].timeout`.
pub const TIMEOUT: Text = Text::new("60s", "100ms", "1h");
/// `routes[].sessions.idle`.
pub const SESSION_IDLE: Text = Text::new("30m", "10s", "24h");
/// `routes[].sessions.absolute`.
pub const SESSION_ABSOLUTE: Text = Text::new("12h", "1m", "7d");
/// `routes[].sessions.per_user`.
pub const SESSIONS_PER_USER: Count = Count::new(64, 1, 4096);
/// `routes[].bridge.parked_per_user`. Each holds a stream and a task.
pub const PARKED_PER_USER: Count = Count::new(16, 1, 256);
/// `routes[].bridge.parked_time`. Long enough to read a form, short enough not to hold a server's call
/// for somebody who has left.
pub const PARKED_TIME: Text = Text::new("5m", "10s", "1h");
/// `routes[].bridge.gather`. Every call that asks something waits so long.
pub const GATHER: Text = Text::new("50ms", "0s", "2s");
/// `providers[].timeout`. Every message that it is asked about waits so long at most.
pub const PROVIDER_TIMEOUT: Text = Text::new("3s", "100ms", "30s");
/// `providers[].concurrent`.
pub const PROVIDER_CONCURRENT: Count = Count::new(16, 1, 1_024);
/// `providers[].characters`. About twelve requests to Prompt Shields.
pub const PROVIDER_CHARACTERS: Count = Count::new(100_000, 1_000, 2_000_000);
/// `providers[].content_safety.severity.*`.
pub const SEVERITY: Count = Count::new(4, 1, 7);
/// `providers[].http.threshold`, in thousandths.
pub const THRESHOLD: Count = Count::new(500, 1, 1_000);
/// `limits.*.rate`.
pub const PACE: Text = Text::new("50/s", "1/h", "100000/s");
/// `authorization_server.tokens.access`. What keys stay published for follows from the most.
pub const ACCESS: Text = Text::new("5m", "1m", "1h");
/// `authorization_server.tokens.refresh`.
pub const REFRESH: Text = Text::new("30d", "1h", "365d");
/// `authorization_server.tokens.idle`.
pub const REFRESH_IDLE: Text = Text::new("7d", "10m", "90d");
/// `limits.*.burst`.
pub const BURST: Count = Count::new(100, 1, 1_000_000);
/// `limits.*.concurrent`.
pub const CONCURRENT: Count = Count::new(32, 1, 65_536);
/// `limits.request_bytes`.
pub const REQUEST_BYTES: Text = Text::new("4MiB", "1KiB", "64MiB");
/// `limits.answer_bytes`.
pub const ANSWER_BYTES: Text = Text::new("16MiB", "1KiB", "256MiB");
/// `content.output.text_bytes`. No model reads more at once.
pub const TEXT_BYTES: Text = Text::new("4MiB", "1KiB", "256MiB");
/// `content.output.text_tokens`.
pub const TEXT_TOKENS: Count = Count::new(1_000_000, 256, 268_435_456);
/// `content.output.message_bytes`.
pub const MESSAGE_BYTES: Text = Text::new("8MiB", "1KiB", "256MiB");
/// `limits.depth`.
pub const DEPTH: Count = Count::new(64, 8, 128);
/// `limits.members`.
pub const MEMBERS: Count = Count::new(4096, 16, 65_536);
/// `limits.connections`.
pub const CONNECTIONS: Count = Count::new(1024, 1, 65_536);
/// `limits.header_bytes`.
pub const HEADER_BYTES: Text = Text::new("16KiB", "8KiB", "64KiB");
/// `limits.header_time`.
pub const HEADER_TIME: Text = Text::new("10s", "1s", "1m");
/// `limits.body_time`.
pub const BODY_TIME: Text = Text::new("30s", "1s", "10m");
/// `ledger.segment_bytes`.
pub const SEGMENT_BYTES: Text = Text::new("64MiB", "1MiB", "4GiB");
/// `ledger.interval`.
pub const INTERVAL: Text = Text::new("1s", "10ms", "1m");
/// `ledger.checkpoint_records`.
pub const CHECKPOINT_RECORDS: Count = Count::new(1024, 1, 1_000_000);

/// What one kind of caller may do unless the file says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct RateDefault {
    /// How often in the long run.
    pub rate: &'static str,
    /// How many at once after a pause.
    pub burst: u64,
    /// How many at a time.
    pub concurrent: u64,
}

impl RateDefault {
    const fn new(rate: &'static str, burst: u64, concurrent: u64) -> Self {
        RateDefault {
            rate,
            burst,
            concurrent,
        }
    }

    pub(crate) fn told(self) -> impl FnMut(&mut Schema) {
        let RateDefault {
            rate,
            burst,
            concurrent,
        } = self;
        move |schema| {
            let value =
                serde_json::json!({ "rate": rate, "burst": burst, "concurrent": concurrent });
            schema.insert("default".to_owned(), value);
        }
    }
}

/// `limits.source`.
pub const SOURCE: RateDefault = RateDefault::new("200/s", 400, 256);
/// `limits.user`.
pub const USER: RateDefault = RateDefault::new("100/s", 200, 64);
/// `limits.session`.
pub const SESSION: RateDefault = RateDefault::new("50/s", 100, 32);
/// `limits.tool`.
pub const TOOL: RateDefault = RateDefault::new("50/s", 100, 32);
/// `limits.resource`.
pub const RESOURCE: RateDefault = RateDefault::new("50/s", 100, 32);

/// How many bytes a configuration file may have.
pub const FILE_BYTES: usize = 1 << 20;
/// How deep it may nest. The format itself needs 6.
pub const FILE_DEPTH: usize = 16;
/// How many values it may hold, repetitions of anchors included.
pub const FILE_VALUES: usize = 50_000;
/// How many anchors it may define, and how often it may use them.
pub const FILE_ALIASES: usize = 256;

/// How many listeners there may be.
pub const LISTENERS: usize = 16;
/// How many issuers there may be.
pub const ISSUERS: usize = 64;
/// How many tenants one issuer may have. Each is an issuer of its own, with keys of its own.
pub const TENANTS: usize = 256;
/// How many values of `acr` one step-up may accept.
pub const ACR: usize = 16;
/// How many servers there may be.
pub const SERVERS: usize = 1024;
/// How many routes there may be.
pub const ROUTES: usize = 1024;
/// How many servers one route may lead to. A list asks all of them.
pub const ROUTE_SERVERS: usize = 100;
/// How many providers there may be, and how many one message may be put before.
pub const PROVIDERS: usize = 16;
/// How many blocklists one request may name.
pub const BLOCKLISTS: usize = 32;
/// How many further packs of rules one part of the configuration may name.
pub const RULE_PACKS: usize = 16;
/// How many entries any shorter list of words may have: hosts, origins, labels, scopes and so on.
pub const WORDS: usize = 256;
/// Bytes and steps of a JSON Pointer below `content`.
pub const POINTER_LENGTH: usize = 1024;
/// See [`POINTER_LENGTH`].
pub const POINTER_STEPS: usize = 16;
/// `longest` of an identifier, in characters.
pub const IDENTIFIER: Count = Count::new(128, 1, 4096);
/// How many characters a name, label, scope or claim may have.
pub const WORD_LENGTH: usize = 128;
/// How many characters an address or path may have.
pub const ADDRESS_LENGTH: usize = 2048;
