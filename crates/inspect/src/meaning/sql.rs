//! SQL, cut into words and never parsed: a value that is put into a statement must not turn into one,
//! and a statement that is said to read must not write.
//!
//! Dialects differ. Where they differ in what is text and what is not, a value is taken apart as if
//! every quote could end one, and a statement that depends on it is refused as unclear.

mod cut;

use super::rule::*;
use crate::lexicon::Words;
use cut::{Quotes, Token, What, cut};
use std::ops::Range;

/// Statements that change something, and words that make others do so. `REPLACE` counts where it is no
/// function.
static WRITES: Words = Words::new(&[
    "alter",
    "analyze",
    "attach",
    "backup",
    "begin",
    "bulk",
    "call",
    "checkpoint",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "dbcc",
    "deallocate",
    "declare",
    "delete",
    "deny",
    "detach",
    "disable",
    "do",
    "drop",
    "enable",
    "exec",
    "execute",
    "export",
    "flush",
    "grant",
    "handler",
    "import",
    "insert",
    "install",
    "into",
    "kill",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "optimize",
    "outfile",
    "pragma",
    "prepare",
    "purge",
    "put",
    "reconfigure",
    "refresh",
    "reindex",
    "release",
    "rename",
    "repair",
    "reset",
    "restore",
    "revoke",
    "rollback",
    "savepoint",
    "set",
    "shutdown",
    "start",
    "truncate",
    "undrop",
    "unlock",
    "update",
    "upsert",
    "use",
    "vacuum",
    "waitfor",
]);
/// How a statement begins that reads.
static READS: Words = Words::new(&[
    "desc", "describe", "explain", "from", "select", "show", "table", "values", "with",
]);
/// Functions that wait, run programs, read or write files, or reach other machines.
static FUNCTIONS: Words = Words::new(&[
    "benchmark",
    "dblink",
    "dblink_connect",
    "dblink_exec",
    "extractvalue",
    "httpuritype",
    "lo_export",
    "lo_import",
    "load_extension",
    "load_file",
    "openquery",
    "openrowset",
    "pg_ls_dir",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_reload_conf",
    "pg_sleep",
    "pg_terminate_backend",
    "query_to_xml",
    "randomblob",
    "sleep",
    "sys_eval",
    "sys_exec",
    "updatexml",
    "url_get",
    "writefile",
    "xmltype",
    "nextval",
    "setval",
    "set_config",
]);
/// The same, and whatever begins so.
const FAMILIES: &[&str] = &["dbms_", "sp_oa", "utl_", "xp_"];
/// What may stand behind a quote in a condition, if an operator follows.
static JOINS: Words = Words::new(&["and", "or", "xor"]);
/// What may stand behind a quote and goes on with a statement.
static CLAUSES: Words = Words::new(&[
    "between",
    "except",
    "from",
    "group",
    "having",
    "intersect",
    "into",
    "like",
    "limit",
    "offset",
    "order",
    "procedure",
    "returning",
    "rlike",
    "union",
    "where",
]);

/// A value that is put into a statement.
pub(super) fn value(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    if let Some(at) = text.find('\0') {
        add(&SQL_NUL, at..at + 1);
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut apart = false;
    for mut token in cut(text, Quotes::Apart) {
        if let What::Comment { run, closed } = token.what {
            // Behind a number, a quote or a statement it cuts off the rest, or hides a space.
            let behind = tokens.last().is_some_and(|before| {
                matches!(before.what, What::Number | What::Quote | What::End)
            });
            if run || behind {
                add(&SQL_COMMENT, token.at.clone());
            }
            if closed && text.as_bytes().get(token.at.start) == Some(&b'/') {
                apart = true;
                continue;
            }
        }
        token.spaced |= std::mem::take(&mut apart);
        tokens.push(token);
    }
    for at in 0..tokens.len() {
        let here = tokens.get(at..).unwrap_or_default();
        if let Some((rule, range)) = judge(text, here) {
            add(rule, range);
        }
    }
}

/// What is wrong at the first of these tokens.
fn judge(text: &str, here: &[Token]) -> Option<(&'static Rule, Range<usize>)> {
    let first = here.first()?;
    let word = |at: usize| here.get(at).and_then(|token| token.word(text));
    let is = |at: usize, words: &[&str]| word(at).is_some_and(|word| has(words, word));
    let among = |at: usize, words: &Words| word(at).is_some_and(|word| words.has(word.as_bytes()));
    let flaw = |rule: &'static Rule| Some((rule, first.at.clone()));
    match first.what {
        What::Word if is(0, &["union"]) => {
            let select = 1 + usize::from(is(1, &["all", "distinct"]));
            let goes_on = here.get(select + 1).is_some();
            (is(select, &["select"]) && goes_on)
                .then(|| flaw(&SQL_UNION))
                .flatten()
        }
        What::Word if among(0, &JOINS) && always_holds(text, here.get(1..).unwrap_or_default()) => {
            flaw(&SQL_TAUTOLOGY)
        }
        What::Word if is_function(text, here) => flaw(&SQL_FUNCTION),
        What::Word if is(0, &["into"]) && is(1, &["outfile", "dumpfile"]) => flaw(&SQL_FUNCTION),
        What::Word if is(0, &["waitfor"]) && is(1, &["delay", "time"]) => flaw(&SQL_FUNCTION),
        What::End if is(1, &["select"]) || among(1, &WRITES) && here.get(2).is_some() => {
            flaw(&SQL_STACKED)
        }
        What::End if is(1, &["shutdown", "commit", "rollback"]) => flaw(&SQL_STACKED),
        What::Quote => behind_quote(text, here.get(1..).unwrap_or_default())
            .then(|| flaw(&SQL_BREAKOUT))
            .flatten(),
        _ => None,
    }
}

/// Whether what stands behind a quote goes on with the statement that the quote was in.
fn behind_quote(text: &str, rest: &[Token]) -> bool {
    let mut rest = rest.iter().skip_while(|token| token.is(text, ")"));
    let Some(first) = rest.next() else {
        return false;
    };
    let next = rest.next();
    match first.what {
        What::Comment { .. } => true,
        What::End => next.is_some(),
        What::Symbol => {
            let symbol = first.text(text);
            matches!(symbol, "=" | "|" | "<" | ">" | "!" | "+" | "*" | "/" | "^") && next.is_some()
        }
        What::Word => {
            let word = first.text(text);
            let spaced = first.spaced;
            let operator = |token: Option<&Token>| {
                token.is_some_and(|token| {
                    token.what == What::Symbol
                        && matches!(token.text(text), "=" | "<" | ">" | "!" | "(")
                        || token.word(text).is_some_and(|word| {
                            has(
                                &["between", "exists", "in", "is", "like", "not", "select"],
                                word,
                            )
                        })
                })
            };
            let third = rest.next();
            let fourth = rest.next();
            // `' or '1'='1`: the quote opens a text that a comparison follows.
            let quoted = next.is_some_and(|next| next.what == What::Quote);
            spaced
                && JOINS.has(word.as_bytes())
                && (operator(next) || operator(third) || quoted && fourth.is_some())
                || spaced
                    && CLAUSES.has(word.as_bytes())
                    && (operator(next) || operator(third) || is_clause(text, word, next, third))
        }
        _ => false,
    }
}

/// `ORDER BY 1`, `LIMIT 1`, `UNION SELECT`.
fn is_clause(text: &str, word: &str, next: Option<&Token>, third: Option<&Token>) -> bool {
    let by = next.is_some_and(|next| next.is(text, "by")) && third.is_some();
    let number = next.is_some_and(|next| next.what == What::Number);
    by && has(&["group", "order"], word) || number && has(&["limit", "offset"], word)
}

/// Whether a condition begins that holds whatever the row: `1=1`, `'a'='a`, `true`, `2>1`.
fn always_holds(text: &str, rest: &[Token]) -> bool {
    let mut rest = rest.iter().filter(|token| {
        token.what != What::Quote && !token.is(text, "(") && !token.is(text, "not")
    });
    let Some(left) = rest.next() else {
        return false;
    };
    let literal = |token: &Token| matches!(token.what, What::Number);
    let mut next = rest.next();
    if left.is(text, "true") {
        return next.is_none_or(|next| matches!(next.what, What::End | What::Comment { .. }));
    }
    let like = next.is_some_and(|next| next.is(text, "like") || next.is(text, "is"));
    if !like && !next.is_some_and(|next| matches!(next.text(text), "=" | "<" | ">" | "!")) {
        return false;
    }
    while next.is_some_and(|next| next.what == What::Symbol)
        || like && next.is_some_and(|next| next.what == What::Word && next.is(text, "like"))
    {
        next = rest.next();
    }
    let Some(right) = next else {
        return false;
    };
    literal(left) && literal(right) || left.text(text).eq_ignore_ascii_case(right.text(text))
}

fn is_function(text: &str, here: &[Token]) -> bool {
    let Some(word) = here.first().and_then(|token| token.word(text)) else {
        return false;
    };
    // The first letters of all families.
    let may_be = word.starts_with(['d', 'D', 's', 'S', 'u', 'U', 'x', 'X']);
    if may_be
        && FAMILIES.iter().any(|family| {
            word.get(..family.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(family))
        })
    {
        return true;
    }
    FUNCTIONS.has(word.as_bytes()) && here.get(1).is_some_and(|next| next.is(text, "("))
}

/// A statement that is said to read.
pub(super) fn query(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    if let Some(at) = text.find('\0') {
        add(&SQL_NUL, at..at + 1);
    }
    let tokens = cut(text, Quotes::Hold);
    let mut first = true;
    let mut ended = false;
    for (at, token) in tokens.iter().enumerate() {
        let here = tokens.get(at..).unwrap_or_default();
        let range = || token.at.clone();
        match token.what {
            What::Unclear => add(&SQL_UNCLEAR, range()),
            // What one dialect runs is a comment in others.
            What::Comment { run: true, .. } => add(&SQL_UNCLEAR, range()),
            What::Comment { closed: false, .. } => add(&SQL_UNCLEAR, range()),
            What::Comment { .. } => continue,
            What::End => {
                ended = true;
                continue;
            }
            _ => {}
        }
        if ended {
            add(&SQL_SEVERAL, range());
        }
        if let Some(word) = token.word(text) {
            if first && !READS.has(word.as_bytes()) || writes(text, word, here) {
                add(&SQL_WRITES, range());
            }
            first = false;
        } else if first && !token.is(text, "(") {
            add(&SQL_WRITES, range());
            first = false;
        }
        if is_function(text, here) {
            add(&SQL_FUNCTION, range());
        }
    }
}

fn writes(text: &str, word: &str, here: &[Token]) -> bool {
    let called = || here.get(1).is_some_and(|next| next.is(text, "("));
    match word {
        // A function of texts where it is called.
        word if word.eq_ignore_ascii_case("replace") || word.eq_ignore_ascii_case("insert") => {
            !called()
        }
        word => WRITES.has(word.as_bytes()),
    }
}

fn has(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_known_by_its_first_letter() {
        let families = ["dbms_sql", "SP_OACreate", "utl_http", "xp_cmdshell"];
        assert!(
            families
                .iter()
                .all(|word| is_function(word, &cut(word, Quotes::Hold)))
        );
    }
}
