//! Cedar decisions with explanations: may this caller do this to that, with these arguments?
//!
//! Policies are compiled against a schema generated from the [`Catalog`] of pinned definitions, so
//! a policy that could not work is refused before it is in force. Deciding is a pure function:
//! this crate does no IO and reads no clock, and the same question gets the same answer.
//!
//! - Nothing is allowed that no `permit` allows, and a `forbid` always wins.
//! - Whatever goes wrong while deciding is a deny: an evaluation error in any policy, an argument
//!   that a policy reads and that cannot be expressed without loss, groups that are not known.
//! - Listing and calling are separate actions, decided by the same policies.
//! - Who may approve a call is said by name: a permit that names no action permits no approval.
//!
//! How JSON becomes Cedar values is told in [`schema`].

mod administration;
mod catalog;
mod decision;
mod error;
mod lift;
mod names;
mod policies;
mod principal;
mod reads;
mod request;
pub mod schema;
mod time;
mod value;

pub mod cases;
pub mod explain;

pub use administration::{Administration, Administrator, Duty, Role, Way};
pub use catalog::{
    Catalog, ClaimEntry, ClaimKind, PromptArgument, PromptEntry, ResourceEntry, ServerEntry,
    ToolEntry,
};
pub use decision::{Decision, Verdict};
pub use error::{PolicyError, Problem};
pub use explain::Explanation;
pub use lift::{Lift, Needs, Proof, StepUp};
pub use policies::{Policies, Source};
pub use principal::{Caller, CallerKind, Claim, Groups, Principal, PrincipalError};
pub use reads::Dependence;
pub use request::{Action, Approving, Context, Request, Session, Target};
