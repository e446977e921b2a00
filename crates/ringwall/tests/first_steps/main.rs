//! The first commands a stranger types, run as they would be: `demo`, `wrap`, `init`, `token`.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod init;
#[cfg(test)]
mod program;
#[cfg(test)]
mod token;
#[cfg(test)]
mod wrap;
