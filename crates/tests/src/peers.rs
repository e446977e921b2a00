//! Other people's SDKs as clients and as servers, all with the same things to say, so that what is
//! seen through the gateway can be held against what is seen without it. Nothing here knows the
//! gateway but `matrix`, which starts one.
//!
//! # The reference surface
//!
//! Four servers offer what `peers/surface.json` lists: `js/matrix/server-v1.mjs` and `server-v2.mjs`
//! (the TypeScript SDK, 1.x and 2.x), `py/matrix/server.py`, and `rmcp-server`, which is [`server`]. Each
//! takes `--era legacy|modern|both` (1.x speaks the legacy era only), prints its URL, and ends when
//! its stdin does.
//!
//! | tool | does |
//! | --- | --- |
//! | `echo` `add` `fail` `reject` `media` | answers: text, structured content, `isError`, a JSON-RPC error, every type of content |
//! | `tag` | says what of the request's `_meta` is the caller's own |
//! | `route` | has an argument that is mirrored in a header (`x-mcp-header`) |
//! | `count` `log` | reports progress, logs at four levels |
//! | `wait` `waited` | waits to be cancelled; says how often that has happened |
//! | `ask` `visit` `consult` `look` | asks for a form, a page to visit, the client's model, its roots |
//! | `gather` `converse` | asks for two things at once; for two things in turn, with a state between |
//! | `touch` `grow` | announces changes; adds a tool and takes it away |
//!
//! The resource `ref://guarded` and the prompt `interview` ask the user before they answer. Tools and
//! resources come in pages. Completions depend on the arguments that are known already.
//!
//! # The script
//!
//! Each client runs a list of steps, such as `peers/reference.json`, and prints one line of JSON: what
//! every step saw, keys in order, without ids, tokens and whatever else is new each time, and without
//! what an era adds to every result. A step that the SDK or the era does not have is `n/a` with a
//! reason. The clients are `js/matrix/client-v1.mjs`, `client-v2.mjs`, `py/matrix/client.py` and
//! `rmcp-client`, which is [`client`]:
//!
//! ```text
//! CLIENT TARGET --era legacy|modern|auto [--token TOKEN] --steps JSON
//! ```
//!
//! The target is a URL, or a JSON list: a command to be spoken to on stdio.

mod asker;
mod behaviour;
pub mod client;
mod desk;
pub mod matrix;
pub mod real;
pub mod server;
mod surface;
