//! What every store promises, whoever keeps it: one suite for all implementations.

use super::*;

fn row(key: &str, value: &str, expires_ms: Option<u64>) -> Row {
    Row {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
        expires_ms,
    }
}

/// Two views of one empty durable store, as two processes have them.
pub(super) async fn durable(one: &dyn Durable, other: &dyn Durable) {
    put_get_and_remove(one).await;
    kinds_and_prefixes(one).await;
    expiry(one).await;
    others_are_noticed(one, other).await;
    too_long(one).await;
    swaps(one, other).await;
}

async fn put_get_and_remove(store: &dyn Durable) {
    let get = |key| store.get(Kind::Grant, key, 0);
    assert_eq!(get("a").await.unwrap(), None);
    let first = row("a", "one", None);
    store.put(Kind::Grant, first.clone(), 0).await.unwrap();
    assert_eq!(get("a").await.unwrap(), Some(first));
    let second = row("a", "two", Some(9));
    store.put(Kind::Grant, second.clone(), 0).await.unwrap();
    assert_eq!(get("a").await.unwrap(), Some(second));
    assert!(store.remove(Kind::Grant, "a").await.unwrap());
    assert!(!store.remove(Kind::Grant, "a").await.unwrap());
    assert_eq!(get("a").await.unwrap(), None);
}

async fn kinds_and_prefixes(store: &dyn Durable) {
    let keys = [
        "user|b", "user|a", "user%", "user_x", "USER|a", "client|a", "usér|a",
    ];
    for key in keys {
        store
            .put(Kind::Grant, row(key, key, None), 0)
            .await
            .unwrap();
    }
    store
        .put(Kind::Connection, row("user|z", "", None), 0)
        .await
        .unwrap();
    let listed = async |kind, prefix, after| {
        let rows = store.list(kind, prefix, after, 0).await.unwrap();
        rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(
        listed(Kind::Grant, "user|", None).await,
        ["user|a", "user|b"]
    );
    assert_eq!(
        listed(Kind::Grant, "user|", Some("user|a")).await,
        ["user|b"]
    );
    assert_eq!(listed(Kind::Grant, "user%", None).await, ["user%"]);
    assert_eq!(listed(Kind::Grant, "user_", None).await, ["user_x"]);
    assert_eq!(listed(Kind::Grant, "us\u{e9}", None).await, ["usér|a"]);
    assert_eq!(listed(Kind::Connection, "", None).await, ["user|z"]);
    assert_eq!(listed(Kind::Grant, "", None).await.len(), keys.len());
    for key in keys {
        assert!(store.remove(Kind::Grant, key).await.unwrap());
    }
    assert!(store.remove(Kind::Connection, "user|z").await.unwrap());
}

async fn expiry(store: &dyn Durable) {
    let kind = Kind::Revocation;
    store
        .put(kind, row("short", "", Some(100)), 0)
        .await
        .unwrap();
    store.put(kind, row("ever", "", None), 0).await.unwrap();
    for (now, is_there) in [(0, true), (99, true), (100, false), (u64::MAX, false)] {
        let found = store.get(kind, "short", now).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{now}");
        let listed = store.list(kind, "", None, now).await.unwrap();
        assert_eq!(listed.len(), 1 + usize::from(is_there), "{now}");
    }
    assert_eq!(store.sweep(99).await.unwrap(), 0);
    assert_eq!(store.sweep(100).await.unwrap(), 1);
    assert!(store.get(kind, "ever", u64::MAX).await.unwrap().is_some());
    assert!(store.remove(kind, "ever").await.unwrap());
}

async fn others_are_noticed(one: &dyn Durable, other: &dyn Durable) {
    let before = one.version().await.unwrap();
    other.put(Kind::Grant, row("a", "", None), 0).await.unwrap();
    let after = one.version().await.unwrap();
    assert_ne!(before, after);
    assert_eq!(one.version().await.unwrap(), after);
    assert!(one.get(Kind::Grant, "a", 0).await.unwrap().is_some());
    other.remove(Kind::Grant, "a").await.unwrap();
    assert_ne!(one.version().await.unwrap(), after);
}

async fn too_long(store: &dyn Durable) {
    let key = "k".repeat(Limits::KEY_BYTES);
    let value = "v".repeat(Limits::VALUE_BYTES);
    store
        .put(Kind::Grant, row(&key, &value, None), 0)
        .await
        .unwrap();
    assert!(store.remove(Kind::Grant, &key).await.unwrap());
    for (key, value) in [
        (format!("{key}k"), "v".to_owned()),
        ("k".to_owned(), value + "v"),
    ] {
        let refused = store.put(Kind::Grant, row(&key, &value, None), 0).await;
        assert!(matches!(refused, Err(StateError::Long("grant"))));
    }
}

async fn swaps(one: &dyn Durable, other: &dyn Durable) {
    let kind = Kind::Approval;
    let some = |value: &str| Some(row("a", value, None));
    let bytes = |value: &str| Some(value.as_bytes().to_vec());
    let swap = async |store: &dyn Durable, before, after| {
        store.swap(kind, "a", before, after, 0).await.unwrap()
    };
    assert!(swap(one, None, None).await);
    assert!(swap(one, None, some("one")).await);
    assert!(!swap(other, None, some("two")).await);
    assert!(!swap(other, None, None).await);
    assert!(!swap(other, bytes("two"), some("three")).await);
    assert!(!swap(other, bytes("two"), None).await);
    assert_eq!(one.get(kind, "a", 0).await.unwrap(), some("one"));
    assert!(swap(other, bytes("one"), some("two")).await);
    assert!(!swap(one, bytes("one"), None).await);
    // Of two who take the same, one has it.
    let taken = tokio::join!(
        one.swap(kind, "a", bytes("two"), None, 0),
        other.swap(kind, "a", bytes("two"), None, 0)
    );
    assert_ne!(taken.0.unwrap(), taken.1.unwrap());
    // What has expired is not there.
    let short = Some(row("a", "one", Some(100)));
    assert!(swap(one, None, short).await);
    let late = one.swap(kind, "a", bytes("one"), some("two"), 100);
    assert!(!late.await.unwrap());
    let long = Row {
        value: vec![0; Limits::VALUE_BYTES + 1],
        ..row("a", "", None)
    };
    let refused = one.swap(kind, "a", None, Some(long), 0).await;
    assert!(matches!(refused, Err(StateError::Long("approval"))));
}

/// An empty store that holds this many rows of a kind.
pub(super) async fn bounded(store: &dyn Durable, max: usize) {
    let kind = Kind::Grant;
    for number in 0..max {
        let key = number.to_string();
        store.put(kind, row(&key, "", Some(100)), 0).await.unwrap();
    }
    let refused = store.put(kind, row("more", "", None), 99).await;
    assert!(matches!(refused, Err(StateError::Full("grant"))));
    let refused = store.swap(kind, "more", None, Some(row("more", "", None)), 99);
    assert!(matches!(refused.await, Err(StateError::Full("grant"))));
    // What is there can be changed, another kind has room of its own, what was removed makes room.
    store
        .put(kind, row("0", "new", Some(100)), 99)
        .await
        .unwrap();
    store
        .put(Kind::Connection, row("more", "", None), 99)
        .await
        .unwrap();
    assert!(store.remove(kind, "1").await.unwrap());
    store
        .put(kind, row("more", "", Some(200)), 99)
        .await
        .unwrap();
    // And so does what has expired.
    store.put(kind, row("later", "", None), 100).await.unwrap();
    assert_eq!(store.list(kind, "", None, 100).await.unwrap().len(), 2);
}

/// An empty volatile store.
pub(super) async fn volatile(store: &dyn Volatile) {
    replays(store).await;
    tickets(store).await;
}

async fn replays(store: &dyn Volatile) {
    let mark = Mark::of(&[b"issuer", b"jti"]);
    let once = async |space, mark, until, now| {
        let inserted = store.insert_once(space, mark, until, now);
        inserted.await.unwrap()
    };
    assert_eq!(once(Space::Proof, mark, 100, 0).await, Once::Fresh);
    assert_eq!(once(Space::Proof, mark, 100, 0).await, Once::Replayed);
    // Nobody makes it live shorter, or longer, by bringing it again.
    assert_eq!(once(Space::Proof, mark, 1, 99).await, Once::Replayed);
    assert_eq!(once(Space::Proof, mark, 900, 99).await, Once::Replayed);
    assert_eq!(once(Space::Signal, mark, 100, 0).await, Once::Fresh);
    for other in [
        Mark::of(&[b"issuerj", b"ti"]),
        Mark::of(&[b"issuer", b"jti", b""]),
        Mark::of(&[b"jti", b"issuer"]),
        Mark::of(&[]),
    ] {
        assert_eq!(once(Space::Proof, other, 100, 0).await, Once::Fresh);
    }
    assert_eq!(once(Space::Proof, mark, 200, 100).await, Once::Fresh);
    store.withdraw(Space::Proof, mark).await.unwrap();
    store.withdraw(Space::Proof, mark).await.unwrap();
    assert_eq!(once(Space::Proof, mark, 400, 100).await, Once::Fresh);
    assert_eq!(once(Space::Proof, mark, 400, 250).await, Once::Replayed);
    assert_eq!(once(Space::Proof, mark, 300, 400).await, Once::Fresh);
    store.withdraw(Space::Proof, mark).await.unwrap();
    assert_eq!(once(Space::Proof, mark, 200, 100).await, Once::Fresh);
    assert_eq!(once(Space::Proof, mark, 300, 199).await, Once::Replayed);
}

async fn tickets(store: &dyn Volatile) {
    let mark = Mark::of(&[b"state"]);
    let leave = async |text: &[u8], until, now| {
        let ticket = Ticket::new(text.to_vec());
        store.leave(Space::Ticket, mark, ticket, until, now).await
    };
    let take = async |now| store.take(Space::Ticket, mark, now).await.unwrap();
    assert!(take(0).await.is_none());
    assert_eq!(leave(b"one", 100, 0).await.unwrap(), Once::Fresh);
    assert_eq!(leave(b"two", 100, 0).await.unwrap(), Once::Replayed);
    assert_eq!(take(99).await.unwrap().as_slice(), b"one");
    assert!(take(99).await.is_none(), "once only");
    // A mark that was used is not used again while it would have lived.
    assert_eq!(leave(b"three", 200, 99).await.unwrap(), Once::Replayed);
    assert_eq!(leave(b"four", 200, 100).await.unwrap(), Once::Fresh);
    assert!(take(200).await.is_none(), "its time has come");
    let large = vec![0; Limits::TICKET_BYTES + 1];
    assert!(matches!(
        leave(&large, 900, 800).await,
        Err(StateError::Long("ticket"))
    ));
    assert!(leave(&large[1..], 900, 800).await.is_ok());
}

/// An empty volatile store that holds this many entries of a space.
pub(super) async fn full(store: &dyn Volatile, max: u64) {
    let insert = |number: u64, until, now| {
        store.insert_once(Space::Proof, Mark::of(&[&number.to_be_bytes()]), until, now)
    };
    for number in 0..max {
        assert_eq!(insert(number, 100 + number, 0).await.unwrap(), Once::Fresh);
    }
    // Full is an error; nothing that is in force was dropped for it.
    assert!(matches!(
        insert(max, 900, 99).await,
        Err(StateError::Full(_))
    ));
    for number in 0..max {
        assert_eq!(insert(number, 900, 99).await.unwrap(), Once::Replayed);
    }
    let mark = Mark::of(&[b"other space"]);
    assert!(
        store
            .insert_once(Space::Signal, mark, 900, 99)
            .await
            .is_ok()
    );
    store
        .withdraw(Space::Proof, Mark::of(&[&0u64.to_be_bytes()]))
        .await
        .unwrap();
    assert_eq!(insert(0, 100, 99).await.unwrap(), Once::Fresh);
    assert_eq!(insert(max, 900, 100).await.unwrap(), Once::Fresh);
    assert!(matches!(
        insert(max + 1, 900, 100).await,
        Err(StateError::Full(_))
    ));
}
