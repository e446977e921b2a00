//! Text with a form of its own: times, sizes, rates, references to secrets. Kept as written until it
//! is settled, so that every mistake in it is reported with its place and a remedy.
//!
//! What might be a secret by mistake is not shown when it is printed for debugging.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

macro_rules! text {
    ($( $(#[$about:meta])* $name:ident, $schema:tt; )+) => { $(
        $(#[$about])*
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+ };
}

text! {
    /// A time: `500ms`, `30s`, `5m`, `12h`, `7d`.
    Time, { "type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h|d)$", "x-kind": "time" };
    /// A size: `512B`, `16KiB`, `4MiB`, `1GiB`.
    Size, { "type": ["string", "integer"], "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB)?$", "x-kind": "size" };
    /// How often: `50/s`, `600/m`, `100/h`.
    Rhythm, { "type": "string", "pattern": "^[0-9]+ ?/ ?(s|m|h)$", "x-kind": "rate" };
    /// A reference to a secret: `env:NAME`, `file:path`. Never the secret.
    Reference, { "type": "string", "pattern": "^(env|file):.+$", "x-kind": "secret reference" };
    /// The value of an environment variable: a reference to a secret, or what is no secret.
    Value, { "type": ["string", "number", "boolean"], "x-kind": "text or secret reference" };
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(…)")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}
