//! Four official SDKs as clients, the same four as servers, and four servers of other people's
//! making: whatever a client sees through the gateway is what it sees without it, in every pairing
//! of SDKs and eras. What cannot be the same is listed here, with its reason; the list may only
//! shrink.

use anyhow::{Context as _, Result, ensure};
use ringwall_tests::peers::matrix::{
    Era, Exception, REFERENCE, SPEAKERS, Sdk, Speaker, broken, differences,
};
use ringwall_tests::peers::real::{self, Everything, Place, Real};
use ringwall_tests::program::Program;
use ringwall_tests::world::Peers;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What cannot be the same through the gateway.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        server: "rmcp-legacy",
        client: Era::Modern,
        step: "logging",
        reason: "this server logs on the stream of its session, which belongs to no call of the modern era",
        races: false,
    },
    Exception {
        server: "rmcp-modern",
        client: Era::Legacy,
        step: "a task",
        reason: "tasks are not bridged: the call is answered as a call",
        races: false,
    },
    Exception {
        server: "everything",
        client: Era::Modern,
        step: "tools",
        reason: "a tool that can only be called as a core task is not offered",
        races: false,
    },
    Exception {
        server: "everything",
        client: Era::Modern,
        step: "roots",
        reason: "this server asks for roots a while after a session begins, outside of any call: a client of \
                 the modern era is asked only if one of its calls is under way at that moment",
        races: true,
    },
];

/// One client before one server: what differs, step by step.
#[derive(Clone, Debug)]
struct Cell {
    client: Speaker,
    server: String,
    found: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sdk_sees_every_sdk_through_the_gateway_as_it_is() -> Result<()> {
    let mut servers = Vec::new();
    for speaker in SPEAKERS {
        servers.push((speaker, speaker.server()?.start("http://").await?));
    }
    let configured = servers.iter().map(|(speaker, program)| {
        json!({
            "name": speaker.to_string(),
            "http": { "url": program.ready(), "network": "private" },
            "pins": "first_use",
            "schema": "declared"
        })
    });
    let world = Peers::start(configured.collect()).await?;
    // Two servers at a time; what one server is asked, it is asked in turn, for it has a state.
    let (mut even, mut odd) = (Vec::new(), Vec::new());
    for (index, server) in servers.iter().enumerate() {
        if index % 2 == 0 {
            even.push(server)
        } else {
            odd.push(server)
        }
    }
    let (even, odd) = tokio::join!(lane(&world, &even), lane(&world, &odd));
    judge(&[even?, odd?].concat())
}

async fn lane(world: &Peers, servers: &[&(Speaker, Program)]) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (server, program) in servers {
        cells.extend(row(world, *server, program.ready()).await?);
    }
    Ok(cells)
}

/// Every client before one server, held against what is seen without the gateway.
async fn row(world: &Peers, server: Speaker, url: &str) -> Result<Vec<Cell>> {
    let mut direct = Vec::new();
    for client in SPEAKERS {
        if client.era == server.era {
            let seen = client.run(url, None, REFERENCE).await?;
            let broken = broken(REFERENCE, &seen)?;
            ensure!(
                broken.is_empty(),
                "{client} before {server}, direct: {broken:#?}"
            );
            direct.push((client, seen));
        }
    }
    let mut cells = Vec::new();
    for client in SPEAKERS {
        let seen = through(world, client, &server.to_string(), REFERENCE).await?;
        let wanted = wanted(&direct, client)?;
        let found = differences(wanted, &seen, client.era != server.era);
        cells.push(Cell {
            client,
            server: server.to_string(),
            found,
        });
    }
    Ok(cells)
}

/// What this client saw without the gateway; where it cannot speak to the server, what it saw in the
/// other era; and where it knows no other era, what its successor saw.
fn wanted(direct: &[(Speaker, Value)], client: Speaker) -> Result<&Value> {
    let same = direct.iter().find(|(seen, _)| *seen == client);
    let sdk = direct.iter().find(|(seen, _)| seen.sdk == client.sdk);
    let successor = direct.iter().find(|(seen, _)| seen.sdk == Sdk::TypeScript2);
    let found = same.or(sdk).or(successor);
    Ok(&found
        .with_context(|| format!("nothing to hold {client} against"))?
        .1)
}

/// Left to choose, a client speaks the modern era to the gateway whatever the server speaks.
#[tokio::test(flavor = "multi_thread")]
async fn v9_a_client_that_may_choose_speaks_the_modern_era() -> Result<()> {
    let server = SPEAKERS.first().context("no server")?;
    let program = server.server()?.start("http://").await?;
    let configured = json!({
        "name": "server",
        "http": { "url": program.ready(), "network": "private" },
        "pins": "first_use"
    });
    let world = Peers::start(vec![configured]).await?;
    let url = world.gateway.at("/server")?;
    let token = world.issuer.token(url.as_str(), "alice")?;
    let steps = json!([
        { "name": "a ping", "do": "ping" },
        { "name": "a call", "do": "call", "tool": "echo", "arguments": { "text": "hello" } },
    ]);
    for client in SPEAKERS.iter().filter(|client| client.era == Era::Modern) {
        let seen = client
            .choose(url.as_str(), &token, &steps.to_string())
            .await?;
        let said = seen.pointer("/a call/ok/content/0/text");
        assert_eq!(said, Some(&json!("hello")), "{client}: {seen}");
        assert!(seen.pointer("/a ping/n~1a").is_some(), "{client}: {seen}");
    }
    Ok(())
}

async fn through(world: &Peers, client: Speaker, route: &str, steps: &str) -> Result<Value> {
    let url = world.gateway.at(&format!("/{route}"))?;
    let token = world.issuer.token(url.as_str(), "alice")?;
    client.run(url.as_str(), Some(&token), steps).await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_servers_answer_through_the_gateway_as_they_do() -> Result<()> {
    let place = Place::new()?;
    let everything = Everything::start().await?;
    let world = Peers::start(real::configured(&place, &everything)?).await?;
    let mut cells = Vec::new();
    for server in Real::ALL {
        let steps = server.steps(&place);
        let mut direct = Vec::new();
        for client in SPEAKERS {
            if server.speaks(client.era) {
                place.tidy()?;
                let target = server.target(&place, &everything)?;
                let seen = client.run(&target, None, &steps).await?;
                let broken = broken(&steps, &seen)?;
                ensure!(
                    broken.is_empty(),
                    "{client} before {server}, direct: {broken:#?}"
                );
                direct.push((client, real::calm(&steps, &seen)?));
            }
        }
        for client in SPEAKERS {
            place.tidy()?;
            let seen = through(&world, client, server.name(), &steps).await?;
            let seen = real::calm(&steps, &seen)?;
            let crossed = !server.speaks(client.era);
            let found = differences(wanted(&direct, client)?, &seen, crossed);
            cells.push(Cell {
                client,
                server: server.name().to_owned(),
                found,
            });
        }
    }
    judge(&cells)
}

/// Passes if nothing differs but what the list says, and all of that does.
fn judge(cells: &[Cell]) -> Result<()> {
    let mut used = BTreeSet::new();
    let mut report = String::new();
    let servers: BTreeSet<&str> = cells.iter().map(|cell| cell.server.as_str()).collect();
    for cell in cells {
        let unexplained: Vec<&(String, String)> = cell
            .found
            .iter()
            .filter(|(step, _)| {
                let covers =
                    |exception: &Exception| exception.covers(cell.client, &cell.server, step);
                let listed = EXCEPTIONS.iter().position(covers);
                used.extend(listed);
                listed.is_none()
            })
            .collect();
        let verdict = match unexplained.len() {
            0 => "same".to_owned(),
            count => format!("{count} differ"),
        };
        writeln!(
            report,
            "{:<20} {:<20} {verdict}",
            cell.client.to_string(),
            cell.server
        )?;
        for (step, what) in unexplained {
            writeln!(report, "    {step}{what}")?;
        }
    }
    let stale = EXCEPTIONS.iter().enumerate().filter(|(index, exception)| {
        servers.contains(exception.server) && !exception.races && !used.contains(index)
    });
    let stale: Vec<&Exception> = stale.map(|(_, exception)| exception).collect();
    ensure!(
        !report.contains(" differ"),
        "client, server, and what is not the same:\n{report}"
    );
    ensure!(
        stale.is_empty(),
        "the same by now; take it off the list: {stale:?}"
    );
    Ok(())
}
