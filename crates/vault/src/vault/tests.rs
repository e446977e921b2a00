//! A value opens with the key, for the purpose and in the context it was sealed with, and otherwise
//! not at all.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALL: [Purpose; 11] = [
    Purpose::Connections,
    Purpose::Grants,
    Purpose::Handles,
    Purpose::KeySets,
    Purpose::Nonces,
    Purpose::Registrations,
    Purpose::Agreements,
    Purpose::AuthorityKeys,
    Purpose::Clients,
    Purpose::Consents,
    Purpose::Families,
];

const CONTEXT: &[u8] = b"connection\0alice\0files";

fn is_foreign(opened: &Result<Zeroizing<Vec<u8>>, VaultError>) -> bool {
    matches!(
        opened,
        Err(VaultError::Foreign
            | VaultError::Provider(ProviderError::Foreign | ProviderError::Unknown))
    )
}

#[test]
fn what_was_sealed_comes_back_byte_for_byte() {
    let vault = Vault::ephemeral().unwrap();
    let longest = vec![7; Vault::PLAIN_MAX];
    for plain in [&b""[..], b"a refresh token", &longest] {
        for purpose in ALL {
            let sealed = vault.seal(purpose, CONTEXT, plain).unwrap();
            let opened = vault.open(purpose, CONTEXT, &sealed).unwrap();
            assert_eq!(opened.as_slice(), plain);
        }
    }
    let longer = vec![7; Vault::PLAIN_MAX + 1];
    let refused = vault.seal(Purpose::Grants, CONTEXT, &longer);
    assert!(matches!(refused, Err(VaultError::Long(_))));
}

#[test]
fn a_value_opens_only_for_its_purpose_and_context() {
    let vault = Vault::ephemeral().unwrap();
    for purpose in ALL {
        let sealed = vault.seal(purpose, CONTEXT, b"token").unwrap();
        for other in ALL.into_iter().filter(|other| *other != purpose) {
            assert!(is_foreign(&vault.open(other, CONTEXT, &sealed)));
            // Nor if somebody writes the other purpose into it.
            let mut relabelled = sealed.clone();
            relabelled.0[1] = other.byte();
            assert!(is_foreign(&vault.open(other, CONTEXT, &relabelled)));
        }
        for context in [
            &b""[..],
            b"connection\0alice\0file",
            b"connection\0bob\0files",
        ] {
            assert!(is_foreign(&vault.open(purpose, context, &sealed)));
        }
    }
}

#[test]
fn a_changed_or_shortened_value_never_opens() {
    let vault = Vault::ephemeral().unwrap();
    let purpose = Purpose::Connections;
    let sealed = vault.seal(purpose, CONTEXT, b"token").unwrap();
    for at in 0..sealed.0.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1 << bit;
            assert!(is_foreign(&vault.open(purpose, CONTEXT, &changed)), "{at}");
        }
        let short = Sealed(sealed.0[..at].to_vec());
        assert!(is_foreign(&vault.open(purpose, CONTEXT, &short)), "{at}");
    }
    let mut long = sealed;
    long.0.push(0);
    assert!(is_foreign(&vault.open(purpose, CONTEXT, &long)));
}

#[test]
fn a_value_shows_nothing_of_what_it_holds_and_is_never_made_twice() {
    let vault = Vault::ephemeral().unwrap();
    let seal = || vault.seal(Purpose::Grants, CONTEXT, b"hunter2").unwrap();
    let first = seal();
    assert!(!first.0.windows(7).any(|window| window == b"hunter2"));
    assert_ne!(first, seal());
    // Nothing of the same text looks the same, beyond what stands in front.
    let front = head(Purpose::Grants, &vault.current().unwrap().wrapped).len();
    assert_eq!(first.0[..front], seal().0[..front]);
    assert_ne!(first.0[front..front + 8], seal().0[front..front + 8]);
}

#[test]
fn the_key_in_the_file_opens_what_another_process_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/vault.key");
    let sealed = Vault::load_or_create(&path)
        .unwrap()
        .seal(Purpose::Grants, CONTEXT, b"token")
        .unwrap();
    let later = Vault::load_or_create(&path).unwrap();
    let opened = later.open(Purpose::Grants, CONTEXT, &sealed).unwrap();
    assert_eq!(opened.as_slice(), b"token");
    // Another key opens nothing, and says that the right one is missing.
    let other = Vault::ephemeral().unwrap();
    assert!(matches!(
        other.open(Purpose::Grants, CONTEXT, &sealed),
        Err(VaultError::Provider(ProviderError::Unknown))
    ));
}

#[test]
fn printing_says_nothing_of_any_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let vault = Vault::load_or_create(&path).unwrap();
    vault.seal(Purpose::Grants, CONTEXT, b"token").unwrap();
    let printed = format!("{vault:?} {:?}", DataKey::random().unwrap());
    let (front, name) = printed.split_once("KeyFile(").unwrap();
    assert_eq!(front, "Vault { provider: ");
    let (name, rest) = name.split_at(16);
    assert_eq!(rest, "), .. } DataKey");
    let key = std::fs::read(&path).unwrap();
    let spelt: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!spelt.contains(name), "the name is no part of it");
}

/// Counts how often it is asked, and can be out of reach.
#[derive(Debug)]
struct Far {
    near: KeyFile,
    asked: Arc<AtomicUsize>,
    away: Arc<AtomicUsize>,
}

impl Far {
    fn ask(&self) -> Result<(), ProviderError> {
        if self.away.load(Ordering::SeqCst) > 0 {
            return Err(ProviderError::Unavailable("no route".to_owned()));
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl KeyProvider for Far {
    fn wrap(&self, key: &DataKey) -> Result<Wrapped, ProviderError> {
        self.ask()?;
        self.near.wrap(key)
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<DataKey, ProviderError> {
        self.ask()?;
        self.near.unwrap(wrapped)
    }
}

#[test]
fn a_provider_is_asked_once_for_a_data_key_and_its_absence_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let (asked, away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let far = || {
        Vault::new(Box::new(Far {
            near: KeyFile::load_or_create(&path).unwrap(),
            asked: Arc::clone(&asked),
            away: Arc::clone(&away),
        }))
    };
    let vault = far();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let seal = |text: &[u8]| vault.seal(Purpose::Grants, CONTEXT, text).unwrap();
    let (one, two) = (seal(b"one"), seal(b"two"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let later = far();
    for sealed in [&one, &two, &one] {
        later.open(Purpose::Grants, CONTEXT, sealed).unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    away.store(1, Ordering::SeqCst);
    // What is known already is opened on; what is not is an error, and none is remembered.
    assert!(later.open(Purpose::Grants, CONTEXT, &two).is_ok());
    for _ in 0..2 {
        let refused = far().open(Purpose::Grants, CONTEXT, &one);
        assert!(matches!(
            refused,
            Err(VaultError::Provider(ProviderError::Unavailable(_)))
        ));
        assert!(far().seal(Purpose::Grants, CONTEXT, b"x").is_err());
    }
    away.store(0, Ordering::SeqCst);
    assert!(far().open(Purpose::Grants, CONTEXT, &one).is_ok());
}

#[test]
fn unwrapped_data_keys_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let reader = Vault::load_or_create(&path).unwrap();
    for _ in 0..REMEMBERED + 8 {
        let writer = Vault::load_or_create(&path).unwrap();
        let sealed = writer.seal(Purpose::Grants, CONTEXT, b"x").unwrap();
        reader.open(Purpose::Grants, CONTEXT, &sealed).unwrap();
        assert!(lock(&reader.unwrapped).len() <= REMEMBERED);
    }
}
