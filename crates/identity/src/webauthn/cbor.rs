//! As much CBOR (RFC 8949) as authenticators write: the canonical form of CTAP2, where everything has one
//! spelling. No float, no tag, no length that is told later; nothing twice in a map.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// `true`, `false` or null, of which nothing is ever read.
    Simple,
}

/// How deep values may nest.
const DEPTH: u8 = 4;
/// The most members of a list or a map.
const MEMBERS: u64 = 64;

impl<'a> Item<'a> {
    /// The value that is the whole of these bytes.
    pub(super) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let item = Item::next(&mut bytes)?;
        bytes.is_empty().then_some(item)
    }

    /// The value that these bytes begin with, which is taken off them.
    pub(super) fn next(bytes: &mut &'a [u8]) -> Option<Self> {
        item(bytes, DEPTH)
    }

    /// The member of a map with this text as its key.
    pub(super) fn named(&self, name: &str) -> Option<&Item<'a>> {
        self.member(&Item::Text(name))
    }

    /// The member of a map with this number as its key.
    pub(super) fn numbered(&self, number: i64) -> Option<&Item<'a>> {
        self.member(&Item::Number(number))
    }

    fn member(&self, key: &Item<'_>) -> Option<&Item<'a>> {
        let Item::Map(members) = self else {
            return None;
        };
        let mut found = members.iter().filter(|(known, _)| known == key);
        found.next().map(|(_, value)| value)
    }
}

fn item<'a>(bytes: &mut &'a [u8], depth: u8) -> Option<Item<'a>> {
    let depth = depth.checked_sub(1)?;
    let (head, rest) = bytes.split_first()?;
    *bytes = rest;
    let (major, short) = (head >> 5, head & 0x1f);
    if major == 7 {
        // false, true, null
        return matches!(short, 20..=22).then_some(Item::Simple);
    }
    let value = argument(bytes, short)?;
    let length = || usize::try_from(value).ok();
    Some(match major {
        0 => Item::Number(i64::try_from(value).ok()?),
        1 => Item::Number(-1 - i64::try_from(value).ok()?),
        2 => Item::Bytes(taken(bytes, length()?)?),
        3 => Item::Text(std::str::from_utf8(taken(bytes, length()?)?).ok()?),
        4 if value <= MEMBERS => {
            let items = (0..value).map(|_| item(bytes, depth));
            Item::List(items.collect::<Option<_>>()?)
        }
        5 if value <= MEMBERS => {
            let mut members: Vec<(Item<'a>, Item<'a>)> = Vec::new();
            for _ in 0..value {
                let key = item(bytes, depth)?;
                let is_new = members.iter().all(|(known, _)| *known != key);
                let is_key = matches!(key, Item::Number(_) | Item::Text(_));
                if !is_new || !is_key {
                    return None;
                }
                let value = item(bytes, depth)?;
                members.push((key, value));
            }
            Item::Map(members)
        }
        _ => return None,
    })
}

/// The number of a head, in its shortest form.
fn argument(bytes: &mut &[u8], short: u8) -> Option<u64> {
    let (size, least) = match short {
        0..=23 => return Some(u64::from(short)),
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1 << 32),
        _ => return None,
    };
    let value = taken(bytes, size)?
        .iter()
        .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    (value >= least).then_some(value)
}

fn taken<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_1_reads_what_authenticators_write_and_only_in_its_one_spelling() {
        let check = |bytes: &[u8], expected: Option<Item<'_>>| {
            assert_eq!(Item::read(bytes), expected, "{bytes:02x?}");
        };
        check(&[0x00], Some(Item::Number(0)));
        check(&[0x18, 24], Some(Item::Number(24)));
        check(&[0x26], Some(Item::Number(-7)));
        check(&[0x39, 0x01, 0x00], Some(Item::Number(-257)));
        check(&[0x42, 1, 2], Some(Item::Bytes(&[1, 2])));
        check(&[0x62, b'a', b'b'], Some(Item::Text("ab")));
        check(&[0xf5], Some(Item::Simple));
        check(&[0x81, 0x01], Some(Item::List(vec![Item::Number(1)])));
        let map = vec![(Item::Number(1), Item::Number(2))];
        check(&[0xa1, 0x01, 0x02], Some(Item::Map(map)));
        for other in [
            &[][..],
            &[0x18, 23],     // could be shorter
            &[0x19, 0, 255], // likewise
            &[0x1b, 0, 0, 0, 0, 1, 0, 0, 0],
            &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255], // beyond a number
            &[0x42, 1],                                      // cut
            &[0x61, 0xff],                                   // no UTF-8
            &[0x5f, 0x41, 1, 0xff],                          // a length that is told later
            &[0xa2, 0x01, 0x02, 0x01, 0x03],                 // twice
            &[0xa1, 0x41, 1, 0x02],                          // a key of another kind
            &[0xa1, 0x01],                                   // cut
            &[0xc0, 0x00],                                   // a tag
            &[0xf9, 0, 0],                                   // a float
            &[0xf7],                                         // undefined
            &[0x00, 0x00],                                   // something behind it
            &[0x98, 65],                                     // too many
            &[0x81, 0x81, 0x81, 0x81, 0x00],                 // too deep
        ] {
            check(other, None);
        }
    }
}
