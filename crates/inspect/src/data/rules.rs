//! A set of rules, ready to look at texts.

use super::fields;
use super::pack::Pack;
use super::rule::{Anchor, Rule};
use super::scan::{self, Engine, Looked, Sight};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The most rules of one set.
pub const RULES: usize = 2000;

/// Rules that look at texts together.
pub struct Rules {
    rules: Box<[Rule]>,
    engine: Engine,
    by_field: HashMap<Box<str>, usize>,
}

/// Why rules cannot be one set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There are too many.
    #[error("there are {0} rules, more than {RULES}")]
    Many(usize),
    /// Two packs name a rule alike.
    #[error("two packs have a rule `{0}`")]
    Twice(Box<str>),
}

impl Rules {
    /// The rules of these packs that `wanted` wants.
    pub fn of(
        packs: impl IntoIterator<Item = Pack>,
        wanted: impl Fn(&Rule) -> bool,
    ) -> Result<Arc<Rules>, Unfit> {
        let rules: Vec<Rule> = packs
            .into_iter()
            .flat_map(Pack::into_rules)
            .filter(|rule| wanted(rule))
            .collect();
        if rules.len() > RULES {
            return Err(Unfit::Many(rules.len()));
        }
        let mut by_field = HashMap::new();
        let mut ids = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            if ids.insert(rule.id.clone(), index).is_some() {
                return Err(Unfit::Twice(rule.id.clone()));
            }
            for field in &rule.fields {
                by_field.entry(field.clone()).or_insert(index);
            }
        }
        let engine = Engine::of(&rules);
        Ok(Arc::new(Rules {
            rules: rules.into(),
            engine,
            by_field,
        }))
    }

    /// Everything that is seen in a text: in order, and no two at one place.
    pub fn scan(&self, text: &str) -> Vec<Sight<'_>> {
        self.look(text).sights
    }

    /// The same, with whether all of the text was looked at.
    pub fn look(&self, text: &str) -> Looked<'_> {
        match text.len() < SHORTEST {
            true => Looked::default(),
            false => scan::scan(&self.engine, &self.rules, text),
        }
    }

    /// What the name of a member says of a value that is all of its text, unless the text reads like
    /// none at all.
    pub fn of_field(&self, name: &str, text: &str) -> Option<Sight<'_>> {
        if self.by_field.is_empty() || text.len() < SHORTEST {
            return None;
        }
        let rule = self.by_field.get(fields::Plain::of(name)?.as_str())?;
        if super::is_placeholder(text) {
            return None;
        }
        let rule = self.rules.get(*rule)?;
        // The check of a rule with a form is one of that form.
        if matches!(rule.anchor, Anchor::Field) && rule.value(text).is_none() {
            return None;
        }
        Some(Sight {
            at: 0..text.len(),
            by: 0..text.len(),
            rule,
            confidence: rule.confidence.min(super::Confidence::Medium),
        })
    }

    /// Whether the names of members say anything at all.
    pub fn go_by_names(&self) -> bool {
        !self.by_field.is_empty()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// How far apart the first and the last byte can be that something is seen by, in bytes.
    pub fn reach(&self) -> usize {
        let reaches = self.rules.iter().map(|rule| match &rule.anchor {
            Anchor::Near { before, after, .. } => rule.longest + before + after,
            _ => rule.longest + scan::DIGITS,
        });
        reaches.max().unwrap_or(0)
    }
}

/// Nothing that is looked for is shorter, in bytes.
const SHORTEST: usize = 4;

/// Says how many there are.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.rules.len())
    }
}
