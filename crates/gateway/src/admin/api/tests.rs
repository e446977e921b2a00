//! What an administrator's browser may ask, and what comes of it, with the account for emergencies at a gateway that serves
//! nobody.

use super::*;
use crate::admin::input::{
    ApproveTool, Grant, Lift, Nothing, OfUser, Revoke, Session as OneBrowser,
};
use crate::house::still::{Still, cookies_of};
use crate::people;
use crate::pins::Sighting;
use crate::revocation::Target;
use identity::SignedIn;
use serde_json::json;

const EMERGENCY: &str = "administration: { amr: [mfa], break_glass: 'on' }";
const ORIGIN: &str = "https://mcp.example.com";

/// Somebody of the gateway's own at a browser.
fn comes(still: &Still, user: &str) -> Arc<Person> {
    let gate = still.gate();
    let who = SignedIn::local(user, &["mfa"], gate.clock().unix_s());
    let page = Response::new(Body::empty());
    let answer = people::enter(gate, &HeaderMap::new(), who, page);
    people::signed_in(gate, &cookies_of(&answer.unwrap())).unwrap()
}

fn by(still: &Still, person: &Arc<Person>) -> Administrator {
    let runtime = still.gate().runtime();
    runtime.office.administrator(person).unwrap()
}

/// What comes of it, or the code of its refusal.
async fn asks(still: &Still, person: &Arc<Person>, asked: Asked) -> Result<Value, &'static str> {
    let by = By::Person(Arc::clone(person), by(still, person));
    let done = perform(still.gate(), &by, asked).await;
    done.map_err(|refused| refused.refusal.code)
}

#[tokio::test]
async fn n8_4_a_change_is_asked_by_a_page_of_ours_and_by_no_page_that_may_call() {
    let still = Still::with(EMERGENCY).await;
    let (person, other) = (comes(&still, "break-glass"), comes(&still, "break-glass"));
    let who = by(&still, &person);
    let (token, theirs) = (person.form_token(FORM), other.form_token(FORM));
    let uri: Uri = "/admin/api/v1/people/end".parse().unwrap();
    let (host, form) = (("host", "mcp.example.com"), (TOKEN, token.as_str()));
    let (own, app) = (("origin", ORIGIN), ("origin", "https://app.example.com"));
    let foreign = Some("admin_foreign");
    let (looks, changes) = (Operation::PeopleList, Operation::PeopleEnd);
    for (operation, sent, expected) in [
        (changes, &[host, own, form][..], None),
        (looks, &[host, own], None),
        (looks, &[host], None),
        (changes, &[host, app, form], foreign),
        (looks, &[host, app], foreign),
        (changes, &[host, form], foreign),
        (changes, &[host, own], foreign),
        (changes, &[host, own, (TOKEN, &theirs)], foreign),
        (changes, &[host, own, (TOKEN, "")], foreign),
        (
            changes,
            &[host, own, form, ("sec-fetch-site", "same-site")],
            foreign,
        ),
        (looks, &[host, ("sec-fetch-site", "cross-site")], foreign),
    ] {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.insert(*name, value.parse().unwrap());
        }
        let found = ours(still.gate(), (&uri, &headers), (&person, &who), operation);
        let code = found.err().map(|refused| refused.refusal.code);
        assert_eq!(code, expected, "{operation:?} {sent:?}");
    }
}

#[test]
fn n1_2_a_query_has_so_many_members_and_each_once() {
    let members = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|nth| format!("m{nth}=x")).collect();
        pairs.join("&")
    };
    for (query, expected) in [
        (String::new(), Some(0)),
        ("user=a%20b&route=%2Fr".to_owned(), Some(2)),
        ("user=a&user=b".to_owned(), None),
        ("user=a&us%65r=a".to_owned(), None),
        (members(MEMBERS), Some(MEMBERS)),
        (members(MEMBERS + 1), None),
    ] {
        let read = queried(&query);
        let count = read.map(|read| read.as_object().unwrap().len());
        assert_eq!(count, expected, "{query}");
    }
}

#[tokio::test]
async fn n5_1_what_cannot_be_written_down_is_neither_shown_nor_done() {
    let still = Still::with(EMERGENCY).await;
    let (person, other) = (comes(&still, "break-glass"), comes(&still, "alice"));
    still.loses_its_ledger();
    let end = Asked::EndBrowser(OneBrowser {
        session: other.session().to_owned(),
    });
    for asked in [Asked::People(OfUser::default()), end] {
        let done = asks(&still, &person, asked.clone()).await;
        assert_eq!(done, Err("admin_unrecorded"), "{asked:?}");
    }
    let gate = still.gate();
    assert_eq!(gate.people.list(None, gate.clock().unix_ms()).len(), 2);
    // Whoever owns the machine can read all of it, and changes nothing either.
    let owner = By::Owner("uid 0".to_owned());
    let looks = perform(gate, &owner, Asked::People(OfUser::default())).await;
    assert_eq!(looks.unwrap().as_array().unwrap().len(), 2);
    let changes = perform(gate, &owner, Asked::ForgetPasskey(Nothing {})).await;
    assert_eq!(changes.unwrap_err().refusal.code, "admin_unrecorded");
}

#[tokio::test]
async fn n2_2_what_is_listed_is_what_was_asked_for_and_what_is_not_there_is_not_found() {
    let still = Still::with(EMERGENCY).await;
    let (person, alice) = (comes(&still, "break-glass"), comes(&still, "alice"));
    comes(&still, "bob");
    let of = |user: &str| {
        let user = Some(user.to_owned());
        Asked::People(OfUser { user })
    };
    for (asked, count) in [
        (Asked::People(OfUser::default()), 3),
        (of(alice.user().as_str()), 1),
        (of("alice"), 0),
    ] {
        let listed = asks(&still, &person, asked).await.unwrap();
        assert_eq!(listed.as_array().unwrap().len(), count, "{listed}");
    }
    let revoke = Asked::Revoke(Revoke {
        target: Target::Session {
            name: "none".to_owned(),
        },
        block: false,
        why: "a test".to_owned(),
    });
    let entry = asks(&still, &person, revoke).await.unwrap();
    let listed = || asks(&still, &person, Asked::Revocations(Nothing {}));
    assert_eq!(listed().await.unwrap().as_array().unwrap().len(), 1);
    let lift = Asked::Lift(Lift {
        id: entry["id"].as_str().unwrap().to_owned(),
    });
    asks(&still, &person, lift).await.unwrap();
    assert_eq!(listed().await, Ok(json!([])));
    let (session, name, why) = ("none".to_owned(), "none".to_owned(), "none".to_owned());
    for absent in [
        Asked::EndBrowser(OneBrowser { session }),
        Asked::RevokeConnection(Grant { name, why }),
    ] {
        let done = asks(&still, &person, absent.clone()).await;
        assert_eq!(done, Err("admin_unknown"), "{absent:?}");
    }
}

#[tokio::test]
async fn n9_2_exactly_the_definition_that_was_seen_is_approved() {
    let still = Still::with(EMERGENCY).await;
    let person = comes(&still, "break-glass");
    let definition = json!({ "name": "x", "description": "as seen" });
    let seen = Sighting {
        server: "s".to_owned(),
        tool: "x".to_owned(),
        digest: inspect::pin::digest(&definition),
        definition,
        at_ms: 0,
        why: "never approved".to_owned(),
    };
    still.gate().pins.see(&seen).unwrap();
    let approve = |digest| {
        let (server, tool) = (seen.server.clone(), seen.tool.clone());
        let tool = ApproveTool {
            server,
            tool,
            digest,
        };
        asks(&still, &person, Asked::ApproveTool(tool))
    };
    let other = inspect::pin::digest(&json!({ "name": "x", "description": "before" }));
    assert_eq!(approve(other).await, Err("admin_unknown"));
    assert!(still.gate().pins.all().unwrap().is_empty());
    // Nobody can tell which of two of one name is meant.
    let see = |why: &str| {
        let why = why.to_owned();
        let seen = Sighting {
            why,
            ..seen.clone()
        };
        still.gate().pins.see(&seen).unwrap();
    };
    see("is defined more than once in one list");
    assert_eq!(approve(seen.digest).await, Err("admin_ambiguous"));
    assert!(still.gate().pins.all().unwrap().is_empty());
    see("never approved");
    assert!(approve(seen.digest).await.is_ok());
    assert_eq!(still.gate().pins.all().unwrap().len(), 1);
}

#[tokio::test]
async fn n2_4_where_there_is_no_account_for_emergencies_nobody_administers_with_one() {
    let roles = "roles: [{ role: admin, users: [break-glass] }]";
    let still = Still::with(&format!("administration: {{ amr: [mfa], {roles} }}")).await;
    let person = comes(&still, "break-glass");
    let runtime = still.gate().runtime();
    assert!(runtime.office.administrator(&person).is_none());
}
