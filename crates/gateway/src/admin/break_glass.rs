//! The account for emergencies: an administrator whom no identity provider is needed for, by one passkey.
//! It is registered with a code that is printed on the terminal at the start and kept nowhere but as a
//! digest in memory; afterwards the passkey alone opens it, loudly.

mod code;
mod pages;
mod steps;

pub(crate) use code::Codes;
pub(super) use steps::{Step, answer};

use crate::gate::Gate;
use crate::state::{Kind, StateError};
use config::settled::BreakGlass;
use identity::EntropyError;
use identity::webauthn::Passkey;
use zeroize::Zeroizing;

/// What the account is called.
pub(super) const USER: &str = "break-glass";
/// The row of its passkey.
const ROW: &str = "break-glass";

/// A new code, if there is such an account and nobody has registered its passkey yet. The one before is
/// good no more.
pub(crate) async fn first_code(gate: &Gate) -> Result<Option<Zeroizing<String>>, FirstCodeError> {
    if !is_on(gate) || passkey(gate).await?.is_some() {
        return Ok(None);
    }
    Ok(Some(gate.codes.renew(gate.clock().unix_ms())?))
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum FirstCodeError {
    /// The operating system gave no random bits.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Whether there is a passkey cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
}

fn is_on(gate: &Gate) -> bool {
    let runtime = gate.runtime();
    let administration = runtime.settled.administration.as_ref();
    administration.is_some_and(|it| it.break_glass == BreakGlass::On)
}

/// The passkey, if there is one. What is kept and cannot be read is not absent.
async fn passkey(gate: &Gate) -> Result<Option<Passkey>, StateError> {
    let now_ms = gate.clock().unix_ms();
    let row = gate.rows.get(Kind::Passkey, ROW, now_ms).await?;
    let read = row.map(|row| {
        serde_json::from_slice(&row.value).map_err(|_| StateError::malformed(Kind::Passkey, ROW))
    });
    read.transpose()
}

async fn keep(gate: &Gate, passkey: &Passkey) -> Result<(), StateError> {
    let value = serde_json::to_vec(passkey).map_err(|_| StateError::Long("passkey"))?;
    let now_ms = gate.clock().unix_ms();
    let kind = Kind::Passkey;
    gate.rows.put(kind, ROW, &value, None, now_ms).await
}

/// Forgets the passkey, and says whether there was one. A new code is printed at the next start.
pub(super) async fn forget(gate: &Gate) -> Result<bool, StateError> {
    gate.rows.remove(Kind::Passkey, ROW).await
}
