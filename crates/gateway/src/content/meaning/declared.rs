//! What an operator declares of values, read once.

use super::ContentError;
use crate::egress::Network;
use config::settled::{self, Misfit, ToolPattern};
use inspect::meaning::{
    Addresses, Basis, Consequence, Expectation, HostPattern, Kind, Letters, Meaning, Parameters,
    Reach, Roots,
};
use inspect::pointer::Pattern;
use std::collections::BTreeMap;

/// What is declared of the values of one thing.
pub(super) fn parameters(
    of: &ToolPattern,
    settled: &BTreeMap<String, settled::Parameter>,
) -> Result<Parameters, ContentError> {
    let mut parameters = Parameters::default();
    for (place, parameter) in settled {
        parameters.expect(&pattern(of, place)?, expectation(of, place, parameter)?);
    }
    Ok(parameters)
}

pub(super) fn network(network: settled::Network) -> Network {
    match network {
        settled::Network::Public => Network::Public,
        settled::Network::Private => Network::Private,
    }
}

pub(in crate::content) fn pattern(
    tool: &ToolPattern,
    place: &str,
) -> Result<Pattern, ContentError> {
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
