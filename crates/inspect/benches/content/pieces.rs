//! What texts are made of that a part may be slow on.

use crate::texts::{CLEAN, HOSTILE};
use ringwall_inspect::data::pack::{BUILT_IN, Pack};

/// What stands between and behind pieces.
pub(crate) const BETWEEN: &[&str] = &[
    "", " ", "/", ".", "\n", "!", "'", "-", "+", "=", ":", "_", "~", "a", "A", "1", "é", "\u{200b}",
];

/// What the parts look for whose words are not data.
pub(crate) const FORMS: &[&str] = &[
    "<!--",
    "-->",
    "<a ",
    "<a href='",
    "</a>",
    "<script>",
    "<img src=\"",
    "![",
    "](",
    "[a](",
    "![a](",
    "[a]: ",
    "http://",
    "data:text/html;base64,",
    "javascript:",
    "`",
    "```\n",
    "~~~\n",
    "    ",
    "\n\n",
    "|",
    "<",
    ">",
    "*",
    "/*",
    "*/",
    "--",
    "#",
    ";",
    "'",
    "\"",
    "' or ",
    "$a$",
    "$$",
    "union all ",
    "or (",
    ")",
    "(",
    "like ",
    "not ",
    "select ",
    "set ",
    "{{",
    "}}",
    "${",
    "{%",
    "<%",
    "#{",
    "eval(",
    "__import__(",
    "../",
    "..\\",
    "%2e%2e%2f",
    "%25",
    "%41",
    "%",
    "C:\\",
    "\\\\",
    "file:",
    "\\u0041",
    "\\x41",
    "\\101",
    "\\",
    "&#65;",
    "&#x41;",
    "&amp;",
    "&",
    "&lt",
    "=41",
    "=\n",
    "=?utf-8?q?",
    "aWdub3Jl",
    "QUJD",
    "696e676f",
    "6 9 6 7 ",
    "0x41, ",
    "vtaber ",
    "cerivbhf ",
    "\u{fdfa}",
    "\u{130}",
    "\u{2126}",
    "а",
    "е",
    "\u{ff41}",
    "\u{e0041}",
    "\u{fe00}",
    "\u{202e}",
    "\u{1b}[8m",
    "\u{1b}]",
    "\u{ad}",
    "a\u{301}",
    "e\u{323}\u{302}",
    "ß",
    "日本",
    "\u{1d400}",
    "12",
    "4111 1111",
    "1.",
    "1-",
    "+49",
    "DE89",
    "756.",
    "\u{0}",
    "\t",
    "\r\n",
    "do not tell ",
    "the user ",
    "send ",
    "to eve@",
    "ignore previous ",
    "a@",
    "@a.b",
];

/// What texts are made of: the words of rules, what rules find, whole and cut short, and forms.
pub(crate) fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> = FORMS.iter().map(|&form| form.to_owned()).collect();
    for (_, text) in BUILT_IN {
        let lines = text.lines().map(str::trim);
        let words = lines.filter(|it| it.starts_with("start:") || it.starts_with("words:"));
        pieces.extend(
            words
                .flat_map(|line| line.split('\'').skip(1).step_by(2))
                .map(str::to_owned),
        );
    }
    for pack in Pack::built_in().unwrap_or_default() {
        for (_, example) in pack.matching() {
            let cut = |bytes| {
                example
                    .get(..example.floor_char_boundary(bytes))
                    .map(str::to_owned)
            };
            pieces.extend(
                [example.len(), example.len() - 1, example.len() / 2, 12]
                    .into_iter()
                    .filter_map(cut),
            );
        }
    }
    let texts = CLEAN
        .iter()
        .chain(HOSTILE)
        .map(|(_, piece)| (*piece).to_owned());
    pieces.extend(texts);
    pieces.sort();
    pieces.dedup();
    pieces
}
