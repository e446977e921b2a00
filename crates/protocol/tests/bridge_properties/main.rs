//! Invented conversations through the bridge: what is legal on one side is legal on the other, by the
//! official JSON Schemas of both revisions, and what need not change has not changed.
//!
//! The schemas come out of the installed conformance suite; without it these tests fail and say so.

#[cfg(test)]
mod conversation;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod invent;
#[cfg(test)]
mod official;
