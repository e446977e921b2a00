//! Ringwall as the authorization server that MCP clients see: what they may ask for, what a person is
//! shown, and what comes of it. People sign in elsewhere; no password is ever read here.
//!
//! Everything a client says is untrusted input, its own description first of all. Nothing here opens
//! a socket, reads a clock, draws randomness or keeps anything: random texts and unix seconds are
//! handed in, and what is to be kept is given back. No code and no token is in any `Debug` or error.
//!
//! The order of things: [`Parameters`] (one reading of a request), [`Client`] (who asks, by a document
//! of its own or a registration), [`Request`] (what for), [`Consent`] (what a person is asked and is
//! remembered by), [`Code`], [`Family`] (what refresh tokens come from), and [`Minting`] for the access
//! tokens themselves, signed with [`Keys`].

mod assertion;
mod client;
mod code;
mod consent;
mod document;
mod error;
mod family;
mod keys;
mod metadata;
mod parameters;
mod person;
mod redirect;
mod request;
mod tokens;

#[cfg(test)]
mod attacks;

pub use assertion::{Assertion, AssertionUse, Claimed};
pub use client::{Authentication, Binding, Client, ClientKeys, Origin, Refreshing};
pub use code::{Code, CodeText, Redemption};
pub use consent::Consent;
pub use document::{ClientUrl, Hosts};
pub use error::{AuthorityError, ErrorCode, answer_url, error_url};
pub use family::{Family, Presented, RefreshText};
pub use keys::{Keys, Turned};
pub use metadata::{Metadata, Registration};
pub use parameters::Parameters;
pub use person::{Person, USER_CLAIM};
pub use redirect::{Reach, RedirectUri};
pub use request::{Offered, Opening, Request};
pub use tokens::{Minted, Minting};
