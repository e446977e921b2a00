//! What is put where something was taken out. The form is stable: models and people may rely on it.

use super::scan::Sight;
use std::borrow::Cow;

/// What stands where something with this label stood: `[redacted: secret.github_token]`.
pub fn mark(label: &str) -> String {
    format!("[redacted: {label}]")
}

/// The text with everything that `with` has a word for replaced by it. `sights` are in order and
/// apart, as a scan gives them.
pub fn redacted<'t>(
    text: &'t str,
    sights: &[Sight<'_>],
    mut with: impl FnMut(&Sight<'_>, &str) -> Option<String>,
) -> Cow<'t, str> {
    let mut out = String::new();
    let mut done = 0;
    for sight in sights {
        let value = text.get(sight.at.clone()).unwrap_or_default();
        // What stands in an earlier piece is not here to be replaced.
        if sight.at.is_empty() {
            continue;
        }
        if let Some(word) = with(sight, value) {
            out.push_str(text.get(done..sight.at.start).unwrap_or_default());
            out.push_str(&word);
            done = sight.at.end;
        }
    }
    match done {
        0 => Cow::Borrowed(text),
        _ => {
            out.push_str(text.get(done..).unwrap_or_default());
            Cow::Owned(out)
        }
    }
}
