//! What a client told its session on a server that a new session would not know: that the
//! handshake is over, the log level, and the subscriptions. Bounded; it sends nothing itself.

use crate::upstream::{Outgoing, peek};
use bytes::Bytes;
use std::collections::BTreeMap;

/// How many subscriptions are remembered, and how long a message that is remembered may be.
const SUBSCRIPTIONS_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// Messages to repeat.
#[derive(Debug, Default)]
pub(super) struct Replay {
    initialized: bool,
    level: Option<Bytes>,
    subscriptions: BTreeMap<String, Bytes>,
}

impl Replay {
    /// Notes a message that the server took.
    pub(super) fn remember(&mut self, message: &Outgoing<'_>) {
        match message.method {
            "notifications/initialized" => self.initialized = true,
            _ if message.bytes.len() > MESSAGE_BYTES_MAX => {}
            "logging/setLevel" => self.level = Some(message.bytes.clone()),
            "resources/subscribe" | "resources/unsubscribe" => {
                let Ok(read) = peek::own(message.bytes.clone()) else {
                    return;
                };
                let uri = read.document().root().at("/params/uri");
                let Some(uri) = uri.and_then(|uri| uri.text()) else {
                    return;
                };
                if message.method == "resources/unsubscribe" {
                    self.subscriptions.remove(uri.as_ref());
                } else if self.subscriptions.len() < SUBSCRIPTIONS_MAX {
                    let request = message.bytes.clone();
                    self.subscriptions.insert(uri.into_owned(), request);
                }
            }
            _ => {}
        }
    }

    /// What to say to a new session, in order.
    pub(super) fn messages(&self) -> Vec<Bytes> {
        let initialized = self.initialized.then(peek::initialized);
        initialized
            .into_iter()
            .chain(self.level.clone())
            .chain(self.subscriptions.values().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Shape;

    fn tell(replay: &mut Replay, method: &str, params: &str) {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        replay.remember(&Outgoing {
            bytes: text.into(),
            shape: Shape::Request,
            id: Some(protocol::Id::from(1)),
            method,
            headers: Vec::new(),
        });
    }

    fn told(replay: &Replay) -> Vec<String> {
        let texts = replay.messages();
        texts
            .iter()
            .map(|text| String::from_utf8(text.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn repeats_the_newest_level_and_the_subscriptions_that_stand() {
        let mut replay = Replay::default();
        assert!(told(&replay).is_empty());
        tell(&mut replay, "resources/subscribe", r#"{"uri":"a://1"}"#);
        tell(&mut replay, "resources/subscribe", r#"{"uri":"a://2"}"#);
        tell(&mut replay, "resources/unsubscribe", r#"{"uri":"a:\/\/1"}"#);
        tell(&mut replay, "logging/setLevel", r#"{"level":"debug"}"#);
        tell(&mut replay, "logging/setLevel", r#"{"level":"error"}"#);
        tell(&mut replay, "tools/call", r#"{"name":"x"}"#);
        tell(&mut replay, "notifications/initialized", "{}");
        let told = told(&replay);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("notifications/initialized"));
        assert!(told[1].contains("error"));
        assert!(told[2].contains("a://2"));
    }

    #[test]
    fn remembers_a_bounded_number_of_bounded_messages() {
        let mut replay = Replay::default();
        for number in 0..2 * SUBSCRIPTIONS_MAX {
            let params = format!(r#"{{"uri":"a://{number}"}}"#);
            tell(&mut replay, "resources/subscribe", &params);
        }
        assert_eq!(told(&replay).len(), SUBSCRIPTIONS_MAX);
        let long = format!(r#"{{"level":"{}"}}"#, "x".repeat(MESSAGE_BYTES_MAX));
        tell(&mut replay, "logging/setLevel", &long);
        assert_eq!(told(&replay).len(), SUBSCRIPTIONS_MAX);
    }
}
