//! Client certificates that tokens are bound to (RFC 8705): their thumbprint and the time they are
//! good for. Whether anybody trusts one, and whether whoever shows it holds its key, was found out by
//! TLS before one gets here; nothing else of it is read.

mod der;
mod forwarded;

pub use forwarded::{Form, ForwardedError, forwarded};

use super::Thumbprint;

/// The largest certificate that is read, in bytes.
pub const CERTIFICATE_MAX: usize = 16 * 1024;

/// A certificate whose key somebody has shown to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    thumbprint: Thumbprint,
    not_before: u64,
    not_after: u64,
}

impl Certificate {
    /// Reads a certificate in DER form; none, if it is larger than [`CERTIFICATE_MAX`] or is not one.
    pub fn read(der: &[u8]) -> Option<Self> {
        if der.len() > CERTIFICATE_MAX {
            return None;
        }
        let (not_before, not_after) = der::validity(der)?;
        Some(Certificate {
            thumbprint: Thumbprint::of_certificate(der),
            not_before,
            not_after,
        })
    }

    /// One of which a proxy that was trusted to check it tells the thumbprint alone.
    fn vouched(thumbprint: Thumbprint) -> Self {
        Certificate {
            thumbprint,
            not_before: 0,
            not_after: u64::MAX,
        }
    }

    /// SHA-256 of its DER form (RFC 8705, section 3.1).
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// Whether it is good at this time, in unix seconds. A connection may live longer than the
    /// certificate it was opened with.
    pub fn is_in_force(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

#[cfg(test)]
mod tests;
