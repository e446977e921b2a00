//! Tokens that stand for values: the same for the same value, label and route, and turned back here
//! alone. The key is made at the first start and kept, sealed; nothing is kept for a token.

use crate::state::{Kind, Rows, StateError};
use inspect::data::token::{SEALED, Token, write};
use std::sync::Arc;
use vault::{Alike, RootError};
use zeroize::Zeroizing;

/// Under what the key is kept.
const KEY: &str = "tokens";
/// Values are filled up to a multiple of so many bytes, so that a token does not tell how long one is.
const BLOCK: usize = 32;
/// What they are filled up with: no text has this byte.
const FILLING: u8 = 0xff;

/// What makes tokens and turns them back.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: Alike,
}

/// Why there is no key for tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// There is no randomness.
    #[error("the key of tokens: {0}")]
    Entropy(#[from] RootError),
    /// What is kept is no key.
    #[error("the key of tokens cannot be used: restore it, or remove it and all tokens with it")]
    Key,
    /// It cannot be kept or read.
    #[error("the key of tokens: {0}")]
    State(#[from] StateError),
}

impl Tokens {
    /// With the key that is kept, or a new one that is kept from now on.
    pub(crate) async fn kept(rows: &Rows, now_ms: u64) -> Result<Arc<Tokens>, TokensError> {
        let kept = rows.get(Kind::DataToken, KEY, now_ms).await?;
        let bits: Zeroizing<Vec<u8>> = match kept {
            Some(row) => row.value,
            None => {
                let drawn = Alike::draw()?;
                rows.put(Kind::DataToken, KEY, drawn.as_slice(), None, now_ms)
                    .await?;
                Zeroizing::new(drawn.to_vec())
            }
        };
        Tokens::of(&bits)
    }

    /// With a key that is not kept.
    #[cfg(test)]
    pub(crate) fn ephemeral() -> Result<Arc<Tokens>, TokensError> {
        Tokens::of(Alike::draw()?.as_slice())
    }

    fn of(bits: &[u8]) -> Result<Arc<Tokens>, TokensError> {
        let bits = bits.try_into().map_err(|_| TokensError::Key)?;
        let key = Alike::new(bits).ok_or(TokensError::Key)?;
        Ok(Arc::new(Tokens { key }))
    }

    /// The token for a value of this label on this route. Nothing for one that is too long.
    pub(super) fn write(&self, route: &str, label: &str, value: &str) -> Option<String> {
        let length = value.len().max(1).next_multiple_of(BLOCK);
        if length + Alike::OVERHEAD > SEALED {
            return None;
        }
        let mut filled = Zeroizing::new(Vec::with_capacity(length));
        filled.extend_from_slice(value.as_bytes());
        filled.resize(length, FILLING);
        let sealed = self.key.seal(&context(route, label), &filled)?;
        Some(write(label, &sealed))
    }

    /// What a token of this route stands for.
    pub(super) fn read(&self, route: &str, token: &Token<'_>) -> Option<Zeroizing<String>> {
        let opened = self.key.open(&context(route, token.label), &token.sealed)?;
        let last = opened.iter().rposition(|byte| *byte != FILLING);
        let text = opened.get(..last.map_or(0, |last| last + 1))?;
        let text = std::str::from_utf8(text).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    }
}

/// Labels hold no zero byte.
fn context(route: &str, label: &str) -> Vec<u8> {
    [label.as_bytes(), &[0], route.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use inspect::data::token::find;

    #[test]
    fn n9_3_a_token_is_the_same_for_the_same_value_and_opens_on_its_route_alone() {
        let tokens = Tokens::ephemeral().unwrap();
        let token = tokens
            .write("/a", "personal.email", "anna@corp.test")
            .unwrap();
        assert_eq!(
            Some(&token),
            tokens
                .write("/a", "personal.email", "anna@corp.test")
                .as_ref()
        );
        // It may happen to have any letters in it, and no such sign.
        assert!(!token.contains("anna@"));
        let others = [
            tokens
                .write("/b", "personal.email", "anna@corp.test")
                .unwrap(),
            tokens
                .write("/a", "personal.phone", "anna@corp.test")
                .unwrap(),
            tokens
                .write("/a", "personal.email", "anne@corp.test")
                .unwrap(),
        ];
        assert!(others.iter().all(|other| *other != token));
        let found = find(&token);
        let found = found.first().unwrap();
        assert_eq!(tokens.read("/a", found).unwrap().as_str(), "anna@corp.test");
        assert!(tokens.read("/b", found).is_none());
        assert!(Tokens::ephemeral().unwrap().read("/a", found).is_none());
        let long = tokens.write("/a", "personal.email", "a-much-longer-name@corp.test");
        assert_eq!(long.unwrap().len(), token.len());
        // Written under another label, it opens for neither.
        let renamed = token.replace("personal.email", "personal.phone");
        assert!(tokens.read("/a", find(&renamed).first().unwrap()).is_none());
        assert!(
            tokens
                .write("/a", "personal.email", &"x".repeat(SEALED))
                .is_none()
        );
    }
}
