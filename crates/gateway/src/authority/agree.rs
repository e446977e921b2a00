//! How a person lets a client act for them, each step an answer to one request of their browser: the page
//! that asks them, what they decided, and the way back from signing in. Nobody is sent to the identity
//! provider before they have agreed, and nothing that was agreed to by one person is another's.

use super::answer::{self, BROKEN, BUSY, state};
use super::desk::Counted;
use super::families::who;
use super::journey::{self, Asked, Journey, Known};
use super::told::{self, Question, host_of};
use super::{At, Place, clients, consents, token};
use crate::body::Body;
use crate::pages::{Form, browser};
use crate::people;
use crate::state::Space;
use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;
use identity::SignedIn;
use identity::authority::{
    AuthorityError, Client, Code, CodeText, Consent, ErrorCode, Opening, Origin, Parameters,
    Person, Reach, Request, answer_url, error_url,
};
use identity::client::{
    Ask, Begun, ClientError, Entropy as _, Flow, Outside, Purpose, SystemEntropy, TokenEndpoint,
};
use std::sync::Arc;

/// Why a step came to nothing, and who is told.
enum Stop {
    /// The person alone: nobody knows yet, or any more, where an answer may go.
    Here(AuthorityError),
    /// The client too, which has asked for it.
    There(Box<Back>, AuthorityError),
}

/// Where an answer may go.
struct Back {
    redirect_uri: String,
    state: Option<String>,
    client_id: String,
    /// Whether a browser is sent there without being asked.
    trusted: Trusted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trusted {
    /// The operator let just this host's clients in, or it runs in front of the person, or they have just
    /// decided.
    Yes,
    /// Anybody could have registered it, or put its document somewhere: a browser that is sent there unasked makes us a way to anywhere
    /// (RFC 9700, section 4.11.2).
    No,
}

type Step = Result<Response<Body>, Stop>;

impl From<AuthorityError> for Stop {
    fn from(error: AuthorityError) -> Self {
        Stop::Here(error)
    }
}

impl Back {
    fn of(request: &Request) -> Self {
        Back {
            redirect_uri: request.redirect_uri.clone(),
            state: request.state.clone(),
            client_id: request.client_id.clone(),
            trusted: Trusted::Yes,
        }
    }

    fn stop(self, error: AuthorityError) -> Stop {
        Stop::There(Box::new(self), error)
    }
}

const LOST: AuthorityError =
    ErrorCode::AccessDenied.because("this browser is not on its way here, or it took too long");
const FOREIGN: AuthorityError =
    ErrorCode::AccessDenied.because("this form was not sent from a page of ours");
const AHEAD: AuthorityError =
    ErrorCode::InvalidRequest.because("this page is not fetched ahead of time");

/// A client sends somebody here.
pub(super) async fn authorize(at: &At<'_>, request: &http::Request<Incoming>) -> Response<Body> {
    let step = asked(at, request).await;
    settled(at, request.headers(), step)
}

async fn asked(at: &At<'_>, request: &http::Request<Incoming>) -> Step {
    if browser::is_ahead_of_time(request.headers()) {
        return Err(AHEAD.into());
    }
    let parameters = Parameters::read(request.uri().query().unwrap_or_default())?;
    let opening = Opening::read(&parameters)?;
    let client = clients::find(at, opening.client_id).await?;
    let Some(redirect) = client.redirect(opening.redirect_uri) else {
        let says = "the redirect_uri is not one that the client registered";
        return Err(ErrorCode::InvalidRequest.because(says).into());
    };
    // From here on the answer may go to the client: the address is its own.
    let stands = match client.origin() {
        Origin::Document(_) => at.authority.documents.is_chosen(),
        Origin::Registration => false,
    };
    let back = |error| {
        let back = Back {
            redirect_uri: opening.redirect_uri.to_owned(),
            state: parameters.get("state").map(str::to_owned),
            client_id: client.id().to_owned(),
            trusted: match stands || redirect.reach() == Reach::Machine {
                true => Trusted::Yes,
                false => Trusted::No,
            },
        };
        back.stop(error)
    };
    let wanted = Request::read(&parameters, &client, &at.authority.offered).map_err(back)?;
    match known(at, request.headers(), &client, &wanted).await? {
        Some(user) => straight_on(at, request.headers(), &client, (wanted, user)).await,
        None => ask(at, request.headers(), &client, wanted),
    }
}

/// The person who is signed in to our own pages with this browser, if they agreed to exactly this before.
/// A program on their own machine could be any: they are always asked about it, and so they are about a
/// client that nobody stands by (RFC 8252, section 8.6).
async fn known(
    at: &At<'_>,
    headers: &HeaderMap,
    client: &Client,
    wanted: &Request,
) -> Result<Option<String>, AuthorityError> {
    let reach = client.redirect(&wanted.redirect_uri).map(|uri| uri.reach());
    let stands = matches!(client.origin(), Origin::Document(_));
    if !stands || reach != Some(Reach::Web) {
        return Ok(None);
    }
    let person = people::signed_in(at.gate, headers);
    let person = person.filter(|person| person.issuer() == at.authority.sign_in);
    let Some(person) = person else {
        return Ok(None);
    };
    let user = person.user().as_str();
    let agreed = agreed(at, client, wanted, user).await?;
    Ok(agreed.then(|| user.to_owned()))
}

/// Whether this person has agreed to exactly this, and has not taken it back.
async fn agreed(
    at: &At<'_>,
    client: &Client,
    wanted: &Request,
    user: &str,
) -> Result<bool, AuthorityError> {
    let id = Consent::to(client, wanted, at.now).id();
    Ok(consents::find(at, user, &id).await?.is_some())
}

/// To the provider without a page, for this person and for nobody else.
async fn straight_on(
    at: &At<'_>,
    headers: &HeaderMap,
    client: &Client,
    (wanted, user): (Request, String),
) -> Step {
    let back = Back::of(&wanted);
    if !at.counts(Counted::SignIn) {
        return Err(back.stop(BUSY));
    }
    let (cookie, known) = journey::browser(headers)?;
    let begun = match begin(at, &wanted).await {
        Ok(begun) => begun,
        Err(error) => return Err(back.stop(error)),
    };
    let asked = Asked::new(at, wanted, client.digest())?.only_of(user);
    let journey = Journey {
        asked,
        flow: begun.flow,
    };
    journey.leave(at, &cookie).await?;
    let response = browser::redirect(begun.url.as_str());
    Ok(match known {
        Known::Before => response,
        Known::FromNowOn => told::with_cookie(response, &cookie),
    })
}

/// The page that asks.
fn ask(at: &At<'_>, headers: &HeaderMap, client: &Client, wanted: Request) -> Step {
    let (cookie, known) = journey::browser(headers)?;
    let asked = Asked::new(at, wanted, client.digest())?;
    let sealed = asked.sealed(at, &cookie)?;
    let page = told::consent(&Question {
        client,
        request: &asked.request,
        meanings: &at.authority.meanings,
        sign_in: &host_of(&at.authority.sign_in),
        action: Place::AGREE,
        sealed: &sealed,
    });
    let after = format!(
        "{} at {} ({}), answered at {}",
        client.name().unwrap_or_default(),
        asked.request.resource,
        asked.request.scopes,
        host_of(&asked.request.redirect_uri),
    );
    shown(at, client.id(), &after)?;
    let page = page.answer(StatusCode::OK);
    Ok(match known {
        Known::Before => page,
        Known::FromNowOn => told::with_cookie(page, &cookie),
    })
}

/// Writes down that somebody is asked. Anybody can have pages made: each is written down while they come at a
/// pace that people can read.
pub(super) fn shown(at: &At<'_>, client: &str, after: &str) -> Result<(), AuthorityError> {
    match at.authority.desk.shown.is_worth_a_record(at.gate) {
        true => at.note(None, "consent.shown", client, after),
        false => Ok(()),
    }
}

/// What somebody decided.
pub(super) async fn decided(at: &At<'_>, request: http::Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let step = decision(at, &head.headers, body).await;
    settled(at, &head.headers, step)
}

async fn decision(at: &At<'_>, headers: &HeaderMap, body: Incoming) -> Step {
    if !browser::is_from_here(headers) {
        return Err(FOREIGN.into());
    }
    let cookie = journey::known(headers).ok_or(FOREIGN)?;
    // Whatever is decided takes a place until its page is too old: so many of one address, and no more.
    if !at.counts(Counted::SignIn) {
        return Err(BUSY.into());
    }
    let form = Form::read(headers, body).await;
    let form = form.ok_or(ErrorCode::InvalidRequest.because("this form cannot be read"))?;
    let asked = Asked::open(at, cookie, form.field("csrf").unwrap_or_default()).await?;
    let client = clients::find(at, &asked.request.client_id).await?;
    if client.digest() != asked.client_digest {
        let says = "the program describes itself differently since this page was shown";
        return Err(ErrorCode::AccessDenied.because(says).into());
    }
    let back = Back::of(&asked.request);
    if form.field("decision") != Some("agree") {
        at.note(None, "consent.declined", client.id(), "")?;
        return Err(back.stop(ErrorCode::AccessDenied.because("the person did not agree")));
    }
    // The way to the provider is made now and not before.
    let begun = begin(at, &asked.request).await;
    let Begun { flow, url } = match begun {
        Ok(begun) => begun,
        Err(error) => return Err(back.stop(error)),
    };
    let journey = Journey { asked, flow };
    if let Err(error) = journey.leave(at, cookie).await {
        return Err(back.stop(error));
    }
    Ok(told::onward(&url, &host_of(&at.authority.sign_in)))
}

/// The way to the identity provider, where the gateway is one client with one id.
async fn begin(at: &At<'_>, request: &Request) -> Result<Begun, AuthorityError> {
    let runtime = Arc::clone(&at.gate.runtime());
    let sign_in = runtime.sign_ins.get(&*at.authority.sign_in);
    let sign_in = sign_in.ok_or(BROKEN)?;
    let outside = outside(at, &*sign_in.fetch);
    let begun = async {
        let server = sign_in.known.of(&at.authority.sign_in, outside).await?;
        let endpoint = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        let ask = Ask {
            purpose: Purpose::SignIn,
            scopes: &sign_in.scopes,
            redirect_uri: &at.authority.place(Place::SIGNED_IN),
            claims: request.claims.as_deref(),
            strength: Some(&identity::Strength {
                contexts: request
                    .contexts
                    .iter()
                    .flat_map(|all| all.split(' ').map(str::to_owned))
                    .collect(),
                methods: Vec::new(),
                max_age_s: request.max_age_s,
            }),
        };
        Flow::begin(&endpoint, ask).await
    };
    begun.await.map_err(|error| unavailable(&error))
}

/// Back from signing in.
pub(super) async fn signed_in(at: &At<'_>, request: &http::Request<Incoming>) -> Response<Body> {
    let step = arrived(at, request).await;
    settled(at, request.headers(), step)
}

async fn arrived(at: &At<'_>, request: &http::Request<Incoming>) -> Step {
    let query = request.uri().query().unwrap_or_default();
    let cookie = journey::known(request.headers()).ok_or(LOST)?;
    let returned = identity::client::state_of(query).ok_or(LOST)?;
    let journey = Journey::take(at, cookie, &returned).await?.ok_or(LOST)?;
    let Journey { asked, flow } = journey;
    let back = || Back::of(&asked.request);
    let person = match signed(at, flow, query).await {
        Ok(person) => person,
        Err(error) => return Err(back().stop(error)),
    };
    let client = clients::find(at, &asked.request.client_id).await?;
    if client.digest() != asked.client_digest {
        let says = "the program describes itself differently since this page was shown";
        return Err(ErrorCode::AccessDenied.because(says).into());
    }
    // Another one came back than agreed: they are asked themselves.
    if !asked.is_of(person.key().as_str()) {
        return ask(at, request.headers(), &client, asked.request);
    }
    // What was agreed to before may have been taken back while they were away.
    if asked.is_silent() && !agreed(at, &client, &asked.request, person.key().as_str()).await? {
        return ask(at, request.headers(), &client, asked.request);
    }
    let given = given(at, &client, &asked, person).await;
    let code = given.map_err(|error| back().stop(error))?;
    let (redirect, state) = (&asked.request.redirect_uri, asked.request.state.as_deref());
    let url = answer_url(redirect, &at.authority.issuer, state, code.expose());
    Ok(browser::redirect(url.ok_or(BROKEN)?.as_str()))
}

/// The person who signed in, as the identity provider names them.
async fn signed(at: &At<'_>, flow: Flow, query: &str) -> Result<Person, AuthorityError> {
    let authority = at.authority;
    let runtime = Arc::clone(&at.gate.runtime());
    let sign_in = runtime.sign_ins.get(&*authority.sign_in).ok_or(BROKEN)?;
    let outside = outside(at, &*sign_in.fetch);
    let redeemed = async {
        let code = flow.answer(&authority.place(Place::SIGNED_IN), query, at.now)?;
        let nonce = code.nonce().unwrap_or_default().to_owned();
        let server = sign_in.known.of(&authority.sign_in, outside).await?;
        let endpoint = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        Ok::<_, ClientError>((code.redeem(&endpoint).await?, nonce))
    };
    let (tokens, nonce) = redeemed.await.map_err(|error| match error {
        ClientError::Denied(_) => {
            ErrorCode::AccessDenied.because("the identity provider did not sign the person in")
        }
        error => unavailable(&error),
    })?;
    let asked = identity::SignIn {
        issuer: &authority.sign_in,
        client_id: sign_in.identity.client_id().unwrap_or_default(),
        nonce: &nonce,
    };
    let token = tokens.id_token().unwrap_or_default();
    let signed_in = runtime.issuers.signed_in(token, asked, at.now).await;
    let signed_in = signed_in.map_err(|error| {
        tracing::info!(issuer = %authority.sign_in, "an identity token is refused: {error}");
        ErrorCode::AccessDenied.because("the identity provider did not say who the person is")
    })?;
    person(at, &signed_in)
}

fn person(at: &At<'_>, signed_in: &SignedIn) -> Result<Person, AuthorityError> {
    let claims = signed_in.claims();
    let subject = claims.get("sub").and_then(serde_json::Value::as_str);
    let names = (
        signed_in.issuer(),
        subject.ok_or(BROKEN)?,
        signed_in.user_name(),
    );
    let further = at.authority.carried.iter().map(String::as_str);
    Ok(Person::new(names, &at.authority.groups, claims, further))
}

/// Remembers what was agreed to, if they were asked just now, and makes the code for it.
pub(super) async fn given(
    at: &At<'_>,
    client: &Client,
    asked: &Asked,
    person: Person,
) -> Result<CodeText, AuthorityError> {
    token::admitted(at, &person, client.id(), at.now)?;
    let consent = Consent::to(client, &asked.request, at.now);
    let user = person.key();
    clients::keep(at, client).await?;
    if !asked.is_silent() {
        consents::keep(at, user.as_str(), &consent).await?;
        let after = format!("{} ({})", consent.resource, consent.scopes);
        let who = Some(who(&person, client.id()));
        at.note(who, "consent.given", client.id(), &after)?;
    }
    let random = || SystemEntropy.bits().map_err(|_| BROKEN);
    let family = identity::session_id().map_err(|_| BROKEN)?;
    let text = CodeText::new(&user, &family, &random()?);
    let code = Code {
        request: asked.request.clone(),
        consent: consent.id(),
        issued_s: at.now,
        person,
    };
    let kept = code.to_kept().ok_or(BROKEN)?;
    let until_ms = at.now.saturating_add(Code::LIFETIME_S).saturating_mul(1000);
    let marks = &at.gate.marks;
    let left = marks.leave(Space::Code, token::mark(&text), kept, until_ms, at.now_ms());
    left.await.map_err(state)?;
    let of = who(&code.person, client.id());
    at.note(Some(of), "code.issued", client.id(), &code.request.resource)?;
    Ok(text)
}

/// What a browser is answered at the end of a step.
fn settled(at: &At<'_>, headers: &HeaderMap, step: Step) -> Response<Body> {
    let (back, error) = match step {
        Ok(response) => return response,
        Err(Stop::Here(error)) => (None, error),
        Err(Stop::There(back, error)) => (Some(back), error),
    };
    let client = back.as_ref().map_or("", |back| &back.client_id);
    answer::refused(at, "authorize.refused", client, error);
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let Some(back) = back else {
        return told::failed(status, error.says);
    };
    let (redirect, state) = (&back.redirect_uri, back.state.as_deref());
    let url = error_url(redirect, &at.authority.issuer, state, &error);
    let Some(url) = url else {
        return told::failed(status, error.says);
    };
    match (back.trusted, headers.contains_key(http::header::ORIGIN)) {
        (Trusted::No, _) => told::return_to(&url, error.says).answer(status),
        // A form leads nowhere but here.
        (Trusted::Yes, true) => told::onward(&url, &host_of(url.as_str())),
        (Trusted::Yes, false) => browser::redirect(url.as_str()),
    }
}

fn unavailable(error: &ClientError) -> AuthorityError {
    tracing::warn!("people cannot sign in at the identity provider: {error}");
    ErrorCode::TemporarilyUnavailable.because("the identity provider did not answer as it should")
}

fn outside<'a>(at: &At<'_>, fetch: &'a dyn identity::Fetch) -> Outside<'a> {
    Outside {
        fetch,
        entropy: &SystemEntropy,
        now: at.now,
    }
}
