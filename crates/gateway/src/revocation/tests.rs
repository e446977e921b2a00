//! Who is turned away by what is written, and that nobody is let through when it cannot be read.

use super::*;
use crate::state::{Database, Kind};
use identity::UserKey;
use std::path::Path;
use vault::Vault;

const IDP: &str = "https://id.example.com";
/// The second in which everything below is revoked.
const AT_S: u64 = 1_790_000_000;
const AT_MS: u64 = AT_S * 1000 + 400;
const DIGEST: [u8; 32] = [0xab; 32];

fn facts(user: &str) -> Facts<'_> {
    Facts {
        issuer: IDP,
        subject: "alice",
        user,
        client: Some("desktop"),
        actors: &[],
        token_id: Some("jti-1"),
        token_digest: &DIGEST,
        login: Some("sid-1"),
        issued_s: AT_S,
        session: Some("5e5510"),
    }
}

fn order(target: Target, block: bool) -> Order {
    Order {
        target,
        at_ms: AT_MS,
        block,
        origin: Origin::Issuer,
        why: "laptop lost".into(),
        by: "carol".into(),
    }
}

fn user(issuer: Option<&str>, name: &str) -> Target {
    Target::User {
        issuer: issuer.map(str::to_owned),
        name: name.into(),
    }
}

fn rows(data: &Path) -> Rows {
    let database = Database::open(data).unwrap();
    Rows::new(Arc::new(database), Arc::new(Vault::ephemeral().unwrap()))
}

async fn index_of(orders: Vec<Order>) -> Index {
    let data = tempfile::tempdir().unwrap();
    let register = Register::new(rows(data.path()));
    for order in orders {
        register.add(order, AT_MS).await.unwrap();
    }
    Index::of(&register.entries(AT_MS).await.unwrap())
}

#[tokio::test]
async fn n8_3_a_revocation_bars_what_it_names_and_nothing_else() {
    let key = UserKey::of(IDP, "alice@example.com");
    let other = "https://other.example.com";
    let named = |name: &str| name.to_owned();
    let client = |issuer: Option<&str>, name: &str| Target::Client {
        issuer: issuer.map(str::to_owned),
        name: name.into(),
    };
    let token = |issuer: &str, name: &str| Target::Token {
        issuer: issuer.into(),
        name: name.into(),
    };
    let login = |issuer: &str, name: &str| Target::Login {
        issuer: issuer.into(),
        name: name.into(),
        user: None,
    };
    let digest = |byte: &str| Target::Digest {
        name: byte.repeat(32),
    };
    let session = |name: &str| Target::Session { name: name.into() };
    for (target, bars) in [
        (user(Some(IDP), "alice"), true),
        (user(Some(IDP), "alice@example.com"), true),
        (user(None, key.as_str()), true),
        (user(Some(other), "alice"), false),
        (user(Some(IDP), "bob"), false),
        (user(Some(IDP), "alic"), false),
        (user(None, "alice"), false),
        (user(Some(IDP), key.as_str()), false),
        (client(Some(IDP), "desktop"), true),
        (client(None, "desktop"), true),
        (client(Some(other), "desktop"), false),
        (client(None, "phone"), false),
        (token(IDP, "jti-1"), true),
        (token(other, "jti-1"), false),
        (token(IDP, "jti-2"), false),
        (digest("ab"), true),
        (digest("AB"), true),
        (digest("ac"), false),
        (login(IDP, "sid-1"), true),
        (login(other, "sid-1"), false),
        (session("5e5510"), true),
        (session("5e5511"), false),
        (
            Target::Grant {
                name: named("alice"),
            },
            false,
        ),
    ] {
        let index = index_of(vec![order(target.clone(), false)]).await;
        assert_eq!(index.bars(&facts(key.as_str()), 0), bars, "{target}");
    }
}

#[tokio::test]
async fn n8_3_what_was_issued_at_or_before_the_moment_is_barred_and_what_came_later_if_blocked() {
    let check = async |block, issued_s, bars| {
        let index = index_of(vec![order(user(Some(IDP), "alice"), block)]).await;
        let facts = Facts {
            issued_s,
            ..facts("key")
        };
        assert_eq!(index.bars(&facts, 0), bars, "{block} {issued_s}");
    };
    for (issued_s, bars) in [(0, true), (AT_S - 1, true), (AT_S, true), (AT_S + 1, false)] {
        check(false, issued_s, bars).await;
        check(true, issued_s, true).await;
    }
    check(true, u64::MAX, true).await;
}

#[tokio::test]
async fn n8_3_an_entry_is_kept_until_no_token_can_be_older_and_a_block_until_it_is_lifted() {
    let data = tempfile::tempdir().unwrap();
    let register = Register::new(rows(data.path()));
    let (alice, bob) = (user(Some(IDP), "alice"), user(Some(IDP), "bob"));
    register.add(order(alice, false), AT_MS).await.unwrap();
    let blocked = register.add(order(bob, true), AT_MS).await.unwrap();
    let count = async |now_ms| register.entries(now_ms).await.unwrap().len();
    // A day is as long as any token lives, by whatever configuration.
    let day = 24 * 3600 * 1000;
    assert!(Register::KEPT_MS >= day + 5 * 60 * 1000);
    assert_eq!(count(AT_MS + Register::KEPT_MS - 1).await, 2);
    assert_eq!(count(AT_MS + Register::KEPT_MS).await, 1);
    assert_eq!(count(u64::MAX).await, 1);
    // To revoke again takes no block away.
    let again = order(user(Some(IDP), "bob"), false);
    assert!(register.add(again, AT_MS).await.unwrap().block);
    assert!(
        register
            .lift(&blocked.id, "carol", AT_MS)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        register
            .lift(&blocked.id, "carol", AT_MS)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        register
            .lift("nothing", "carol", AT_MS)
            .await
            .unwrap()
            .is_none()
    );
    let index = Index::of(&register.entries(AT_MS).await.unwrap());
    let bob = Facts {
        subject: "bob",
        ..facts("key")
    };
    assert!(!index.bars(&bob, 0) && index.bars(&facts("key"), 0));
}

#[tokio::test]
async fn n8_3_a_login_that_ended_takes_along_what_does_not_say_where_it_came_from() {
    let login = Target::Login {
        issuer: IDP.into(),
        name: "sid-2".into(),
        user: Some("alice".into()),
    };
    let index = index_of(vec![order(login, false)]).await;
    for (login, issued_s, bars) in [
        (Some("sid-1"), AT_S, false),
        (Some("sid-2"), AT_S + 1, true),
        (None, AT_S, true),
        (None, AT_S + 1, false),
    ] {
        let facts = Facts {
            login,
            issued_s,
            ..facts("key")
        };
        assert_eq!(index.bars(&facts, 0), bars, "{login:?} {issued_s}");
    }
}

#[tokio::test]
async fn n8_3_the_clock_of_an_issuer_may_be_ahead_of_ours() {
    let index = index_of(vec![order(user(Some(IDP), "alice"), false)]).await;
    for (issued_s, skew_s, bars) in [
        (AT_S + 1, 0, false),
        (AT_S + 1, 1, true),
        (AT_S + 30, 30, true),
        (AT_S + 31, 30, false),
    ] {
        let facts = Facts {
            issued_s,
            ..facts("key")
        };
        assert_eq!(index.bars(&facts, skew_s), bars, "{issued_s} {skew_s}");
    }
}

#[tokio::test]
async fn n8_3_a_second_logout_takes_nothing_back_and_finds_the_user_by_either_name() {
    let login = |user: Option<&str>| Target::Login {
        issuer: IDP.into(),
        name: "sid-2".into(),
        user: user.map(Into::into),
    };
    let orders = [login(Some("oid-of-alice")), login(None)];
    let index = index_of(orders.map(|target| order(target, false)).to_vec()).await;
    let key = UserKey::of(IDP, "oid-of-alice");
    for (user, subject, bars) in [
        (key.as_str(), "pairwise", true),
        ("other", "oid-of-alice", true),
        ("other", "pairwise", false),
    ] {
        let facts = Facts {
            login: None,
            subject,
            ..facts(user)
        };
        assert_eq!(index.bars(&facts, 0), bars, "{user} {subject}");
    }
}

#[tokio::test]
async fn n8_3_what_somebody_here_revoked_outlives_tokens_that_do_not_say_when_they_were_issued() {
    let data = tempfile::tempdir().unwrap();
    let register = Register::new(rows(data.path()));
    let digest = Target::Digest {
        name: "ab".repeat(32),
    };
    let token = Target::Token {
        issuer: IDP.into(),
        name: "t".into(),
    };
    for target in [user(Some(IDP), "alice"), digest, token] {
        let order = Order {
            origin: Origin::Operator,
            ..order(target, false)
        };
        register.add(order, AT_MS).await.unwrap();
    }
    // An issuer that says the same later does not shorten it.
    let again = order(user(Some(IDP), "alice"), false);
    register.add(again, AT_MS).await.unwrap();
    for (after_ms, count) in [
        (Register::KEPT_MS, 3),
        (Register::KEPT_LONG_MS - 1, 3),
        (Register::KEPT_LONG_MS, 2),
        (Register::KEPT_LONG_MS * 10, 2),
    ] {
        let left = register.entries(AT_MS + after_ms).await.unwrap();
        assert_eq!(left.len(), count, "{after_ms}");
    }
}

#[tokio::test]
async fn n8_3_issuers_leave_room_for_whoever_runs_the_gateway() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let mut index = Index::default();
    for number in 0..Revocations::TOLD {
        let name = number.to_string();
        let entry = Entry {
            id: name.clone(),
            target: user(Some(IDP), &name),
            at_ms: AT_MS,
            block: false,
            origin: Origin::Issuer,
            why: "told".into(),
            by: IDP.into(),
            recorded: true,
            lifted: None,
        };
        index.add(&entry);
    }
    revocations.known.store(Some(Arc::new(index)));
    let told = order(user(Some(IDP), "one more"), false);
    let refused = revocations.add(told.clone(), AT_MS).await;
    assert!(matches!(
        refused,
        Err(RegisterError::State(StateError::Full(_)))
    ));
    let other = order(user(Some("https://b.example.com"), "x"), false);
    assert!(revocations.add(other, AT_MS).await.is_ok());
    let ours = Order {
        origin: Origin::Operator,
        ..told
    };
    assert!(revocations.add(ours, AT_MS).await.is_ok());
}

#[tokio::test]
async fn a_thorough_reading_that_finds_nothing_new_disturbs_nobody() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let target = user(Some(Caller::LOCAL_ISSUER), "bob");
    let entry = revocations.add(order(target, true), AT_MS).await.unwrap();
    let recorded = revocations.register().recorded(&entry, AT_MS).await;
    recorded.unwrap();
    let mut changes = revocations.changes();
    changes.mark_unchanged();
    revocations.look(Revocations::THOROUGH, AT_MS).await;
    assert!(!changes.has_changed().unwrap());
    assert!(!revocations.forgets.load(Ordering::Relaxed));
}

#[tokio::test]
async fn what_makes_no_sense_is_not_written() {
    let data = tempfile::tempdir().unwrap();
    let register = Register::new(rows(data.path()));
    let long = "n".repeat(Register::TEXT + 1);
    let digest = |name: &str| Target::Digest { name: name.into() };
    let session = Target::Session { name: "s".into() };
    for refused in [
        order(user(Some(IDP), ""), false),
        order(user(Some(IDP), &long), false),
        order(user(Some(""), "alice"), false),
        order(digest("abc"), false),
        order(digest(&"é".repeat(32)), false),
        order(session, true),
        order(digest(&"ab".repeat(32)), true),
        Order {
            why: String::new(),
            ..order(user(None, "k"), false)
        },
        Order {
            by: long.clone(),
            ..order(user(None, "k"), false)
        },
    ] {
        let outcome = register.add(refused.clone(), AT_MS).await;
        assert!(outcome.is_err(), "{refused:?}");
    }
    assert!(register.entries(AT_MS).await.unwrap().is_empty());
}

fn nobody() -> Caller {
    Caller::local("alice")
}

#[tokio::test]
async fn n8_3_what_another_process_wrote_counts_at_the_next_look() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let mut changes = revocations.changes();
    let command = Register::new(rows(data.path()));
    revocations.look(1, AT_MS).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
    let target = user(Some(Caller::LOCAL_ISSUER), "alice");
    let entry = command.add(order(target, true), AT_MS).await.unwrap();
    assert!(!changes.has_changed().unwrap());
    revocations.look(2, AT_MS).await;
    assert!(changes.has_changed().unwrap());
    assert_eq!(revocations.check(&nobody()), Err(Barred::Revoked));
    changes.mark_unchanged();
    // Nothing is read twice that did not change.
    revocations.look(3, AT_MS).await;
    assert!(!changes.has_changed().unwrap());
    command.lift(&entry.id, "carol", AT_MS).await.unwrap();
    revocations.look(4, AT_MS).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
}

#[tokio::test]
async fn n8_3_a_store_that_cannot_be_read_admits_nobody_until_it_can() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let other = Database::open(data.path()).unwrap();
    let sql = |text: &str| other.connection().execute_batch(text).unwrap();
    for (breaks, repairs) in [
        (
            "ALTER TABLE rows RENAME TO moved",
            "ALTER TABLE moved RENAME TO rows",
        ),
        (
            "INSERT INTO rows VALUES ('revocation', 'x', x'7b7d', NULL)",
            "DELETE FROM rows WHERE key = 'x'",
        ),
        (
            "INSERT INTO rows VALUES ('revocation', 'x', x'ff', NULL)",
            "DELETE FROM rows WHERE key = 'x'",
        ),
    ] {
        sql(breaks);
        revocations.look(1, AT_MS).await;
        assert_eq!(revocations.check(&nobody()), Err(Barred::Unreadable));
        assert_eq!(
            revocations.check_grant("g", 0),
            Err(Barred::Unreadable),
            "{breaks}"
        );
        sql(repairs);
        revocations.look(2, AT_MS).await;
        assert_eq!(revocations.check(&nobody()), Ok(()), "{repairs}");
    }
    // Nor does a gateway start on one.
    sql("INSERT INTO rows VALUES ('revocation', 'x', x'7b7d', NULL)");
    assert!(Revocations::read(rows(data.path()), AT_MS).await.is_err());
}

#[tokio::test]
async fn n8_3_an_entry_that_was_renamed_is_not_taken_for_another() {
    let data = tempfile::tempdir().unwrap();
    let rows = rows(data.path());
    let register = Register::new(rows.clone());
    let entry = register
        .add(order(user(Some(IDP), "alice"), true), AT_MS)
        .await
        .unwrap();
    let row = rows.get(Kind::Revocation, &entry.id, AT_MS).await.unwrap();
    let text = String::from_utf8(row.unwrap().value.to_vec()).unwrap();
    let changed = text.replace("\"alice\"", "\"nobody\"");
    assert_ne!(changed, text);
    let put = rows.put(Kind::Revocation, &entry.id, changed.as_bytes(), None, AT_MS);
    put.await.unwrap();
    let refused = register.entries(AT_MS).await;
    assert!(matches!(refused, Err(StateError::Malformed { .. })));
}

#[tokio::test(start_paused = true)]
async fn n8_3_a_store_that_hangs_admits_nobody_after_a_while() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    // Nobody has begun to look: a gateway that is not served yet has what it read at the start.
    tokio::time::advance(Revocations::STALE * 2).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
    revocations.look(1, AT_MS).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
    tokio::time::advance(Revocations::STALE).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(revocations.check(&nobody()), Err(Barred::Unreadable));
    assert_eq!(revocations.check_grant("g", 0), Err(Barred::Unreadable));
    revocations.look(2, AT_MS).await;
    assert_eq!(revocations.check(&nobody()), Ok(()));
}

#[tokio::test]
async fn n8_3_whoever_waits_is_told_when_they_are_barred() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let revocations = Arc::new(revocations);
    let waiting = tokio::spawn({
        let revocations = Arc::clone(&revocations);
        async move { revocations.barred(&nobody()).await }
    });
    let local = Some(Caller::LOCAL_ISSUER);
    revocations
        .add(order(user(local, "bob"), true), AT_MS)
        .await
        .unwrap();
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    revocations
        .add(order(user(local, "alice"), true), AT_MS)
        .await
        .unwrap();
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_grant_is_good_no_more_when_it_is_revoked() {
    let data = tempfile::tempdir().unwrap();
    let revocations = Revocations::read(rows(data.path()), AT_MS).await.unwrap();
    let grant = Target::Grant {
        name: "alice/files".into(),
    };
    revocations.add(order(grant, false), AT_MS).await.unwrap();
    for (name, granted_s, outcome) in [
        ("alice/files", AT_S, Err(Barred::Revoked)),
        ("alice/files", AT_S + 1, Ok(())),
        ("bob/files", AT_S, Ok(())),
    ] {
        assert_eq!(revocations.check_grant(name, granted_s), outcome);
    }
}
