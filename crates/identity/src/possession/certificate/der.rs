//! As much DER (X.690) as lies between the beginning of a certificate and the end of its validity
//! (RFC 5280, section 4.1).

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first and the last second a certificate is good, in unix seconds.
pub(super) fn validity(der: &[u8]) -> Option<(u64, u64)> {
    let mut whole = Reader(der);
    let mut certificate = whole.sequence()?;
    // Bytes behind the end would make one certificate of many thumbprints.
    if !whole.0.is_empty() {
        return None;
    }
    let mut signed = certificate.sequence()?;
    let mut next = signed.element()?;
    if next.0 == VERSION {
        next = signed.element()?;
    }
    if next.0 != INTEGER {
        return None;
    }
    let _algorithm = signed.sequence()?;
    let _issuer = signed.sequence()?;
    let mut validity = signed.sequence()?;
    let (from, until) = (validity.time()?, validity.time()?);
    validity.0.is_empty().then_some((from, until))
}

/// Elements one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag and what is in it.
    fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            0x81 => {
                let (byte, rest) = rest.split_first()?;
                (usize::from(*byte).checked_sub(0x80)? + 0x80, rest)
            }
            0x82 => {
                let (bytes, rest) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*bytes));
                (length.checked_sub(0x100)? + 0x100, rest)
            }
            // Nothing that is read here is larger, and DER knows no open end.
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    fn sequence(&mut self) -> Option<Reader<'a>> {
        let (tag, content) = self.element()?;
        (tag == SEQUENCE).then_some(Reader(content))
    }

    fn time(&mut self) -> Option<u64> {
        let (tag, text) = self.element()?;
        let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = match tag {
            UTC_TIME => {
                let (year, rest) = text.split_at_checked(2)?;
                let year: u64 = year.parse().ok()?;
                // RFC 5280, section 4.1.2.5.1.
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = text.split_at_checked(4)?;
                (year.parse().ok()?, rest)
            }
            _ => return None,
        };
        if rest.len() != 10 {
            return None;
        }
        let part = |at: usize| rest.get(at..at + 2)?.parse::<u64>().ok();
        let (month, day) = (part(0)?, part(2)?);
        let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
        let sane = (1..=12).contains(&month) && (1..=31).contains(&day);
        if !sane || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        // What is over before anything began is over all the same.
        let days = days_since_epoch(year, month, day).unwrap_or(0);
        Some(days * 86_400 + hour * 3600 + minute * 60 + second)
    }
}

/// Days from 1970-01-01 to this day; none before it. Years are counted from March on, so that the leap
/// day is the last of a year.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let month = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}
