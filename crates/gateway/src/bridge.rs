//! Between the eras: what one call says and hears while client and server may speak different ones
//! (protocol tables 3.1 and 3.2). Translation itself is pure and lives in `protocol::bridge`; here is
//! the state it needs, all of it bounded per caller. Nothing is decided here: what a server asks is
//! judged by the stage `screen`, what a client answers by the whole path.

/// The extension by which a modern client says that it follows tasks (section 2.11).
pub(crate) const TASKS: protocol::method::Capability = protocol::method::Capability {
    declared_by: protocol::Sender::Client,
    pointer: "/extensions/io.modelcontextprotocol~1tasks",
};

mod asker;
mod parked;
mod talk;

pub(crate) use asker::Asker;
pub(crate) use parked::{Parked, ParkedCall, Waiting};
pub(crate) use talk::{Aim, Broken, Said, Talk};
