//! What programs and manifests have where a secret could stand: constants, members, slugs, paths.
//!
//! A secret that somebody drew has letters and digits among each other; a name that somebody wrote has
//! words, and digits behind them. Nothing here knows words of any language.

/// Signs between the words of names.
const BETWEEN: &[u8] = b"_-./:@#$*";
/// Those between the words of what is an identifier in a program, or made of some.
const OF_CODE: &[u8] = b"_./*";
/// What may stand before a name: the end of a comment, a reference.
const BEFORE: &[char] = &['*', '/', '&', '@', '!', '.', '_', '-', '~'];
/// Longer values are what they are, in bytes.
const LONGEST: usize = 100;
/// Digits that stand together in a word: a year, a port, a curve.
const DIGITS: usize = 5;
/// The same where they stand alone: a day, an account.
const NUMBER: usize = 12;
/// Digits behind a word of a slug: `prod01`.
const COUNTED: usize = 3;
/// Parts of one word that are letters or digits: `MLKEM768X25519PrivateKey`.
const PARTS: usize = 5;
/// Digits that stand for letters in one: `k8s`, but not `Tr0ub4dor`.
const INSIDE: usize = 1;
/// Letters of a short form: `PKCS`.
const SHORT: usize = 5;
/// Fewer letters are a word of no weight.
const WORD: usize = 3;
/// More letters without a vowel between them are in no word.
const CONSONANTS: usize = 4;
/// Letters of the words with a capital that name a type, together.
const TYPE: usize = 10;

/// Whether a value is made of words, with few digits: the name of something, and nothing that a machine drew.
pub(super) fn is_name(value: &str) -> bool {
    let name = value.trim_start_matches(BEFORE).as_bytes();
    if name.len() > LONGEST {
        return false;
    }
    let (name, is_made) = match without_suffix(name) {
        Some(name) => (name, true),
        None => (name, false),
    };
    let words = name.split(|byte| BETWEEN.contains(byte));
    let mut seen = Seen::default();
    for word in words.filter(|word| !word.is_empty()) {
        if !word.iter().all(u8::is_ascii_alphanumeric) || seen.take(word).is_none() {
            return false;
        }
    }
    let are_words = 10 * seen.told >= 6 * seen.letters;
    let is_one = match is_made {
        true => seen.plain > 1 && seen.is_slug(),
        false => {
            seen.is_identifier(name) || seen.is_member(name) || seen.is_slug() || seen.is_type(name)
        }
    };
    are_words && is_one
}

/// A name without what Kubernetes puts behind it so that it is the only one: `db-credentials-x7k2p`. No vowel is in
/// that, and no digit that reads like one.
fn without_suffix(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().rposition(|byte| *byte == b'-')?;
    let suffix = name.get(at + 1..)?;
    let is_of_it = |byte: &u8| b"bcdfghjklmnpqrstvwxz2456789".contains(byte);
    let is_one = matches!(suffix.len(), 5 | 8..=10)
        && suffix.iter().all(is_of_it)
        && suffix.iter().any(u8::is_ascii_digit);
    name.get(..at).filter(|_| is_one)
}

/// What the words of a name are made of so far.
#[derive(Default)]
struct Seen {
    letters: usize,
    digits: usize,
    /// Letters of what reads as words.
    told: usize,
    /// Digits before a small letter that goes on with a word.
    inside: usize,
    /// Words with a capital, and their letters.
    capital: usize,
    capital_letters: usize,
    /// Words of letters, numbers, and words with digits in them.
    plain: usize,
    numbers: usize,
    mixed: usize,
    /// Words with digits elsewhere than behind them.
    odd: usize,
}

impl Seen {
    /// Nothing for a word that nobody writes.
    fn take(&mut self, word: &[u8]) -> Option<()> {
        let same = |one: &u8, other: &u8| one.is_ascii_digit() == other.is_ascii_digit();
        let (mut count, mut last, mut behind) = (0, 0, false);
        for part in word.chunk_by(same) {
            let is_number = part.first().is_some_and(u8::is_ascii_digit);
            let is_small = part.first().is_some_and(u8::is_ascii_lowercase);
            match is_number {
                true => self.digits += part.len(),
                false => self.take_letters(part)?,
            }
            self.inside += usize::from(count > 0 && is_small);
            (last, behind) = (part.len(), is_number);
            let most = match part.len() == word.len() {
                true => NUMBER,
                false => DIGITS,
            };
            if is_number && part.len() > most {
                return None;
            }
            count += 1;
        }
        match (count, behind) {
            (1, false) => self.plain += 1,
            (1, true) => self.numbers += 1,
            (2, true) if last <= COUNTED => self.mixed += 1,
            _ => {
                self.mixed += 1;
                self.odd += 1;
            }
        }
        (count <= PARTS).then_some(())
    }

    /// Nothing for letters whose capitals begin no words.
    fn take_letters(&mut self, letters: &[u8]) -> Option<()> {
        self.letters += letters.len();
        let small = letters.iter().filter(|it| it.is_ascii_lowercase()).count();
        if small == 0 || small == letters.len() {
            self.told += letters.len() * usize::from(is_word(letters));
            return Some(());
        }
        let goes_on =
            |one: &u8, other: &u8| !(one.is_ascii_lowercase() && other.is_ascii_uppercase());
        for (place, part) in letters.chunk_by(goes_on).enumerate() {
            let capitals = part.iter().take_while(|it| it.is_ascii_uppercase()).count();
            let is_short_form = capitals == part.len();
            // The last of several capitals begins the word that follows.
            let before = capitals - usize::from(capitals > 0 && !is_short_form);
            let word = part.get(before..).unwrap_or_default();
            let is_first = place == 0 && before == 0;
            if before > 0 && (place > 0 || before > SHORT)
                || !is_first && !is_short_form && word.len() < WORD
            {
                return None;
            }
            if is_short_form || word.len() < WORD || !is_word(word) {
                continue;
            }
            self.told += word.len();
            if capitals > 0 && word.iter().any(|it| b"aeiouAEIOU".contains(it)) {
                self.capital += 1;
                self.capital_letters += word.len();
            }
        }
        Some(())
    }

    /// Whether it is an identifier of a program, or made of some: `SHA256_DIGEST_LENGTH`, `params.key_len/2`.
    fn is_identifier(&self, name: &[u8]) -> bool {
        let is_any = |is: fn(&u8) -> bool| name.iter().any(is);
        let is_of_code = |byte: &u8| byte.is_ascii_alphanumeric() || OF_CODE.contains(byte);
        let is_one_case = !is_any(u8::is_ascii_lowercase) || !is_any(u8::is_ascii_uppercase);
        self.plain + self.numbers + self.mixed > 1
            && name.contains(&b'_')
            && name.iter().all(is_of_code)
            && is_one_case
            && self.inside <= INSIDE
            && self.letters >= 2 * self.digits
    }

    /// Whether it is what an object has: `this.config.oauth2Key`.
    fn is_member(&self, name: &[u8]) -> bool {
        let is_of_it = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        name.contains(&b'.')
            && name.iter().all(is_of_it)
            && self.plain > 0
            && self.odd < 2
            && self.inside <= INSIDE
            && self.letters >= 2 * self.digits
    }

    /// Whether it is words with a number, a year or a version: `letsencrypt-prod-tls-2024`.
    fn is_slug(&self) -> bool {
        self.odd == 0
            && self.mixed <= self.plain.min(1)
            && self.plain + self.mixed > 1
            && self.numbers <= (self.plain / 2).max(1)
            && self.letters >= 2 * self.digits
    }

    /// Whether it is the name of a type: capitals begin words in it, and it does not end with the digits that people
    /// put behind a password. `Ed25519PrivateKey`.
    fn is_type(&self, name: &[u8]) -> bool {
        let end = name.iter().rev().take_while(|it| it.is_ascii_alphabetic());
        end.count() >= WORD
            && self.capital > 1
            && self.capital_letters >= TYPE
            && self.inside <= INSIDE
            && self.letters >= self.digits
    }
}

/// Whether letters can be spoken.
fn is_word(letters: &[u8]) -> bool {
    let is_vowel = |byte: &u8| b"aeiouyAEIOUY".contains(byte);
    let mut between = letters.split(is_vowel);
    letters.len() >= WORD
        && letters.iter().any(is_vowel)
        && between.all(|letters| letters.len() <= CONSONANTS)
}

/// Whether a value is a constant of a program: `API_KEY_2`.
pub(super) fn is_constant(value: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    value.contains('_') && value.bytes().all(plain) && is_name(value)
}

/// Whether a value is an expression: an index, a member, what a pointer leads to.
pub(super) fn is_expression(value: &str) -> bool {
    let names = value.as_bytes().split(|byte| *byte == b'.');
    let is_identifier = |name: &[u8]| {
        let begins = name
            .first()
            .is_some_and(|it| it.is_ascii_alphabetic() || *it == b'_');
        begins
            && name
                .iter()
                .all(|it| it.is_ascii_alphanumeric() || *it == b'_')
    };
    let is_member = value.contains('.') && names.clone().all(is_identifier);
    let is_joined = |pair: &[u8]| match pair {
        [one, other] => *one == b'_' || one.is_ascii_lowercase() && other.is_ascii_uppercase(),
        _ => false,
    };
    value.ends_with('[')
        || ["->", "::"].iter().any(|sign| value.contains(sign))
        || is_member && value.as_bytes().windows(2).any(is_joined) && is_name(value)
}

/// Whether a value is the name of a file, as keys are kept in.
pub(super) fn is_file(value: &str) -> bool {
    const FILES: [&str; 14] = [
        "asc", "cer", "crt", "der", "env", "jks", "json", "key", "p12", "pem", "pfx", "txt",
        "yaml", "yml",
    ];
    let end = value.rsplit_once('.').map(|(_, end)| end);
    end.is_some_and(|end| FILES.contains(&end)) && !value.contains(' ')
}

/// Whether a value is a path from the root, from somebody's home or from where one is.
pub(super) fn is_path(value: &str) -> bool {
    let bytes = value.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-');
    let first = bytes.split(|byte| *byte == b'/').nth(1);
    let is_rooted = bytes.first() == Some(&b'/') && first.is_some_and(|it| it.iter().all(plain));
    let is_drive = matches!(bytes, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    let begins = ["~/", "./", "../"].iter().any(|it| value.starts_with(it));
    is_rooted || is_drive || begins || value == "~"
}
