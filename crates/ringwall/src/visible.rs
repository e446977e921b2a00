//! Text of somebody else, made safe to look at: what a person would not see, and what a terminal
//! would obey, is written as `\u{…}`. Everything else stays as it is.

/// The text on one line.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_visible(letter) {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    shown
}

/// The text on its own lines.
pub(crate) fn visible_lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('\n').map(visible)
}

fn is_visible(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_control();
    }
    // The standard library knows what prints, also as a mark on the letter before it; what prints
    // without ink is known to whoever looks for hidden text.
    let pair: String = ['a', letter].into_iter().collect();
    pair.escape_debug().count() == 2
        && inspect::text::examine(letter.encode_utf8(&mut [0; 4])).is_clean()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_nobody_would_see_and_keeps_the_rest() {
        for (text, shown) in [
            ("plain \"text\" \\ 'quoted'", "plain \"text\" \\ 'quoted'"),
            ("größe 東京 हिन्दी العربية 🙂", "größe 東京 हिन्दी العربية 🙂"),
            ("a\u{e0041}b", "a\\u{e0041}b"),
            ("\u{202e}abc", "\\u{202e}abc"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("one\ntwo\r\t", "one\\u{a}two\\u{d}\\u{9}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("x\u{3164}", "x\\u{3164}"),
            ("a\u{fe0f}", "a\\u{fe0f}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(
            visible_lines("a\n\u{200b}").collect::<Vec<_>>(),
            ["a", "\\u{200b}"]
        );
    }
}
