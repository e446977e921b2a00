//! JSON-RPC and MCP: the strict reader, versions, methods, framings.
//!
//! Everything a peer sends passes through here before a stage of the gateway looks at it. The crate
//! says what a message is; it never decides whether it may pass, and it does no IO, reads no clock
//! and draws no random numbers.
//!
//! The way of one message: [`Document::read`] walks the bytes once and refuses whatever two parsers
//! could read differently; [`Message::read`] finds the JSON-RPC envelope in it; [`Method::find`]
//! says what its method means in the revision in use. Nothing is re-serialised on that way: what is
//! sent on is the slice that was read, or that slice with [`Edits`] applied.

pub mod accept;
pub mod bridge;
pub mod codes;
pub mod content_type;
pub mod document;
pub mod edit;
pub mod flaw;
pub mod lines;
pub mod log_level;
pub mod message;
pub mod method;
pub mod mirror;
pub mod modern;
pub mod revision;
pub mod spelling;
pub mod sse;
pub mod write;

pub use document::{Document, Kind, Limits, Str, Value};
pub use edit::{EditError, Edits, write_string};
pub use flaw::{Flaw, FlawKind};
pub use log_level::LogLevel;
pub use message::{Id, Message, Shape};
pub use method::{Act, Method, Sender, Subject, Target};
pub use revision::{Era, Revision, Rules};
