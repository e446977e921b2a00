//! The built-in packs against their examples, made values of every type, and texts that hold none.

mod benign;
mod draw;
mod every;
mod form;
mod names;
mod packs;
mod plainly;
mod streams;
mod texts;
mod tokens;
mod values;
mod whole;
mod work;
