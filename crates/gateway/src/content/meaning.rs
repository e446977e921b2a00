//! What the arguments of tools mean, as an operator declared it and as definitions tell (control 1.1):
//! compiled once for a server on a route. What a value leads to is looked up elsewhere.

use crate::catalog::Tool;
use crate::egress::Network;
use config::settled::{self, Misfit, Recognised, ToolPattern};
use inspect::meaning::{
    self, Addresses, Around, Asked, Basis, Consequence, DeclarationError, Expectation, HostPattern,
    Judged, Kind, Letters, Meaning, Parameters, Reach, Roots, RootsError,
};
use inspect::pointer::{Pattern, PatternError};
use inspect::schema::{Budget, Schema, SchemaError, Strictness, Violations};
use serde_json::{Map, Value};

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

/// What the arguments of one server's tools mean on one route.
#[derive(Debug)]
pub(crate) struct Meanings {
    recognised: Recognised,
    network: Network,
    /// Where recognised paths have to lie.
    roots: Roots,
    /// What is declared: what names a tool most exactly first.
    declared: Vec<(ToolPattern, Parameters)>,
    schemas: Vec<(ToolPattern, Schema)>,
}

impl Default for Meanings {
    fn default() -> Self {
        Meanings {
            recognised: Recognised::Refuse,
            network: Network::Private,
            roots: Roots::default(),
            declared: Vec::new(),
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
        for (tool, parameters) in &settled.tools {
            let mut declared = Parameters::default();
            for (place, parameter) in parameters {
                declared.expect(&pattern(tool, place)?, expectation(tool, place, parameter)?);
            }
            meanings.declared.push((tool.clone(), declared));
        }
        for (tool, text) in &settled.schemas {
            meanings.overlay(tool, text)?;
        }
        // A stable sort: of one tool, what stands under `tools` goes first.
        meanings
            .declared
            .sort_by_key(|(tool, _)| std::cmp::Reverse(super::exactness(tool)));
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
    ) -> Result<(), Violations> {
        let mut schemas = self
            .schemas
            .iter()
            .filter(|(tools, _)| tools.names(&tool.name));
        let Some((_, first)) = schemas.next() else {
            return Ok(());
        };
        let arguments = Value::Object(arguments.clone());
        first.check(&arguments)?;
        schemas.try_for_each(|(_, schema)| schema.check(&arguments))
    }

    /// The arguments about which there is something to say. What names a tool more exactly goes before
    /// what names it less so, and what is declared before what is recognised.
    pub(crate) fn judge<'a>(
        &'a self,
        tool: &'a Tool,
        arguments: &Map<String, Value>,
        asked: Asked,
    ) -> Vec<Judged<'a>> {
        let mut judged = Vec::new();
        let mut said: Vec<&Parameters> = Vec::new();
        for (tools, parameters) in &self.declared {
            if tools.names(&tool.name) {
                let around = Around {
                    asked,
                    others: &said,
                    roots: None,
                };
                judged.extend(parameters.check_but(arguments, &around));
                said.push(parameters);
            }
        }
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

fn network(network: settled::Network) -> Network {
    match network {
        settled::Network::Public => Network::Public,
        settled::Network::Private => Network::Private,
    }
}

pub(super) fn pattern(tool: &ToolPattern, place: &str) -> Result<Pattern, ContentError> {
    Pattern::parse(place).map_err(|error| ContentError::Pattern {
        tool: tool.clone(),
        place: place.to_owned(),
        error,
    })
}

fn expectation(
    tool: &ToolPattern,
    place: &str,
    written: &settled::Parameter,
) -> Result<Expectation, ContentError> {
    let kind = match written.is {
        settled::Meaning::Path => {
            let roots = Roots::new(written.roots.iter().map(String::as_str));
            Kind::Path(roots.map_err(|error| ContentError::Roots {
                place: place.to_owned(),
                error,
            })?)
        }
        settled::Meaning::Url => Kind::Url(addresses(tool, place, written)?),
        settled::Meaning::Host => Kind::Host(addresses(tool, place, written)?),
        settled::Meaning::Identifier => Kind::Identifier(letters(written)),
        settled::Meaning::Code => Kind::Plain(Meaning::Code),
        settled::Meaning::Email => Kind::Plain(Meaning::Email),
        settled::Meaning::Header => Kind::Plain(Meaning::Header),
        settled::Meaning::ShellWord => Kind::Plain(Meaning::Shell),
        settled::Meaning::SqlQuery => Kind::Plain(Meaning::SqlQuery),
        settled::Meaning::SqlValue => Kind::Plain(Meaning::SqlValue),
        settled::Meaning::Template => Kind::Plain(Meaning::Template),
        settled::Meaning::Text => Kind::Plain(Meaning::Text),
    };
    Ok(Expectation {
        basis: Basis::Declared,
        otherwise: match written.otherwise {
            Misfit::Refuse => Consequence::Refuse,
            Misfit::Report => Consequence::Report,
        },
        kind,
    })
}

fn letters(written: &settled::Parameter) -> Letters {
    let usual = Letters::default();
    Letters {
        also: written.also.as_deref().map_or(usual.also, Into::into),
        longest: written
            .longest
            .map_or(usual.longest, |longest| longest as usize),
    }
}

fn addresses(
    tool: &ToolPattern,
    place: &str,
    written: &settled::Parameter,
) -> Result<Addresses, ContentError> {
    let host = |host: &String| {
        HostPattern::parse(host).ok_or_else(|| ContentError::Host {
            tool: tool.clone(),
            place: place.to_owned(),
            host: host.clone(),
        })
    };
    Ok(Addresses {
        schemes: written
            .schemes
            .iter()
            .map(|it| it.as_str().into())
            .collect(),
        ports: written.ports.clone(),
        hosts: written.hosts.iter().map(host).collect::<Result<_, _>>()?,
        reach: match written.network {
            Some(settled::Network::Private) => Reach::Private,
            Some(settled::Network::Public) | None => Reach::Public,
        },
    })
}
