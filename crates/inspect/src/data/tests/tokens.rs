//! Tokens are read as they are written, and nothing else is.

use crate::data::token::{SEALED, Token, find, write};

#[test]
fn a_token_is_read_as_it_was_written_whatever_its_case() {
    for length in [0, 1, 2, 3, 4, 5, 16, 37, SEALED] {
        let sealed: Vec<u8> = (0..length)
            .map(|it| u8::try_from(it % 251).unwrap())
            .collect();
        let token = write("personal.email", &sealed);
        let text = format!("to {token}, please");
        let found = find(&text);
        let expected = Token {
            at: 3..3 + token.len(),
            label: "personal.email",
            sealed: sealed.clone(),
        };
        assert_eq!(found, vec![expected]);
        let (head, letters) = token.rsplit_once(':').unwrap();
        let shouted = format!("{head}:{}", letters.to_uppercase());
        assert_eq!(
            find(&shouted).first().map(|it| it.sealed.clone()),
            Some(sealed)
        );
    }
}

#[test]
fn what_only_looks_like_a_token_is_none() {
    let long = write("personal.email", &[7; SEALED + 5]);
    let cases = [
        "{rw:",
        "{rw:}",
        "{rw:personal.email}",
        "{rw:other.thing:mzxw6}",
        "{rw:personal.email:mz xw}",
        "{rw:personal.email:m1}",
        "{rw:personal.email:mz",
        "{rw:personal.email:mzz}", // the last bits are not zero
        "{ rw:personal.email:mzxw6}",
        long.as_str(),
    ];
    for text in cases {
        assert_eq!(find(text), Vec::new(), "{text}");
    }
    // What follows the beginning of one that ends nowhere is still found.
    assert_eq!(find("{rw:{rw:personal.email:mzxw6}").len(), 1);
}
