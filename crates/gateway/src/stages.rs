//! The path of a call, once, in order. Each stage takes a value, checks one thing, and returns a
//! value of a type that only it can make; only [`Permitted`] can be sent to a server and only
//! [`Recorded`] can be sent to the caller. Leaving a check out does not compile:
//!
//! ```compile_fail
//! # use ringwall_gateway as gateway;
//! use gateway::{gate::Gate, stages::{Draft, Raw, Framed, forward}};
//! async fn shortcut(gate: &Gate, framed: Framed, draft: &mut Draft) {
//!     // A framed message was never authorized, so it cannot be forwarded.
//!     let _ = forward::send(gate, framed, draft).await;
//! }
//! ```
//!
//! ```compile_fail
//! # use ringwall_gateway as gateway;
//! use gateway::stages::{Inspected, Permitted};
//! fn forged(inspected: Inspected) -> Permitted {
//!     // Nobody but the stage `authorize` can say that a call is permitted.
//!     Permitted { inspected }
//! }
//! ```
//!
//! ```compile_fail
//! # use ringwall_gateway as gateway;
//! use gateway::stages::{Held, Permitted};
//! fn released(held: Held) -> Permitted {
//!     // A held call becomes a permitted one by an approval, and only where that is taken.
//!     Permitted { inspected: held.inspected, servers: held.servers }
//! }
//! ```
//!
//! ```compile_fail
//! # use ringwall_gateway as gateway;
//! use gateway::{gate::Gate, stages::{Decided, Draft, held}};
//! async fn unheard(gate: &Gate, decided: Decided, draft: &mut Draft) {
//!     // Detectors have not been asked about this call.
//!     let _ = held::release(gate, decided, draft).await;
//! }
//! ```
//!
//! Each differs in one line from what does compile:
//!
//! ```
//! # use ringwall_gateway as gateway;
//! use gateway::{gate::Gate, stages::{Consulted, Draft, Permitted, forward, held}};
//! async fn heard(gate: &Gate, consulted: Consulted, draft: &mut Draft) {
//!     let _ = held::release(gate, consulted, draft).await;
//! }
//! async fn the_only_way(gate: &Gate, permitted: Permitted, draft: &mut Draft) {
//!     let _ = forward::send(gate, permitted, draft).await;
//! }
//! fn passed_on(permitted: Permitted) -> Permitted {
//!     permitted
//! }
//! ```

pub mod admit;
pub mod authorize;
mod batch;
pub mod consult;
pub mod draft;
pub mod forward;
pub mod frame;
pub mod held;
pub mod identify;
pub mod inspect;
pub mod raw;
pub mod record;
pub mod refused;
pub mod replay;
pub mod resolve;
pub mod screen;
mod suspect;
pub mod validate;

pub use admit::{Admitted, Knocked};
pub use authorize::{Decided, Permitted};
pub use consult::Consulted;
pub use draft::{Draft, Stage};
pub use forward::Answered;
pub use frame::Framed;
pub use held::Held;
pub use identify::Identified;
pub use inspect::Inspected;
pub use raw::{Door, Raw, Verb};
pub(crate) use record::score as score_entry;
pub use record::{Answer, Primed, Recorded};
pub use refused::{Form, Refused};
pub use resolve::Resolved;
pub use screen::{Screened, ScreenedStream};
pub use validate::Valid;

use crate::credential::Carried;
use crate::gate::Gate;
use std::sync::Arc;

/// Takes one message all the way: whatever happens to it, there is a record and an answer.
///
/// It runs as a task of its own, so that a caller who hangs up neither keeps a call out of the ledger
/// nor, in the era of sessions, cancels what the server has already begun (rule S6).
pub async fn call(gate: &Arc<Gate>, raw: Raw, mut draft: Draft) -> Recorded {
    if batch::is_one(&raw) {
        return batch::each(gate, raw, draft).await;
    }
    let gate = Arc::clone(gate);
    draft.enter(&raw);
    let mut waiting = Waiting(Some(Arc::clone(&draft.line)));
    // Boxed at once: what is this large would be copied by everything that wraps it.
    let stages = Box::pin(async move {
        match pass(&gate, raw, &mut draft).await {
            Ok(screened) => record::answer(&gate, screened, draft).await,
            Err(refused) => record::refusal(&gate, refused, draft).await,
        }
    });
    let task = tokio::spawn(Carried::during(stages));
    let recorded = task.await.unwrap_or_else(|_| Recorded::crashed());
    waiting.0 = None;
    recorded
}

/// Dropped before its time, it says that the client has hung up.
struct Waiting(Option<Arc<draft::Line>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.hung_up();
        }
    }
}

/// The stages, in order. A `?` is a refusal, and a refusal is recorded like an answer.
async fn pass(gate: &Arc<Gate>, raw: Raw, draft: &mut Draft) -> Result<Screened, Refused> {
    let knocked = admit::knock(gate, raw, draft)?; //          4.1      strangers cannot make us work for free
    let framed = frame::read(knocked, draft)?; //              1.1 3.4  nothing is decided on a reading two parsers could share differently
    let identified = identify::verify(gate, framed, draft).await?; // M1 M2 8.2  every message, sessions authenticate nothing
    let admitted = admit::enter(gate, identified, draft)?; //  4.1 4.3  before anything costs more than a table look-up
    let resolved = resolve::find(gate, admitted, draft).await?; // 9.2  only an approved definition can be called
    let valid = validate::check(resolved, draft)?; //          1.2      arguments against that very definition
    let inspected = inspect::examine(valid, draft).await?; //  1.1 P1  what a person would not see, what is not what it should be
    let decided = authorize::decide(gate, inspected, draft)?; // 2.2    the only decision, with everything that is known here
    let consulted = consult::hear(gate, decided, draft).await?; // 1.3  others are asked about nothing that goes no further, and can only take away
    let permitted = held::release(gate, consulted, draft).await?; // 2.4  what takes a second person waits for one
    let answered = forward::send(gate, permitted, draft).await?; // 7.1  our own credential, never the caller's
    screen::examine(gate, answered, draft).await //            1.4 1.2  nothing unscreened comes back
}
