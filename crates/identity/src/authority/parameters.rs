//! One reading of the parameters of a request, from a query or a form: strict, bounded, and each name
//! at most once, since of two values two readers could take a different one (RFC 6749, section 3.1).

use super::{AuthorityError, ErrorCode};
use std::fmt;
use zeroize::Zeroizing;

/// The parameters of a request. Values may be secrets, so they are wiped when dropped, and not shown.
pub struct Parameters {
    pairs: Vec<(Box<str>, Zeroizing<String>)>,
    repeated: Vec<Box<str>>,
}

impl Parameters {
    /// The longest text that is read, in bytes.
    pub const BYTES_MAX: usize = 16 * 1024;
    /// The most parameters it may have.
    pub const COUNT_MAX: usize = 40;

    /// Reads `application/x-www-form-urlencoded` text. What is encoded in any way that two readers
    /// could decode differently is refused.
    pub fn read(text: &str) -> Result<Self, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidRequest.because(says);
        if text.len() > Parameters::BYTES_MAX {
            return Err(invalid("the request is too long"));
        }
        let mut pairs: Vec<(Box<str>, Zeroizing<String>)> = Vec::new();
        let mut repeated = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() + repeated.len() >= Parameters::COUNT_MAX {
                return Err(invalid("the request has too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decoded(name).zip(decoded(value));
            let (name, value) =
                decoded.ok_or(invalid("a parameter is not encoded as it should"))?;
            let name: Box<str> = name.as_str().into();
            match pairs.iter().any(|(known, _)| *known == name) {
                true => repeated.push(name),
                false => pairs.push((name, value)),
            }
        }
        Ok(Parameters { pairs, repeated })
    }

    /// The value of this parameter. One without a value counts as one that is not there (RFC 6749,
    /// section 3.1); one that is there twice has none.
    pub fn get(&self, name: &'static str) -> Option<&str> {
        if self.is_repeated(name) {
            return None;
        }
        let mut pairs = self.pairs.iter();
        let (_, value) = pairs.find(|(known, _)| **known == *name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a parameter that has to be there.
    pub fn require(&self, name: &'static str, says: &'static str) -> Result<&str, AuthorityError> {
        self.get(name)
            .ok_or(ErrorCode::InvalidRequest.because(says))
    }

    /// Whether this parameter is there more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|known| **known == *name)
    }

    /// That none is there more than once. Several resources are a request that the text on resources
    /// allows and that nothing here grants (RFC 8707, section 2).
    pub fn once_each(&self) -> Result<(), AuthorityError> {
        if self.is_repeated("resource") {
            return Err(ErrorCode::InvalidTarget.because("a token is for one resource only"));
        }
        match self.repeated.is_empty() {
            true => Ok(()),
            false => Err(ErrorCode::InvalidRequest.because("a parameter is there twice")),
        }
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.pairs.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Parameters")
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

/// What a text says, if there is one way to read it.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            plain if plain.is_ascii_graphic() => plain,
            _ => return None,
        };
        // A line break or a zero byte is in no value that anybody needs.
        if byte.is_ascii_control() {
            return None;
        }
        bytes.push(byte);
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_a_request_is_read_in_one_way_or_not_at_all() {
        let check = |text: &str, name: &'static str, expected: Option<&str>| {
            let read = Parameters::read(text);
            let read = read.as_ref().ok().and_then(|it| it.get(name));
            assert_eq!(read, expected, "{text}");
        };
        check("a=1&b=2", "b", Some("2"));
        check("a=x%20y+z%2B", "a", Some("x y z+"));
        check("a=%C3%A9", "a", Some("é"));
        check("a=1=2", "a", Some("1=2"));
        check("%61=1", "a", Some("1"));
        check("a=&b=1", "a", None);
        check("a&b=1", "a", None);
        check("A=1", "a", None);
        // Twice is never, in whatever spelling.
        check("a=1&a=1", "a", None);
        check("a=1&%61=2", "a", None);
        check("a=&a=1", "a", None);
        // Not one way to read it.
        for text in [
            "a=%",
            "a=%2",
            "a=%zz",
            "a=%u0041",
            "a=%ff",
            "a=%c0%af",
            "a=\u{e9}",
            "a=b c",
            "a=%00",
            "a=%0d%0aLocation:x",
            "a=\tb",
        ] {
            assert!(Parameters::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn m3_a_request_is_bounded() {
        let long = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
        assert!(Parameters::read(&long(Parameters::BYTES_MAX)).is_ok());
        assert!(Parameters::read(&long(Parameters::BYTES_MAX + 1)).is_err());
        let many = |count: usize| (0..count).map(|i| format!("p{i}=1&")).collect::<String>();
        assert!(Parameters::read(&many(Parameters::COUNT_MAX)).is_ok());
        assert!(Parameters::read(&many(Parameters::COUNT_MAX + 1)).is_err());
        assert!(Parameters::read(&"a=1&".repeat(Parameters::COUNT_MAX + 1)).is_err());
    }

    #[test]
    fn m3_what_is_there_twice_is_refused() {
        let check = |text: &str, expected: Option<ErrorCode>| {
            let once = Parameters::read(text).unwrap().once_each();
            assert_eq!(once.err().map(|error| error.code), expected, "{text}");
        };
        check("a=1&b=1", None);
        check("state=1&state=1", Some(ErrorCode::InvalidRequest));
        check(
            "resource=https://a&resource=https://b",
            Some(ErrorCode::InvalidTarget),
        );
        let secret = Parameters::read("code=hush").unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
