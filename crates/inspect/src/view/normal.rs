//! Text without what is hidden in it, and with every character in its plainest form (UAX 15, NFKC).

use super::map::Kind;
use super::weave::Weaver;
use crate::text;
use unicode_normalization::char::compose;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Bytes skipped at once where all are ASCII.
const STEP: usize = 64;

/// What is longer than this many times itself in its plain form stays.
const GROWTH: usize = 4;

/// The wide forms of ASCII, which stand in its order.
const WIDE_FIRST: char = '\u{ff01}';
const WIDE_LAST: char = '\u{ff5e}';

/// The one ligature of Arabic that becomes eighteen characters: it is left as it is.
const LONG_LIGATURE: char = '\u{fdfa}';

pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let mut at = 0;
    for span in text::spans(text) {
        compatible(text, at..span.start, weaver);
        at = span.end;
        weaver.drop(span, Kind::Invisible);
        if weaver.is_full() {
            return;
        }
    }
    compatible(text, at..text.len(), weaver);
}

/// Normalises each cluster of characters that is not normalised: a character and the marks on it.
fn compatible(text: &str, range: std::ops::Range<usize>, weaver: &mut Weaver<'_>) {
    let mut plain = String::new();
    let part = text.get(range.clone()).unwrap_or_default();
    let mut at = 0;
    // Where the last character began that a mark may stand on.
    let mut base = 0;
    while let Some(rest) = part.get(at..).filter(|rest| !rest.is_empty()) {
        let ascii = ascii_prefix(rest.as_bytes());
        if ascii > 0 {
            at += ascii;
            base = at - 1;
            continue;
        }
        let plain_ones = rest.char_indices();
        let next = plain_ones.take_while(|(_, c)| !c.is_ascii() && judge(*c) == IsNormalized::Yes);
        if let Some((last, c)) = next.last() {
            base = at + last;
            at = base + c.len_utf8();
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        let start = match judge(c) {
            IsNormalized::No if is_at_home(part, at, c) => {
                base = at;
                at += c.len_utf8();
                continue;
            }
            IsNormalized::No | IsNormalized::Yes => at,
            IsNormalized::Maybe => base,
        };
        let mut end = at + c.len_utf8();
        let marks = part.get(end..).unwrap_or_default().chars();
        for mark in marks.take_while(|c| !c.is_ascii() && judge(*c) == IsNormalized::Maybe) {
            end += mark.len_utf8();
        }
        let cluster = part.get(start..end).unwrap_or_default();
        plain.clear();
        match ascii_of_wide(cluster) {
            Some(c) => plain.push(c),
            None if marked(cluster, &mut plain) => {}
            None => plain.extend(cluster.nfkc()),
        }
        if plain != cluster && plain.len() <= GROWTH * cluster.len() {
            weaver.put(
                range.start + start..range.start + end,
                &plain,
                Kind::Compatible,
            );
        }
        at = end;
        base = end;
    }
}

pub(super) fn ascii_prefix(bytes: &[u8]) -> usize {
    let whole = bytes.chunks(STEP).take_while(|step| step.is_ascii());
    let whole = whole.map(<[u8]>::len).sum();
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| byte.is_ascii()).count()
}

/// Whether a character stands in its plainest form; maybe, where that depends on its neighbours.
fn judge(c: char) -> IsNormalized {
    match c {
        WIDE_FIRST..=WIDE_LAST => IsNormalized::No,
        // The marks that most languages have on their letters.
        '\u{300}'..='\u{304}' | '\u{306}'..='\u{30c}' | '\u{323}'..='\u{328}' => {
            IsNormalized::Maybe
        }
        _ if is_inert(c) || c == LONG_LIGATURE => IsNormalized::Yes,
        _ => is_nfkc_quick(std::iter::once(c)),
    }
}

/// The ASCII character whose wide form this is: no table is asked.
fn ascii_of_wide(cluster: &str) -> Option<char> {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some(c @ WIDE_FIRST..=WIDE_LAST), None) => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    }
}

/// What a letter of ASCII and one mark on it are: one character, or both. No table of decompositions is asked,
/// since neither has one.
fn marked(cluster: &str, plain: &mut String) -> bool {
    let mut chars = cluster.chars();
    let (Some(base), Some(mark), None) = (chars.next(), chars.next(), chars.next()) else {
        return false;
    };
    if base.is_ascii() {
        match compose(base, mark) {
            Some(c) => plain.push(c),
            None => plain.push_str(cluster),
        }
    }
    base.is_ascii()
}

/// Whether it is wide punctuation among ideographs, which is how those are punctuated.
fn is_at_home(part: &str, at: usize, c: char) -> bool {
    let east =
        |c: char| matches!(c, '\u{3000}'..='\u{d7ff}' | '\u{ff01}'..='\u{ff1f}' | '\u{20000}'..);
    let wide = matches!(
        c,
        '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}'..='\u{ff1f}'
    );
    let (before, rest) = part.split_at_checked(at).unwrap_or_default();
    let neighbours = [before.chars().next_back(), rest.chars().nth(1)];
    wide && neighbours
        .into_iter()
        .flatten()
        .all(|c| east(c) || c.is_ascii_whitespace())
}

/// Characters of common scripts that are in their plainest form, so that no table is asked.
fn is_inert(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{131}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{52f}'
        | '\u{5d0}'..='\u{5ea}' | '\u{621}'..='\u{652}' | '\u{e01}'..='\u{e32}'
        | '\u{2010}' | '\u{2012}'..='\u{2016}' | '\u{2018}'..='\u{2023}'
        | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fe}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{1f300}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_plain_without_a_table_is_plain() {
        for c in '\0'..=char::MAX {
            let alone = is_nfkc_quick(std::iter::once(c));
            assert!(judge(c) == alone || c == LONG_LIGATURE, "{c:?}");
            if let Some(plain) = ascii_of_wide(&c.to_string()) {
                assert!(c.to_string().nfkc().eq([plain]), "{c:?}");
            }
            for base in ('\0'..='\u{7f}').filter(|_| alone == IsNormalized::Maybe) {
                let (cluster, mut plain) = (format!("{base}{c}"), String::new());
                assert!(marked(&cluster, &mut plain));
                assert!(cluster.nfkc().eq(plain.chars()), "{cluster:?}");
            }
        }
    }
}
