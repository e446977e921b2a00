//! The built-in packs against their examples, made values of every type, and texts that hold none.

mod benign;
mod made;
mod packs;
mod streams;
mod tokens;
mod whole;
