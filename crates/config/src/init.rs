//! The text of a first `ringwall.yaml`, made of a few answers.
//!
//! It asks nobody and writes no file: whoever asks hands the answers in. What it writes can be read
//! again, with a comment wherever a reader has something to decide.

mod quote;

pub(crate) use quote::quoted;

use crate::words::{Network, Pins};
use std::fmt::Write;

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Comment lines at the head of the file.
    pub about: Vec<String>,
    /// Where the gateway listens: `127.0.0.1:8080`.
    pub address: String,
    /// How callers reach it, if not at that address.
    pub public_url: Option<String>,
    /// Certificate and key, needed for an address that is not loopback.
    pub tls: Option<TlsAnswer>,
    /// Whose tokens are accepted.
    pub issuer: String,
    /// Where that issuer lies.
    pub issuer_network: Network,
    /// The servers; each gets a route of its name.
    pub servers: Vec<ServerAnswer>,
}

/// The certificate of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsAnswer {
    /// The path of the certificate chain.
    pub certificate: String,
    /// A reference to the key: `file:tls/key.pem`.
    pub key: String,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAnswer {
    /// Comment lines above it.
    pub about: Vec<String>,
    /// Its name, which is also the path of its route.
    pub name: String,
    /// How it is reached.
    pub reach: Reach,
    /// When its tools are trusted.
    pub pins: Pins,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Over the network: Streamable HTTP.
    Http {
        /// Its endpoint.
        url: String,
        /// Where it may lie.
        network: Network,
        /// A reference to what it is shown: `env:TOKEN`.
        credential: Option<String>,
        /// The header that carries it, if not `Authorization`.
        header: Option<String>,
    },
    /// Over the network: HTTP+SSE, the transport of 2024-11-05.
    Sse {
        /// The address of its stream.
        url: String,
        /// Where it may lie.
        network: Network,
        /// A reference to what it is shown: `env:TOKEN`.
        credential: Option<String>,
        /// The header that carries it, if not `Authorization`.
        header: Option<String>,
    },
    /// As a process of this machine. It runs unconfined, and the text says so.
    Stdio {
        /// Program and arguments.
        command: Vec<String>,
        /// Names with values or references.
        environment: Vec<(String, String)>,
        /// Where it runs, if not in the file's folder.
        directory: Option<String>,
    },
}

/// A first policy for the file that [`template`] writes: sessions are possible, nothing is permitted.
pub const POLICY: &str = "\
// What no policy permits is refused, and is not listed either.

// Whoever has an accepted token may hold a session with the servers of its routes.
@id(\"sessions\")
permit (
    principal,
    action in [Ringwall::Action::\"use\", Ringwall::Action::\"ask\"],
    resource
);

// An example: members of a group may list and call every tool of one server.
//
// @id(\"support-uses-tickets\")
// permit (
//     principal,
//     action in [Ringwall::Action::\"list\", Ringwall::Action::\"call\"],
//     resource is Ringwall::Tool in Ringwall::Server::\"tickets\"
// )
// when { principal.groups.contains(\"support\") };
";

/// The text of a configuration file that says what was answered.
pub fn template(answers: &Answers) -> String {
    let mut page = Page::default();
    page.comments(0, &answers.about);
    page.line(0, "version: 1");
    if let Some(url) = &answers.public_url {
        page.comment(
            0,
            "How callers reach the gateway; the audience of their tokens begins with it.",
        );
        page.line(0, &format!("public_url: {}", quoted(url)));
    }
    page.gap();
    page.line(0, "listeners:");
    page.line(1, &format!("- address: {}", quoted(&answers.address)));
    if let Some(tls) = &answers.tls {
        page.line(2, "tls:");
        page.line(3, &format!("certificate: {}", quoted(&tls.certificate)));
        page.line(3, &format!("key: {}", quoted(&tls.key)));
    }
    page.gap();
    page.line(0, "issuers:");
    page.comment(
        1,
        "Nobody is let in without a token of it, made for the route.",
    );
    page.line(1, &format!("- issuer: {}", quoted(&answers.issuer)));
    if answers.issuer_network == Network::Private {
        page.line(2, "network: private");
    }
    page.gap();
    page.line(0, "servers:");
    for server in &answers.servers {
        page.server(server);
    }
    page.gap();
    page.line(0, "routes:");
    for server in &answers.servers {
        page.line(
            1,
            &format!("- path: {}", quoted(&format!("/{}", server.name))),
        );
        page.line(2, &format!("server: {}", quoted(&server.name)));
    }
    page.gap();
    page.comment(
        0,
        "Without a policy that permits it, nothing may be listed or called.",
    );
    page.line(0, "policies: [policies/*.cedar]");
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, level: usize, text: &str) {
        let _ = writeln!(self.text, "{:width$}{text}", "", width = 2 * level);
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn comments(&mut self, level: usize, lines: &[String]) {
        for line in lines {
            self.comment(level, line);
        }
    }

    /// A comment never holds a line break: what follows one would be configuration.
    fn comment(&mut self, level: usize, text: &str) {
        let text: String = text
            .chars()
            .map(|c| if quote::is_plain(c) { c } else { ' ' })
            .collect();
        self.line(level, &format!("# {}", text.trim()));
    }

    fn remote(
        &mut self,
        url: &str,
        network: Network,
        credential: Option<&str>,
        header: Option<&str>,
    ) {
        self.line(3, &format!("url: {}", quoted(url)));
        if network == Network::Private {
            self.line(3, "network: private");
        }
        if let Some(credential) = credential {
            self.line(3, &format!("credential: {}", quoted(credential)));
        }
        if let Some(header) = header {
            self.line(3, &format!("header: {}", quoted(header)));
        }
    }

    fn server(&mut self, server: &ServerAnswer) {
        self.comments(1, &server.about);
        self.line(1, &format!("- name: {}", quoted(&server.name)));
        match &server.reach {
            Reach::Http {
                url,
                network,
                credential,
                header,
            } => {
                self.line(2, "http:");
                self.remote(url, *network, credential.as_deref(), header.as_deref());
            }
            Reach::Sse {
                url,
                network,
                credential,
                header,
            } => {
                self.comment(
                    2,
                    "A deprecated transport: write `http` if the server speaks Streamable HTTP.",
                );
                self.line(2, "sse:");
                self.remote(url, *network, credential.as_deref(), header.as_deref());
            }
            Reach::Stdio {
                command,
                environment,
                directory,
            } => {
                self.line(2, "stdio:");
                let words: Vec<_> = command.iter().map(|it| quoted(it)).collect();
                self.line(3, &format!("command: [{}]", words.join(", ")));
                if !environment.is_empty() {
                    self.line(3, "environment:");
                }
                for (name, value) in environment {
                    self.line(4, &format!("{}: {}", quoted(name), quoted(value)));
                }
                if let Some(directory) = directory {
                    self.line(3, &format!("directory: {}", quoted(directory)));
                }
                self.comment(
                    3,
                    "It runs unconfined: it can do whatever the user that runs Ringwall can do.",
                );
                self.line(3, "confinement: none");
            }
        }
        if server.pins == Pins::FirstUse {
            self.comment(
                2,
                "Its tools are trusted as they are first seen; a change waits for approval.",
            );
            self.line(2, "pins: first_use");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settled::Upstream;
    use proptest::prelude::*;

    fn answers(servers: Vec<ServerAnswer>) -> Answers {
        Answers {
            about: vec!["Written by `ringwall init`.\nversion: 2".to_owned()],
            address: "127.0.0.1:8080".to_owned(),
            public_url: None,
            tls: None,
            issuer: "https://id.example.com".to_owned(),
            issuer_network: Network::Public,
            servers,
        }
    }

    fn http(name: &str) -> ServerAnswer {
        ServerAnswer {
            about: vec!["Files.".to_owned()],
            name: name.to_owned(),
            reach: Reach::Http {
                url: "https://files.example.com/mcp?a=b#"
                    .trim_end_matches('#')
                    .to_owned(),
                network: Network::Private,
                credential: Some("env:FILES_TOKEN".to_owned()),
                header: Some("X-Api-Key".to_owned()),
            },
            pins: Pins::Approval,
        }
    }

    fn sse(name: &str) -> ServerAnswer {
        ServerAnswer {
            about: Vec::new(),
            name: name.to_owned(),
            reach: Reach::Sse {
                url: "https://old.example.com/sse".to_owned(),
                network: Network::Public,
                credential: Some("env:OLD_TOKEN".to_owned()),
                header: None,
            },
            pins: Pins::Approval,
        }
    }

    fn stdio(command: Vec<String>, environment: Vec<(String, String)>) -> ServerAnswer {
        ServerAnswer {
            about: Vec::new(),
            name: "clock".to_owned(),
            reach: Reach::Stdio {
                command,
                environment,
                directory: Some("some folder/here".to_owned()),
            },
            pins: Pins::FirstUse,
        }
    }

    #[test]
    fn what_is_written_settles() {
        let command = ["mcp-server-time", "--local-timezone", "UTC"]
            .map(str::to_owned)
            .to_vec();
        let environment = vec![
            ("TZ".to_owned(), "UTC".to_owned()),
            ("A".to_owned(), "no".to_owned()),
        ];
        let mut all = answers(vec![http("files"), stdio(command.clone(), environment)]);
        all.tls = Some(TlsAnswer {
            certificate: "tls/cert.pem".to_owned(),
            key: "file:tls/key.pem".to_owned(),
        });
        all.address = "0.0.0.0:8443".to_owned();
        all.public_url = Some("https://mcp.example.com".to_owned());
        for answers in [
            answers(vec![http("files")]),
            answers(vec![http("files"), sse("old")]),
            answers(vec![stdio(command, Vec::new())]),
            all,
        ] {
            let text = template(&answers);
            let (settled, _) = crate::load(&text).unwrap_or_else(|it| panic!("{text}\n{it:?}"));
            assert_eq!(settled.servers.len(), answers.servers.len());
            assert_eq!(settled.routes.len(), answers.servers.len());
        }
    }

    proptest! {
        #[test]
        fn no_answer_changes_what_is_around_it(words in prop::collection::vec("[^\0]{1,24}", 1..4), about in ".{0,40}") {
            let environment = vec![("A".to_owned(), words.concat())];
            let mut server = stdio(words.clone(), environment.clone());
            server.about = vec![about];
            let text = template(&answers(vec![server]));
            let written = crate::read(&text).map_err(|it| TestCaseError::fail(format!("{text}\n{it:?}")))?;
            let stdio = written.servers[0].stdio.as_ref().expect("it is there");
            prop_assert_eq!(&stdio.command, &words);
            prop_assert_eq!(stdio.environment["A"].as_str(), environment[0].1.as_str());
            if let Ok((settled, _)) = crate::settle(written) {
                prop_assert!(matches!(settled.servers[0].upstream, Upstream::Stdio(_)));
            }
        }
    }
}
