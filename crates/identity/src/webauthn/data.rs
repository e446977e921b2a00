//! Authenticator data (Web Authentication Level 3, section 6.1), byte by byte.

use super::cbor::Item;

/// What an authenticator says of one ceremony.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    /// SHA-256 of the domain.
    pub(super) party: &'a [u8],
    pub(super) flags: Flags,
    pub(super) count: u32,
    /// The credential that was made, if one was.
    pub(super) made: Option<Made<'a>>,
}

/// A credential that was made.
#[derive(Debug)]
pub(super) struct Made<'a> {
    pub(super) id: &'a [u8],
    pub(super) key: Item<'a>,
}

/// One byte of flags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const PRESENT: u8 = 0x01;
    pub(super) const VERIFIED: u8 = 0x04;
    pub(super) const BACKUP_ELIGIBLE: u8 = 0x08;
    pub(super) const BACKED_UP: u8 = 0x10;
    const CREDENTIAL: u8 = 0x40;
    const EXTENSIONS: u8 = 0x80;

    pub(super) fn has(self, flag: u8) -> bool {
        self.0 & flag == flag
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it. Extensions that nobody asked for are read over; anything behind them is wrong.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (party, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        let flags = Flags(*flags);
        let made = match flags.has(Flags::CREDENTIAL) {
            true => Some(made(&mut rest)?),
            false => None,
        };
        if flags.has(Flags::EXTENSIONS) {
            let extensions = Item::next(&mut rest)?;
            matches!(extensions, Item::Map(_)).then_some(())?;
        }
        rest.is_empty().then_some(AuthenticatorData {
            party,
            flags,
            count: u32::from_be_bytes(*count),
            made,
        })
    }
}

fn made<'a>(bytes: &mut &'a [u8]) -> Option<Made<'a>> {
    // Which make it is says nothing that nobody has attested.
    let (_make, rest) = bytes.split_at_checked(16)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (id, mut rest) = rest.split_at_checked(length)?;
    let key = Item::next(&mut rest)?;
    *bytes = rest;
    Some(Made { id, key })
}
