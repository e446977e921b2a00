//! A checkpoint: a line of the chain that is signed, and so vouches for every line before it.

use crate::key::KeyId;
use serde::{Deserialize, Serialize};

/// What a checkpoint says besides its place in the chain.
///
/// The members are in sorted order and hold whole numbers and plain words only, so that the
/// serialised form is canonical as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The time of the newest record before it, in milliseconds since 1970; 0 if there is none.
    pub at_ms: u64,
    /// Why it was written.
    pub cause: Cause,
    /// The key that signed it.
    pub key: KeyId,
    /// How many records the ledger holds so far.
    pub records: u64,
    /// The segment it stands in.
    pub segment: u32,
}

/// Why a checkpoint was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The ledger begins here.
    Begin,
    /// The ledger was closed in good order.
    Close,
    /// The ledger was opened again.
    Open,
    /// Enough records were written since the last one.
    Records,
    /// The segment ends here; nothing follows in it.
    Segment,
    /// Records waited long enough for a signature.
    Time,
}
