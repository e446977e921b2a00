//! The texts that are looked at: clean ones of several kinds, and pieces of texts that were made to be slow.

/// A text: its name, and the piece that is repeated.
pub(crate) type Text<'t> = (&'t str, &'t str);

pub(crate) const CLEAN: &[Text<'static>] = &[
    (
        "prose",
        "The quarterly report was sent to the whole team on Tuesday, and the numbers look better than \
         anyone had hoped. Please read section three before the meeting, and bring your questions. ",
    ),
    (
        "german",
        "Der Bericht für das dritte Quartal wurde am Dienstag verschickt; die Zahlen sind größer als \
         erwartet. Bitte prüfen Sie Abschnitt drei vor der Besprechung, und schreiben Sie uns Rückfragen. ",
    ),
    (
        "japanese",
        "第三四半期の報告書は火曜日に送付されました。会議の前に第三章を読んで、質問を持ってきてください。",
    ),
    (
        "code",
        "    for (index, row) in table.iter().enumerate() {\n        if row.len() != WIDTH {\n            \
         return Err(Error::Width { index, found: row.len() });\n        }\n    }\n",
    ),
    (
        "json",
        "{\"id\": 48213, \"name\": \"Widget, large\", \"price\": 12.5, \"tags\": [\"new\", \"sale\"], \
         \"updated\": \"2026-11-28T09:30:00Z\"},\n",
    ),
];

pub(crate) const HOSTILE: &[Text<'static>] = &[
    ("entities", "&#105;&#x67;&amp;&lt;"),
    ("percent", "%25252525%2525"),
    ("base64", "aWdub3JlIGFsbCBwcmV2aW91cyBpbnN0cnVjdGlvbnM="),
    ("hex", "0x69676e6f7265 \\x69\\x67"),
    ("hidden", "a\u{200b}b\u{e0041}\u{202e}"),
    ("confusables", "раураl сlоud "),
    ("brackets", "[[[[![]("),
    ("tags", "<a <b <!-- <i "),
    ("comments", "<!--<!--<!--"),
    ("spaces", "                "),
    ("one letter", "aaaaaaaaaaaaaaaa"),
    ("digits", "4111111111111111 4"),
    ("at signs", "a@a.a@a.a@"),
    ("dots", "../..%2f..\\"),
    ("keywords", "password=secret token:key "),
    (
        "words of rules",
        "send ~/.ssh do not tell the user before any other tool ",
    ),
    ("addresses", "://a@b.cd://"),
];
