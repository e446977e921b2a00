//! The tree of a YAML file with the place of every value: only its shape, not its meaning.
//!
//! Scalars are kept as far as their kind matters; the typed value is read from the text again.

use crate::problem::Positions;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Options, Spanned};
use std::fmt;

/// One value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing was written, or `null`.
    Nothing,
    /// `true` or `false`.
    Truth,
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number.
    Number,
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names with values. The place of a name is kept: it is what an unknown setting points at.
    Map(Vec<(Key, Node)>),
}

/// A name in a map.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Node {
    pub(crate) fn read(text: &str, options: Options) -> Result<Node, Error> {
        serde_saphyr::from_str_with_options(text, options)
    }

    /// Where every value stands, by path. The place of a whole file is its first line.
    pub(crate) fn positions(&self) -> Positions {
        let mut positions = Positions::default();
        self.place(&mut String::new(), &mut positions);
        positions
    }

    fn place(&self, path: &mut String, positions: &mut Positions) {
        positions.put(path, self.line, self.column);
        let length = path.len();
        match &self.kind {
            Kind::List(list) => {
                for (index, node) in list.iter().enumerate() {
                    path.push_str(&step_index(index));
                    node.place(path, positions);
                    path.truncate(length);
                }
            }
            Kind::Map(map) => {
                for (key, node) in map {
                    let step = step_name(path, &key.name);
                    path.push_str(&step);
                    node.place(path, positions);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// The value under a name, if this is a map that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(map) => map.iter().find(|(key, _)| key.name == name).map(|it| &it.1),
            _ => None,
        }
    }
}

/// How a path goes on into a list.
pub(crate) fn step_index(index: usize) -> String {
    format!("[{index}]")
}

/// How a path goes on into a map.
pub(crate) fn step_name(path: &str, name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if name.is_empty() || !name.bytes().all(plain) {
        return format!("[{:?}]", shortened(name));
    }
    if path.is_empty() {
        return name.to_owned();
    }
    format!(".{name}")
}

/// The path of one entry of a map.
pub fn each(path: &str, name: &str) -> String {
    format!("{path}{}", step_name(path, name))
}

/// User text short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 64;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned {
            value, referenced, ..
        } = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Node {
            line: whole(referenced.line()),
            column: whole(referenced.column()),
            kind: value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape)
    }
}

/// A line or column, as far as anybody counts.
pub(crate) fn whole(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

struct Shape;

impl<'de> Visitor<'de> for Shape {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or names with values")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Truth)
    }

    fn visit_u64<E>(self, it: u64) -> Result<Kind, E> {
        Ok(Kind::Whole(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Kind, E> {
        Ok(u64::try_from(it).map_or(Kind::Number, Kind::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Number)
    }

    fn visit_str<E>(self, it: &str) -> Result<Kind, E> {
        Ok(Kind::Text(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Kind, E> {
        Ok(Kind::Text(it))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let node = access.next_value()?;
            let key = Key {
                line: whole(key.referenced.line()),
                column: whole(key.referenced.column()),
                name: key.value,
            };
            map.push((key, node));
        }
        Ok(Kind::Map(map))
    }
}
