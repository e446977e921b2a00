//! Traversal, in the spellings that some reader on the way understands, and paths that only look like it.

use super::*;

fn rooted() -> Kind {
    Kind::Path(Roots::new(["/srv/data", "/tmp/job"]).unwrap())
}

/// Up, out of wherever it begins.
const CLIMBING: &[&str] = &[
    "..",
    "../",
    "../x",
    "../../etc/passwd",
    "a/../../x",
    "a/b/../../../x",
    "./../x",
    ".//../x",
    "a/./../../x",
    "/..",
    "/../etc/passwd",
    "/../../../../etc/shadow",
    "..\\x",
    "..\\..\\windows\\win.ini",
    "a\\..\\..\\x",
    "../..\\x",
    "..\\../x",
    "\\..\\x",
    "a/..\\../x",
    ".. /x",
    "../ ..",
    " ../x",
    "..\t/x",
];

/// The same in disguise: no honest path is written so.
const DISGUISED: &[&str] = &[
    "%2e%2e/x",
    "%2e%2e%2fx",
    "%2E%2E%2Fx",
    "..%2fx",
    "..%2Fx",
    "%2e./x",
    ".%2e/x",
    "%2e%2e\\x",
    "%2e%2e%5cx",
    "..%5cx",
    "..%5Cx",
    "%252e%252e%252fx",
    "%252e%252e/x",
    "..%252fx",
    "..%255cx",
    "%25252e%25252e%25252fx",
    "..%25252fx",
    "%c0%ae%c0%ae/x",
    "%c0%ae%c0%ae%c0%afx",
    "%C0%AE%C0%AE%C0%AFx",
    "..%c0%afx",
    "..%c1%9cx",
    "..%c0%2fx",
    "..%e0%80%afx",
    "%e0%80%ae%e0%80%ae%e0%80%afx",
    "%f0%80%80%ae%f0%80%80%ae%f0%80%80%afx",
    "%25c0%25ae%25c0%25ae%25c0%25afx",
    "..%u002fx",
    "%u002e%u002e%u002fx",
    "%u002e%u002e/x",
    "..%u005cx",
    "..%u2215x",
    "..%u2216x",
    "%uff0e%uff0e%uff0fx",
    "%uff0e%uff0e/x",
    "%u2024%u2024/x",
    "..%ef%bc%8fx",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8fx",
    "..%e2%88%95x",
    "\u{ff0e}\u{ff0e}/x",
    "\u{ff0e}\u{ff0e}\u{ff0f}x",
    "..\u{ff0f}x",
    "..\u{ff3c}x",
    "..\u{2215}x",
    "..\u{2044}x",
    "..\u{29f8}x",
    "..\u{2216}x",
    "\u{2024}\u{2024}/x",
    "\u{2025}/x",
    "\u{fe52}\u{fe52}/x",
    ".\u{200b}./x",
    ".\u{ad}./x",
    ".\u{feff}./x",
    "a/%2e%2e/%2e%2e/x",
    "a/..%2f..%2fx",
    "/srv/data/%2e%2e/%2e%2e/etc/passwd",
    "/srv/data/..%2f..%2fetc/passwd",
    "/srv/data/x%2f..%2f..%2f..%2fetc",
    "a%2f..%2f..%2fx",
    "%2e%2e%3b/x",
    "..%3b/x",
    "..%00/x",
    "..%20/x",
    "..%09/x",
];

/// Zero bytes and line breaks.
const BROKEN: &[&str] = &[
    "a\0.txt",
    "\0",
    "../\0",
    "/etc/passwd\0.png",
    "a%00.txt",
    "a%2500.txt",
    "a%c0%80.txt",
    "a%u0000.txt",
    "a\n",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "a\u{7f}",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{1b}[31mred",
];

/// With roots: places outside of them.
const OUTSIDE: &[&str] = &[
    "/",
    "/etc/passwd",
    "/srv",
    "/srv/",
    "/srv/datax",
    "/srv/data2/x",
    "/srv/dat",
    "/SRV/data/x",
    "/srv/data/..",
    "/srv/data/../x",
    "/srv/data/../../etc",
    "/srv/data/x/../../y",
    "/tmp/jobs",
    "/tmp",
    "/tmp/job/../x",
    "/tmp/job/./../x",
    "//etc/passwd",
    "/./etc/passwd",
    "/proc/self/environ",
    "/dev/tcp/1.2.3.4/80",
    "..",
    "../x",
    "../data2",
    "a/../../x",
    "\\etc\\passwd",
    "..\\..\\x",
    "/srv/data/..;/..;/etc/passwd",
    "..;/x",
    "..;a=b/x",
    // Outside to those who split at one slash only, or take no `;` off.
    "/srv\\data\\x",
    "/etc/..;/srv/data/x",
    "\\..;/srv/data/x",
    "/.. /srv/data/x",
    "/srv/data/a;/b/.. /.. /.. /..;/x",
];

/// With roots: outside of them in disguise, without a way up that nobody can see.
const DISGUISED_OUTSIDE: &[&str] = &[
    "%2fetc%2fpasswd",
    "%2Fetc/passwd",
    "%252fetc/passwd",
    "%5cetc%5cpasswd",
    "%c0%afetc/passwd",
    "\u{2215}etc\u{2215}passwd",
    "\u{ff0f}etc\u{ff0f}passwd",
    "a/../%2e%2e/x",
    // Inside to those who make look-alikes ASCII, at once or at the end, and to nobody else.
    "%2f\u{ff0f}/srv/data/x",
    "%2fa%2f\u{2025}/srv/data/x",
    "\u{ff0f}%2fsrv/data/x/\u{2025}%2f..%2f..%2fx",
];

/// With roots: what leads elsewhere once a program writes it out, or follows it.
const LEAVING: &[&str] = &[
    "~",
    "~/.ssh/id_rsa",
    " ~/x",
    "~\\x",
    "~root",
    "~root/x",
    "~ada.lovelace/x",
    "~+/x",
    "%7e/.ssh/id_rsa",
    "$HOME/.ssh/id_rsa",
    "${HOME}/x",
    "C:\\Windows\\win.ini",
    "C:/x",
    "c:x",
    "C:",
    " c:/x",
    "c%3a/x",
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "file:etc/passwd",
    "file:///srv/data/../../etc/passwd",
    "file:///srv/data/%2e%2e/%2e%2e/etc/passwd",
    "file:///etc/passwd?/../../srv/data/x",
    "file:///etc/passwd#/../../srv/data/x",
    "file://host/srv/data/x",
    "file:///~/x",
    "url:file:///etc/passwd",
    "<file:///etc/passwd>",
    "jar:file:/etc/passwd!/x",
    "local_file:///etc/passwd",
    "php://filter/resource=/etc/passwd",
    "http://169.254.169.254/latest",
    "https://example.com/x",
    "s3://bucket/x",
];

/// With roots: what only looks as if it did.
const STAYING: &[&str] = &[
    "~$report.docx",
    "~.lock",
    "~ x",
    "./~/x",
    "a/~/x",
    "a~",
    "/srv/data/~/x",
    "$HOMES/x",
    "$lib/x.ts",
    "$id.tsx",
    "ab:c",
    "1:x",
    "./C:/x",
    "/srv/data/file:/x",
    "file.txt",
    "files:x",
    "file:///srv/data/x",
    "file:///srv/data/a%20b",
    "file:/srv/data/x#L10",
    "file://localhost/tmp/job/x",
];

/// Written as nobody should who names a place plainly; honest now and then.
const STRICT: &[(&str, &str)] = &[
    ("a/../b", "path.dots"),
    ("/srv/data/a/../b", "path.dots"),
    ("a\\b", "path.backslash"),
    ("C:\\x", "path.drive"),
    ("C:/x", "path.drive"),
    ("c:x", "path.drive"),
    ("\\\\server\\share", "path.unc"),
    ("\\\\?\\C:\\x", "path.unc"),
    ("\\\\.\\pipe\\x", "path.unc"),
    ("/\\server/share", "path.unc"),
    ("//server/share", "path.double_slash"),
    ("a//b", "path.double_slash"),
    ("~", "path.home"),
    ("~/x", "path.home"),
    ("~root/x", "path.home"),
    ("CON", "path.device"),
    ("con.txt", "path.device"),
    ("a/NUL", "path.device"),
    ("a/nul.tar.gz", "path.device"),
    ("LPT1", "path.device"),
    ("com\u{b9}", "path.device"),
    ("COM1:", "path.device"),
    ("conin$", "path.device"),
    ("aux/x", "path.device"),
    ("a.", "path.trailing"),
    ("a ", "path.trailing"),
    ("a /b", "path.trailing"),
    ("a./b", "path.trailing"),
    ("...", "path.trailing"),
    ("a..", "path.trailing"),
    (" a", "path.trailing"),
    ("a:b", "path.colon"),
    ("a.txt::$DATA", "path.stream"),
    ("a.asp::$INDEX_ALLOCATION/x", "path.stream"),
    ("-rf", "path.option"),
    ("--help", "path.option"),
    ("\u{2010}rf", "path.option"),
    ("\u{ff0d}rf", "path.option"),
    (" -rf", "path.option"),
    ("|id", "path.pipe"),
    ("id|", "path.pipe"),
    ("a%2fb", "path.encoded"),
    ("a%2eb", "path.encoded"),
    ("a%5cb", "path.encoded"),
    ("a%25b", "path.encoded"),
    ("a%0ab", "path.encoded"),
    ("a%u0041", "path.encoded"),
    ("a\u{2215}b", "path.lookalike"),
    ("a\u{ff0f}b", "path.lookalike"),
    ("wait\u{ff0e}txt", "path.lookalike"),
    ("a\u{200b}b", "path.lookalike"),
    ("file:///x", "path.scheme"),
    ("file:x", "path.scheme"),
    ("FILE:/x", "path.scheme"),
    (" file:///x", "path.scheme"),
    ("php://filter/x", "path.scheme"),
    ("http://x/y", "path.scheme"),
    ("/proc/self/environ", "path.system"),
    ("/sys/kernel", "path.system"),
    ("/dev/tcp/1.2.3.4/80", "path.system"),
    ("/dev/sda", "path.system"),
];

/// Plain places inside the roots: nothing is wrong with them at all.
const PLAIN: &[&str] = &[
    "",
    ".",
    "a",
    "a.txt",
    "a/b/c.txt",
    "./a",
    "a/./b",
    ".git/config",
    ".env",
    "..a",
    "a..b",
    "..a/b",
    "a/..b/c",
    "a/b..c/d",
    "x.tar.gz",
    "v1.2.3/notes.md",
    "file with spaces.txt",
    "100%",
    "100%.txt",
    "50%20off",
    "a%zz",
    "a%2",
    "a+b",
    "a&b",
    "a;b",
    "a#b",
    "a@b",
    "(draft) x",
    "[1] x",
    "it's",
    "übersicht.txt",
    "資料/報告.txt",
    "résumé.pdf",
    "файл.txt",
    "ملف.txt",
    "emoji 🎉.txt",
    "wait…txt",
    "console.log",
    "context.txt",
    "null",
    "company.txt",
    "nullable.rs",
    "com",
    "com10",
    "lpt",
    "a-b",
    "a--b",
    "a_b",
    "a|b",
    "proc/x",
    "/srv/data",
    "/srv/data/",
    "/srv/data/a",
    "/srv/data/./a",
    "/tmp/job/x",
];

#[test]
fn n1_1_a_path_that_climbs_is_told_in_every_plain_spelling() {
    let kind = Kind::of(Meaning::Path);
    for path in CLIMBING {
        let rules = broken(&kind, Basis::Recognised, path);
        assert!(
            rules.contains(&"path.traversal") || rules.contains(&"path.control"),
            "{path:?}: {rules:?}"
        );
        // Without roots it may be honest: it is refused where somebody says it is a path.
        let rules = broken(&kind, Basis::Declared, path);
        assert!(rules.contains(&"path.traversal"), "{path:?}: {rules:?}");
    }
    refuses(&rooted(), CLIMBING);
    let rows: Vec<_> = CLIMBING.iter().map(|it| (*it, "path.traversal")).collect();
    check(&rooted(), &rows);
}

#[test]
fn n1_1_a_disguised_traversal_is_refused_however_the_meaning_is_known() {
    refuses(&Kind::of(Meaning::Path), DISGUISED);
    refuses(&rooted(), DISGUISED);
    refuses(&Kind::of(Meaning::Path), BROKEN);
    refuses(&rooted(), BROKEN);
}

#[test]
fn n1_1_a_path_outside_its_roots_is_refused() {
    refuses(&rooted(), OUTSIDE);
    let rows: Vec<_> = OUTSIDE
        .iter()
        .map(|path| (*path, "path.outside_roots"))
        .collect();
    check(&rooted(), &rows);
    let rows: Vec<_> = DISGUISED_OUTSIDE
        .iter()
        .map(|path| (*path, "path.disguised_traversal"))
        .collect();
    check(&rooted(), &rows);
    refuses(&rooted(), DISGUISED_OUTSIDE);
}

#[test]
fn n1_1_a_declared_path_is_no_longer_than_systems_take() {
    let path = |bytes: usize| "ab/".repeat(bytes).get(..bytes).unwrap().to_owned();
    let name = |bytes: usize| "a".repeat(bytes);
    for (path, rule) in [
        (name(255), "-"),
        (name(256), "path.too_long"),
        (format!("a/{}/b", name(256)), "path.too_long"),
        (path(4096), "-"),
        (path(4097), "path.too_long"),
    ] {
        check(&Kind::of(Meaning::Path), &[(&*path, rule)]);
    }
}

#[test]
fn n1_1_a_rule_is_told_once_of_a_value() {
    let broken = broken(&Kind::of(Meaning::Path), Basis::Declared, "a\\b\\c");
    assert_eq!(broken, ["path.backslash"]);
}

#[test]
fn n1_1_a_path_that_a_program_writes_out_or_follows_stays_inside_its_roots() {
    refuses(&rooted(), LEAVING);
    passes(&rooted(), STAYING);
    let rows: Vec<_> = LEAVING
        .iter()
        .filter(|path| !path.contains("%7e") && !path.contains("%3a"))
        .map(|path| (*path, "path.outside_roots"))
        .collect();
    check(&rooted(), &rows);
    // Everything is inside `/`, and without roots nothing is outside.
    let plainly: Vec<_> = LEAVING
        .iter()
        .filter(|path| !path.contains("%2e"))
        .copied()
        .collect();
    passes(&Kind::Path(Roots::new(["/"]).unwrap()), &plainly);
    passes(&Kind::of(Meaning::Path), &plainly);
}

#[test]
fn n1_1_a_declared_path_is_written_plainly() {
    check(
        &Kind::of(Meaning::Path),
        &STRICT
            .iter()
            .map(|(path, rule)| match *rule {
                "path.dots" => (*path, "-"),
                rule => (*path, rule),
            })
            .collect::<Vec<_>>(),
    );
    let honest: Vec<_> = STRICT.iter().map(|(path, _)| *path).collect();
    passes(&Kind::of(Meaning::Path), &honest);
    let places = [("/dev/null", "-"), ("/dev/stdin", "-"), ("proc/x", "-")];
    check(&Kind::of(Meaning::Path), &places);
}

#[test]
fn n1_1_a_plain_path_passes() {
    let rows: Vec<_> = PLAIN.iter().map(|path| (*path, "-")).collect();
    check(&rooted(), &rows);
    let rows: Vec<_> = PLAIN.iter().map(|path| (*path, "-")).collect();
    check(&Kind::of(Meaning::Path), &rows);
}

#[test]
fn n1_1_the_corpus_of_paths_is_large_enough() {
    let hostile = CLIMBING.len() + DISGUISED.len() + BROKEN.len() + OUTSIDE.len() + STRICT.len();
    assert!(hostile >= 150, "{hostile}");
    assert!(PLAIN.len() >= 50);
}

#[test]
fn n1_1_the_place_that_is_named_is_handed_back() {
    for (path, place) in [
        ("", Some("/srv/data")),
        ("a/./b", Some("/srv/data/a/b")),
        ("/tmp/job/x", Some("/tmp/job/x")),
        ("/srv/data/a/../b", Some("/srv/data/b")),
        ("a//b", Some("/srv/data/a/b")),
        // What a URI names is looked for where it leads.
        ("file:///srv/data/a%20b?c#d", Some("/srv/data/a b")),
        ("file:/tmp/job/x", Some("/tmp/job/x")),
        ("file:///etc", None),
        ("~/x", None),
        ("/etc", None),
        ("../x", None),
    ] {
        let expectation = Expectation {
            basis: Basis::Recognised,
            otherwise: Consequence::Refuse,
            kind: rooted(),
        };
        let found = expectation.check(path).path;
        assert_eq!(found.as_ref().map(|found| &*found.place), place, "{path}");
    }
    for (path, written) in [
        ("link/../secret", "/srv/data/link/../secret"),
        ("/tmp/job/link/../x", "/tmp/job/link/../x"),
    ] {
        let expectation = Expectation {
            basis: Basis::Recognised,
            otherwise: Consequence::Refuse,
            kind: rooted(),
        };
        assert_eq!(expectation.check(path).path.unwrap().written, written);
    }
}

#[test]
fn n1_1_roots_are_absolute_and_plain() {
    for root in ["", "srv", "./x"] {
        assert_eq!(Roots::new([root]), Err(RootsError::Relative), "{root}");
    }
    for root in ["/srv/../x", "/./x", "/a\\b", "/a\nb"] {
        assert_eq!(Roots::new([root]), Err(RootsError::Unclear), "{root}");
    }
    let roots = Roots::new(["/", "/srv//data/"]).unwrap();
    assert_eq!(roots.iter().collect::<Vec<_>>(), ["/", "/srv/data"]);
}
