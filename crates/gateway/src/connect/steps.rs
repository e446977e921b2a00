//! The steps of connecting a server, each an answer to one request of a browser. A step takes out what
//! the one before left behind, so that none can be repeated; whatever goes wrong ends this journey and no
//! other, and is written down where it is known whose it was. What finds no journey ends none.

use super::journey::{Journey, Step, Ticket};
use super::told::{self, Asked};
use crate::body::Body;
use crate::credential::{About, Agent, connection_name};
use crate::gate::Gate;
use crate::pages::Form;
use crate::pages::browser::{self, Cookie};
use crate::revocation::Facts;
use crate::sessions::Session;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::client::{
    Ask, ClientError, Flow, Outside, Proofs, Purpose, Scopes, SystemEntropy, TokenEndpoint,
    state_of,
};
use identity::possession::dpop::Signer;
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Which browser it is, for as long as it is open: one for all its ways, so that none of them makes it
/// forget another. It says nothing of anybody.
const COOKIE: Cookie = Cookie("__Host-ringwall-connect");
/// How long the name of a browser is.
const NAME_LENGTH: usize = 43;
/// The longest link that is looked at.
const LINK_MAX: usize = 128;

/// A place that browsers come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A link.
    Link(String),
    /// Back from signing in.
    SignedIn,
    /// What they decided.
    Decided,
    /// Back from the authorization server, at this path.
    Granted(String),
}

impl Place {
    /// The place at this path below the public URL.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path.strip_prefix("/connect/")? {
            "signed-in" => Some(Place::SignedIn),
            "agree" => Some(Place::Decided),
            "callback" => Some(Place::Granted(path.to_owned())),
            own if own.len() <= LINK_MAX && is_of_one_issuer(own) => {
                Some(Place::Granted(path.to_owned()))
            }
            link if link.len() <= LINK_MAX && !link.contains('/') => {
                Some(Place::Link(link.to_owned()))
            }
            // Whatever else is asked for here may hold a link, and is repeated nowhere.
            _ => Some(Place::Link(String::new())),
        }
    }
}

/// Whether this is the place of the answers of one issuer.
fn is_of_one_issuer(path: &str) -> bool {
    let own = path.strip_prefix("callback/");
    own.is_some_and(|own| own.len() == 16 && own.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Why a step came to nothing.
#[derive(Debug)]
enum Stop {
    /// Nobody knows whose it was: there is nothing to write down.
    Unknown(&'static str),
    /// It was this one's.
    Of(Box<Ticket>, &'static str, &'static str),
}

impl Stop {
    fn of(ticket: &Ticket, code: &'static str, told: &'static str) -> Self {
        Stop::Of(Box::new(ticket.clone()), code, told)
    }

    fn client(ticket: &Ticket, error: &ClientError) -> Self {
        tracing::info!(server = %ticket.server, "not connected: {error}");
        // On a mix-up nothing of what was said is shown; nor is it otherwise, to be safe.
        Stop::of(
            ticket,
            error.code(),
            "The authorization server did not agree.",
        )
    }
}

const OVER: &str = "This link was used already, has expired, or was never given out.";
const LOST: &str = "This browser is not on its way to connect a server, or it took too long.";
const BROKEN: &str =
    "Something is wrong with the gateway. Its operator finds the cause in its log.";

/// Answers a browser.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    place: Place,
    request: Request<Incoming>,
) -> Response<Body> {
    let wanted = match place {
        Place::Decided => Method::POST,
        _ => Method::GET,
    };
    if request.method() != wanted {
        let page = told::failed("That is not how this page is asked for.");
        return page.answer(StatusCode::METHOD_NOT_ALLOWED);
    }
    let done = match place {
        Place::Link(secret) => follow(gate, &secret, &request).await,
        Place::SignedIn => signed_in(gate, &request).await,
        Place::Decided => decided(gate, request).await,
        Place::Granted(path) => granted(gate, &path, &request).await,
    };
    match done {
        Ok(response) => response,
        Err(Stop::Unknown(why)) => {
            if gate.strangers.is_worth_a_record(gate) {
                let noted = (controls::N7_4, "connect_unknown", why);
                gate.note_refused(None, ("connect.refused", source), ("", ""), noted);
            }
            told::failed(why).answer(StatusCode::NOT_FOUND)
        }
        Err(Stop::Of(ticket, code, why)) => {
            let about = (&*ticket.server, &*ticket.route);
            let noted = (controls::N7_4, code, why);
            let who = Some(who_of(&ticket));
            gate.note_refused(who, ("connect.failed", source), about, noted);
            told::failed(why).answer(StatusCode::FORBIDDEN)
        }
    }
}

/// A link is followed: whoever did it has to sign in first.
async fn follow(
    gate: &Arc<Gate>,
    secret: &str,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Stop> {
    if browser::is_ahead_of_time(request.headers()) {
        return Err(Stop::Unknown("This page is not fetched ahead of time."));
    }
    let ticket = Ticket::take(gate, secret).await;
    let ticket = ticket.map_err(|error| broken(&error))?;
    let ticket = ticket.ok_or(Stop::Unknown(OVER))?;
    gate.links.followed(&ticket);
    admitted(gate, &ticket)?;
    let runtime = Arc::clone(&gate.runtime());
    let sign_in = runtime.sign_ins.get(&*ticket.user_issuer);
    let sign_in = sign_in.ok_or_else(|| {
        Stop::of(
            &ticket,
            "sign_in_unset",
            "Nobody can sign in here with your identity provider.",
        )
    })?;
    let outside = outside(gate, &*sign_in.fetch);
    let begun = async {
        let server = sign_in.known.of(&ticket.user_issuer, outside).await?;
        let at = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        let ask = Ask {
            purpose: Purpose::SignIn,
            scopes: &sign_in.scopes,
            redirect_uri: &back(gate, "/connect/signed-in"),
            claims: None,
            strength: None,
        };
        Flow::begin(&at, ask).await
    };
    let begun = begun.await.map_err(|error| Stop::client(&ticket, &error))?;
    let journey = Journey {
        ticket,
        step: Step::SignIn(begun.flow),
    };
    let browser = match browser_of(request.headers()) {
        Some(browser) => browser.to_owned(),
        None => random()?,
    };
    let response = browser::redirect(begun.url.as_str());
    let response = onto(gate, journey, &browser, response).await?;
    Ok(COOKIE.set(response, &browser, None))
}

/// Back from signing in: it has to be the user whom the link was made for.
async fn signed_in(gate: &Arc<Gate>, request: &Request<Incoming>) -> Result<Response<Body>, Stop> {
    let query = request.uri().query().unwrap_or_default();
    let (browser, journey) = arrived(gate, request.headers(), query).await?;
    let (ticket, Step::SignIn(flow)) = journey else {
        return Err(Stop::Unknown(LOST));
    };
    let user = who(gate, &ticket, flow, query).await?;
    if user != ticket.user {
        let told = "You are not the one this link was made for.";
        return Err(Stop::of(&ticket, "another_user", told));
    }
    let agent = agent(gate, &ticket)?;
    let form = Zeroizing::new(random()?);
    let page = told::consent(&Asked {
        server: &ticket.server,
        host: agent.host(),
        issuer: &ticket.issuer,
        client: ticket.client.as_deref(),
        subject: &ticket.subject,
        scopes: &ticket.scopes,
        action: &back(gate, "/connect/agree"),
        csrf: &form,
    });
    let page = page.answer(StatusCode::OK);
    let journey = Journey {
        ticket,
        step: Step::Consent(form),
    };
    onto(gate, journey, browser, page).await
}

/// The user who signed in, by the name that state is kept under.
async fn who(gate: &Gate, ticket: &Ticket, flow: Flow, query: &str) -> Result<String, Stop> {
    let runtime = Arc::clone(&gate.runtime());
    let sign_in = runtime.sign_ins.get(&*ticket.user_issuer);
    let sign_in = sign_in.ok_or(Stop::Unknown(LOST))?;
    let outside = outside(gate, &*sign_in.fetch);
    let redeemed = async {
        let code = flow.answer(&back(gate, "/connect/signed-in"), query, outside.now)?;
        let nonce = code.nonce().unwrap_or_default().to_owned();
        let server = sign_in.known.of(&ticket.user_issuer, outside).await?;
        let at = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        Ok::<_, ClientError>((code.redeem(&at).await?, nonce))
    };
    let (tokens, nonce) = redeemed
        .await
        .map_err(|error| Stop::client(ticket, &error))?;
    let asked = identity::SignIn {
        issuer: &ticket.user_issuer,
        client_id: sign_in.identity.client_id().unwrap_or_default(),
        nonce: &nonce,
    };
    let token = tokens.id_token().unwrap_or_default();
    let user = runtime.issuers.signed_in(token, asked, outside.now).await;
    let user = user.map_err(|error| {
        tracing::info!(issuer = %ticket.user_issuer, "an identity token is refused: {error}");
        Stop::of(
            ticket,
            error.code(),
            "Your identity provider did not say who you are.",
        )
    })?;
    Ok(user.user().as_str().to_owned())
}

/// What they decided on the page.
async fn decided(gate: &Arc<Gate>, request: Request<Incoming>) -> Result<Response<Body>, Stop> {
    let (head, body) = request.into_parts();
    if !browser::is_from_here(&head.headers) {
        return Err(Stop::Unknown("This form was not sent from here."));
    }
    let browser = browser_of(&head.headers).ok_or(Stop::Unknown(LOST))?;
    let form = Form::read(&head.headers, body).await;
    let form = form.ok_or(Stop::Unknown("This form cannot be read."))?;
    // What nobody else can know is found by it: a form that was made up is none of this browser's.
    let way = form.field("csrf").ok_or(Stop::Unknown(LOST))?;
    let (ticket, Step::Consent(_)) = taken(gate, browser, way).await? else {
        return Err(Stop::Unknown(LOST));
    };
    if form.field("decision") != Some("agree") {
        return Err(Stop::of(
            &ticket,
            "declined",
            "You did not connect the server.",
        ));
    }
    let agent = agent(gate, &ticket)?;
    let begun = begin(&agent, &ticket).await;
    let (begun, key) = begun.map_err(|error| Stop::client(&ticket, &error))?;
    // A link that a person follows, and no redirect: browsers hold a form to `form-action` all the way,
    // and where an authorization server sends people to log in is not known here.
    let page = told::onward(&ticket.issuer, begun.url.as_str());
    let response = page.answer(StatusCode::OK);
    let journey = Journey {
        ticket,
        step: Step::Grant(begun.flow, key),
    };
    onto(gate, journey, browser, response).await
}

type Key = Option<Zeroizing<Vec<u8>>>;

async fn begin(
    agent: &Arc<Agent>,
    ticket: &Ticket,
) -> Result<(identity::client::Begun, Key), ClientError> {
    let known = agent.of_issuer(&ticket.issuer).await?;
    let signer = match agent.binds(&known) {
        true => Some(Signer::generate()?),
        false => None,
    };
    let key = signer.as_ref().map(Signer::pkcs8).transpose()?;
    let proofs = signer.map(Proofs::new);
    let at = agent.endpoint(&known, proofs.as_ref())?;
    let scopes = Scopes::read(&ticket.scopes).ok_or(ClientError::Scopes)?;
    let ask = Ask {
        purpose: Purpose::Access(&known.resource),
        scopes: &scopes,
        redirect_uri: &agent.redirect_uri(&known),
        claims: None,
        strength: None,
    };
    Ok((Flow::begin(&at, ask).await?, key))
}

/// Back from the authorization server.
async fn granted(
    gate: &Arc<Gate>,
    path: &str,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Stop> {
    let query = request.uri().query().unwrap_or_default();
    let (_, journey) = arrived(gate, request.headers(), query).await?;
    let (ticket, Step::Grant(flow, key)) = journey else {
        return Err(Stop::Unknown(LOST));
    };
    let agent = agent(gate, &ticket)?;
    let name = connection_name(&ticket.server, &ticket.user, &ticket.issuer);
    let barred = gate.revocations.check_grant(&name, gate.clock().unix_s());
    barred.map_err(|_| {
        let told = "Connecting this server is not allowed at present.";
        Stop::of(&ticket, "grant_revoked", told)
    })?;
    let at = back(gate, path);
    redeem(gate, &agent, &ticket, (flow, key), (&at, query)).await?;
    completed(gate, &ticket).await;
    Ok(told::done(&ticket.server).answer(StatusCode::OK))
}

async fn redeem(
    gate: &Gate,
    agent: &Arc<Agent>,
    ticket: &Ticket,
    (flow, key): (Flow, Key),
    (at, query): (&str, &str),
) -> Result<(), Stop> {
    let now = gate.clock().unix_s();
    let got = async {
        let code = flow.answer(at, query, now)?;
        let known = agent.of_issuer(code.issuer()).await?;
        let signer = key
            .as_ref()
            .map(|key| Signer::from_pkcs8(key))
            .transpose()?;
        let proofs = signer.map(Proofs::new);
        let at = agent.endpoint(&known, proofs.as_ref())?;
        let tokens = code.redeem(&at).await?;
        Ok::<_, ClientError>((tokens, proofs))
    };
    let (tokens, proofs) = got.await.map_err(|error| Stop::client(ticket, &error))?;
    let about = About {
        user_issuer: ticket.user_issuer.clone(),
        subject: ticket.subject.clone(),
        client: ticket.client.clone(),
        route: ticket.route.clone(),
        at: now,
        scopes: tokens.granted().to_string(),
    };
    // What cannot be written down does not happen.
    if !note(gate, "connect.completed", ticket, &ticket.issuer) {
        return Err(Stop::of(ticket, "unrecorded", BROKEN));
    }
    let user = ticket.user.as_str().into();
    let signer = proofs.as_ref().map(Proofs::signer);
    let kept = agent.connected(&user, about, (tokens, signer)).await;
    kept.map_err(|lack| {
        tracing::error!("a connection is not kept: {lack:?}");
        Stop::of(ticket, "not_kept", BROKEN)
    })
}

/// Tells the session that asked, and nobody else, that it is done (2025-11-25).
async fn completed(gate: &Gate, ticket: &Ticket) {
    let Some(session) = &ticket.session else {
        return;
    };
    let now = gate.clock().unix_ms();
    let Some(session) = gate.sessions.find(&ticket.user, &session.0, now) else {
        return;
    };
    complete(&session, &ticket.elicitation).await;
}

/// Tells this session that what it was asked to open a page for is done.
pub(crate) async fn complete(session: &Session, elicitation: &str) {
    let (outlet, made) = session.standalone();
    // It listens or it does not; nothing is kept for it.
    if made {
        outlet.close();
        return;
    }
    let id = serde_json::json!({ "elicitationId": elicitation }).to_string();
    let told =
        protocol::write::notification("notifications/elicitation/complete", Some(id.as_bytes()));
    outlet.push(told).await;
}

/// The browser, if it has a name that we may have given it.
fn browser_of(headers: &HeaderMap) -> Option<&str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let named = |name: &&str| name.len() == NAME_LENGTH && name.bytes().all(allowed);
    COOKIE.of(headers).filter(named)
}

/// The browser, and the journey that it comes back from with this answer, taken out.
async fn arrived<'a>(
    gate: &Gate,
    headers: &'a HeaderMap,
    query: &str,
) -> Result<(&'a str, (Ticket, Step)), Stop> {
    let browser = browser_of(headers).ok_or(Stop::Unknown(LOST))?;
    let state = state_of(query).ok_or(Stop::Unknown(LOST))?;
    Ok((browser, taken(gate, browser, &state).await?))
}

/// The journey of this browser that came back this way, taken out.
async fn taken(gate: &Gate, browser: &str, way: &str) -> Result<(Ticket, Step), Stop> {
    let journey = Journey::take(gate, browser, way).await;
    let journey = journey.map_err(|error| broken(&error))?;
    let Journey { ticket, step } = journey.ok_or(Stop::Unknown(LOST))?;
    admitted(gate, &ticket)?;
    Ok((ticket, step))
}

/// That whoever the link was made for was not revoked since. What nobody can tell is no yes.
fn admitted(gate: &Gate, ticket: &Ticket) -> Result<(), Stop> {
    let facts = || Facts {
        issuer: &ticket.user_issuer,
        subject: &ticket.subject,
        user: &ticket.user,
        client: ticket.client.as_deref(),
        actors: &[],
        token_id: None,
        token_digest: &[0; 32],
        login: None,
        issued_s: ticket.made_s,
        session: None,
    };
    let told = "You are not admitted at present.";
    let barred = gate.revocations.check_facts(facts);
    barred.map_err(|_| Stop::of(ticket, "revoked", told))
}

/// Sends a browser on to the next step of this journey.
async fn onto(
    gate: &Gate,
    journey: Journey,
    browser: &str,
    response: Response<Body>,
) -> Result<Response<Body>, Stop> {
    let left = journey.leave(gate, browser).await;
    left.map_err(|error| broken(&error))?;
    Ok(response)
}

fn agent(gate: &Gate, ticket: &Ticket) -> Result<Arc<Agent>, Stop> {
    let runtime = gate.runtime();
    let served = runtime.servers.get(&*ticket.server);
    let agent = served.and_then(|served| served.upstream.agent()).cloned();
    let agent = agent.filter(|agent| agent.connects());
    agent.ok_or_else(|| Stop::of(ticket, "server_gone", "The server is not there any more."))
}

fn outside<'a>(gate: &Gate, fetch: &'a dyn identity::Fetch) -> Outside<'a> {
    Outside {
        fetch,
        entropy: &SystemEntropy,
        now: gate.clock().unix_s(),
    }
}

/// A place of ours, in full.
fn back(gate: &Gate, path: &str) -> String {
    gate.address_of(path)
}

fn random() -> Result<String, Stop> {
    identity::session_id().map_err(|_| Stop::Unknown(BROKEN))
}

fn broken(error: &crate::state::StateError) -> Stop {
    tracing::error!("nobody can connect a server: {error}");
    Stop::Unknown(BROKEN)
}

fn note(gate: &Gate, name: &str, ticket: &Ticket, after: &str) -> bool {
    let about = (&*ticket.server, &*ticket.route);
    gate.note_of(Some(who_of(ticket)), name, about, after)
}

fn who_of(ticket: &Ticket) -> audit::Who<'_> {
    audit::Who {
        user: Some(ticket.user.as_str().into()),
        issuer: Some(ticket.user_issuer.as_str().into()),
        subject: Some(ticket.subject.as_str().into()),
        client: ticket.client.as_deref().map(Into::into),
        ..audit::Who::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n8_3_a_browser_has_a_name_of_ours_or_none() {
        let ours = identity::session_id().unwrap();
        let long = format!("{ours}A");
        let short = ours.get(1..).unwrap();
        let spaced = format!("{short} ");
        let check = |value: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            let cookie = format!("{}={value}; other=1", COOKIE.0);
            headers.insert(http::header::COOKIE, cookie.parse().unwrap());
            assert_eq!(browser_of(&headers), expected, "{value}");
        };
        check(&ours, Some(&ours));
        for other in ["", "x", short, &long, &spaced, &format!("{short}.")] {
            check(other, None);
        }
    }

    #[test]
    fn n2_1_an_answer_is_told_by_the_place_it_comes_to() {
        let check = |path: &str, expected: Option<Place>| {
            assert_eq!(Place::at(path), expected, "{path}");
        };
        let granted = |path: &str| Some(Place::Granted(path.to_owned()));
        for ours in ["/connect/callback", "/connect/callback/0123456789abcdef"] {
            check(ours, granted(ours));
        }
        // Below our own place everything is ours, and what is no place of its own leads nowhere.
        for other in [
            "/connect/callback/",
            "/connect/callback/0123456789abcde",
            "/connect/callback/0123456789abcdeg",
            "/connect/callback/0123456789abcdef/",
            "/connect/x/",
        ] {
            check(other, Some(Place::Link(String::new())));
        }
        check("/other/callback", None);
        check("/connect/signed-in", Some(Place::SignedIn));
        check("/connect/x", Some(Place::Link("x".to_owned())));
    }
}
