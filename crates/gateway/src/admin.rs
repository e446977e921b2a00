//! Administration: one set of typed operations, each asked of policy first and written down, whoever
//! comes and whichever way. Signed-in administrators come over HTTP with a browser, the user that the
//! gateway runs as over the control socket.
//!
//! No operation shows what would open anything (ids, tokens, codes), and none decides about a call.

mod act;
mod api;
mod break_glass;
mod change;
mod input;
mod office;
mod operation;
mod page;
mod refusal;

pub use act::{By, perform};
pub(crate) use api::answer;
pub use break_glass::FirstCodeError;
pub(crate) use break_glass::{Codes, first_code};
pub use input::{Asked, Decide, OfCall, Word};
pub use office::{Office, OfficeError};
pub use operation::{Effect, Operation, Verb};
pub(crate) use page::Place;
pub use refusal::AdminRefusal;
