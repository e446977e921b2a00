//! Inventing values that a JSON Schema allows, from a tape of numbers: short tapes of small numbers
//! make small values, so that a failure shrinks to something one can read.

use crate::official::{Official, official};
use ringwall_protocol::Revision;
use serde_json::{Map, Value, json};

/// Numbers to decide by. Zeros when it has run out: every choice is then the first, every list empty.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    numbers: Vec<u16>,
    at: usize,
}

impl Tape {
    pub(crate) fn new(numbers: Vec<u16>) -> Self {
        Tape { numbers, at: 0 }
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % end.max(1)
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let place = self.below(choices.len());
        choices.get(place).expect("there is a choice")
    }
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "b c",
    "\"quoted\" \\ \n",
    "é漢\u{1f600}\u{200d}",
    "x\u{0}y",
    "null",
];
const LATER: &[&str] = &["x-later", "com.example/note", "später", "a\"b"];
/// Nesting at which optional members end.
const DEEP: usize = 9;

/// Invents values that the definitions of one revision allow.
pub(crate) struct Inventor<'t> {
    pub(crate) revision: Revision,
    pub(crate) tape: &'t mut Tape,
}

impl Inventor<'_> {
    fn official(&self) -> &'static Official {
        official(self.revision)
    }

    /// A value of the definition of this name.
    pub(crate) fn of(&mut self, name: &str) -> Value {
        let definition = self.official().definition(name);
        let made = self.value(definition, 0);
        // The inventor is no better than its own test.
        self.official().check(name, &made);
        made
    }

    /// The params that a message of this method may have.
    pub(crate) fn params(&mut self, method: &str) -> Value {
        let name = self.official().name_of(method).unwrap().to_owned();
        let definition = self.official().definition(&name);
        match definition.pointer("/properties/params") {
            Some(params) => self.value(params, 0),
            None => json!({}),
        }
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            let target = self.official().whole.pointer(pointer).unwrap();
            return self.value(target, depth);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return self.tape.pick(values).clone();
        }
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            let choice = match depth > DEEP {
                true => choices.last().unwrap(),
                false => self.tape.pick(choices),
            };
            return self.value(choice, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(part) = self.value(part, depth) {
                    whole.extend(part);
                }
            }
            return Value::Object(whole);
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => self.tape.pick(kinds).as_str(),
            Some(kind) => kind.as_str(),
            None => return self.anything(depth),
        };
        match kind.unwrap() {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => self.string(schema),
            "integer" => self.integer(schema),
            "number" => self.number(schema),
            "boolean" => json!(self.tape.one_in(2)),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut made = Map::new();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let members = schema.get("properties").and_then(Value::as_object);
        for (name, member) in members.into_iter().flatten() {
            let wanted = required.contains(&name.as_str()) || (depth < DEEP && self.tape.one_in(3));
            if wanted {
                made.insert(name.clone(), self.value(member, depth + 1));
            }
        }
        if depth < DEEP && self.tape.one_in(4) {
            let name = (*self.tape.pick(LATER)).to_owned();
            let value = match schema.get("additionalProperties") {
                Some(more @ Value::Object(_)) => self.value(more, depth + 1),
                _ => self.anything(depth + 1),
            };
            made.insert(name, value);
        }
        Value::Object(made)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let count = match depth < DEEP {
            true => self.tape.below(3),
            false => 0,
        };
        let items = schema.get("items").cloned().unwrap_or(json!({}));
        (0..count).map(|_| self.value(&items, depth + 1)).collect()
    }

    fn string(&mut self, schema: &Value) -> Value {
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("uri") => *self
                .tape
                .pick(&["file:///a", "https://b.example/c%20d?e=f#g"]),
            Some("uri-template") => *self.tape.pick(&["file:///{x}", "file:///a"]),
            Some("byte") => *self.tape.pick(&["", "AAAA", "YQ=="]),
            _ => *self.tape.pick(TEXTS),
        };
        json!(text)
    }

    fn integer(&mut self, schema: &Value) -> Value {
        match schema.get("minimum") {
            Some(_) => json!(self.tape.below(2)),
            None => json!(*self.tape.pick(&[0, 1, -1, 9_007_199_254_740_991_i64])),
        }
    }

    fn number(&mut self, schema: &Value) -> Value {
        match schema.get("maximum") {
            Some(_) => json!(*self.tape.pick(&[0.0, 0.5, 1.0])),
            None => json!(*self.tape.pick(&[0.0, 1.0, -2.5, 1e300])),
        }
    }

    pub(crate) fn anything(&mut self, depth: usize) -> Value {
        match self.tape.below(if depth < DEEP { 7 } else { 5 }) {
            0 => Value::Null,
            1 => json!(*self.tape.pick(TEXTS)),
            2 => json!(true),
            3 => json!(7),
            4 => json!(-0.25),
            5 => (0..self.tape.below(3))
                .map(|_| self.anything(depth + 1))
                .collect(),
            _ => {
                let mut made = Map::new();
                for _ in 0..self.tape.below(3) {
                    let name = (*self.tape.pick(LATER)).to_owned();
                    made.insert(name, self.anything(depth + 1));
                }
                Value::Object(made)
            }
        }
    }
}
