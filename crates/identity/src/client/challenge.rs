//! Reads `WWW-Authenticate` (RFC 9110, section 11.6.1): several challenges in one header or in
//! several, each with a scheme and parameters. Strict: what the grammar does not allow, what is
//! there twice, and what is over the limits is not read at all. Nothing is decided here.

/// The most bytes of all the headers together.
const HEADER_MAX: usize = 16 * 1024;
/// The most challenges.
const CHALLENGES_MAX: usize = 16;
/// The most parameters of one challenge.
const PARAMETERS_MAX: usize = 32;

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthChallenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

/// The headers are no list of challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`WWW-Authenticate` is not a list of challenges")]
pub struct ChallengeError;

impl AuthChallenge {
    /// Whether it is of this scheme; case does not matter.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// A parameter, by its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        let (_, value) = all.find(|(named, _)| named == name)?;
        Some(value)
    }
}

/// The challenges of these headers, in order.
pub fn challenges<S: AsRef<str>>(headers: &[S]) -> Result<Vec<AuthChallenge>, ChallengeError> {
    let bytes: usize = headers.iter().map(|header| header.as_ref().len()).sum();
    if bytes > HEADER_MAX {
        return Err(ChallengeError);
    }
    let mut found = Vec::new();
    for header in headers {
        let mut reader = Reader {
            rest: header.as_ref(),
        };
        reader.read(&mut found)?;
    }
    Ok(found)
}

/// What of a header has not been read.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn read(&mut self, found: &mut Vec<AuthChallenge>) -> Result<(), ChallengeError> {
        self.skip_separators();
        while !self.rest.is_empty() {
            if found.len() >= CHALLENGES_MAX {
                return Err(ChallengeError);
            }
            let challenge = self.challenge()?;
            found.push(challenge);
        }
        Ok(())
    }

    /// A scheme, and then a token68 or parameters until something that is not one more of them.
    fn challenge(&mut self) -> Result<AuthChallenge, ChallengeError> {
        let scheme = self.token().ok_or(ChallengeError)?;
        let mut challenge = AuthChallenge {
            scheme: scheme.to_owned(),
            parameters: Vec::new(),
        };
        let spaced = self.rest.starts_with(' ');
        self.skip_spaces();
        if spaced && self.token68() {
            self.end_of_item()?;
            return Ok(challenge);
        }
        if spaced && !self.rest.is_empty() && !self.rest.starts_with(',') {
            let first = self.parameter()?.ok_or(ChallengeError)?;
            challenge.parameters.push(first);
        }
        self.end_of_item()?;
        while let Some((name, value)) = self.parameter()? {
            let known = challenge.parameters.iter().any(|(known, _)| *known == name);
            if known || challenge.parameters.len() >= PARAMETERS_MAX {
                return Err(ChallengeError);
            }
            challenge.parameters.push((name, value));
            self.end_of_item()?;
        }
        Ok(challenge)
    }

    /// A parameter, if one is next and not another scheme.
    fn parameter(&mut self) -> Result<Option<(String, String)>, ChallengeError> {
        let before = self.rest;
        let Some(name) = self.token() else {
            return Ok(None);
        };
        self.skip_spaces();
        let Some(rest) = self.rest.strip_prefix('=') else {
            self.rest = before;
            return Ok(None);
        };
        self.rest = rest;
        self.skip_spaces();
        let value = match self.rest.strip_prefix('"') {
            Some(quoted) => self.quoted(quoted)?,
            None => self.token().ok_or(ChallengeError)?.to_owned(),
        };
        Ok(Some((name.to_ascii_lowercase(), value)))
    }

    /// The text of a quoted string, from behind its first quote.
    fn quoted(&mut self, text: &'a str) -> Result<String, ChallengeError> {
        let mut value = String::new();
        let mut characters = text.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = text.get(at + 1..).ok_or(ChallengeError)?;
                    return Ok(value);
                }
                '\\' => {
                    let (_, escaped) = characters.next().ok_or(ChallengeError)?;
                    value.push(visible(escaped)?);
                }
                other => value.push(visible(other)?),
            }
        }
        Err(ChallengeError)
    }

    /// Skips a token68 that is the whole of a challenge's words, if one is next.
    fn token68(&mut self) -> bool {
        let end = self.rest.find(',').unwrap_or(self.rest.len());
        let Some((word, rest)) = self.rest.split_at_checked(end) else {
            return false;
        };
        let body = word.trim_end_matches([' ', '\t']).trim_end_matches('=');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let whole = !body.is_empty() && body.bytes().all(allowed);
        if whole {
            self.rest = rest;
        }
        whole
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|character| !is_token(character));
        let (token, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        if token.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(token)
    }

    /// The comma behind an item of the list, or the end.
    fn end_of_item(&mut self) -> Result<(), ChallengeError> {
        self.skip_spaces();
        if !self.rest.is_empty() && !self.rest.starts_with(',') {
            return Err(ChallengeError);
        }
        self.skip_separators();
        Ok(())
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_separators(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }
}

/// `tchar` of RFC 9110.
fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

fn visible(character: char) -> Result<char, ChallengeError> {
    match character {
        ' '..='~' => Ok(character),
        _ => Err(ChallengeError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each challenge as `scheme name=value|name=value`.
    fn shown(headers: &[&str]) -> Result<Vec<String>, ChallengeError> {
        let found = challenges(headers)?;
        let one = |challenge: &AuthChallenge| {
            let all = challenge.parameters.iter();
            let all: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", challenge.scheme, all.join("|"))
        };
        Ok(found.iter().map(one).collect())
    }

    #[test]
    fn n2_1_reads_every_form_of_challenges() {
        let check = |headers: &[&str], expected: &[&str]| {
            assert_eq!(
                shown(headers).as_deref(),
                Ok(expected.map_strings().as_slice())
            );
        };
        check(&[], &[]);
        check(&[""], &[]);
        check(&[" , ,"], &[]);
        check(&["Bearer"], &["Bearer "]);
        check(&["Bearer "], &["Bearer "]);
        check(&["Bearer realm=x"], &["Bearer realm=x"]);
        check(&["bearer REALM=\"x y\""], &["bearer realm=x y"]);
        check(
            &["Bearer error=\"invalid_token\", scope=\"a b\",resource_metadata = \"https://a/b\""],
            &["Bearer error=invalid_token|scope=a b|resource_metadata=https://a/b"],
        );
        check(
            &["Basic realm=\"a, b=\\\"c\\\"\", Bearer scope=a, DPoP algs=\"ES256 PS256\""],
            &[
                "Basic realm=a, b=\"c\"",
                "Bearer scope=a",
                "DPoP algs=ES256 PS256",
            ],
        );
        check(
            &["Negotiate YWJj==, Bearer a=b"],
            &["Negotiate ", "Bearer a=b"],
        );
        check(&["Negotiate, Bearer a=b"], &["Negotiate ", "Bearer a=b"]);
        check(&["Bearer a=b", "DPoP c=d"], &["Bearer a=b", "DPoP c=d"]);
        check(&["Bearer a=b,"], &["Bearer a=b"]);
        // By the grammar that is a token68, which no scheme of ours has.
        check(&["Bearer a="], &["Bearer "]);
    }

    #[test]
    fn n2_1_refuses_challenges_that_two_readers_could_read_differently() {
        let many = format!("Bearer {}", "a=b,".repeat(2));
        let schemes = "A, ".repeat(CHALLENGES_MAX + 1);
        let names: Vec<String> = (0..=PARAMETERS_MAX).map(|n| format!("p{n}=x")).collect();
        let parameters = format!("Bearer {}", names.join(","));
        let long = format!("Bearer a=\"{}\"", "x".repeat(HEADER_MAX));
        for header in [
            "Bearer a=b a=c",
            "Bearer a=b, a=c",
            "Bearer a=b, A=c",
            "Bearer a=\"b",
            "Bearer a=\"b\\",
            "Bearer a=\"b\"c",
            "Bearer a=\"x\", b=",
            "Bearer a=https://x",
            "Bearer =b",
            "Bearer a b",
            "\"Bearer\" a=b",
            "Bearer a=\"\u{e9}\"",
            "Bearer a=\"\r\nSet-Cookie: x\"",
            "Bearer a=\"\0\"",
            "Bearer; a=b",
            &many,
            &schemes,
            &parameters,
            &long,
        ] {
            assert_eq!(shown(&[header]), Err(ChallengeError), "{header}");
        }
    }

    trait Strings {
        fn map_strings(&self) -> Vec<String>;
    }

    impl Strings for [&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~\\t,=\"\\\\]{0,200}") {
            for challenge in challenges(&[text]).unwrap_or_default() {
                prop_assert!(!challenge.scheme.is_empty());
                prop_assert!(challenge.parameters.len() <= PARAMETERS_MAX);
            }
        }
    }
}
