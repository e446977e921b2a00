//! The words of rules, read from the source of the rules: whoever adds a rule adds its words to the texts that
//! are counted.

use std::fs;
use std::path::Path;

/// The longest word that is one.
const LONGEST: usize = 64;

/// Every text that stands in a file of this crate outside of its tests and comments.
pub(crate) fn of(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let source = fs::read_to_string(&path).unwrap();
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut words = Vec::new();
    for line in source
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
    {
        let mut rest = line;
        while let Some(at) = rest.find('"') {
            // A character of its own, and no beginning of a text.
            if rest
                .get(..at)
                .is_some_and(|before| before.ends_with(['\'', '\\']))
            {
                rest = &rest[at + 1..];
                continue;
            }
            let (word, behind) = text(&rest[at + 1..]);
            words.push(word);
            rest = behind;
        }
    }
    words.retain(|word| !word.is_empty() && word.len() <= LONGEST);
    words
}

/// What a text says up to its end, and what follows it on the line.
fn text(line: &str) -> (String, &str) {
    let mut said = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return (said, chars.as_str()),
            '\\' => match chars.next() {
                Some('n') => said.push('\n'),
                Some('r') => said.push('\r'),
                Some('t') => said.push('\t'),
                Some('u') => {
                    let (code, behind) = chars.as_str().split_once('}').unwrap();
                    let code = u32::from_str_radix(code.trim_start_matches('{'), 16);
                    said.extend(code.ok().and_then(char::from_u32));
                    chars = behind.chars();
                }
                other => said.extend(other),
            },
            c => said.push(c),
        }
    }
    (said, "")
}

/// Ends the program where the source is written otherwise than it is read here.
pub(crate) fn are_read_as_they_are_written() {
    let words = of("poison/words/lists.rs");
    assert!(words.len() > 300, "{}", words.len());
    assert!(
        words.iter().any(|word| word == "do not tell the user"),
        "{words:?}"
    );
    let signs = of("markup/entity.rs");
    assert!(signs.iter().any(|word| word == "newline"), "{signs:?}");
    assert_eq!(text("a\\u{e9}\\\"\\n\" b"), ("aé\"\n".to_owned(), " b"));
}
