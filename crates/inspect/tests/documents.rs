//! The page about secrets and personal data names every rule of the built-in packs: it is held against
//! them, and written anew with `RINGWALL_UPDATE=1`.

use ringwall_inspect::data::pack::Pack;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const MARK: &str = "<!-- The table is written by a test from the packs. -->\n";

#[test]
fn the_page_names_every_rule_of_the_built_in_packs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/content/data.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (words, _) = page.split_once(MARK).expect("the mark is there");
    let mut table =
        String::from("\n| label | what | confidence | severity |\n| --- | --- | --- | --- |\n");
    for pack in Pack::built_in().expect("the packs are sound") {
        for rule in pack.rules() {
            let _ = writeln!(
                table,
                "| `{}` | {} | {} | {} |",
                rule.label,
                rule.title,
                rule.confidence.name(),
                rule.severity.name()
            );
        }
    }
    let right = format!("{words}{MARK}{table}");
    if std::env::var_os("RINGWALL_UPDATE").is_some() {
        fs::write(&path, right).expect("the page can be written");
        return;
    }
    assert_eq!(page, right, "write it anew with RINGWALL_UPDATE=1");
}
