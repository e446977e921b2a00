//! Source text that is run. What it does is not understood here: what starts other programs or
//! evaluates text is found by its name, in the languages that tools run.

use super::rule::*;
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// What starts programs, evaluates text, or reaches the program around it.
const REACHES: &[&str] = &[
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "subprocess",
    "pty.spawn",
    "__import__",
    "__builtins__",
    "__subclasses__",
    "ctypes",
    "eval(",
    "exec(",
    "execfile(",
    "child_process",
    "process.binding",
    "process.mainmodule",
    "new function(",
    "runtime.getruntime",
    "processbuilder",
    "system.diagnostics.process",
    "invoke-expression",
    "downloadstring(",
    "shell_exec(",
    "passthru(",
    "proc_open(",
    "popen(",
    "system(",
    "kernel.exec",
    "os/exec",
    "std::process::command",
];

static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(REACHES)
        .ok()
});

pub(super) fn check(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    if let Some(at) = text.find('\0') {
        add(&CODE_NUL, at..at + 1);
    }
    if !text.is_ascii() {
        // Trojan source: the order in which it is shown is not the order in which it is read.
        let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if let Some(at) = text.find(turns) {
            add(&CODE_DIRECTION, at..at + 3);
        }
    }
    match &*WORDS {
        Some(words) => {
            if let Some(found) = words.find(text) {
                add(&CODE_REACH, found.range());
            }
        }
        // INVARIANT: fixed words always compile (shown by a test); if not, nothing passes.
        None => add(&CODE_NUL, 0..text.len()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_words_compile() {
        assert!(super::WORDS.is_some());
    }
}
