//! Texts that are meant to be slow: what parts look for, over and over, behind what makes them look.

use crate::pieces::{BETWEEN, FORMS, pieces};
use crate::texts::{CLEAN, HOSTILE};
use crate::words;

/// A text: what stands once before and behind, and what is repeated in between.
#[derive(Clone, Debug)]
pub(crate) struct Hostile {
    head: &'static str,
    unit: String,
    tail: &'static str,
}

impl Hostile {
    /// So much of it, in whole units and at least one; so many times that.
    pub(crate) fn text(&self, bytes: usize, longer: usize) -> String {
        let times = (bytes / self.unit.len()).max(1) * longer;
        [self.head, &self.unit.repeat(times), self.tail].concat()
    }
}

/// How one part is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Bytes of the shorter text.
    pub(crate) size: usize,
    /// Instructions that a byte of the longer one may take, where nothing is optimised: half as much again
    /// as was counted when it was set.
    pub(crate) bound: u64,
    /// Instructions that it may take on top, whatever its size: what is bounded by a limit of its own.
    pub(crate) slack: u64,
    /// What stands around units.
    around: &'static [Around],
    /// Whether a text is only what values are made of.
    is_of_values: bool,
    /// Where the words of its rules stand.
    words: &'static [&'static str],
}

type Around = (&'static str, &'static str);

/// Nothing around.
const BARE: &[Around] = &[("", "")];

/// What makes readers of markup read on.
const MARKUP: &[Around] = &[
    ("", ""),
    ("<a ", ">"),
    ("<a href=\"", "\">"),
    ("<img srcset='", "'>"),
    ("<meta ", ">"),
    ("<!--", "-->"),
    ("[a](", ")"),
    ("![a](http://", ")"),
    ("[a](http://a.example \"", "\")"),
    ("[a]: ", ""),
    ("```\n", "\n```"),
    ("> <a>", ""),
    ("\\url{", "}"),
    ("<p style=\"", "\">"),
    ("<style>", "</style>"),
    ("<b srcdoc='", "'>"),
    ("<meta http-equiv=refresh content='0;", "'>"),
    ("<animate values='", "'>"),
];

/// Bytes of the shorter text for parts that look at every view of it.
const HEAVY: usize = 512;

const PLAN: Plan = Plan {
    size: 1024,
    bound: 2_500,
    slack: 200_000,
    around: BARE,
    is_of_values: false,
    words: &[],
};

/// How a part is counted.
pub(crate) fn plan(part: &str) -> Plan {
    match part {
        "hidden text" => Plan {
            bound: 1_000,
            around: &[("", ""), ("\u{1b}]", "\u{7}"), ("\u{5d0}", "")],
            ..PLAN
        },
        "data" => Plan {
            size: HEAVY,
            bound: 5_000,
            around: &[("", ""), ("password=", ""), ("https://", "")],
            ..PLAN
        },
        "views" => Plan {
            size: HEAVY,
            bound: 9_000,
            around: &[("", ""), ("<a title=\"", "\">"), ("<p hidden>", "")],
            words: &["view/escape.rs", "view/rotated.rs", "view/markup/html.rs"],
            ..PLAN
        },
        "definitions" => Plan {
            size: HEAVY,
            bound: 7_000,
            words: &["poison/words/lists.rs", "poison/words.rs"],
            ..PLAN
        },
        "markup" => Plan {
            bound: 10_000,
            around: MARKUP,
            words: &[
                "markup/address.rs",
                "markup/entity.rs",
                "markup/html.rs",
                "markup/load.rs",
                "markup/code.rs",
            ],
            ..PLAN
        },
        // Shorter texts are no floods.
        "flood" => Plan {
            size: 16 * 1024,
            bound: 300,
            ..PLAN
        },
        "diff" => Plan {
            size: HEAVY,
            bound: 20_000,
            words: &["pin/wording.rs"],
            ..PLAN
        },
        "likeness" => Plan {
            size: HEAVY / 4,
            bound: 21_000,
            words: &["likeness/words.rs"],
            ..PLAN
        },
        "spotlight" => PLAN,
        // Every name is compared with every other one that may be near it.
        "likeness: names" => Plan {
            bound: 160_000,
            is_of_values: true,
            ..PLAN
        },
        _ => meaning(part),
    }
}

/// How values are counted that mean something, and definitions that say what they mean.
fn meaning(part: &str) -> Plan {
    match part {
        "meaning: path" => Plan {
            bound: 6_000,
            around: &[("", ""), ("/", ""), ("file://", "")],
            words: &["meaning/path.rs"],
            ..PLAN
        },
        "meaning: URL" => Plan {
            bound: 12_000,
            around: &[
                ("", ""),
                ("http://", ""),
                ("http://a.example/", ""),
                ("https://[", "]"),
                ("http://a@", ""),
            ],
            words: &["meaning/url.rs", "meaning/address.rs"],
            ..PLAN
        },
        "meaning: SQL value" | "meaning: SQL query" => Plan {
            around: &[
                ("", ""),
                ("'", ""),
                ("' or ", ""),
                ("/*", ""),
                ("select ", " from a"),
            ],
            words: &["meaning/sql.rs"],
            ..PLAN
        },
        "meaning: template" => Plan {
            words: &["meaning/template.rs"],
            ..PLAN
        },
        "meaning: code" => Plan {
            words: &["meaning/code.rs"],
            ..PLAN
        },
        "meaning: shell word" => PLAN,
        _ => Plan {
            bound: 45_000,
            is_of_values: true,
            ..PLAN
        },
    }
}

/// Found by thinking about how a part reads, and not by trying: each made something slow once, or could.
const THOUGHT_OF: &[&str] = &[
    // Bytes that stand apart, and base64 of text in pieces.
    "cd--ac--cd--ac--cd--ac-- ",
    // Blanks that are spelled with what parts addresses.
    "&Tab;",
    "&#9;,",
    "&#32;",
    "> ",
    ">",
    "```a\n",
    "~~~ a\n",
    "a\u{301}\u{323}\u{300}\u{327}",
    "\u{301}",
    "\u{323}\u{301}",
    // Signs that belong somewhere, which is asked of what stands around them.
    "a\u{200e}",
    "\u{5d0}\u{200f}",
    "\u{1f469}\u{200d}",
    "\u{6cc}\u{200c}",
    "\u{200b}",
    "\u{34f}",
    "\u{2764}\u{fe0f}",
    "\u{845b}\u{e0100}",
    "\u{1f3f4}\u{e0067}\u{e0062}",
    "](\\",
    "](",
    "[^",
    "[^]: ",
    "\\url[",
    "\\url   ",
    "url(\\68ttp://",
    "\\68",
    "&amp;#104;",
    "![[a]",
    "![a][",
    "<style ",
    " style='",
    " content='",
    "\"     http://",
    "=   ",
    "' ) ",
    "or ( ",
    "or = ",
    "or not ",
    "xn--a.",
    "\u{e9}",
    "\u{e9}.",
    "1.",
    "0x1.",
    "\u{1b}[1;",
    "\u{9d}a",
    "https://a",
    "://",
    "a@b.c",
    "   \n",
    "\n\n",
    "| `a` |\n",
];

/// What values are made of, for what looks at how many of them there are.
const VALUES: &[&str] = &[
    "a",
    "é",
    "a_path ",
    "do not tell the user ",
    "%41",
    "[a](b) ",
];

/// How many units are put together of others, and of how many.
const MIXES: usize = 20;
const PIECES: usize = 5;

/// Bytes of a unit that is tried behind every beginning, as what was thought of is.
const SHORT: usize = 2;

/// Words of rules in one unit.
const TOGETHER: usize = 4;

/// The texts for a part.
pub(crate) fn texts(part: &str) -> Vec<Hostile> {
    let plan = plan(part);
    if plan.is_of_values {
        let bare = |unit: &&str| Hostile {
            head: "",
            unit: (*unit).to_owned(),
            tail: "",
        };
        return VALUES.iter().map(bare).collect();
    }
    let known = CLEAN.iter().chain(HOSTILE).map(|(_, piece)| *piece);
    let known = known.chain(FORMS.iter().chain(BETWEEN).chain(THOUGHT_OF).copied());
    let mut units: Vec<String> = known.map(str::to_owned).collect();
    // Words are tried by themselves and apart, in turns.
    let mut words: Vec<String> = plan.words.iter().flat_map(|file| words::of(file)).collect();
    if part == "data" {
        words.extend(pieces());
    }
    words.sort();
    words.dedup();
    let apart = |(at, word): (usize, &String)| format!("{word}{}", BETWEEN[at % BETWEEN.len()]);
    let words: Vec<String> = words.iter().enumerate().map(apart).collect();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice % below as u64).unwrap()
    };
    let pool = [units.as_slice(), &words].concat();
    for _ in 0..MIXES {
        let pieces = 2 + next(PIECES - 1);
        units.push(
            (0..pieces)
                .map(|_| pool[next(pool.len())].as_str())
                .collect(),
        );
    }
    units.retain(|unit| !unit.is_empty());
    units.sort();
    units.dedup();
    let mut texts: Vec<Hostile> = Vec::new();
    for (head, tail) in plan.around {
        // Behind something that makes a part read on, what is short is enough.
        let counts = |unit: &&String| unit.len() <= SHORT || THOUGHT_OF.contains(&unit.as_str());
        let units = units.iter().filter(|unit| head.is_empty() || counts(unit));
        texts.extend(units.map(|unit| Hostile {
            head,
            unit: unit.clone(),
            tail,
        }));
    }
    let words = words.chunks(TOGETHER).map(<[String]>::concat);
    texts.extend(words.map(|unit| Hostile {
        head: "",
        unit,
        tail: "",
    }));
    texts
}
