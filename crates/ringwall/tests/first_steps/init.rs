//! `ringwall init`: what it writes, `ringwall check` passes; what is there, it leaves alone.

use crate::program::run;
use std::path::Path;

#[track_caller]
fn passes_check(folder: &Path) {
    run(&["check", "--quiet"], folder, "").succeeded();
}

#[test]
fn what_init_writes_passes_check() {
    for (arguments, input) in [
        (&["init", "--yes"][..], ""),
        (&["init"], "\n\n\n\n\n\n\n"),
        (
            &["init"],
            "127.0.0.1:9090\nhttps://id.example.com\nfiles\nnpx -y some-server /srv\nyes\n\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ended = run(arguments, folder.path(), input).succeeded();
        assert!(ended.out().contains("ringwall serve"), "{}", ended.out());
        passes_check(folder.path());
    }
}

#[test]
fn replaces_a_file_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    run(&["init", "--yes"], folder.path(), "").succeeded();
    let (config, policy) = (
        folder.path().join("ringwall.yaml"),
        folder.path().join("policies/first.cedar"),
    );
    std::fs::write(&config, "mine").unwrap();
    std::fs::write(&policy, "// mine\n").unwrap();
    let ended = run(&["init", "--yes"], folder.path(), "").failed();
    assert!(ended.err().contains("--force"), "{}", ended.err());
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "mine");
    run(&["init", "--yes", "--force"], folder.path(), "").succeeded();
    assert_ne!(std::fs::read_to_string(&config).unwrap(), "mine");
    assert_eq!(
        std::fs::read_to_string(&policy).unwrap(),
        "// mine\n",
        "a policy is never replaced"
    );
    passes_check(folder.path());
}

#[test]
fn an_editors_list_is_taken_over_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    let list = format!(
        r#"{{ "mcpServers": {{
            "github": {{ "command": "github-mcp-server", "args": ["stdio"], "env": {{ "GITHUB_TOKEN": "{secret}" }} }},
            "docs": {{ "url": "https://docs.example.com/mcp" }} }} }}"#
    );
    std::fs::write(folder.path().join("mcp.json"), list).unwrap();
    let ended = run(&["init", "--import", "mcp.json"], folder.path(), "").succeeded();
    let text = std::fs::read_to_string(folder.path().join("ringwall.yaml")).unwrap();
    assert!(text.contains("github") && text.contains("docs"), "{text}");
    assert!(!text.contains(secret) && !ended.out().contains(secret));
    passes_check(folder.path());
}

#[test]
fn without_anybody_to_ask_it_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["init"], folder.path(), "").failed();
    assert!(ended.err().contains("--yes"), "{}", ended.err());
    assert!(!folder.path().join("ringwall.yaml").exists());
}
