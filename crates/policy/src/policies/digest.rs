//! The digest of the sources, which says in every record which policies decided.

use super::Source;
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt::Write;

/// SHA-256 over names and texts with their lengths, in the order of names.
pub(super) fn hex(sources: &[Source]) -> String {
    let mut sorted: Vec<&Source> = sources.iter().collect();
    sorted.sort_unstable_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
    let mut context = Context::new(&SHA256);
    for source in sorted {
        for text in [&source.name, &source.text] {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(text.as_bytes());
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // INVARIANT: writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_with_the_text_and_not_with_the_order() {
        let [a, b] = [source("a", "x"), source("b", "y")];
        let both = hex(&[a.clone(), b.clone()]);
        assert_eq!(both, hex(&[b.clone(), a.clone()]));
        assert_eq!(both.len(), 64);
        for other in [
            vec![],
            vec![a.clone()],
            vec![source("a", "y"), source("b", "x")],
            vec![source("ab", "x"), source("", "y")],
            vec![source("a", "xb"), source("", "y")],
        ] {
            assert_ne!(both, hex(&other));
        }
        // Nothing hashed, as every SHA-256 gives it.
        assert!(hex(&[]).starts_with("e3b0c442"));
    }
}
