//! The pages that people see: one frame and one look for all of them, text that cannot be anything but
//! text, and what is read of a browser's request.
//!
//! A page is one answer. Nothing is loaded into it but what it carries under a nonce of its own, nobody
//! can frame it, and its forms go nowhere but here (control 8.4).

pub(crate) mod browser;
mod form;
mod frame;
mod markup;

pub(crate) use form::Form;
pub(crate) use frame::Page;
pub(crate) use markup::Markup;
