//! Configured servers that may be taken for well-known ones: by their name, by the words of their command,
//! or by the host they are at (control 9.2). Whom the operator declares is the operator's choice, so it is
//! told and nothing else, unless the rule `likeness.typosquat` is enforced for that server. Nobody is asked
//! anything.

use crate::gate::Gate;
use config::settled::{self, Settled, Upstream};
use config::{Problem, Severity};
use controls::{Mode, Score};
use inspect::likeness::{Squat, squat, squat_host, squat_server};

/// The rule.
pub(crate) const RULE: &str = "likeness.typosquat";

/// A name in the configuration of a server, and the well-known one it may be taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The setting, below that of the server.
    pub setting: String,
    /// What stands there.
    pub name: String,
    /// The well-known name.
    pub known: &'static str,
}

/// What is suspected of one server.
pub fn of(server: &settled::Server) -> Vec<Suspect> {
    let suspect = |setting: String, name: &str, squat: Option<Squat>| {
        let Squat { known } = squat?;
        let name = name.to_owned();
        Some(Suspect {
            setting,
            name,
            known,
        })
    };
    let name = server.name.as_str();
    let mut all = Vec::from_iter(suspect("name".to_owned(), name, squat_server(name)));
    match &server.upstream {
        Upstream::Http(http) | Upstream::Sse(http) => {
            let way = match server.upstream {
                Upstream::Sse(_) => "sse",
                _ => "http",
            };
            let host = http.url.host_str().unwrap_or_default();
            all.extend(suspect(format!("{way}.url"), host, squat_host(host)));
        }
        Upstream::Stdio(stdio) => {
            let words = stdio.command.iter().enumerate();
            all.extend(words.filter_map(|(at, word)| {
                suspect(format!("stdio.command[{at}]"), word, squat(word))
            }));
        }
    }
    all
}

/// What comes of it: a warning, unless the operator says something else of the rule.
fn mode(server: &settled::Server) -> Mode {
    let said = server.content.modes.get(RULE).copied();
    said.map_or(Mode::Warn, Mode::from)
}

/// What has to be said of the servers of a configuration. In the mode `shadow` it is only written down.
pub fn problems(settled: &Settled) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, server) in settled.servers.iter().enumerate() {
        let severity = match mode(server) {
            Mode::Shadow => continue,
            Mode::Warn => Severity::Warning,
            Mode::Enforce => Severity::Error,
        };
        problems.extend(of(server).into_iter().map(|it| Problem {
            line: 0,
            column: 0,
            path: format!("servers[{at}].{}", it.setting),
            message: format!(
                "`{}` is a letter away from the well-known `{}`",
                it.name, it.known
            ),
            fix: format!(
                "correct it if `{}` is meant; if not, write `content: {{ modes: {{ {RULE}: shadow }} }}` at \
                 this server",
                it.known
            ),
            severity,
            control: Some(controls::N9_2),
        }));
    }
    problems
}

/// Writes down what is suspected of the servers of a gateway that begins, or of those that a reload changed.
pub(crate) fn note(gate: &Gate, before: Option<&Settled>) {
    let runtime = gate.runtime();
    for server in &runtime.settled.servers {
        let mut earlier = before.into_iter().flat_map(|it| &it.servers);
        if earlier.any(|earlier| earlier == server) {
            continue;
        }
        for it in of(server) {
            let score = Score {
                control: controls::N9_2,
                detector: "definitions".into(),
                rule: RULE.into(),
                value: 800,
                threshold: 800,
                mode: mode(server),
                place: it.setting.into(),
            };
            let subject = (server.name.as_str(), &*it.name);
            gate.note_scored("server.suspected", subject, it.known, &[score]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(server: &str) -> Vec<(String, Severity)> {
        let text = format!(
            "version: 1\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: 'https://id.example.com' }}]\n\
             servers:\n  - {server}\n\
             routes: [{{ path: /s, server: SERVER }}]\n",
        );
        let name = server
            .split(['{', ',', '}'])
            .find_map(|part| part.trim().strip_prefix("name: "));
        let text = text.replace("SERVER", name.unwrap());
        let said = match config::load_told(&text, problems) {
            Ok((_, warnings)) => warnings,
            Err(problems) => problems,
        };
        let ours = said
            .into_iter()
            .filter(|it| it.message.contains("well-known"));
        ours.map(|it| {
            assert_eq!((it.line, it.control), (5, Some(controls::N9_2)), "{it}");
            (it.path, it.severity)
        })
        .collect()
    }

    #[test]
    fn n9_2_a_configured_server_that_looks_like_a_well_known_one_is_told_where_it_stands() {
        let is = |setting: &str, severity| vec![(format!("servers[0].{setting}"), severity)];
        for (server, expected) in [
            (
                "{ name: files, stdio: { command: [npx, -y, '@modelcontextprotocol/server-filesystem'], confinement: none } }",
                vec![],
            ),
            (
                "{ name: files, stdio: { command: [npx, -y, '@modelcontextprotocol/server-filesystm'], confinement: none } }",
                is("stdio.command[2]", Severity::Warning),
            ),
            (
                "{ name: filesytem, http: { url: 'https://mcp.example.com/mcp' } }",
                is("name", Severity::Warning),
            ),
            (
                "{ name: notes, http: { url: 'https://mcp.notion.com/mcp' } }",
                vec![],
            ),
            (
                "{ name: notes, http: { url: 'https://mcp.notlon.com/mcp' } }",
                is("http.url", Severity::Warning),
            ),
            (
                "{ name: notes, sse: { url: 'https://mcp.notlon.com/mcp' } }",
                is("sse.url", Severity::Warning),
            ),
            (
                "{ name: notes, http: { url: 'https://mcp.notlon.com/mcp' }, content: { modes: { likeness.typosquat: warn } } }",
                is("http.url", Severity::Warning),
            ),
            (
                "{ name: notes, http: { url: 'https://mcp.notlon.com/mcp' }, content: { modes: { likeness.typosquat: enforce } } }",
                is("http.url", Severity::Error),
            ),
            (
                "{ name: notes, http: { url: 'https://mcp.notlon.com/mcp' }, content: { modes: { likeness.typosquat: shadow } } }",
                vec![],
            ),
        ] {
            assert_eq!(told(server), expected, "{server}");
        }
    }
}
