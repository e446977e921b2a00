//! Calls that wait for the word of somebody else (control 2.4). A request binds who calls, through which
//! client, on which route and server, which definition of which tool, every value of the call, and the
//! policies in force; whoever approves it approves exactly that. An approved request is good once, and not
//! for long.
//!
//! What is kept survives a restart, sealed. The gateway, its pages and `ringwall approvals` write the same
//! rows; each change replaces exactly the row that was read, so that no word of anybody is lost and no
//! approval is used twice. Who may approve is not said here: that is for the policies.

mod canonical;
mod entry;
mod keep;
mod listed;
mod office;
mod places;
mod register;
mod told;

pub use canonical::Field;
pub(crate) use canonical::canonical;
pub use entry::{
    Binding, By, Decision, DecisionError, Declined, Entry, Need, Progress, Verdict, Vote,
};
pub(crate) use keep::{Approvals, AskError, Asking, Grant, Standing, ask, keep};
pub use listed::{Approved, Listed, Needed, Refused};
pub(crate) use office::{Said, SayError, Who, listed, say};
pub(crate) use places::{Place, answer};
pub use register::{Register, RegisterError};
