//! The upstream of HTTP+SSE against a server of ours that does what each case wants.

mod addresses;
mod life;
mod talk;

use crate::upstream::scripted::*;
use crate::upstream::{EraChoice, Link, Outgoing, ServerSpec, Transport, UpstreamError, Verdict};
use http::Response;
use protocol::Era;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The streams that a server has open, the newest last.
#[derive(Clone, Default)]
struct Streams(Arc<Mutex<Vec<mpsc::Sender<String>>>>);

impl Streams {
    /// Opens a stream, and says `first` on it.
    fn open(&self, first: String) -> Response<Body> {
        let (sender, receiver) = mpsc::channel(4096);
        sender.try_send(first).unwrap();
        self.0.lock().unwrap().push(sender);
        streaming(receiver)
    }

    fn newest(&self) -> mpsc::Sender<String> {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Says a message on the newest stream.
    fn say(&self, message: &str) {
        let event = format!("event: message\ndata: {message}\n\n");
        self.newest().try_send(event).unwrap();
    }

    /// Breaks every stream.
    fn cut(&self) {
        for stream in &mut *self.0.lock().unwrap() {
            let (sender, _) = mpsc::channel(1);
            *stream = sender;
        }
    }
}

/// A server whose sessions are its streams: whoever posts for another than the newest is unknown.
struct Old {
    streams: Streams,
    world: World,
}

impl Old {
    async fn new() -> Self {
        Old::with(|_, _| None, |_| {}).await
    }

    /// A server that answers a post as `script` says, or else as usual.
    async fn with(
        script: impl Fn(&Seen, &Streams) -> Option<Response<Body>> + Send + Sync + 'static,
        change: impl FnOnce(&mut ServerSpec),
    ) -> Self {
        let streams = Streams::default();
        let all = streams.clone();
        let serve = move |seen: &Seen, _: usize| {
            if seen.method == "GET" {
                let number = all.count() + 1;
                return all.open(endpoint(&format!("/post?session={number}")));
            }
            let lost = all.newest().is_closed();
            if lost || seen.place != format!("/post?session={}", all.count()) {
                return reply(404, "text/plain", "unknown session");
            }
            script(seen, &all).unwrap_or_else(|| answer(seen, &all))
        };
        let world = World::with(serve, |spec| {
            old(spec);
            change(spec);
        })
        .await;
        Old { streams, world }
    }

    /// What was asked after the first `before` requests, in order.
    fn asked(&self, before: usize) -> Vec<&'static str> {
        let words = [
            "\"initialize\"",
            "/initialized",
            "resources/subscribe",
            "tools/call",
            "notifications/cancelled",
        ];
        let word = |seen: &Seen| match seen.method.as_str() {
            "GET" => "GET",
            _ => words
                .into_iter()
                .find(|word| seen.says(word))
                .unwrap_or("other"),
        };
        self.world.seen().iter().skip(before).map(word).collect()
    }
}

fn old(spec: &mut ServerSpec) {
    spec.transport = Transport::Sse(http_spec(spec).clone());
}

fn endpoint(place: &str) -> String {
    format!("event: endpoint\ndata: {place}\n\n")
}

/// What the usual server does with a post: it takes it, and answers requests on the stream.
fn answer(seen: &Seen, streams: &Streams) -> Response<Body> {
    if let Some(id) = id_of(&seen.body).filter(|_| seen.says("\"method\"")) {
        streams.say(&match seen.says("\"initialize\"") {
            true => greeting("2024-11-05").replace("\"id\":0", &format!("\"id\":{id}")),
            false => result(id),
        });
    }
    reply(202, "text/plain", "Accepted")
}
