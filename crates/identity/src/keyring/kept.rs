//! Key sets that outlive the process: what was found is written down as it was found, with when, of
//! whom and where from, and is read again by the same rules. What was kept is never newer than the
//! issuer's own word: it serves only while the issuer cannot be asked, and no longer than it would have
//! served in the process that found it.

use super::{FRESH_MAX_S, Held, STALE_MAX_S};
use crate::discovery::{Found, Origin};
use crate::fetch::BoxFuture;
use crate::members;
use serde_json::{Value, json};

/// Where key sets outlive the process.
///
/// Whoever implements it gives back exactly what was saved for this very issuer, or nothing. It must
/// notice whatever was changed or moved meanwhile: who plants a key here signs tokens.
pub trait KeyStore: Send + Sync {
    /// What was saved last for this issuer, if it is still there at this moment, in unix seconds.
    fn load<'a>(&'a self, issuer: &'a str, now: u64) -> BoxFuture<'a, Option<Vec<u8>>>;

    /// Keeps these keys, instead of those that were kept before. If that fails none are kept: those
    /// from before may have been withdrawn.
    fn save<'a>(&'a self, issuer: &'a str, keys: KeptKeys, now: u64) -> BoxFuture<'a, ()>;
}

/// A key set as it is kept. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKeys {
    /// What is kept.
    pub bytes: Vec<u8>,
    /// From when on it is of no more use, in unix seconds.
    pub until: u64,
}

impl KeptKeys {
    /// What was found at this time, and is fresh until then.
    pub(super) fn of(
        origin: &Origin,
        found: &Found,
        since: u64,
        fresh_until: u64,
    ) -> Option<KeptKeys> {
        let kept = json!({
            "issuer": origin.issuer,
            "by": origin.looked_for_by(),
            "at": found.at.as_str(),
            "since": since,
            "fresh_until": fresh_until,
            "keys": std::str::from_utf8(&found.body).ok()?,
        });
        Some(KeptKeys {
            bytes: kept.to_string().into_bytes(),
            until: fresh_until.saturating_add(STALE_MAX_S),
        })
    }
}

impl Held {
    /// What was kept, if it is of this issuer and was found the way it would be looked for now. It is
    /// not fresh, so that the issuer is asked before it is used.
    pub(super) fn recalled(origin: &Origin, kept: &[u8]) -> Option<Held> {
        let kept = members::object(kept)?;
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        let number = |name: &str| kept.get(name).and_then(Value::as_u64);
        let is_ours = text("issuer")? == origin.issuer && text("by")? == origin.looked_for_by();
        let since = number("since")?;
        let fresh_until = number("fresh_until")?.min(since.saturating_add(FRESH_MAX_S));
        let keys = origin.keys_in(text("keys")?.as_bytes())?;
        is_ours.then_some(Held {
            keys,
            since,
            fresh_until: 0,
            usable_until: fresh_until.saturating_add(STALE_MAX_S),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{
        EC, ISSUER, KEYS, METADATA, NOW, Provider, Signer, audience, claims, header,
    };
    use crate::{Algorithm, Fetch, IssuerRules, Issuers, TokenError, Trusted};
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};
    use url::Url;

    /// A store without a disk.
    #[derive(Default)]
    struct Shelf(Mutex<HashMap<String, KeptKeys>>);

    impl KeyStore for Shelf {
        fn load<'a>(&'a self, issuer: &'a str, now: u64) -> BoxFuture<'a, Option<Vec<u8>>> {
            let kept = self.0.lock().unwrap().get(issuer).cloned();
            let kept = kept.filter(|kept| now < kept.until);
            Box::pin(std::future::ready(kept.map(|kept| kept.bytes)))
        }

        fn save<'a>(&'a self, issuer: &'a str, keys: KeptKeys, _: u64) -> BoxFuture<'a, ()> {
            self.0.lock().unwrap().insert(issuer.to_owned(), keys);
            Box::pin(std::future::ready(()))
        }
    }

    impl Shelf {
        fn bytes(&self) -> Vec<u8> {
            self.0.lock().unwrap()[ISSUER].bytes.clone()
        }

        /// Says of what is kept what nobody has found.
        fn alter(&self, member: &str, value: &Value) {
            let mut kept: Value = serde_json::from_slice(&self.bytes()).unwrap();
            kept[member] = value.clone();
            let bytes = kept.to_string().into_bytes();
            self.0.lock().unwrap().get_mut(ISSUER).unwrap().bytes = bytes;
        }
    }

    /// What a process knows when it starts: what is on the shelf.
    fn started(
        shelf: &Arc<Shelf>,
        provider: &Arc<Provider>,
        change: impl Fn(&mut IssuerRules),
    ) -> Issuers {
        let mut rules = IssuerRules::new(ISSUER);
        rules.lifetime_max_s = 1_000_000;
        change(&mut rules);
        let trusted = Trusted {
            rules,
            fetch: Arc::clone(provider) as Arc<dyn Fetch>,
            store: Some(Arc::clone(shelf) as Arc<dyn KeyStore>),
        };
        Issuers::of([trusted]).unwrap()
    }

    fn token(signer: &Signer, key: &str) -> String {
        let mut claims = claims();
        claims["iat"] = json!(NOW);
        claims["exp"] = json!(NOW + 100_000);
        signer.token(&header(Algorithm::Es256, key), &claims)
    }

    async fn verdict(issuers: &Issuers, token: &str, now: u64) -> Result<(), TokenError> {
        issuers.revoke_all_cached();
        let verdict = issuers.verify(token, &audience(), now).await;
        verdict.map(|_caller| ())
    }

    const AWAY: Result<(), TokenError> = Err(TokenError::IssuerUnavailable);

    #[tokio::test]
    async fn n2_1_keys_serve_through_an_outage_and_a_restart_as_long_as_without_the_restart() {
        let (shelf, provider) = (Arc::default(), Provider::with(&[EC.public_jwk("ec")]));
        let before = started(&shelf, &provider, |_| {});
        assert_eq!(verdict(&before, &token(&EC, "ec"), NOW).await, Ok(()));
        provider.goes_down();
        let last = NOW + 600 + 4 * 3600;
        // The one that never stopped is the measure.
        for (now, expected) in [
            (NOW + 1, Ok(())),
            (NOW + 3600, Ok(())),
            (last - 1, Ok(())),
            (last, AWAY),
        ] {
            let after = started(&shelf, &provider, |_| {});
            let known = token(&EC, "ec");
            assert_eq!(verdict(&before, &known, now).await, expected);
            assert_eq!(verdict(&after, &known, now).await, expected);
            // A key nobody knows, and one that only claims to be known.
            let unknown = token(&EC, "new");
            assert_eq!(verdict(&after, &unknown, now).await, AWAY);
            let forged = verdict(&after, &token(&Signer::ec(), "ec"), now).await;
            let expected = expected.and(Err(TokenError::Signature));
            assert_eq!(forged, expected);
        }
    }

    #[tokio::test]
    async fn n2_1_an_issuer_that_answers_is_asked_before_its_kept_keys_are_used() {
        let (old, new) = (Signer::ec(), Signer::ec());
        let (shelf, provider) = (Arc::default(), Provider::with(&[old.public_jwk("old")]));
        let before = started(&shelf, &provider, |_| {});
        assert_eq!(verdict(&before, &token(&old, "old"), NOW).await, Ok(()));
        // Withdrawn while nobody ran, and long before what was kept grows old.
        provider.publish(&[new.public_jwk("new")]);
        let after = started(&shelf, &provider, |_| {});
        let refused = verdict(&after, &token(&old, "old"), NOW + 1).await;
        assert_eq!(refused, Err(TokenError::Key));
        assert_eq!(verdict(&after, &token(&new, "new"), NOW + 1).await, Ok(()));
        assert_eq!(
            (provider.asked_for(METADATA), provider.asked_for(KEYS)),
            (2, 2)
        );
        // And what is kept is what was said last.
        provider.goes_down();
        let later = started(&shelf, &provider, |_| {});
        assert_eq!(verdict(&later, &token(&old, "old"), NOW + 2).await, AWAY);
        assert_eq!(verdict(&later, &token(&new, "new"), NOW + 2).await, Ok(()));
    }

    #[tokio::test]
    async fn n2_1_whoever_goes_away_while_the_issuer_is_asked_makes_no_kept_key_fresh() {
        let (old, new) = (Signer::ec(), Signer::ec());
        let (shelf, provider) = (Arc::default(), Provider::with(&[old.public_jwk("old")]));
        let before = started(&shelf, &provider, |_| {});
        let (withdrawn, audience) = (token(&old, "old"), audience());
        assert_eq!(verdict(&before, &withdrawn, NOW).await, Ok(()));
        provider.publish(&[new.public_jwk("new")]);
        provider.falls_silent();
        let after = started(&shelf, &provider, |_| {});
        let mut impatient = Box::pin(after.verify(&withdrawn, &audience, NOW + 1));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(impatient.as_mut().poll(&mut context).is_pending());
        drop(impatient);
        provider.speaks();
        let refused = verdict(&after, &withdrawn, NOW + 1).await;
        assert_eq!(refused, Err(TokenError::Key));
    }

    #[tokio::test]
    async fn n2_1_kept_keys_are_good_for_the_issuer_and_the_way_they_were_found_by() {
        let shared = "https://shared.example/metadata";
        type Way = fn(&mut IssuerRules);
        let ways: [(&str, Way); 4] = [
            ("discovery", |_| {}),
            ("keys", |rules| rules.keys = Url::parse(KEYS).ok()),
            ("other keys", |rules| {
                rules.keys = Url::parse("https://other.example/keys").ok();
            }),
            ("metadata", |rules| {
                rules.metadata = Url::parse("https://shared.example/metadata").ok();
            }),
        ];
        for (found_by, change) in ways {
            let (shelf, provider) = (Arc::default(), Provider::with(&[EC.public_jwk("ec")]));
            let metadata = json!({"issuer": ISSUER, "jwks_uri": KEYS}).to_string();
            let keys = json!({ "keys": [EC.public_jwk("ec")] }).to_string();
            provider.answer(shared, 200, &metadata);
            provider.answer("https://other.example/keys", 200, &keys);
            let before = started(&shelf, &provider, change);
            assert_eq!(verdict(&before, &token(&EC, "ec"), NOW).await, Ok(()));
            provider.goes_down();
            for (looked_for_by, change) in ways {
                let after = started(&shelf, &provider, change);
                let expected = match looked_for_by == found_by {
                    true => Ok(()),
                    false => AWAY,
                };
                let verdict = verdict(&after, &token(&EC, "ec"), NOW + 1).await;
                assert_eq!(verdict, expected, "{found_by}, then {looked_for_by}");
            }
        }
    }

    #[tokio::test]
    async fn n2_1_kept_keys_are_read_as_strictly_as_those_that_come_from_the_issuer() {
        let day = 86_400;
        let rows = [
            ("since", json!(NOW), true),
            ("issuer", json!("https://id.example.com/"), false),
            ("issuer", json!(null), false),
            ("since", json!(NOW + day), false),
            ("since", json!(NOW - day), false),
            ("since", json!(null), false),
            ("fresh_until", json!(u64::MAX), true),
            ("keys", json!(r#"{"keys":[]}"#), false),
            ("keys", json!("[]"), false),
        ];
        for (member, value, used) in rows {
            let (shelf, provider) = (Arc::default(), Provider::with(&[EC.public_jwk("ec")]));
            let before = started(&shelf, &provider, |_| {});
            assert_eq!(verdict(&before, &token(&EC, "ec"), NOW).await, Ok(()));
            provider.goes_down();
            shelf.alter(member, &value);
            let after = started(&shelf, &provider, |_| {});
            let verdict_now = verdict(&after, &token(&EC, "ec"), NOW + 1).await;
            let expected = if used { Ok(()) } else { AWAY };
            assert_eq!(verdict_now, expected, "{member} {value}");
            let much_later = NOW + 3600 + 4 * 3600;
            let verdict_later = verdict(&after, &token(&EC, "ec"), much_later).await;
            assert_eq!(verdict_later, AWAY, "{member} {value}, later");
        }
    }

    #[tokio::test]
    async fn n2_1_whoever_gives_up_waiting_for_what_is_kept_spoils_it_for_nobody() {
        /// Answers only whoever asks a second time.
        #[derive(Default)]
        struct Slow(Shelf, std::sync::atomic::AtomicBool);
        impl KeyStore for Slow {
            fn load<'a>(&'a self, issuer: &'a str, now: u64) -> BoxFuture<'a, Option<Vec<u8>>> {
                match self.1.swap(true, std::sync::atomic::Ordering::Relaxed) {
                    false => Box::pin(std::future::pending()),
                    true => self.0.load(issuer, now),
                }
            }
            fn save<'a>(&'a self, issuer: &'a str, keys: KeptKeys, now: u64) -> BoxFuture<'a, ()> {
                self.0.save(issuer, keys, now)
            }
        }
        let (shelf, provider) = (Arc::default(), Provider::with(&[EC.public_jwk("ec")]));
        let before = started(&shelf, &provider, |_| {});
        assert_eq!(verdict(&before, &token(&EC, "ec"), NOW).await, Ok(()));
        provider.goes_down();
        let kept = shelf.0.lock().unwrap().clone();
        let slow = Slow(Shelf(Mutex::new(kept)), false.into());
        let mut rules = IssuerRules::new(ISSUER);
        rules.lifetime_max_s = 1_000_000;
        let trusted = Trusted {
            rules,
            fetch: provider,
            store: Some(Arc::new(slow)),
        };
        let after = Issuers::of([trusted]).unwrap();
        let (known, audience) = (token(&EC, "ec"), audience());
        let mut impatient = Box::pin(after.verify(&known, &audience, NOW + 1));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(impatient.as_mut().poll(&mut context).is_pending());
        drop(impatient);
        assert_eq!(verdict(&after, &known, NOW + 1).await, Ok(()));
    }
}
