//! `ringwall rules` on packs of rules.

use super::program::ringwall;
use std::fs;

const PACK: &str = "\
pack: own/badges
version: 3
rules:
  - id: personal.badge
    title: number of a badge
    confidence: high
    start: ['BDG-']
    pattern: 'BDG-[0-9]{6}'
    longest: 10
    matches: ['my badge is BDG-482915.']
    near_misses: ['BDG-4829', 'xBDG-482915']
";

#[test]
fn rules_lists_what_is_looked_for() {
    let said = ringwall(&["rules", "list"], None).good();
    for label in ["secret.github_token", "personal.iban", "personal.de_tax_id"] {
        assert!(said.contains(label), "{said}");
    }
    let said = ringwall(&["rules", "list", "--json"], None).good();
    let all: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
    assert!(all.len() > 100);
}

#[test]
fn n9_3_a_pack_is_signed_once_its_examples_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    let key = folder.path().join("rules.pem");
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    fs::write(file, PACK).unwrap();
    let said = ringwall(&["rules", "check", file], None).good();
    assert!(said.contains("own/badges version 3, 1 rules"), "{said}");
    ringwall(&["rules", "sign", file, "--key", key], None).good();
    let signature = fs::read_to_string(format!("{file}.sig")).unwrap();
    assert_eq!(signature.trim().len(), 128);
    assert!(fs::metadata(format!("{key}.pub")).is_ok());
    // What it says and does not do is told with its line, and nothing is signed.
    fs::remove_file(format!("{file}.sig")).unwrap();
    fs::write(file, PACK.replace("BDG-482915.", "BDG-48291.")).unwrap();
    let said = ringwall(&["rules", "sign", file, "--key", key], None).bad();
    assert!(
        said.contains("line 10") && said.contains("does not find"),
        "{said}"
    );
    assert!(fs::metadata(format!("{file}.sig")).is_err());
}
