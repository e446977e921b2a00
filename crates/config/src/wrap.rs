//! The configuration of `ringwall wrap`: one local server around which the gateway stands, for one
//! user of this machine. Nothing listens and no token is asked for: the user is who started it.

use crate::problem::{Positions, Problem};
use crate::settle::{Callers, settle_for};
use crate::settled::Settled;
use crate::words::{Confinement, Pins};
use crate::written::{Config, Route, Server, Stdio};

/// The name under which the wrapped server appears in policies and records.
pub const SERVER: &str = "wrapped";

/// A gateway around one command. Its definitions are trusted at first use, because the user who would
/// approve them has just named the program.
pub fn around(
    command: &[String],
    data: &str,
    policies: &[String],
) -> Result<(Settled, Vec<Problem>), Vec<Problem>> {
    let stdio = Stdio {
        command: command.to_vec(),
        environment: Default::default(),
        directory: None,
        process: None,
        confinement: Some(Confinement::None),
    };
    let server = Server {
        name: SERVER.to_owned(),
        http: None,
        sse: None,
        stdio: Some(stdio),
        era: None,
        pins: Some(Pins::FirstUse),
        accept_drift: None,
        schema: None,
        hidden_text: None,
        content: Default::default(),
        timeout: None,
        labels: Vec::new(),
        tools: Default::default(),
    };
    let route = Route {
        path: "/".to_owned(),
        server: Some(SERVER.to_owned()),
        servers: None,
        tools: None,
        prompts: None,
        resources: None,
        resource: None,
        audiences: Vec::new(),
        issuers: None,
        scopes: Vec::new(),
        possession: None,
        protocol: Default::default(),
        ledger: Default::default(),
        sessions: Default::default(),
        bridge: Default::default(),
        elicitation: Default::default(),
        content: Default::default(),
        limits: Default::default(),
    };
    let written = Config {
        administration: None,
        version: 1,
        public_url: None,
        authorization_server: None,
        dpop: Default::default(),
        data: Some(data.to_owned()),
        listeners: None,
        issuers: Vec::new(),
        servers: vec![server],
        routes: vec![route],
        providers: Vec::new(),
        policies: policies.to_vec(),
        step_up: Default::default(),
        approvals: Default::default(),
        limits: Default::default(),
        ledger: Default::default(),
        log: Default::default(),
        positions: Positions::default(),
    };
    settle_for(Callers::Local, written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_a_command_without_listening() {
        let command = ["npx".to_owned(), "-y".to_owned(), "some-server".to_owned()];
        let (settled, warnings) = around(&command, "data", &[]).expect("settles");
        assert!(settled.listeners.is_empty() && settled.issuers.is_empty());
        assert_eq!(settled.routes.len(), 1);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    #[test]
    fn refuses_to_wrap_nothing() {
        assert!(around(&[], "data", &[]).is_err());
    }
}
