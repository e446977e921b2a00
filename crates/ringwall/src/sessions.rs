//! `ringwall sessions`: what the gateway that runs holds for its callers between two messages, and how
//! much that may be. It asks the gateway over its control socket, and changes nothing.

use crate::data::Data;
use crate::page::{self, CARE, Cell, FAINT, Table};
use crate::visible::visible;
use anyhow::anyhow;
use gateway::admin::Operation;
use gateway::control::{self, Footing, HeldSession, HeldUser, Holdings, Wanted};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Show what the running gateway holds for its callers.
///
/// Sessions, and the upstream ends that requests of stateless clients share: whose they are, on which
/// route, the servers they have met, calls under way, questions that the client has not answered,
/// tasks and streams that are remembered, calls that wait for their client, and the limits of all
/// that. A session is called as in the ledger, by a digest: no id is shown.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall sessions
  ringwall sessions --user alice --route /files
  ringwall sessions --json | jq '.sessions[] | select(.idle_ms > 600000) | .session'")]
pub(crate) struct Sessions {
    #[command(flatten)]
    data: Data,
    /// Show this user only: the issuer's name for them, ISSUER#SUBJECT, or the key in records.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Show sessions on this route only.
    #[arg(long, value_name = "PATH")]
    route: Option<String>,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// Characters of a name that are shown.
const NAME: usize = 48;

impl Sessions {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let folder = self.data.folder()?;
        let wanted = Wanted {
            user: self.user,
            route: self.route,
        };
        // What went wrong may hold words of somebody else.
        let held: Holdings = control::ask(&folder, Operation::SessionsList, &wanted)
            .map_err(|error| anyhow!("{}", visible(&error.to_string())))?;
        let text = if self.json {
            serde_json::to_string_pretty(&held)? + "\n"
        } else {
            text(&held)
        };
        page::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(held: &Holdings) -> String {
    let names = Names::of(held);
    let mut text = String::new();
    if held.sessions.is_empty() {
        text.push_str("there is no such session\n");
    } else {
        text.push_str(&sessions(held, names).to_string());
    }
    if !held.users.is_empty() {
        let _ = write!(text, "\n{}", users(held, names));
    }
    if held.left_out > 0 {
        let _ = writeln!(
            text,
            "\n{CARE}{} more are left out{CARE:#}: ask for less with --user or --route",
            held.left_out
        );
    }
    let (totals, bounds) = (held.totals, held.bounds);
    let _ = writeln!(
        text,
        "\nin all: sessions {} of {} (stateless {}), users {}, calls under way {}, questions {}, tasks {}, streams {}, parked {}",
        totals.sessions,
        bounds.sessions,
        totals.stateless,
        totals.users,
        totals.under_way,
        totals.questions,
        totals.tasks,
        totals.streams,
        totals.parked,
    );
    let _ = writeln!(
        text,
        "{FAINT}one session holds at most: questions {}, tasks {}, streams {}{FAINT:#}",
        bounds.questions, bounds.tasks, bounds.streams
    );
    text
}

fn sessions(held: &Holdings, names: Names) -> Table {
    let mut table = Table::new(&[
        "USER",
        "CLIENT",
        "ROUTE",
        "REVISION",
        "ERA",
        "SERVERS",
        "CALLS",
        "QUESTIONS",
        "TASKS",
        "STREAMS",
        "AGE",
        "IDLE",
        "SESSION",
    ]);
    for session in &held.sessions {
        let number = |count: usize| Cell::from(count.to_string().as_str());
        table.row(vec![
            Cell::foreign(&names.session(session), NAME),
            Cell::foreign(session.client.as_deref().unwrap_or("-"), NAME),
            Cell::foreign(&session.route, NAME),
            Cell::foreign(&session.revision, NAME),
            match session.footing {
                Footing::Session => "session",
                Footing::Stateless => "stateless",
            }
            .into(),
            Cell::foreign(&servers(session), NAME),
            number(session.under_way),
            number(session.questions),
            number(session.tasks),
            number(session.streams),
            span(session.age_ms).as_str().into(),
            span(session.idle_ms).as_str().into(),
            Cell::new(visible(&session.session), FAINT),
        ]);
    }
    table
}

fn users(held: &Holdings, names: Names) -> Table {
    let mut table = Table::new(&["USER", "SESSIONS", "PARKED"]);
    let share = |held: usize, most: usize| Cell::from(format!("{held} of {most}").as_str());
    for user in &held.users {
        table.row(vec![
            Cell::foreign(&names.user(user), NAME),
            share(user.sessions, held.bounds.sessions_per_user),
            share(user.parked, held.bounds.parked_per_user),
        ]);
    }
    table
}

/// The servers a session has met, each with the revision spoken with it.
fn servers(session: &HeldSession) -> String {
    let met = session.servers.iter();
    let met: Vec<String> = met
        .map(|met| format!("{} {}", met.server, met.revision))
        .collect();
    if met.is_empty() {
        "-".to_owned()
    } else {
        met.join(", ")
    }
}

/// How users are called: with their issuer once two of them could be confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Bare,
    WithIssuer,
}

impl Names {
    fn of(held: &Holdings) -> Self {
        let mut issuers = held.users.iter().filter_map(|user| user.issuer.as_deref());
        let first = issuers.next();
        if issuers.any(|issuer| Some(issuer) != first) {
            Names::WithIssuer
        } else {
            Names::Bare
        }
    }

    fn session(self, session: &HeldSession) -> String {
        self.name(&session.issuer, &session.subject)
    }

    fn user(self, user: &HeldUser) -> String {
        match (&user.issuer, &user.subject) {
            (Some(issuer), Some(subject)) => self.name(issuer, subject),
            _ => user.user.to_string(),
        }
    }

    fn name(self, issuer: &str, subject: &str) -> String {
        match self {
            Names::Bare => subject.to_owned(),
            Names::WithIssuer => format!("{issuer}#{subject}"),
        }
    }
}

/// A span of time in its two largest units.
fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        for (seconds, told) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m00s"),
            (3599, "59m59s"),
            (3600, "1h00m"),
            (86_399, "23h59m"),
            (86_400, "1d00h"),
            (90_061 * 10, "10d10h"),
        ] {
            assert_eq!(span(seconds * 1000 + 999), told);
        }
    }

    #[test]
    fn users_are_told_apart_by_issuer_where_there_are_several() {
        let user = |issuer: &str| HeldUser {
            user: "key".into(),
            issuer: Some(issuer.into()),
            subject: Some("alice".into()),
            sessions: 1,
            parked: 0,
        };
        for (issuers, told) in [
            (vec!["https://a"], "alice"),
            (vec!["https://a", "https://a"], "alice"),
            (vec!["https://a", "https://b"], "https://a#alice"),
        ] {
            let held = Holdings {
                users: issuers.into_iter().map(user).collect(),
                ..Holdings::default()
            };
            assert_eq!(Names::of(&held).user(&held.users[0]), told);
        }
        let gone = HeldUser {
            subject: None,
            ..user("https://a")
        };
        assert_eq!(Names::Bare.user(&gone), "key");
    }
}
