//! `ringwall wrap`: a gateway around one local server, for one local client. What the client writes
//! goes through the same stages as a call over HTTP. Nothing listens, no token is asked for, and
//! stdout carries nothing but messages.

mod pipe;
pub(crate) mod place;

use anyhow::{Context, bail};
use config::settled::{self, Level, SecretRef, Settled, Upstream, Variable};
use gateway::clock::SystemClock;
use gateway::gate::Gate;
use gateway::house::House;
use gateway::load::{self, Loaded};
use pipe::Pipe;
use policy::Source;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// The policy when none is given: the user of this machine started the program, and may use it.
const POLICY: &str = include_str!("wrap/policy.cedar");

/// Variables that programs need to find their way about, and that hold no secret.
const ENVIRONMENT: [&str; 7] = ["HOME", "LANG", "LOGNAME", "SHELL", "TERM", "TMPDIR", "USER"];

/// A session lives as long as the pipe: whoever holds the other end was there all the time.
const SESSION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Stand between a local MCP client and the server it starts.
///
/// Put this command in front of the server's own in the client's list of servers. Tools are pinned
/// when first seen; a changed definition is withheld. Arguments are held against the schema, hidden
/// text is removed, and every call is recorded. The server itself runs unconfined, and sees only PATH,
/// HOME, LANG, LOGNAME, SHELL, TERM, TMPDIR, USER and what --env names.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall wrap -- npx -y @modelcontextprotocol/server-filesystem /srv/docs
  ringwall wrap --deny 'write_*' --env GITHUB_TOKEN -- github-mcp-server stdio
  ringwall wrap --show-policy > my.cedar; ringwall wrap --policy my.cedar -- CMD

In a client's list of servers:
  { \"mcpServers\": { \"files\": { \"command\": \"ringwall\",
      \"args\": [\"wrap\", \"--\", \"npx\", \"-y\", \"@modelcontextprotocol/server-filesystem\", \"/srv/docs\"] } } }")]
pub(crate) struct Wrap {
    /// Cedar policies of your own in place of the built-in one; may be given again.
    #[arg(long, value_name = "FILE")]
    policy: Vec<String>,
    /// Forbid listing and calling tools of this name; `*` stands for any characters. May be given again.
    #[arg(long, value_name = "TOOL", value_parser = pattern)]
    deny: Vec<String>,
    /// Hand this variable of our environment to the server; may be given again.
    #[arg(long, value_name = "NAME", value_parser = variable)]
    env: Vec<String>,
    /// Where ledger and pins lie [default: a folder for this command under $XDG_STATE_HOME/ringwall].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the policies that would be in force, and end.
    #[arg(long)]
    show_policy: bool,
    /// The server's command.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

impl Wrap {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let policies = self.policies()?;
        if self.show_policy {
            for source in policies {
                anstream::println!("{}", source.text.trim_end());
            }
            return Ok(ExitCode::SUCCESS);
        }
        if self.command.is_empty() {
            bail!(
                "there is no command to wrap: write it after `--`, such as `ringwall wrap -- npx -y some-server`"
            );
        }
        let loaded = self.loaded(policies)?;
        crate::serve::start_log(&loaded.settled.log);
        for warning in &loaded.warnings {
            tracing::info!("{warning}");
        }
        for squat in gateway::squats::problems(&loaded.settled) {
            tracing::warn!("{}", squat.message);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let ended = runtime.block_on(guard(loaded));
        // A thread may still wait for input that never comes.
        runtime.shutdown_background();
        ended?;
        Ok(ExitCode::SUCCESS)
    }

    /// The policies in force, as text.
    fn policies(&self) -> anyhow::Result<Vec<Source>> {
        let mut sources = if self.policy.is_empty() {
            vec![Source {
                name: "built-in".to_owned(),
                text: POLICY.to_owned(),
            }]
        } else {
            if let Some(other) = self.policy.iter().find(|name| !name.ends_with(".cedar")) {
                bail!(
                    "`{other}` is no file of policies: --policy takes files that end in `.cedar`"
                );
            }
            load::policies(&self.policy)?
        };
        for (index, tool) in self.deny.iter().enumerate() {
            let text = format!(
                "@id(\"denied-{index}\")\nforbid (\n    principal,\n    \
                 action in [Ringwall::Action::\"list\", Ringwall::Action::\"call\"],\n    \
                 resource is Ringwall::Tool\n)\nwhen {{ resource.name like \"{tool}\" }};\n"
            );
            sources.push(Source {
                name: format!("--deny {tool}"),
                text,
            });
        }
        Ok(sources)
    }

    /// The configuration of a gateway around this command.
    fn loaded(&self, policies: Vec<Source>) -> anyhow::Result<Loaded> {
        let here = std::env::current_dir().context("cannot tell where we are")?;
        let data = match &self.data {
            Some(data) => here.join(data),
            None => place::of(&self.command)?,
        };
        let data = data.to_str().with_context(|| {
            format!(
                "`{}` is not a name in UTF-8: choose another with --data",
                data.display()
            )
        })?;
        let patterns: Vec<String> = self.policy.clone();
        let (settled, warnings) =
            config::wrap::around(&self.command, data, &patterns).map_err(|problems| {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                anyhow::anyhow!("{}", lines.join("\n"))
            })?;
        Ok(Loaded {
            settled: self.fitted(settled.rooted_at(&here)),
            policies,
            administration: vec![policy::Administration::built_in()],
            warnings,
        })
    }

    fn fitted(&self, mut settled: Settled) -> Settled {
        settled.log.level = Level::Warn;
        for route in &mut settled.routes {
            route.sessions = settled::Sessions {
                idle: SESSION,
                absolute: SESSION,
                ..route.sessions
            };
        }
        surround(&mut settled, &self.env);
        settled
    }
}

/// Gives a local server the variables that programs need, and those that are named.
pub(crate) fn surround(settled: &mut Settled, named: &[String]) {
    for server in &mut settled.servers {
        let Upstream::Stdio(stdio) = &mut server.upstream else {
            continue;
        };
        for name in ENVIRONMENT {
            if let Ok(value) = std::env::var(name) {
                stdio
                    .environment
                    .insert(name.to_owned(), Variable::Literal(value));
            }
        }
        for name in named {
            let reference = SecretRef::Env(name.clone());
            stdio
                .environment
                .insert(name.clone(), Variable::Secret(reference));
        }
    }
}

/// Runs until the client closes its end, or somebody ends us.
async fn guard(loaded: Loaded) -> anyhow::Result<()> {
    let house = House::build(loaded, Arc::new(SystemClock::default())).await?;
    let gate = Arc::clone(house.gate());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(house.serve(async move {
        // Dropping the sender means the same as sending.
        let _ = stopped.await;
    }));
    let piped = speak(gate).await;
    drop(stop);
    serving.await??;
    piped
}

async fn speak(gate: Arc<Gate>) -> anyhow::Result<()> {
    let route = gate
        .route("/")
        .context("the configuration of the wrapper has no route")?;
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let pipe = Pipe::new(gate, route, place::user().into());
    tokio::select! {
        ended = pipe.run(tokio::io::stdin(), tokio::io::stdout()) => ended,
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    }
}

/// A tool's name, or a pattern of names: what may stand in one, and `*`.
fn pattern(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/*".contains(c);
    if !text.is_empty() && text.len() <= 128 && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(
            "a tool's name has letters, digits, `_`, `.`, `-` and `/`; `*` stands for any of them"
                .to_owned(),
        )
    }
}

pub(crate) fn variable(name: &str) -> Result<String, String> {
    match SecretRef::parse(&format!("env:{name}")) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err("name a variable of the environment, never its value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Catalog, Policies};

    fn wrap(policy: &[&str], deny: &[&str]) -> Wrap {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        Wrap {
            policy: owned(policy),
            deny: owned(deny),
            env: vec!["TOKEN".to_owned()],
            data: Some(PathBuf::from("data")),
            show_policy: false,
            command: owned(&["some-server", "--fast"]),
        }
    }

    #[test]
    fn built_in_policy_and_denials_compile() {
        let sources = wrap(&[], &["write_*", "delete"]).policies().unwrap();
        assert_eq!(sources.len(), 3);
        Policies::compile(&sources, &Catalog::default()).unwrap();
    }

    #[test]
    fn a_denial_is_a_name_and_no_policy_text() {
        for good in ["write_file", "write_*", "*", "a.b-c/d"] {
            assert!(pattern(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a\" }; permit (principal, action, resource); //",
            "a\\*",
            "é",
        ] {
            assert!(pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_server_sees_named_variables_by_reference_and_the_pipe_outlives_idleness() {
        let wrap = wrap(&[], &[]);
        let loaded = wrap.loaded(wrap.policies().unwrap()).unwrap();
        let Upstream::Stdio(stdio) = &loaded.settled.servers[0].upstream else {
            panic!()
        };
        assert_eq!(
            stdio.environment["TOKEN"],
            Variable::Secret(SecretRef::Env("TOKEN".into()))
        );
        assert!(!stdio.environment.contains_key("SSH_AUTH_SOCK"));
        assert_eq!(loaded.settled.routes[0].sessions.idle, SESSION);
        assert!(loaded.settled.data.is_absolute());
        assert!(variable("A=secret").is_err());
    }
}
