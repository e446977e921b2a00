//! Who is asked about the text of messages: that there is such a provider, and that it is asked once.

use super::super::words;
use crate::bounds;
use crate::nearest::nearest;
use crate::problem::Problems;
use crate::settled::{Provider, ProviderUse, Route, Server};
use crate::words::{Mode, Surface};
use crate::written;
use controls::N1_3;
use std::collections::BTreeSet;

/// The uses that were written at one place.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &[written::ProviderUse],
) -> Vec<ProviderUse> {
    words::count(problems, path, written.len(), bounds::PROVIDERS);
    let mut seen = BTreeSet::new();
    let each = written.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}[{index}]");
        if !seen.insert(one.provider.as_str()) {
            let message = format!("asks `{}` twice", one.provider);
            let fix = "name each provider once, with everything it is asked about in `on`";
            problems.refuse(N1_3, &format!("{path}.use"), message, fix);
        }
        let on = one.on.as_deref().unwrap_or(Surface::USUAL);
        if on.is_empty() {
            let fix = "write what it is asked about, such as `arguments`, or remove the entry";
            let path = format!("{path}.on");
            problems.refuse(N1_3, &path, "is empty: it is asked about nothing", fix);
        }
        ProviderUse {
            provider: one.provider.clone(),
            mode: one.mode.unwrap_or(Mode::Warn),
            on: words::once(on),
        }
    });
    each.collect()
}

/// That every provider that is used is there.
pub(in crate::settle) fn known(
    problems: &mut Problems,
    servers: &[Server],
    routes: &[Route],
    providers: &[written::Provider],
) {
    let names: Vec<&str> = providers.iter().map(|it| it.name.as_str()).collect();
    let servers = servers.iter().enumerate().map(|(index, server)| {
        let uses = Some(server.content.providers.as_slice());
        (format!("servers[{index}]"), uses)
    });
    let routes = routes.iter().enumerate().map(|(index, route)| {
        let uses = route.content.providers.as_deref();
        (format!("routes[{index}]"), uses)
    });
    for (path, uses) in servers.chain(routes) {
        for (index, one) in uses.unwrap_or_default().iter().enumerate() {
            if path.starts_with("routes") && one.on.contains(&Surface::Definitions) {
                let path = format!("{path}.content.providers[{index}].on");
                let message = "names `definitions`, which are those of a server on every route";
                let fix = "name it in the `content` of the server";
                problems.refuse(N1_3, &path, message, fix);
            }
            if names.contains(&one.provider.as_str()) {
                continue;
            }
            let path = format!("{path}.content.providers[{index}].use");
            let message = format!("names `{}`, which is none of the `providers`", one.provider);
            let fix = match nearest(&one.provider, names.iter().copied()) {
                Some(name) => format!("write `{name}`, or add it to `providers`"),
                None => "add it to `providers`".to_owned(),
            };
            problems.refuse(N1_3, &path, message, fix);
        }
    }
}

/// Warns of a provider that nobody asks.
pub(in crate::settle) fn unused(
    problems: &mut Problems,
    servers: &[Server],
    routes: &[Route],
    providers: &[Provider],
) {
    let of_servers = servers.iter().flat_map(|it| &it.content.providers);
    let of_routes = routes.iter().filter_map(|it| it.content.providers.as_ref());
    let used: BTreeSet<&str> = of_servers
        .chain(of_routes.flatten())
        .map(|it| it.provider.as_str())
        .collect();
    for (index, provider) in providers.iter().enumerate() {
        if !used.contains(provider.name.as_str()) {
            let path = format!("providers[{index}]");
            let message = format!("`{}` is asked about nothing", provider.name);
            let fix = format!(
                "add `content: {{ providers: [{{ use: {} }}] }}` to a server or a route",
                provider.name
            );
            problems.warn(N1_3, &path, message, fix);
        }
    }
}
