//! What callers must hold beside a token.
//!
//! A certificate that a proxy tells of is worth as much as the certainty that it is that proxy: so a
//! proxy is only ever named where it shows a certificate of its own.

use super::{limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Clients, Dpop, Front, Listener, Rate, Route, Transport};
use crate::words::{ClientCertificates, Possession, ProofNonce};
use crate::written;
use controls::N7_4;

/// Proofs of possession.
pub(super) fn dpop(problems: &mut Problems, written: &written::Dpop) -> Dpop {
    let list = written
        .algorithms
        .as_deref()
        .unwrap_or(&written::DEFAULT_ALGORITHMS);
    if list.is_empty() {
        let fix = "name the algorithms clients sign with, or remove the line";
        let message = "is empty, so no proof could be accepted";
        problems.refuse(N7_4, "dpop.algorithms", message, fix);
    }
    let times = [
        (written.age.as_ref(), "dpop.age", bounds::PROOF_AGE),
        (written.skew.as_ref(), "dpop.skew", bounds::PROOF_SKEW),
        (
            written.nonce_age.as_ref(),
            "dpop.nonce_age",
            bounds::NONCE_AGE,
        ),
    ];
    let [age, skew, nonce_age] =
        times.map(|(said, path, bounds)| limits::time(problems, path, said, bounds));
    Dpop {
        age,
        skew,
        nonce: written.nonce.unwrap_or(ProofNonce::Required),
        nonce_age,
        algorithms: words::once(list),
        per_user: limits::number(
            problems,
            "dpop.per_user",
            written.per_user,
            bounds::PROOFS_PER_USER,
        ),
    }
}

/// Whether anybody means proofs to be sent: a setting of theirs was written, or a route asks for them.
pub(super) fn matters(written: &written::Dpop, routes: &[Route]) -> bool {
    let asks = |it: &Route| matches!(it.possession, Possession::Any | Possession::Dpop);
    written.age.is_some() || written.per_user.is_some() || routes.iter().any(asks)
}

/// Warns of users who would be refused although they keep to their rate.
pub(super) fn room(problems: &mut Problems, dpop: &Dpop, user: &Rate) {
    let remembered = (dpop.age + dpop.skew).as_secs() + bounds::PROOF_MARGIN_S;
    let period = u64::from(user.rate.period.seconds()).max(1);
    let steady = (remembered * u64::from(user.rate.count)).div_ceil(period);
    let needed = steady.saturating_add(u64::from(user.burst));
    if u64::from(dpop.per_user) < needed {
        let message = format!(
            "is less than the {needed} proofs that one user may send while they are remembered"
        );
        let fix = "write more, a shorter `dpop.age`, or a lower `limits.user`";
        problems.warn(N7_4, "dpop.per_user", message, fix);
    }
}

/// Certificates of clients.
pub(super) fn clients(problems: &mut Problems, path: &str, written: &written::Clients) -> Clients {
    let authorities = written.authorities.as_deref();
    Clients {
        authorities: authorities
            .map(|text| words::path(problems, &format!("{path}.authorities"), text)),
        mode: written.mode.unwrap_or(ClientCertificates::Optional),
    }
}

/// A proxy in front of a listener.
pub(super) fn front(
    problems: &mut Problems,
    path: &str,
    written: &written::Front,
    transport: Option<&Transport>,
) -> Option<Front> {
    let asks = |transport: &Transport| match transport {
        Transport::Plaintext => false,
        Transport::Tls(tls) => tls.clients.is_some(),
    };
    // What could not be settled has been told of already.
    if !transport.is_none_or(asks) {
        let message = "believes a proxy that shows no certificate, so anybody could be the proxy";
        let fix = "add `clients: { mode: required }` to the listener's `tls`";
        problems.refuse(N7_4, path, message, fix);
    }
    let at = format!("{path}.proxies");
    if written.proxies.is_empty() {
        let message = "is empty, so the header would be refused from everybody";
        let fix = "name the fingerprints of the proxies' certificates, or remove `front`";
        problems.refuse(N7_4, &at, message, fix);
    }
    words::count(problems, &at, written.proxies.len(), bounds::PROXIES);
    let mut proxies = Vec::new();
    for (index, text) in written.proxies.iter().enumerate() {
        match fingerprint(text) {
            Some(digits) => proxies.push(digits),
            None => {
                let fix = "write the 64 hexadecimal digits that `openssl x509 -noout -fingerprint -sha256` prints";
                let path = format!("{at}[{index}]");
                problems.refuse(N7_4, &path, "is no SHA-256 fingerprint", fix);
            }
        }
    }
    Some(Front {
        header: written.header,
        proxies: words::once(&proxies),
    })
}

/// Refuses routes that ask for what no caller can have.
pub(super) fn reachable(problems: &mut Problems, routes: &[Route], listeners: &[Listener]) {
    if listeners.iter().any(Listener::knows_certificates) {
        return;
    }
    let asking = routes
        .iter()
        .enumerate()
        .filter(|(_, it)| it.possession == Possession::Certificate);
    for (index, _) in asking {
        let message = "asks for a certificate, and no listener ever sees one";
        let fix = "add `clients: {}` to the `tls` of a listener, or ask for `dpop`";
        let path = format!("routes[{index}].possession");
        problems.refuse(N7_4, &path, message, fix);
    }
}

/// 64 digits, whatever stands between the bytes.
fn fingerprint(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|it| *it != ':').collect();
    let whole = digits.len() == 64 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    whole.then(|| digits.to_ascii_lowercase())
}
