//! The questions of `ringwall init`, with the answer each has when nobody says otherwise. They are
//! read line by line from wherever they are asked; nothing here touches a file.

use anyhow::bail;
use config::import::{ISSUER, Note};
use config::init::{Answers, Reach, ServerAnswer, TlsAnswer};
use config::settled::{Network, Pins};
use std::io::{BufRead, Read, Write};
use std::net::SocketAddr;

/// The longest answer.
const ANSWER_BYTES: u64 = 4096;
/// How often one question is asked before giving up: a script that answers wrongly must end.
const PATIENCE: usize = 5;

const ADDRESS: &str = "127.0.0.1:8080";
const NAME: &str = "example";
const URL: &str = "https://mcp.example.com/mcp";

/// Every answer as it is when nobody says otherwise.
pub(super) fn defaults() -> Answers {
    Answers {
        about: about(),
        address: ADDRESS.to_owned(),
        public_url: None,
        tls: None,
        issuer: ISSUER.to_owned(),
        issuer_network: Network::Public,
        servers: vec![ServerAnswer {
            about: Vec::new(),
            name: NAME.to_owned(),
            reach: Reach::Http {
                url: URL.to_owned(),
                network: Network::Public,
                credential: None,
                header: None,
            },
            pins: Pins::Approval,
        }],
    }
}

/// Asks. An empty line takes the default, which is shown.
pub(super) fn ask(input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<Answers> {
    let mut form = Form { input, output };
    let address = form.ask("Address to listen on", ADDRESS, |text| {
        text.parse::<SocketAddr>()
            .map(|_| ())
            .map_err(|_| "write an IP address and a port, such as 127.0.0.1:8080")
    })?;
    let (tls, public_url) = form.encryption(&address)?;
    let issuer = form.ask(
        "Issuer of access tokens (URL of your identity provider)",
        ISSUER,
        url,
    )?;
    let issuer_network = network_of(&issuer);
    let mut servers = vec![form.server(NAME)?];
    while servers.len() < 32 {
        let name = form.ask(
            "Another server? Its name, or nothing to finish",
            "",
            |text| match text {
                "" => Ok(()),
                text => server_name(text),
            },
        )?;
        if name.is_empty() {
            break;
        }
        servers.push(form.reached(name)?);
    }
    Ok(Answers {
        about: about(),
        address,
        public_url,
        tls,
        issuer,
        issuer_network,
        servers,
    })
}

/// What is left to do, for answers that stand for something the reader has to put in.
pub(super) fn notes(answers: &Answers) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |server: &str, text: &str| {
        notes.push(Note {
            server: server.to_owned(),
            text: text.to_owned(),
        });
    };
    if answers.issuer == ISSUER {
        note("", "put your identity provider in place of the issuer");
    }
    for server in &answers.servers {
        match &server.reach {
            Reach::Http { url, .. } if url == URL => note(
                &server.name,
                "put the URL of your MCP server in place of the example",
            ),
            _ => {}
        }
        if server.pins == Pins::Approval {
            note(
                &server.name,
                "its tools wait for approval: `ringwall tools list`, then `ringwall tools approve`",
            );
        }
    }
    note(
        "",
        "write a policy: the first one permits sessions and no tool",
    );
    notes
}

struct Form<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

type Check = fn(&str) -> Result<(), &'static str>;

impl Form<'_> {
    /// Asks until the answer is one.
    fn ask(&mut self, question: &str, default: &str, check: Check) -> anyhow::Result<String> {
        for _ in 0..PATIENCE {
            if default.is_empty() {
                write!(self.output, "{question}: ")?;
            } else {
                write!(self.output, "{question} [{default}]: ")?;
            }
            self.output.flush()?;
            let mut line = String::new();
            if Read::take(&mut *self.input, ANSWER_BYTES).read_line(&mut line)? == 0 {
                writeln!(self.output)?;
                bail!("nobody answers: take every default with --yes");
            }
            let answer = match line.trim() {
                "" => default,
                answer => answer,
            };
            match check(answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(fix) => writeln!(self.output, "  {fix}")?,
            }
        }
        bail!("no answer to `{question}` could be used: take every default with --yes")
    }

    /// An address that others can reach is encrypted, or it is not listened on.
    fn encryption(&mut self, address: &str) -> anyhow::Result<(Option<TlsAnswer>, Option<String>)> {
        if address
            .parse::<SocketAddr>()
            .is_ok_and(|address| address.ip().is_loopback())
        {
            return Ok((None, None));
        }
        let certificate = self.ask("Certificate chain (PEM file)", "tls/cert.pem", given)?;
        let key = self.ask("Its private key (PEM file)", "tls/key.pem", given)?;
        let public = self.ask(
            "URL under which callers reach the gateway",
            "https://mcp.example.com",
            url,
        )?;
        Ok((
            Some(TlsAnswer {
                certificate,
                key: format!("file:{key}"),
            }),
            Some(public),
        ))
    }

    fn server(&mut self, name: &str) -> anyhow::Result<ServerAnswer> {
        let name = self.ask("Name of the first MCP server", name, server_name)?;
        self.reached(name)
    }

    fn reached(&mut self, name: String) -> anyhow::Result<ServerAnswer> {
        let reach = self.ask("  Its URL, or the command that starts it", URL, |text| {
            if text.contains("://") {
                url(text)
            } else {
                given(text)
            }
        })?;
        let reach = if reach.contains("://") {
            let credential = self.ask(
                "  The token it is shown, as env:NAME or file:PATH (or nothing)",
                "",
                |text| match text {
                    "" => Ok(()),
                    text => config::settled::SecretRef::parse(text).map(|_| ()).map_err(
                        |_| "write env:NAME or file:PATH: secrets do not belong into the file",
                    ),
                },
            )?;
            Reach::Http {
                network: network_of(&reach),
                url: reach,
                credential: Some(credential).filter(|it| !it.is_empty()),
                header: None,
            }
        } else {
            Reach::Stdio {
                command: reach.split_whitespace().map(str::to_owned).collect(),
                environment: Vec::new(),
                directory: None,
            }
        };
        let trust = self.ask(
            "  Trust its tools as first seen? yes, or no to approve each",
            "no",
            |text| match text {
                "yes" | "y" | "no" | "n" => Ok(()),
                _ => Err("write yes or no"),
            },
        )?;
        let pins = if trust.starts_with('y') {
            Pins::FirstUse
        } else {
            Pins::Approval
        };
        Ok(ServerAnswer {
            about: Vec::new(),
            name,
            reach,
            pins,
        })
    }
}

fn about() -> Vec<String> {
    vec![
        "Written by `ringwall init`. Everything not said here is the default:".to_owned(),
        "`ringwall check` prints it, docs/configuration.md explains it.".to_owned(),
    ]
}

fn given(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("write something")
    } else {
        Ok(())
    }
}

fn url(text: &str) -> Result<(), &'static str> {
    let url = url::Url::parse(text).map_err(|_| "write a URL, such as https://mcp.example.com")?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here(&url) => Ok(()),
        _ => Err("write an https URL: unencrypted connections stay on this machine"),
    }
}

fn is_here(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn server_name(text: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && text.len() <= 63 && text.chars().all(plain) {
        Ok(())
    } else {
        Err("write lowercase letters, digits, `-` and `_`, a letter or digit first")
    }
}

/// Where a URL lies, as far as it says so itself.
fn network_of(text: &str) -> Network {
    let private = url::Url::parse(text).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".internal"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => false,
    });
    if private {
        Network::Private
    } else {
        Network::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(lines: &str) -> anyhow::Result<Answers> {
        ask(&mut lines.as_bytes(), &mut Vec::new())
    }

    #[test]
    fn empty_lines_take_every_default() {
        assert_eq!(answered("\n\n\n\n\n\n\n").unwrap(), defaults());
    }

    #[test]
    fn every_set_of_answers_makes_a_file_that_settles() {
        for lines in [
            "\n\n\n\n\n\n\n",
            "0.0.0.0:8443\ntls/c.pem\ntls/k.pem\nhttps://mcp.example.com\nhttps://id.example.com\nfiles\nhttp://10.0.0.5/mcp\nhttps://10.0.0.5/mcp\nenv:TOKEN\nyes\n\n",
            "[::1]:9000\nhttp://127.0.0.1:9001\nclock\nuvx mcp-server-time\nno\nmore\nhttps://a.example/mcp\n\ny\n\n",
        ] {
            let text = config::init::template(&answered(lines).unwrap());
            config::load(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
        }
    }

    #[test]
    fn asks_again_when_an_answer_cannot_be_used_and_not_forever() {
        let again = answered("everywhere\n127.0.0.1:1\n\n\n\n\n\n\n").unwrap();
        assert_eq!(again.address, "127.0.0.1:1");
        assert!(
            answered("a\nb\nc\nd\ne\nf\ng\n")
                .unwrap_err()
                .to_string()
                .contains("--yes")
        );
        assert!(answered("").unwrap_err().to_string().contains("--yes"));
    }

    #[test]
    fn takes_no_literal_secret() {
        let lines = "\n\n\n\nsk-123456\nenv:TOKEN\n\n\n";
        let Reach::Http { credential, .. } = &answered(lines).unwrap().servers[0].reach else {
            panic!()
        };
        assert_eq!(credential.as_deref(), Some("env:TOKEN"));
    }
}
