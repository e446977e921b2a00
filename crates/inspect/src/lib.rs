//! What a message says, looked at: schema checks, definition pins and drift, hidden text, the
//! views of a text, active markup and floods.
//!
//! Everything here is a pure function of what it is given: no IO, no clock, no randomness, no
//! knowledge of MCP messages beyond the shape of a tool definition. It reports; it decides nothing
//! but what can never be right. Facts are findings and matches; what is merely likely is a score. Every input is hostile: sizes, depth and work are bounded.

mod lexicon;
mod matched;
mod told;

pub use matched::Match;

pub mod data;
pub mod definition;
pub mod flood;
pub mod likeness;
pub mod markup;
pub mod meaning;
pub mod pin;
pub mod pointer;
pub mod poison;
pub mod projection;
pub mod schema;
pub mod spotlight;
pub mod text;
pub mod view;
