//! What issuers tell unasked: where they deliver it, and that nothing else is there.

use super::routes::is_path;
use super::words;
use crate::problem::Problems;
use crate::settled::{Events, Issuer, Route};
use crate::written;
use controls::N8_3;

/// The place of one issuer's events.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &written::Events,
) -> Option<Events> {
    let audience = format!("{path}.audience");
    words::word(problems, &audience, &written.audience, "an audience");
    let place = written.path.as_deref().unwrap_or(written::EVENTS_PATH);
    let well_formed = is_path(place) && place != "/";
    if !well_formed {
        let fix = "write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/events`";
        let message = "is not a path that events can be delivered at";
        problems.refuse(N8_3, &format!("{path}.path"), message, fix);
    }
    let secret = written.secret.as_ref();
    let secret = secret.map(|secret| words::secret(problems, &format!("{path}.secret"), secret));
    // A secret that could not be read is not one that is not asked for.
    let secret = match secret {
        None => None,
        Some(secret) => Some(secret?),
    };
    well_formed.then(|| Events {
        audience: written.audience.clone(),
        path: place.to_owned(),
        secret,
    })
}

/// Refuses events where a route or another issuer's logout tokens are.
pub(super) fn apart(problems: &mut Problems, issuers: &[Issuer], routes: &[Route]) {
    let all = || issuers.iter().filter_map(|issuer| issuer.events.as_ref());
    for (index, issuer) in issuers.iter().enumerate() {
        let Some(events) = &issuer.events else {
            continue;
        };
        let logout = events.logout_path();
        let is_taken = |path: &str| path == events.path || path == logout;
        let at = format!("issuers[{index}].events.path");
        if let Some(route) = routes.iter().find(|route| is_taken(&route.path)) {
            let message = format!(
                "takes the path of the route `{}`, itself or with `/logout`",
                route.path
            );
            problems.refuse(N8_3, &at, message, "write a path of its own");
        }
        if all().any(|other| other.path == logout) {
            let message = "has its logout tokens where another issuer has its events";
            problems.refuse(N8_3, &at, message, "write a path of its own");
        }
    }
}
