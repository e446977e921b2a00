//! That no route lies where people with a browser have their pages.

use crate::problem::Problems;
use crate::settled::{Issuer, Route};

/// What the paths of pages begin with.
const PAGES: [&str; 5] = ["admin", "approvals", "connections", "sign-in", "sign-out"];

/// Where users of an issuer sign in, routes keep off their pages.
pub(super) fn apart(problems: &mut Problems, routes: &[Route], issuers: &[Issuer]) {
    if issuers.iter().all(|issuer| issuer.sign_in.is_none()) {
        return;
    }
    let is_page = |path: &str| {
        let first = path.trim_start_matches('/').split('/').next();
        first.is_some_and(|first| PAGES.iter().any(|page| first.eq_ignore_ascii_case(page)))
    };
    let taken = routes.iter().enumerate();
    for (index, _) in taken.filter(|(_, route)| is_page(&route.path)) {
        let path = format!("routes[{index}].path");
        let message = "is where people with a browser have their pages";
        problems.refuse(None, &path, message, "write another path");
    }
}
