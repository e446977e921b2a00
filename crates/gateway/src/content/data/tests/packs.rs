//! Which packs of others are taken, and that their rules are asked.

use super::*;
use audit::SigningKey;
use std::fs;
use std::path::Path;

const PACK: &str = "\
pack: own/badges
version: 1
rules:
  - id: personal.badge
    title: number of a badge
    start: ['BDG-']
    pattern: 'BDG-[0-9]{6}'
    fields: ['title']
    matches: ['my badge is BDG-482915.']
";

/// A configuration that names the pack of a folder.
fn settled(folder: &Path) -> config::Settled {
    let pack = json!({ "file": folder.join("own.yaml"), "key": folder.join("key.pub") });
    let data = json!({ "packs": [pack], "personal": { "answers": "redact" } });
    sample::house(&json!({ "data": data }))
}

#[test]
fn n9_3_a_pack_is_taken_if_it_is_signed_holds_and_is_not_too_large() {
    let key = SigningKey::ephemeral().unwrap();
    let other = SigningKey::ephemeral().unwrap();
    let large = format!("{PACK}#{}", "x".repeat(inspect::data::pack::BYTES));
    let wrong = PACK.replace("BDG-482915", "BDG-48291");
    let cases = [
        (PACK, key.sign(PACK.as_bytes()), "taken"),
        (PACK, other.sign(PACK.as_bytes()), "unsigned"),
        (PACK, key.sign(wrong.as_bytes()), "unsigned"),
        (PACK, String::new(), "unsigned"),
        (PACK, "0".repeat(5000), "unsigned"),
        (&wrong, key.sign(wrong.as_bytes()), "flawed"),
        // What lies beyond the bound is not read, and so is not what was signed.
        (&large, key.sign(large.as_bytes()), "unsigned"),
    ];
    for (pack, signature, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("own.yaml"), pack).unwrap();
        fs::write(at("own.yaml.sig"), signature).unwrap();
        key.public().save(&at("key.pub")).unwrap();
        let told = match read_packs(&mut settled(folder.path())) {
            Ok(()) => "taken",
            Err(PackError::Flawed { .. }) => "flawed",
            Err(PackError::Unsigned { .. }) => "unsigned",
            Err(_) => "something else",
        };
        assert_eq!(told, expected, "{} bytes", pack.len());
    }
}

#[test]
fn n9_3_rules_of_an_own_pack_are_asked_and_names_of_the_protocol_are_no_fields() {
    // The rules that come with Ringwall are in use before those of the pack.
    assert_eq!(hushed("badge BDG-482915"), "badge BDG-482915");
    let key = SigningKey::ephemeral().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("own.yaml"), PACK).unwrap();
    fs::write(at("own.yaml.sig"), key.sign(PACK.as_bytes())).unwrap();
    key.public().save(&at("key.pub")).unwrap();
    let mut settled = settled(folder.path());
    read_packs(&mut settled).unwrap();
    let settled = &settled.servers.first().unwrap().content;
    let content = Content::new(HiddenText::Remove, settled, &"/s".into()).unwrap();
    let cases = [
        (
            json!({ "content": [{ "type": "text", "text": "I am BDG-482915" }] }),
            true,
        ),
        (json!({ "structuredContent": { "title": "whoever" } }), true),
        (
            json!({ "prompts": [{ "name": "p", "title": "whoever" }] }),
            false,
        ),
    ];
    for (result, found) in cases {
        let message = json!({ "result": result });
        let (left, rules, _) = after(&content, &message, Toward::Model);
        assert_eq!(left != message, found, "{left}");
        assert_eq!(
            rules.contains(&"personal.badge".to_owned()),
            found,
            "{left}"
        );
    }
    // Where no server is known yet, it is one of the packs that are in use.
    let said = hushed("badge BDG-482915");
    assert_eq!(said, "badge [redacted: personal.badge]");
    // And where several are, all of theirs are.
    let usual = super::settled(&json!({}));
    for all in [[settled.clone(), usual.clone()], [usual, settled.clone()]] {
        let content = Content::of_all(HiddenText::Remove, &all, &"/s".into()).unwrap();
        let (_, rules, _) = after(&content, &result("I am BDG-482915"), Toward::Model);
        assert_eq!(rules, ["personal.badge"]);
    }
}
