//! From what was written to what it means: defaults filled in, everything parsed, every cross
//! reference looked up, and what must not run together refused.
//!
//! Everything that is wrong is found in one go. A value that could not be read is left out and its
//! problem kept, so nothing half-read ever leaves this module.

mod address;
mod administration;
mod approval;
mod authority;
mod content;
mod events;
mod issuers;
mod limits;
mod listeners;
mod oauth;
mod pages;
mod possession;
mod providers;
mod routes;
mod servers;
mod words;

use crate::bounds;
use crate::problem::{Problem, Problems};
use crate::settled::{Administration, Issuer, Ledger, Listener, Log, Settled, SigningKey};
use crate::words::{Format, Level};
use crate::written;
use controls::{N2_2, N3_1};
use std::path::{Path, PathBuf};
use url::Url;

/// What the written configuration means, with the warnings it earned; or every problem it has.
pub fn settle(written: written::Config) -> Result<(Settled, Vec<Problem>), Vec<Problem>> {
    settle_for(Callers::Token, written)
}

/// Who the configuration lets call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever shows a token of an issuer.
    Token,
    /// The one user of this machine who started the gateway, over its standard streams. Nothing
    /// listens.
    Local,
}

/// INVARIANT: an address that could not be settled has left an error behind; fail closed all the same.
fn without_address(mut lost: Problems) -> Vec<Problem> {
    lost.refuse(
        N3_1,
        "public_url",
        "could not be settled",
        "write `public_url`",
    );
    lost.all()
}

pub(crate) fn settle_for(
    callers: Callers,
    mut written: written::Config,
) -> Result<(Settled, Vec<Problem>), Vec<Problem>> {
    let problems = &mut Problems::at(written.positions.clone());
    version(problems, written.version);
    let data = written.data.as_deref().unwrap_or(written::DATA);
    let data = words::path(problems, "data", data);
    let (listeners, public_url) = reached(problems, callers, &written);
    authority::named(&mut written, public_url.as_ref());
    let issuers = issuers::settle(problems, &written.issuers);
    let authorization_server = authority::settle(problems, &written, &issuers);
    let dpop = possession::dpop(problems, &written.dpop);
    let servers = servers::settle(problems, &written.servers, oauth::Known(&written.issuers));
    let limits = limits::gateway(problems, &written.limits);
    let routes = routes::Routes {
        callers,
        public_url: public_url.as_ref(),
        issuers: &written.issuers,
        authority: written.authorization_server.as_ref(),
        servers: &written.servers,
        limits: &limits,
    };
    let routes = routes.settle(problems, &written.routes);
    possession::reachable(problems, &routes, &listeners);
    events::apart(problems, &issuers, &routes);
    authority::apart(problems, &authorization_server, &public_url, &routes);
    oauth::connectable(problems, &routes, &issuers, &servers);
    let providers = providers::settle(problems, &written.providers);
    content::known(problems, &servers, &routes, &written.providers);
    let administration = administered(problems, &written, &issuers, public_url.as_ref());
    let step_up = approval::step_ups(problems, &written.step_up);
    let approvals = approval::approvals(problems, &written.approvals);
    let ledger = ledger(problems, &written.ledger, &data);
    // Of a configuration that is refused, nobody needs to hear what it would not use.
    if problems.only_warnings() {
        let own = authorization_server.as_ref();
        routes::unused(problems, &routes, (&issuers, own), &servers);
        content::unused(problems, &servers, &routes, &providers);
        if possession::matters(&written.dpop, &routes) {
            possession::room(problems, &dpop, &limits.call.user);
        }
        permitted(problems, callers, &written.policies);
    }
    let warnings = std::mem::take(problems).finish()?;
    let Some(public_url) = public_url else {
        return Err(without_address(Problems::at(written.positions)));
    };
    let settled = Settled {
        version: 1,
        public_url,
        data,
        listeners,
        issuers,
        authorization_server,
        dpop,
        servers,
        routes,
        providers,
        policies: written.policies,
        administration,
        step_up,
        approvals,
        limits,
        ledger,
        log: log(&written.log),
    };
    Ok((settled, warnings))
}

/// Where the gateway listens, and how callers reach it.
fn reached(
    problems: &mut Problems,
    callers: Callers,
    written: &written::Config,
) -> (Vec<Listener>, Option<Url>) {
    if callers == Callers::Local {
        return (Vec::new(), address::local());
    }
    let said = written.public_url.as_deref();
    let places = written.listeners.as_deref();
    let mut listeners = listeners::settle(problems, places);
    let public_url = listeners::public_url(problems, said, places, &listeners);
    listeners::accept_host_of(&mut listeners, public_url.as_ref());
    (listeners, public_url)
}

/// What policies there are, and who administers, if anybody does.
fn administered(
    problems: &mut Problems,
    written: &written::Config,
    issuers: &[Issuer],
    public_url: Option<&Url>,
) -> Option<Administration> {
    policies(problems, "policies", &written.policies);
    let administration = written.administration.as_ref()?;
    administration::settle(problems, administration, (issuers, public_url))
}

/// That somebody may do something.
fn permitted(problems: &mut Problems, callers: Callers, policies: &[String]) {
    if policies.is_empty() && callers == Callers::Token {
        let message = "there is no policy, so nothing may be listed or called";
        let fix = "write a policy and add `policies: [policies/*.cedar]`";
        problems.warn(N2_2, "policies", message, fix);
    }
}

fn version(problems: &mut Problems, written: u64) {
    if written != 1 {
        let message = format!("version {written} of the format is not known to this release");
        problems.refuse(None, "version", message, "write `version: 1`");
    }
}

fn policies(problems: &mut Problems, at: &str, patterns: &[String]) {
    words::count(problems, at, patterns.len(), bounds::WORDS);
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("{at}[{index}]");
        let folder = Path::new(pattern).parent();
        if folder.is_some_and(|it| it.to_string_lossy().contains('*')) {
            let fix = "name each folder: `*` stands for a part of a file name only";
            problems.refuse(None, &path, "has a `*` in the name of a folder", fix);
        } else if pattern.ends_with(".cedar") {
            words::path(problems, &path, pattern);
        } else {
            let fix = "name files that end in `.cedar`, such as `policies/*.cedar`";
            problems.refuse(None, &path, "names no Cedar policy files", fix);
        }
    }
}

fn ledger(problems: &mut Problems, written: &written::Ledger, data: &Path) -> Ledger {
    let key = written.key.as_ref();
    let key = key.and_then(|it| words::secret(problems, "ledger.key", it));
    let key = key.map_or_else(|| SigningKey::Made(made_key(data)), SigningKey::Given);
    let count = written.checkpoint_records;
    Ledger {
        key,
        segment_bytes: limits::size(
            problems,
            "ledger.segment_bytes",
            written.segment_bytes.as_ref(),
            bounds::SEGMENT_BYTES,
        ),
        interval: limits::time(
            problems,
            "ledger.interval",
            written.interval.as_ref(),
            bounds::INTERVAL,
        ),
        checkpoint_records: limits::number(
            problems,
            "ledger.checkpoint_records",
            count,
            bounds::CHECKPOINT_RECORDS,
        ),
    }
}

fn log(written: &written::Log) -> Log {
    Log {
        level: written.level.unwrap_or(Level::Info),
        format: written.format.unwrap_or(Format::Text),
    }
}

fn made_key(data: &Path) -> PathBuf {
    data.join("keys").join("ledger.key")
}
