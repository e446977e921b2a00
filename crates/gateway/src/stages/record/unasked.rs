//! Carries what servers say unasked to a client who listens, until the session, the client or the last
//! of the servers ends it.

use super::{entry, pump};
use crate::gate::Gate;
use crate::outlet::Outlet;
use crate::sessions::{InFlight, Session};
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::Refused;
use crate::stages::screen::{Part, ScreenedStream};
use audit::Verdict;
use bytes::Bytes;
use protocol::bridge;
use protocol::{Id, Message};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How soon a server that is not heard any more is listened to again, and how seldom at last.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MOST: Duration = Duration::from_secs(60);

/// One listening client. It keeps no seat: a stream may last as long as its session, and what bounds
/// it are the listeners a caller may have at a server, and connections.
pub(super) struct Listening {
    gate: Arc<Gate>,
    session: Option<Arc<Session>>,
    /// The request of a stateless client, which is answered when the stream ends.
    id: Option<Id>,
    streams: Vec<ScreenedStream>,
    outlet: Arc<Outlet>,
    first: Option<Bytes>,
    asides: Vec<Draft>,
    flight: Option<InFlight>,
    /// Says that the client has enough.
    gone: watch::Receiver<bool>,
}

impl Listening {
    pub(super) fn new(
        gate: &Arc<Gate>,
        call: &Inspected,
        streams: Vec<ScreenedStream>,
        outlet: Arc<Outlet>,
        first: Option<Bytes>,
        draft: &mut Draft,
    ) -> Self {
        let aside = |stream: &ScreenedStream| {
            let mut aside = Draft::aside(gate, draft);
            // What one of several says is recorded as that one's.
            aside.served = stream.served().cloned().or(aside.served);
            aside
        };
        let asides = streams.iter().map(aside).collect();
        Listening {
            gate: Arc::clone(gate),
            session: call.session().cloned(),
            id: call
                .message()
                .and_then(Message::id)
                .filter(|_| call.is_modern()),
            streams,
            outlet,
            first,
            asides,
            flight: draft.flight.take(),
            gone: draft.line.gone.subscribe(),
        }
    }

    pub(super) async fn run(self) {
        let Listening {
            gate,
            session,
            id,
            streams,
            outlet,
            first,
            asides,
            flight,
            mut gone,
        } = self;
        if let Some(first) = first {
            outlet.push(first).await;
        }
        let mut hearing = JoinSet::new();
        for (stream, draft) in streams.into_iter().zip(asides) {
            let (gate, session, outlet) = (Arc::clone(&gate), session.clone(), Arc::clone(&outlet));
            hearing.spawn(async move {
                overhear(&gate, session.as_ref(), stream, &outlet, draft).await
            });
        }
        let over = async {
            match &session {
                Some(session) => session.over().await,
                None => std::future::pending().await,
            }
        };
        let all_ended = async {
            // A client that listens to nothing waits until it has enough of that.
            if hearing.is_empty() {
                std::future::pending::<()>().await;
            }
            while hearing.join_next().await.is_some() {}
        };
        tokio::select! {
            () = all_ended => {}
            () = over => {}
            () = outlet.abandoned(), if id.is_some() => {}
            Ok(_) = gone.wait_for(|gone| *gone), if id.is_some() => {}
        }
        let taken_back = *gone.borrow();
        drop(flight);
        // What was taken back is not answered (section 2.6).
        if let Some(id) = id.filter(|_| !taken_back) {
            outlet.push(bridge::listen_done(&id, None)).await;
        }
        outlet.close();
    }
}

/// Carries one server's own messages. One of several that is not heard any more is heard again when
/// it is back, for the client still listens to the others and would never know.
async fn overhear(
    gate: &Gate,
    session: Option<&Arc<Session>>,
    mut stream: ScreenedStream,
    outlet: &Arc<Outlet>,
    mut draft: Draft,
) {
    let mut pause = PAUSE_FIRST;
    loop {
        let began = Instant::now();
        carry(gate, session, &mut stream, outlet, &mut draft).await;
        if !stream.is_one_of_several() {
            return;
        }
        if began.elapsed() > PAUSE_MOST {
            pause = PAUSE_FIRST;
        }
        let missed = loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MOST);
            if let Ok(missed) = stream.again(&mut draft).await {
                break missed;
            }
        };
        for bytes in missed {
            outlet.push(bytes).await;
        }
    }
}

/// Carries what one server says until it ends.
async fn carry(
    gate: &Gate,
    session: Option<&Arc<Session>>,
    stream: &mut ScreenedStream,
    outlet: &Arc<Outlet>,
    draft: &mut Draft,
) {
    loop {
        let said = match stream.next(draft).await {
            Ok(Some(Part::Aside(bytes))) => {
                outlet.push(bytes).await;
                Ok(())
            }
            Ok(Some(Part::Questions(questions))) => {
                let mut asked = Ok(());
                for (message, asker) in questions {
                    if asked.is_ok() {
                        asked = ask(session, outlet, &message, asker).await;
                    }
                }
                asked
            }
            // On a stream that answers nothing there is neither answer nor call to go on with.
            Ok(Some(Part::Answer(_) | Part::Wants(_) | Part::Park(_))) => Ok(()),
            Ok(None) => return,
            Err(refused) => Err(refused),
        };
        if let Err(refused) = said {
            tracing::warn!(
                code = refused.refusal.code,
                "a server's own stream was ended: {}",
                refused.refusal.reason
            );
            // The client opened this stream long ago; that it broke is an event of its own.
            let _ = entry::write(gate, draft, Verdict::Refused, Some(&refused)).await;
            return;
        }
    }
}

async fn ask(
    session: Option<&Arc<Session>>,
    outlet: &Arc<Outlet>,
    message: &Message,
    asker: crate::bridge::Asker,
) -> Result<(), Refused> {
    let Some(session) = session else {
        return Ok(());
    };
    if let Some(bytes) = pump::question(session, outlet, message, asker).await? {
        outlet.push(bytes).await;
    }
    Ok(())
}
