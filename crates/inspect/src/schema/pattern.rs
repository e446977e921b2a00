//! Regular expressions of a schema: run in linear time or not at all, and priced by their size.
//!
//! The engine looks at each byte of a text once for each state it may be in, so a pattern costs its
//! compiled size for each byte. What it cannot run that way (look-around, back-references) is refused.

use super::error::{SchemaError, shorten};
use super::graph::Graph;
use jsonschema::PatternOptions;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Bytes a compiled pattern may take, and the work it is for each byte of text.
const SIZES: [(usize, u64); 4] = [
    (4 << 10, 1),
    (32 << 10, 8),
    (128 << 10, 32),
    (512 << 10, 128),
];

/// Bytes of the table an engine may build as it goes.
const TABLE: usize = 1 << 20;

/// How patterns are compiled.
pub(super) fn options(size: usize) -> PatternOptions<jsonschema::Regex> {
    PatternOptions::regex()
        .size_limit(size)
        .dfa_size_limit(TABLE)
}

/// How patterns of an accepted schema are compiled.
pub(super) fn largest() -> PatternOptions<jsonschema::Regex> {
    options(SIZES.last().map_or(0, |(size, _)| *size))
}

/// The work of each node's patterns for each byte of text.
pub(super) fn prices(graph: &Graph<'_>, most_bytes: usize) -> Result<Vec<u64>, SchemaError> {
    let mut known: HashMap<&str, u64> = HashMap::new();
    let mut bytes = 0;
    let mut prices = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let mut price = 0u64;
        let keywords = node.keywords();
        let own = keywords
            .and_then(|keywords| keywords.get("pattern"))
            .and_then(Value::as_str);
        let named = keywords
            .and_then(|keywords| keywords.get("patternProperties"))
            .and_then(Value::as_object);
        let named = named
            .into_iter()
            .flat_map(|named| named.keys().map(String::as_str));
        // Names are matched again for the members that no pattern names.
        for (pattern, times) in own
            .map(|own| (own, 1))
            .into_iter()
            .chain(named.map(|name| (name, 3)))
        {
            let each = match known.get(pattern) {
                Some(known) => *known,
                None => {
                    bytes += pattern.len();
                    if bytes > most_bytes {
                        let what = "bytes of patterns";
                        return Err(SchemaError::TooLarge {
                            what,
                            limit: most_bytes,
                        });
                    }
                    let each = price_of(pattern)?;
                    known.insert(pattern, each);
                    each
                }
            };
            price = price.saturating_add(each * times);
        }
        prices.push(price);
    }
    Ok(prices)
}

fn price_of(pattern: &str) -> Result<u64, SchemaError> {
    let schema = json!({ "pattern": pattern });
    let fits = |size: usize| {
        jsonschema::options()
            .offline()
            .with_pattern_options(options(size))
            .build(&schema)
            .is_ok()
    };
    SIZES
        .into_iter()
        .find(|(size, _)| fits(*size))
        .map(|(_, price)| price)
        .ok_or_else(|| SchemaError::Pattern {
            pattern: shorten(pattern),
        })
}
