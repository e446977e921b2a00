//! What detectors say of definitions (controls 1.3, 9.2): one that came into force by itself, because its
//! server is trusted at first use, is put before the detectors of its server once, beside the path of
//! calls. What is suspected of it is written down, or takes it back until somebody has looked. What a
//! person approved is asked nobody about.

use crate::gate::Gate;
use crate::pins::{Kind, Pin, PinsError};
use crate::providers::{self, Hearing, Reading, Surface};
use crate::small::lock;
use controls::Score;
use inspect::pin::Digest;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Definitions that wait to be heard about. One more is held, where somebody would have been heard.
const WAITING: usize = 16 * 1024;
/// Definitions about which somebody is heard at a time.
const AT_ONCE: usize = 8;
/// Words of JSON Schema, which say nothing to a model.
const WORDS: [&str; 5] = ["$ref", "$schema", "format", "mimeType", "type"];

/// Definitions that nobody was heard about yet.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    waiting: Mutex<VecDeque<Asked>>,
    more: Notify,
}

#[derive(Clone, Debug)]
struct Asked {
    server: Arc<str>,
    key: Box<str>,
    digest: Digest,
}

impl Unheard {
    /// Puts a definition on the list, if somebody is to be heard about it.
    pub(crate) fn ask(&self, gate: &Gate, server: &Arc<str>, key: &str, digest: Digest) {
        if !is_heard(gate, server) {
            return;
        }
        let asked = Asked {
            server: Arc::clone(server),
            key: key.into(),
            digest,
        };
        let mut waiting = lock(&self.waiting);
        if waiting.len() < WAITING {
            waiting.push_back(asked);
            self.more.notify_one();
            return;
        }
        drop(waiting);
        let held = hold(gate, &asked, "too many definitions wait to be heard about");
        told(&asked, held.map(drop));
    }

    fn next(&self) -> Option<Asked> {
        lock(&self.waiting).pop_front()
    }
}

/// Hears detectors about whatever comes, as long as the gateway runs.
pub(crate) async fn keep(gate: Arc<Gate>) {
    let mut hearing = JoinSet::new();
    loop {
        while let Some(asked) = gate.unheard.next() {
            if hearing.len() >= AT_ONCE {
                hearing.join_next().await;
            }
            let gate = Arc::clone(&gate);
            hearing.spawn(async move {
                let heard = hear(&gate, &asked).await;
                told(&asked, heard);
            });
        }
        gate.unheard.more.notified().await;
    }
}

fn told(asked: &Asked, outcome: Result<(), PinsError>) {
    if let Err(error) = outcome {
        let (server, key) = (&asked.server, &asked.key);
        tracing::error!(%server, %key, %error, "what was suspected of a definition could not be kept");
    }
}

fn is_heard(gate: &Gate, server: &str) -> bool {
    let runtime = gate.runtime();
    let served = runtime.servers.get(server);
    served.is_some_and(|served| {
        let panel = providers::panel(&served.settled.content, &runtime.providers);
        panel.hears(Surface::Definitions)
    })
}

async fn hear(gate: &Gate, asked: &Asked) -> Result<(), PinsError> {
    let panel = {
        let runtime = gate.runtime();
        let Some(served) = runtime.servers.get(&asked.server) else {
            return Ok(());
        };
        providers::panel(&served.settled.content, &runtime.providers)
    };
    let pin = gate.pins.pin(&asked.server, &asked.key)?;
    let is_it = |pin: &Pin| pin.digest == asked.digest && pin.is_by_itself();
    let Some(pin) = pin.filter(is_it) else {
        return Ok(());
    };
    let reading = Arc::new(reading(&pin.definition));
    let hearing = panel.hear(Surface::Definitions, &reading).await;
    let what = outcome(gate, asked, &hearing)?;
    for quiet in &hearing.silences {
        let (server, key) = (&asked.server, &asked.key);
        tracing::warn!(%server, %key, detector = %quiet.detector, "nothing is said of a definition: {}", quiet.why);
    }
    let is_told = what != "heard" || hearing.scores.iter().any(Score::is_suspicion);
    if is_told {
        let (kind, _) = Kind::of_key(&asked.key);
        let name = format!("{}.{what}", kind.name());
        let subject = (&*asked.server, &*asked.key);
        gate.note_definition(&name, subject, asked.digest, &hearing.scores);
    }
    Ok(())
}

/// What comes of it: `suspected` if it is held, or told where the pin is, else `heard`.
fn outcome(gate: &Gate, asked: &Asked, hearing: &Hearing) -> Result<&'static str, PinsError> {
    if let Some(score) = hearing.refusing() {
        hold(gate, asked, &words(score))?;
        return Ok("suspected");
    }
    if let Some(quiet) = hearing.missing() {
        let why = format!("`{}` has said nothing of it", quiet.detector);
        hold(gate, asked, &why)?;
        return Ok("unheard");
    }
    if let Some(score) = hearing.scores.iter().find(|score| score.warns()) {
        let (server, key) = (&asked.server, &asked.key);
        gate.pins.remark(server, key, asked.digest, &words(score))?;
        return Ok("suspected");
    }
    Ok("heard")
}

/// Takes it back until somebody has looked.
fn hold(gate: &Gate, asked: &Asked, why: &str) -> Result<bool, PinsError> {
    let (server, key) = (&asked.server, &asked.key);
    let is_held = gate.pins.hold(server, key, asked.digest, why)?;
    if let Some(served) = gate.runtime().servers.get(&asked.server) {
        served.distrust();
    }
    Ok(is_held)
}

fn words(score: &Score) -> String {
    format!("`{}` suspects `{}`", score.detector, score.rule)
}

/// Every text of a definition.
fn reading(definition: &Value) -> Reading {
    let mut reading = Reading::default();
    let mut rest = vec![(String::new(), definition)];
    while let Some((place, value)) = rest.pop() {
        match value {
            Value::String(text) => reading.push(place, text),
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                rest.extend(items.map(|(index, item)| (format!("{place}/{index}"), item)));
            }
            Value::Object(members) => {
                let said = members
                    .iter()
                    .filter(|(name, value)| !(value.is_string() && WORDS.contains(&name.as_str())));
                let said = said.map(|(name, value)| {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    (format!("{place}/{name}"), value)
                });
                let said: Vec<_> = said.collect();
                rest.extend(said.into_iter().rev());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use serde_json::json;
    use tokio::net::TcpListener;

    /// A gateway that puts the definitions of its server before whoever listens at this address.
    async fn still(address: &str) -> Still {
        let server = "{ name: s, http: { url: 'https://s.example.com/mcp' }, \
             content: { providers: [{ use: them, mode: enforce, on: [definitions] }] } }";
        let part = format!(
            "providers: [{{ name: them, network: private, concurrent: 64, timeout: 30s, \
             http: {{ url: 'http://{address}/' }} }}]"
        );
        Still::before(server, &part).await
    }

    /// Asks about a definition that was believed at first use.
    fn ask(gate: &Gate, key: &str) {
        let definition = json!({ "name": key });
        let pin = Pin {
            digest: inspect::pin::digest(&definition),
            definition,
            at_ms: 0,
            by: Pin::FIRST_USE.into(),
        };
        gate.pins.approve("s", key, &pin).unwrap();
        gate.unheard.ask(gate, &"s".into(), key, pin.digest);
    }

    fn waiting(gate: &Gate) -> usize {
        lock(&gate.unheard.waiting).len()
    }

    #[tokio::test]
    async fn n1_3_of_too_many_definitions_that_wait_to_be_heard_about_one_more_is_held() {
        let still = still("127.0.0.1:9").await;
        let gate = still.gate();
        ask(gate, "first");
        let asked = lock(&gate.unheard.waiting).front().cloned().unwrap();
        lock(&gate.unheard.waiting).resize(WAITING - 1, asked);
        let doubts = || gate.runtime().servers["s"].shelves.doubts();
        for (key, held) in [("last", false), ("more", true), ("still_more", true)] {
            let before = doubts();
            ask(gate, key);
            // What is held is not offered any longer: the server is read again.
            assert_eq!(doubts() > before, held, "{key}");
            assert_eq!(waiting(gate), WAITING, "{key}");
            let why = gate.pins.sighting("s", key).unwrap().map(|it| it.why);
            let expected = held.then(|| "too many definitions wait to be heard about".to_owned());
            assert_eq!(why, expected, "{key}");
            assert_eq!(gate.pins.pin("s", key).unwrap().is_none(), held, "{key}");
        }
        // Where nobody is heard about it, nothing waits and nothing is held.
        gate.unheard
            .ask(gate, &"other".into(), "any", Digest([0; 32]));
        assert_eq!(waiting(gate), WAITING);
    }

    #[tokio::test]
    async fn n1_3_nobody_is_asked_about_what_is_pinned_otherwise_by_then_or_by_somebody() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let still = still(&port.local_addr().unwrap().to_string()).await;
        let gate = still.gate();
        for (key, name, by, expected) in [
            ("same", "same", Pin::FIRST_USE, true),
            ("changed", "another", Pin::FIRST_USE, false),
            ("looked_at", "looked_at", "ada", false),
            ("both", "another", "ada", false),
        ] {
            ask(gate, key);
            let definition = json!({ "name": name });
            let pin = Pin {
                digest: inspect::pin::digest(&definition),
                definition,
                at_ms: 1,
                by: by.into(),
            };
            gate.pins.approve("s", key, &pin).unwrap();
            let asked = gate.unheard.next().unwrap();
            let is_asked = tokio::select! {
                _ = port.accept() => true,
                heard = hear(gate, &asked) => { heard.unwrap(); false }
            };
            assert_eq!(is_asked, expected, "{key}");
        }
    }

    #[tokio::test]
    async fn n4_3_detectors_are_heard_about_so_many_definitions_at_a_time() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let still = still(&port.local_addr().unwrap().to_string()).await;
        for n in 0..AT_ONCE + 4 {
            ask(still.gate(), &format!("t{n}"));
        }
        let keeping = tokio::spawn(keep(Arc::clone(still.gate())));
        let mut asked = Vec::new();
        while asked.len() < AT_ONCE {
            // Nobody is answered.
            asked.push(port.accept().await.unwrap());
        }
        // One is in hand, and the others wait until somebody is answered.
        assert_eq!(waiting(still.gate()), 3);
        keeping.abort();
    }

    #[test]
    fn n1_3_every_text_of_a_definition_is_read_in_its_order() {
        let definition = json!({
            "name": "a", "title": "b", "inputSchema": {
                "type": "object", "properties": {
                    "x/y": { "type": "string", "description": "c", "enum": ["d", 1, "e"] },
                    "type": { "description": "f" }
                }
            },
            "annotations": { "title": "g", "readOnlyHint": true }
        });
        let reading = reading(&definition);
        assert_eq!(reading.text(), "a\nb\nc\nd\ne\nf\ng");
        let place = |at: usize| reading.place(&(at..at + 1)).into_owned();
        assert_eq!(place(4), "/inputSchema/properties/x~1y/description");
        assert_eq!(place(8), "/inputSchema/properties/x~1y/enum/2");
        assert_eq!(place(12), "/annotations/title");
    }
}
