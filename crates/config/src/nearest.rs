//! The known word that somebody probably meant.

/// The nearest of the known words, if one is near enough to be a slip.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let plain = plain(word);
    known
        .into_iter()
        .map(|it| (distance(&plain, &self::plain(it)), it))
        .filter(|(far, it)| *far <= 1 + it.len() / 5)
        .min_by_key(|(far, _)| *far)
        .map(|(_, it)| it)
}

/// Without what is only a habit: case, and which of `-` and `_` joins words.
fn plain(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many letters to insert, remove, replace or swap (Damerau and Levenshtein, neighbours only).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(x != y))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let known = [
            "listeners",
            "issuers",
            "servers",
            "routes",
            "policies",
            "http",
            "hidden_text",
        ];
        for (word, expected) in [
            ("listner", Some("listeners")),
            ("Servers", Some("servers")),
            ("route", Some("routes")),
            ("htpp", Some("http")),
            ("hidden-text", Some("hidden_text")),
            ("hiddenText", Some("hidden_text")),
            ("sevrers", Some("servers")),
            ("database", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"s".repeat(100_000), known), None);
    }
}
