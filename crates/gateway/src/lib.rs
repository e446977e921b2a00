//! Listeners, the stages of a call, upstreams, and the state between calls.
//!
//! The path of a call is [`stages`]: a file per stage, in order. This is the only crate that owns
//! a socket. It decides no policy: that is the crate `policy`.

pub mod admin;
pub mod approvals;
pub mod authority;
mod body;
mod breaker;
mod bridge;
pub mod catalog;
mod claims;
pub mod clock;
pub mod connect;
mod content;
pub mod control;
pub mod credential;
mod definitions;
pub mod egress;
pub mod events;
pub mod gate;
pub mod house;
pub mod key_sets;
pub mod links;
mod listed;
pub mod listener;
pub mod load;
mod misfits;
pub mod naming;
pub mod outlet;
mod pages;
pub mod people;
pub mod pins;
pub mod possession;
pub mod posture;
pub mod providers;
pub mod revocation;
pub mod route;
pub mod scan;
pub mod seal;
pub mod secret;
pub mod sessions;
mod small;
pub mod squats;
pub mod stages;
pub mod state;
mod step_up;
pub mod strangers;
mod tally;
mod unheeded;
pub mod upstream;
