//! The black-box test world: a server to stand behind the gateway, callers to stand before it, and
//! what starts and stops them.
//!
//! Nothing here knows the product's code; everything goes through its binary, its files and its
//! sockets. Nothing here is ever shipped.

pub mod authority;
pub mod browser;
pub mod certificates;
pub mod chromium;
pub mod client_leg;
pub mod comes;
pub mod corpus;
pub mod dance;
pub mod documents;
pub mod entra_shaped;
pub mod fixture;
pub mod grants;
pub mod guarded;
pub mod held;
pub mod hop;
pub mod issuer;
pub mod mcp;
pub mod pairing;
pub mod peers;
pub mod pipe;
pub mod place;
pub mod program;
pub mod proofs;
pub mod provider;
pub mod safety_shaped;
mod serving;
pub mod stateless;
pub mod suite;
pub mod wire;
pub mod world;
