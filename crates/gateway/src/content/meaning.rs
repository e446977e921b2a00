//! What the arguments of tools and prompts and the URIs of resources mean, as an operator declared it and as
//! definitions and names tell (control 1.1): compiled once for a server on a route. What a value leads to is
//! looked up elsewhere.

mod declared;

pub(super) use declared::pattern;
use declared::{network, parameters};

use crate::catalog::Tool;
use crate::egress::Network;
use config::settled::{self, Recognised, ToolPattern, UriForm};
use inspect::meaning::{
    self, Around, Asked, Basis, Consequence, DeclarationError, Expectation, Judged, Kind,
    Parameters, Reach, Roots, RootsError,
};
use inspect::pointer::PatternError;
use inspect::schema::{Budget, Hush, Schema, SchemaError, Strictness, Violations};
use serde_json::{Map, Value};
use std::cmp::Reverse;

/// Why what a configuration says of arguments and results cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A schema of the operator's declares something that is no declaration.
    #[error("`content.arguments.schemas` of `{tool}`: {error}")]
    Declaration {
        /// The tools.
        tool: ToolPattern,
        /// What is wrong.
        error: DeclarationError,
    },
    /// A host is none.
    #[error("`hosts` of `{place}` of `{tool}`: `{host}` is not a host")]
    Host {
        /// The tools.
        tool: ToolPattern,
        /// The parameter.
        place: String,
        /// What was written.
        host: String,
    },
    /// A pointer is none.
    #[error("`{place}` of `{tool}`: {error}")]
    Pattern {
        /// The tools.
        tool: ToolPattern,
        /// What was written.
        place: String,
        /// What is wrong.
        error: PatternError,
    },
    /// What goes on as a token is turned back before it is sent.
    #[error(
        "`arguments.tokenise.{place}` of `{tool}`: `{label}` is turned back by `content.data.reveal`"
    )]
    Revealed {
        /// The tools.
        tool: ToolPattern,
        /// The field.
        place: String,
        /// What the token stands for.
        label: String,
    },
    /// A root is none.
    #[error("`roots` of `{place}`: {error}")]
    Roots {
        /// The parameter, or the part of the configuration.
        place: String,
        /// What is wrong.
        error: RootsError,
    },
    /// A schema of the operator's cannot be enforced.
    #[error("`content.arguments.schemas` of `{tool}`: {error}")]
    Schema {
        /// The tools.
        tool: ToolPattern,
        /// What is wrong.
        error: SchemaError,
    },
}

/// What the whole of a URI is called among its variables.
const WHOLE: &str = settled::UriForm::WHOLE;

/// What is said to one server means on one route.
#[derive(Debug)]
pub(crate) struct Meanings {
    recognised: Recognised,
    network: Network,
    /// Where recognised paths have to lie.
    roots: Roots,
    /// What is declared: what names a tool most exactly first.
    declared: Vec<(ToolPattern, Parameters)>,
    /// The same of prompts.
    prompts: Vec<(ToolPattern, Parameters)>,
    /// The same of resources, by the forms of their URIs.
    resources: Vec<(UriForm, Parameters)>,
    schemas: Vec<(ToolPattern, Schema)>,
}

impl Default for Meanings {
    fn default() -> Self {
        Meanings {
            recognised: Recognised::Refuse,
            network: Network::Private,
            roots: Roots::default(),
            declared: Vec::new(),
            prompts: Vec::new(),
            resources: Vec::new(),
            schemas: Vec::new(),
        }
    }
}

impl Meanings {
    pub(super) fn new(settled: &settled::Arguments) -> Result<Self, ContentError> {
        let roots = Roots::new(settled.roots.iter().map(String::as_str));
        let mut meanings = Meanings {
            recognised: settled.recognised,
            network: network(settled.network),
            roots: roots.map_err(|error| ContentError::Roots {
                place: "content.arguments".to_owned(),
                error,
            })?,
            ..Meanings::default()
        };
        for (tool, said) in &settled.tools {
            meanings
                .declared
                .push((tool.clone(), parameters(tool, said)?));
        }
        for (prompt, said) in &settled.prompts {
            meanings
                .prompts
                .push((prompt.clone(), parameters(prompt, said)?));
        }
        for (form, said) in &settled.resources {
            let named = ToolPattern::Named(form.to_string());
            meanings
                .resources
                .push((form.clone(), parameters(&named, said)?));
        }
        for (tool, text) in &settled.schemas {
            meanings.overlay(tool, text)?;
        }
        for (tool, schema) in &settled.schema_files {
            // Whoever read the configuration has put the text there, or does not run it.
            meanings.overlay(tool, schema.text.as_deref().unwrap_or_default())?;
        }
        // A stable sort: of one tool, what stands under `tools` goes first.
        for named in [&mut meanings.declared, &mut meanings.prompts] {
            named.sort_by_key(|(called, _)| Reverse(super::exactness(called)));
        }
        meanings
            .resources
            .sort_by_key(|(form, _)| Reverse(form.fixed()));
        Ok(meanings)
    }

    fn overlay(&mut self, tool: &ToolPattern, text: &str) -> Result<(), ContentError> {
        // INVARIANT: the settled configuration holds JSON; what is none enforces nothing but `false`.
        let schema: Value = serde_json::from_str(text).unwrap_or(Value::Bool(false));
        let declared = meaning::declared(&schema).map_err(|error| ContentError::Declaration {
            tool: tool.clone(),
            error,
        })?;
        let mut parameters = Parameters::default();
        for (place, expectation) in declared {
            parameters.expect(&place, expectation);
        }
        let compiled = Schema::compile(&schema, Strictness::Declared, &Budget::default());
        let compiled = compiled.map_err(|error| ContentError::Schema {
            tool: tool.clone(),
            error,
        })?;
        self.declared.push((tool.clone(), parameters));
        self.schemas.push((tool.clone(), compiled));
        Ok(())
    }

    /// Whether the arguments fit the operator's own schemas as well.
    pub(crate) fn fits(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        hush: Hush<'_>,
    ) -> Result<(), Violations> {
        let mut schemas = self
            .schemas
            .iter()
            .filter(|(tools, _)| tools.names(&tool.name));
        let Some((_, first)) = schemas.next() else {
            return Ok(());
        };
        let arguments = Value::Object(arguments.clone());
        first.check_hushed(&arguments, hush)?;
        schemas.try_for_each(|(_, schema)| schema.check_hushed(&arguments, hush))
    }

    /// The arguments about which there is something to say. What names a tool more exactly goes before
    /// what names it less so, and what is declared before what is recognised.
    pub(crate) fn judge<'a>(
        &'a self,
        tool: &'a Tool,
        arguments: &Map<String, Value>,
        asked: Asked,
    ) -> Vec<Judged<'a>> {
        let (mut judged, said) = declared(&self.declared, &tool.name, arguments, asked);
        if self.recognised != Recognised::Ignore {
            let around = Around {
                asked,
                others: &said,
                roots: Some(&self.roots),
            };
            judged.extend(tool.recognised.check_but(arguments, &around));
        }
        judged
    }

    /// The same of a prompt, of whose arguments nothing is known but their names.
    pub(crate) fn judge_prompt(
        &self,
        prompt: &str,
        arguments: &Map<String, Value>,
        asked: Asked,
    ) -> Vec<Judged<'_>> {
        let (mut judged, said) = declared(&self.prompts, prompt, arguments, asked);
        judged.extend(self.by_name(arguments, &said, asked));
        judged
    }

    /// The same of the URI of a resource. One of a scheme of which something is declared has to have one of
    /// the forms that are.
    pub(crate) fn judge_uri(&self, uri: &str, asked: Asked) -> Vec<Judged<'_>> {
        let around = Around {
            asked,
            others: &[],
            roots: Some(&self.roots),
        };
        let mut forms = self.resources.iter();
        let declared = forms.find_map(|(form, said)| Some((form.values(uri)?, said)));
        let knows = |(form, _): &(UriForm, Parameters)| form.speaks_of(uri);
        match declared {
            _ if asked == Asked::Unseen => meaning::check_uri(uri, &around),
            Some((values, said)) => self.judge_parts(uri, &values, said),
            None if self.resources.iter().any(knows) => {
                meaning::undeclared(uri).into_iter().collect()
            }
            None if self.recognised == Recognised::Ignore => Vec::new(),
            None => meaning::check_uri(uri, &around),
        }
    }

    /// What stands in the variables of a URI, and the whole of it, which is called `uri`.
    fn judge_parts<'a>(
        &'a self,
        uri: &str,
        parts: &[(&str, &str)],
        said: &'a Parameters,
    ) -> Vec<Judged<'a>> {
        let mut judged = meaning::check_parts(said, parts, &Around::default());
        if parts.iter().all(|(name, _)| *name != WHOLE) {
            let whole = Map::from_iter([(WHOLE.to_owned(), Value::from(uri))]);
            judged.extend(said.check(&whole));
        }
        if self.recognised != Recognised::Ignore {
            let around = Around {
                others: &[said],
                roots: Some(&self.roots),
                ..Around::default()
            };
            judged.extend(meaning::check_named_parts(parts, &around));
        }
        judged
    }

    /// The same of values for the variables of a template of URIs.
    pub(crate) fn judge_template(
        &self,
        template: &str,
        values: &Map<String, Value>,
        asked: Asked,
    ) -> Vec<Judged<'_>> {
        let mut forms = self.resources.iter();
        let said = forms.find(|(form, _)| form.is(template));
        let said: Vec<_> = said.map(|(_, said)| said).into_iter().collect();
        let around = Around {
            asked,
            ..Around::default()
        };
        let own = said.iter().flat_map(|said| said.check_but(values, &around));
        let mut judged: Vec<_> = own.collect();
        judged.extend(self.by_name(values, &said, asked));
        judged
    }

    fn by_name(
        &self,
        values: &Map<String, Value>,
        said: &[&Parameters],
        asked: Asked,
    ) -> Vec<Judged<'static>> {
        let around = Around {
            asked,
            others: said,
            roots: Some(&self.roots),
        };
        match self.recognised {
            Recognised::Ignore => Vec::new(),
            _ => meaning::check_named(values, &around),
        }
    }

    /// What becomes of a value for which this was expected, and which is not that for sure, or perhaps.
    pub(crate) fn consequence(&self, expected: &Expectation, as_said: Consequence) -> Consequence {
        match (expected.basis, self.recognised) {
            (Basis::Recognised, Recognised::Report | Recognised::Ignore) => Consequence::Report,
            _ => as_said,
        }
    }

    /// Where a path has to lie.
    pub(crate) fn roots<'a>(&'a self, expected: &'a Expectation) -> Option<&'a Roots> {
        match &expected.kind {
            Kind::Path(own) if own.is_empty() && expected.basis == Basis::Recognised => {
                Some(&self.roots)
            }
            Kind::Path(own) => Some(own),
            _ => None,
        }
    }

    /// Where an address may lead.
    pub(crate) fn network(&self, expected: &Expectation) -> Network {
        match (&expected.kind, expected.basis) {
            (_, Basis::Recognised) => self.network,
            (Kind::Url(addresses) | Kind::Host(addresses), _) => match addresses.reach {
                Reach::Public => Network::Public,
                Reach::Private => Network::Private,
            },
            _ => Network::Public,
        }
    }
}

/// What is declared of one thing: what names it more exactly goes first, and counts.
fn declared<'a>(
    all: &'a [(ToolPattern, Parameters)],
    called: &str,
    values: &Map<String, Value>,
    asked: Asked,
) -> (Vec<Judged<'a>>, Vec<&'a Parameters>) {
    let mut judged = Vec::new();
    let mut said: Vec<&Parameters> = Vec::new();
    for (pattern, parameters) in all {
        if pattern.names(called) {
            let around = Around {
                asked,
                others: &said,
                roots: None,
            };
            judged.extend(parameters.check_but(values, &around));
            said.push(parameters);
        }
    }
    (judged, said)
}

#[cfg(test)]
mod tests;
