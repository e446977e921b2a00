//! Which fields of a JSON value go on (control P1): those that are kept, less those that are dropped;
//! some of them as tokens only.
//!
//! A projection says what becomes of a field while somebody walks the value. It changes nothing
//! itself, so that what goes on keeps every byte of how it was written.

use crate::pointer::{BYTES, Key, Pattern, Places};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// Subschemas that are looked at.
const VISITED: usize = 4096;
/// Levels of nesting, references counted.
const DEPTH: usize = 32;

/// What becomes of the fields of a value.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    keep: Option<Arc<Places<()>>>,
    drop: Arc<Places<()>>,
    /// By what their tokens stand for.
    tokenise: Arc<Places<Box<str>>>,
}

/// What becomes of one field.
#[derive(Clone, Debug)]
pub enum Fate<'p> {
    /// It goes no further.
    Drop,
    /// It goes on as it is, with all that is in it.
    Keep,
    /// A token that stands for this goes on in its place, if it is a text or a number; what can be no
    /// token is dropped.
    Tokenise(&'p str),
    /// That depends on what is in it.
    Within(Inside<'p>),
}

/// A place on the way through a value.
#[derive(Clone, Debug)]
pub struct Inside<'p> {
    /// Where something is kept below; nothing if all is kept from here.
    keep: Option<Vec<&'p Places<()>>>,
    drop: Vec<&'p Places<()>>,
    tokenise: Vec<&'p Places<Box<str>>>,
}

/// What a schema says of a field and would not hold any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// It is required, and would be dropped.
    Dropped(String),
    /// It is no text, or one of a list, and a token would stand in its place.
    Token(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Dropped(place) | Broken::Token(place) => f.write_str(place),
        }
    }
}

impl Projection {
    /// A projection. Without `keep` everything is kept; what is dropped is so in any case.
    pub fn new<'a>(
        keep: Option<&'a [Pattern]>,
        drop: impl IntoIterator<Item = &'a Pattern>,
        tokenise: impl IntoIterator<Item = (&'a Pattern, &'a str)>,
    ) -> Self {
        let mut tokens = Places::default();
        for (pattern, label) in tokenise {
            tokens.insert(pattern, label.into());
        }
        fn places<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Arc<Places<()>> {
            let mut places = Places::default();
            for pattern in patterns {
                places.insert(pattern, ());
            }
            Arc::new(places)
        }
        Projection {
            keep: keep.map(places),
            drop: places(drop),
            tokenise: Arc::new(tokens),
        }
    }

    /// Whether everything goes on as it is.
    pub fn is_whole(&self) -> bool {
        self.keep.is_none() && self.drop.is_empty() && self.tokenise.is_empty()
    }

    /// Whether some field goes on as a token.
    pub fn has_tokens(&self) -> bool {
        !self.tokenise.is_empty()
    }

    /// What becomes of the whole value.
    pub fn begin(&self) -> Fate<'_> {
        let whole = Inside {
            keep: self.keep.as_deref().map(|keep| vec![keep]),
            drop: vec![&self.drop],
            tokenise: vec![&self.tokenise],
        };
        whole.fate()
    }

    /// Where a value would not be what a schema says, by JSON Pointer: one that it requires would be dropped,
    /// or a token stand where it lets none. A schema that cannot be followed to its end is taken to say
    /// nothing there.
    pub fn breaks(&self, schema: &Value) -> Vec<Broken> {
        let mut required = Required {
            root: schema,
            visited: 0,
            broken: Vec::new(),
        };
        required.look(schema, &self.begin(), &Pattern::whole(), 0);
        required.broken
    }
}

impl<'p> Inside<'p> {
    /// What becomes of a member.
    pub fn member(&self, name: &str) -> Fate<'p> {
        self.step(Key::Member(name)).fate()
    }

    /// What becomes of an item.
    pub fn item(&self, at: usize) -> Fate<'p> {
        self.step(Key::Item(at)).fate()
    }

    /// What becomes of a value that has nothing in it and is not named itself.
    pub fn leaf(&self) -> Fate<'p> {
        match self.keep {
            Some(_) => Fate::Drop,
            None => Fate::Keep,
        }
    }

    fn step(&self, key: Key<'_>) -> Inside<'p> {
        Inside {
            keep: self.keep.as_deref().map(|keep| below(keep, key)),
            drop: below(&self.drop, key),
            tokenise: below(&self.tokenise, key),
        }
    }

    fn fate(mut self) -> Fate<'p> {
        let here = |places: &[&Places<()>]| places.iter().any(|places| places.here().is_some());
        if here(&self.drop) {
            return Fate::Drop;
        }
        if let Some(label) = self.tokenise.iter().find_map(|places| places.here()) {
            return Fate::Tokenise(label);
        }
        if self.keep.as_deref().is_some_and(here) {
            self.keep = None;
        }
        let leads_on = |places: &[&Places<()>]| places.iter().any(|places| places.leads_on());
        let has_tokens = self.tokenise.iter().any(|places| places.leads_on());
        match &self.keep {
            Some(keep) if !leads_on(keep) && !has_tokens => Fate::Drop,
            None if !leads_on(&self.drop) && !has_tokens => Fate::Keep,
            _ => Fate::Within(self),
        }
    }
}

/// What is said below a place.
fn below<'p, T>(places: &[&'p Places<T>], key: Key<'_>) -> Vec<&'p Places<T>> {
    let mut below = Vec::new();
    for places in places {
        match key {
            Key::Member(name) => below.extend(places.member(name)),
            Key::Item(at) => below.extend(places.item(at)),
        }
    }
    below
}

struct Required<'s> {
    root: &'s Value,
    visited: usize,
    broken: Vec<Broken>,
}

impl<'s> Required<'s> {
    fn look(&mut self, schema: &'s Value, fate: &Fate<'_>, place: &Pattern, depth: usize) {
        self.visited += 1;
        let Some(keywords) = schema.as_object() else {
            return;
        };
        if self.visited > VISITED || depth > DEPTH {
            return;
        }
        let inside = match fate {
            Fate::Within(inside) => inside,
            Fate::Tokenise(_) => {
                if !admits_tokens(keywords) {
                    self.add(Broken::Token(place.to_string()));
                }
                return self.same(keywords, fate, place, depth);
            }
            Fate::Drop | Fate::Keep => return,
        };
        // Places are written down: what stands behind a name that no place can hold is not followed.
        let is_short = |name: &str| name.len() <= BYTES;
        let required = keywords.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| is_short(name)) {
            if matches!(inside.member(name), Fate::Drop) {
                self.add(Broken::Dropped(place.member(name).to_string()));
            }
        }
        let properties = keywords.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flatten();
        for (name, inner) in properties.filter(|(name, _)| is_short(name)) {
            self.look(inner, &inside.member(name), &place.member(name), depth + 1);
        }
        if let Some(items) = keywords.get("items") {
            // Any item will do; `*` speaks for all of them.
            let any = inside.item(usize::MAX);
            self.look(items, &any, &place.every(), depth + 1);
        }
        self.same(keywords, fate, place, depth);
    }

    /// What is said of the same value elsewhere.
    fn same(
        &mut self,
        keywords: &'s Map<String, Value>,
        fate: &Fate<'_>,
        place: &Pattern,
        depth: usize,
    ) {
        let reference = keywords.get("$ref").and_then(Value::as_str);
        let root = self.root;
        if let Some(target) = reference
            .filter(|target| target.len() <= BYTES)
            .and_then(|target| target.strip_prefix('#'))
            .and_then(|pointer| root.pointer(pointer))
        {
            self.look(target, fate, place, depth + 1);
        }
        for inner in keywords
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.look(inner, fate, place, depth + 1);
        }
    }

    fn add(&mut self, broken: Broken) {
        if !self.broken.contains(&broken) {
            self.broken.push(broken);
        }
    }
}

/// Whether any text may be there.
fn admits_tokens(keywords: &Map<String, Value>) -> bool {
    let text = |value: &Value| value.as_str() == Some("string");
    let typed = match keywords.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(text),
        Some(one) => text(one),
    };
    typed && !keywords.contains_key("enum") && !keywords.contains_key("const")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        let parse = |text: &&str| Pattern::parse(text).unwrap();
        texts.iter().map(parse).collect()
    }

    fn projection(keep: Option<&[&str]>, drop: &[&str], tokenise: &[&str]) -> Projection {
        let keep = keep.map(patterns);
        let tokenise = patterns(tokenise);
        let tokenise = tokenise.iter().map(|place| (place, "personal.x"));
        Projection::new(keep.as_deref(), &patterns(drop), tokenise)
    }

    /// What goes on, built anew: the plainest reading of what the fates say.
    fn project(value: &Value, fate: Fate<'_>) -> Option<Value> {
        let inside = match fate {
            Fate::Drop => return None,
            Fate::Keep => return Some(value.clone()),
            Fate::Tokenise(_) => {
                return value
                    .as_str()
                    .map(|text| json!(format!("<{}>", text.len())));
            }
            Fate::Within(inside) => inside,
        };
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(at, item)| project(item, inside.item(at)));
                Some(items.collect())
            }
            Value::Object(members) => {
                let members = members.iter().filter_map(|(name, member)| {
                    Some((name.clone(), project(member, inside.member(name))?))
                });
                Some(Value::Object(members.collect()))
            }
            leaf => project(leaf, inside.leaf()),
        }
    }

    /// What is kept, dropped and made a token, and what goes on then.
    type Row = (
        Option<&'static [&'static str]>,
        &'static [&'static str],
        &'static [&'static str],
        Value,
    );

    fn rows(value: &Value) -> Vec<Row> {
        vec![
            (None, &[], &[], value.clone()),
            (Some(&[""]), &[], &[], value.clone()),
            (Some(&[]), &[], &[], Value::Null),
            (None, &[""], &[], Value::Null),
            (Some(&["/id"]), &[], &[], json!({"id": 7})),
            (
                Some(&["/home"]),
                &["/home/street"],
                &[],
                json!({"home": {"town": "y"}}),
            ),
            (
                Some(&["/home/town"]),
                &[],
                &[],
                json!({"home": {"town": "y"}}),
            ),
            // A field that holds nothing cannot hold what is kept.
            (Some(&["/name/first"]), &[], &[], json!({})),
            (
                Some(&["/orders/*/no"]),
                &[],
                &[],
                json!({"orders": [{"no": 1}, {"no": 2}]}),
            ),
            (
                Some(&["/orders/1/no"]),
                &[],
                &[],
                json!({"orders": [{"no": 2}]}),
            ),
            (
                None,
                &["/orders/*/card", "/home", "/name"],
                &[],
                json!({"id": 7, "orders": [{"no": 1}, {"no": 2}, "loose"]}),
            ),
            (
                Some(&["/*"]),
                &["/home", "/orders"],
                &[],
                json!({"id": 7, "name": "Ada"}),
            ),
        ]
    }

    fn more_rows(value: &Value) -> Vec<Row> {
        vec![
            // To drop goes before to keep, and to keep before nothing said.
            (Some(&["/id"]), &["/id"], &[], json!({})),
            (
                Some(&["/id"]),
                &[],
                &["/name", "/orders/*/card"],
                json!({"id": 7, "name": "<3>", "orders": [{"card": "<4>"}, {"card": "<4>"}]}),
            ),
            (Some(&["/x"]), &[], &["/id", "/home"], json!({})),
            (
                None,
                &[],
                &["/home/town", "/name"],
                json!({
                    "id": 7,
                    "name": "<3>",
                    "home": {"street": "x", "town": "<1>"},
                    "orders": value["orders"],
                }),
            ),
            // What is kept is kept as a token.
            (
                Some(&["/id", "/name"]),
                &[],
                &["/name"],
                json!({"id": 7, "name": "<3>"}),
            ),
            (
                None,
                &["/home"],
                &["/orders/*/card"],
                json!({
                    "id": 7,
                    "name": "Ada",
                    "orders": [{"no": 1, "card": "<4>"}, {"no": 2, "card": "<4>"}, "loose"],
                }),
            ),
            (None, &["/nowhere", "/id/deeper"], &[], value.clone()),
        ]
    }

    #[test]
    fn p1_what_is_kept_goes_on_less_what_is_dropped() {
        let value = json!({
            "id": 7,
            "name": "Ada",
            "home": {"street": "x", "town": "y"},
            "orders": [{"no": 1, "card": "4111"}, {"no": 2, "card": "4222"}, "loose"],
        });
        for (keep, drop, tokenise, expected) in rows(&value).into_iter().chain(more_rows(&value)) {
            let projection = projection(keep, drop, tokenise);
            let is_whole = keep.is_none() && drop.is_empty() && tokenise.is_empty();
            assert_eq!(projection.is_whole(), is_whole);
            let went_on = project(&value, projection.begin()).unwrap_or_default();
            assert_eq!(went_on, expected, "{keep:?} {drop:?} {tokenise:?}");
        }
    }

    #[test]
    fn p1_a_required_field_that_would_be_dropped_is_told() {
        let schema = json!({
            "type": "object",
            "required": ["id", "name", "orders"],
            "properties": {
                "id": {}, "name": {},
                "orders": {"type": "array", "items": {"$ref": "#/$defs/order"}},
                "home": {"required": ["town"], "properties": {"town": {}}},
            },
            "allOf": [{"required": ["note"]}],
            "$defs": {"order": {"required": ["no"], "properties": {"next": {"$ref": "#/$defs/order"}}}},
        });
        type Row<'a> = (Option<&'a [&'a str]>, &'a [&'a str], &'a [&'a str]);
        let rows: Vec<Row<'_>> = vec![
            (None, &[], &[]),
            (None, &["/name"], &["/name"]),
            (None, &["/other", "/home"], &[]),
            (None, &["/home/town"], &["/home/town"]),
            (None, &["/orders/*/no"], &["/orders/*/no"]),
            (None, &["/note"], &["/note"]),
            (Some(&["/id", "/name", "/note"]), &[], &["/orders"]),
            (
                Some(&["/id", "/name", "/note", "/orders/*/card"]),
                &[],
                &["/orders/*/no"],
            ),
            (Some(&["/id", "/name", "/note", "/orders"]), &[], &[]),
        ];
        for (keep, drop, missing) in rows {
            let broken = projection(keep, drop, &[]).breaks(&schema);
            let missing: Vec<_> = missing
                .iter()
                .map(|place| Broken::Dropped((*place).to_owned()))
                .collect();
            assert_eq!(broken, missing, "{keep:?} {drop:?}");
        }
    }

    #[test]
    fn p1_behind_a_name_that_no_place_holds_nothing_is_said_to_be_required() {
        for (length, count) in [(1024, 1), (1025, 0)] {
            let name = "x".repeat(length);
            let schema = json!({"properties": {name.as_str(): {"required": ["a"]}}});
            let broken = projection(None, &["/*/a"], &[]).breaks(&schema);
            assert_eq!(broken.len(), count, "{length}");
        }
    }

    #[test]
    fn p1_a_schema_is_read_as_far_as_it_may_be_large() {
        let required = json!({"required": ["name"]});
        let nested = |levels: usize| {
            (0..levels).fold(required.clone(), |inner, _| json!({ "allOf": [inner] }))
        };
        let many = |others: usize| {
            let mut all = vec![json!({}); others];
            all.push(required.clone());
            json!({ "allOf": all })
        };
        for (schema, is_told) in [
            (nested(DEPTH), true),
            (nested(DEPTH + 1), false),
            (many(VISITED - 2), true),
            (many(VISITED - 1), false),
        ] {
            let broken = projection(None, &["/name"], &[]).breaks(&schema);
            assert_eq!(broken.len(), usize::from(is_told));
        }
    }

    #[test]
    fn p1_a_token_stands_for_what_is_required() {
        let schema = json!({"required": ["mail"], "properties": {"mail": {}}});
        let tokens = projection(Some(&["/id"]), &[], &["/mail"]);
        assert!(tokens.has_tokens() && tokens.breaks(&schema).is_empty());
    }

    #[test]
    fn p1_no_token_stands_where_a_schema_lets_none() {
        let schema = json!({
            "properties": {
                "text": {"type": "string"}, "any": {}, "either": {"type": ["integer", "string"]},
                "number": {"type": "integer"}, "word": {"enum": ["a"]}, "one": {"const": "a"},
                "referred": {"$ref": "#/$defs/number"}, "both": {"allOf": [{"type": "object"}]},
                "list": {"items": {"type": "boolean"}},
            },
            "$defs": {"number": {"type": "number"}},
        });
        for (place, fits) in [
            ("/text", true),
            ("/any", true),
            ("/either", true),
            ("/unheard_of", true),
            ("/number", false),
            ("/word", false),
            ("/one", false),
            ("/referred", false),
            ("/both", false),
            ("/list/*", false),
        ] {
            let broken = projection(None, &[], &[place]).breaks(&schema);
            let expected = match fits {
                true => vec![],
                false => vec![Broken::Token(place.to_owned())],
            };
            assert_eq!(broken, expected, "{place}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(1)), Just(json!("t")), Just(Value::Null)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[abc]", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn places() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("(/([abc]|\\*|0|1)){0,3}", 0..4)
    }

    proptest! {
        /// Nothing below a dropped place goes on, and nothing that is not below a kept one.
        #[test]
        fn p1_nothing_goes_on_that_is_not_kept(value in values(), keep in places(), drop in places()) {
            let keep: Vec<_> = keep.iter().map(String::as_str).collect();
            let drop: Vec<_> = drop.iter().map(String::as_str).collect();
            let went_on = project(&value, projection(Some(&keep), &drop, &[]).begin());
            let went_on = went_on.unwrap_or_default();
            let mut leaves = Vec::new();
            // Items move up where others were dropped: only values without arrays keep their places.
            if !value.to_string().contains('[') {
                every_leaf(&went_on, "", &mut leaves);
            }
            for leaf in leaves {
                prop_assert!(keep.iter().any(|kept| is_below(&leaf, kept)), "{leaf} {keep:?}");
                prop_assert!(!drop.iter().any(|dropped| is_below(&leaf, dropped)), "{leaf} {drop:?}");
            }
        }
    }

    fn every_leaf(value: &Value, place: &str, leaves: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    every_leaf(member, &format!("{place}/{name}"), leaves);
                }
            }
            Value::Null => {}
            _ => leaves.push(place.to_owned()),
        }
    }

    fn is_below(place: &str, pattern: &str) -> bool {
        let mut place = place.split('/').skip(1);
        let mut steps = pattern.split('/').skip(1);
        steps.all(|step| place.next().is_some_and(|name| step == "*" || step == name))
    }
}
