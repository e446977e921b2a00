//! Packages and servers that many people use, as data, and what is a letter away from one of them.
//!
//! Whether a package is any good is not said here, nor whether one that is not listed is bad.

use super::spelling;
use crate::pin::skeleton;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A well-known name that another one may be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Squat {
    /// The well-known name.
    pub known: &'static str,
}

/// Letters of a name of which one may be wrong.
const LONG: usize = 7;
/// Letters of a name that is looked at.
const LONGEST: usize = 214;

/// Packages of npm and PyPI, and images, that are MCP servers or run them.
const PACKAGES: &[&str] = &[
    "@modelcontextprotocol/server-everything",
    "@modelcontextprotocol/server-filesystem",
    "@modelcontextprotocol/server-memory",
    "@modelcontextprotocol/server-sequential-thinking",
    "@modelcontextprotocol/server-github",
    "@modelcontextprotocol/server-gitlab",
    "@modelcontextprotocol/server-google-maps",
    "@modelcontextprotocol/server-gdrive",
    "@modelcontextprotocol/server-slack",
    "@modelcontextprotocol/server-postgres",
    "@modelcontextprotocol/server-puppeteer",
    "@modelcontextprotocol/server-brave-search",
    "@modelcontextprotocol/server-redis",
    "@modelcontextprotocol/server-everart",
    "@modelcontextprotocol/server-aws-kb-retrieval",
    "@modelcontextprotocol/inspector",
    "@modelcontextprotocol/sdk",
    "@playwright/mcp",
    "@upstash/context7-mcp",
    "@supabase/mcp-server-supabase",
    "@notionhq/notion-mcp-server",
    "@stripe/mcp",
    "@sentry/mcp-server",
    "@cloudflare/mcp-server-cloudflare",
    "@azure/mcp",
    "@azure-devops/mcp",
    "@elastic/mcp-server-elasticsearch",
    "@mongodb-js/mongodb-mcp-server",
    "mongodb-mcp-server",
    "@heroku/mcp-server",
    "@hubspot/mcp-server",
    "@shopify/dev-mcp",
    "@browsermcp/mcp",
    "@executeautomation/playwright-mcp-server",
    "@brave/brave-search-mcp-server",
    "@kazuph/mcp-fetch",
    "@wonderwhy-er/desktop-commander",
    "@21st-dev/magic",
    "@apify/actors-mcp-server",
    "@benborla29/mcp-server-mysql",
    "@bytebase/dbhub",
    "@circleci/mcp-server-circleci",
    "@gongrzhe/server-gmail-autoauth-mcp",
    "@modelcontextprotocol/server-sentry",
    "@netlify/mcp",
    "@paypal/mcp",
    "@postman/postman-mcp-server",
    "@salesforce/mcp",
    "@sanity/mcp-server",
    "@tavily/mcp",
    "tavily-mcp",
    "exa-mcp-server",
    "firecrawl-mcp",
    "figma-developer-mcp",
    "mcp-remote",
    "mcp-server-kubernetes",
    "chrome-devtools-mcp",
    "graphlit-mcp-server",
    "kubernetes-mcp-server",
    "n8n-mcp",
    "postmark-mcp",
    "puppeteer-mcp-server",
    "supergateway",
    "mcp-proxy",
    "mcp-server-fetch",
    "mcp-server-git",
    "mcp-server-sqlite",
    "mcp-server-time",
    "mcp-server-sentry",
    "mcp-server-postgres",
    "mcp-server-docker",
    "mcp-server-qdrant",
    "mcp-atlassian",
    "mcp-neo4j-cypher",
    "mcp-obsidian",
    "mcp-clickhouse",
    "mcp-grafana",
    "duckduckgo-mcp-server",
    "awslabs.core-mcp-server",
    "awslabs.aws-documentation-mcp-server",
    "basic-memory",
    "arxiv-mcp-server",
    "blender-mcp",
    "fastmcp",
    "mcp-agent",
    "snowflake-labs-mcp",
    "semgrep-mcp",
    "browser-use",
    "markitdown-mcp",
    "excel-mcp-server",
    "windows-mcp",
    "mcp/filesystem",
    "mcp/github",
    "mcp/postgres",
    "mcp/fetch",
    "mcp/time",
    "ghcr.io/github/github-mcp-server",
    "github-mcp-server",
    "hashicorp/terraform-mcp-server",
    "grafana/mcp-grafana",
];

/// What well-known servers call themselves.
const SERVERS: &[&str] = &[
    "secure-filesystem-server",
    "memory-server",
    "sequential-thinking-server",
    "github-mcp-server",
    "mcp-atlassian",
    "chrome_devtools",
    "playwright",
    "context7",
    "filesystem",
    "kubernetes",
    "elasticsearch-mcp-server",
    "terraform-mcp-server",
    "azure mcp server",
    "supabase",
    "notion api",
    "atlassian-mcp-server",
    "cloudflare",
    "mongodb mcp server",
    "postgres-mcp",
    "brave-search",
    "google-maps",
    "puppeteer",
    "everything-server",
];

/// Hosts at which well-known servers are reached.
const HOSTS: &[&str] = &[
    "api.githubcopilot.com",
    "mcp.apify.com",
    "mcp.asana.com",
    "mcp.atlassian.com",
    "mcp.box.com",
    "mcp.canva.com",
    "mcp.cloudflare.com",
    "mcp.context7.com",
    "mcp.deepwiki.com",
    "mcp.exa.ai",
    "mcp.figma.com",
    "mcp.hubspot.com",
    "mcp.intercom.com",
    "mcp.linear.app",
    "mcp.monday.com",
    "mcp.neon.tech",
    "mcp.notion.com",
    "mcp.paypal.com",
    "mcp.sentry.dev",
    "mcp.squareup.com",
    "mcp.stripe.com",
    "mcp.supabase.com",
    "mcp.tavily.com",
    "mcp.vercel.com",
    "mcp.webflow.com",
    "mcp.wix.com",
    "mcp.zapier.com",
];

static LOOKS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let all = PACKAGES.iter().chain(SERVERS);
    all.map(|name| (skeleton(name), *name)).collect()
});

static NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| PACKAGES.iter().chain(SERVERS).copied().collect());

/// What well-known package this one may be taken for, if it is none itself. The version that may stand
/// behind the name does not count.
pub fn squat(package: &str) -> Option<Squat> {
    taken_for(unversioned(package.trim()), |known, name| {
        // With or without separators it is the same word to people, and another one to a registry. The
        // images of a registry of images are no packages.
        let is_image = known.contains('/') && !known.starts_with('@');
        PACKAGES.contains(&known) && !is_image || !is_same(known, name)
    })
}

/// What well-known server this one may be taken for by what it calls itself, if it is none itself. How it
/// writes itself does not count: no registry knows these names.
pub fn squat_server(itself: &str) -> Option<Squat> {
    taken_for(itself.trim(), |known, name| !is_same(known, name))
}

/// What host of a well-known server this one may be taken for: one that looks the same, is a letter away, or
/// has it in front of a name that is somebody else's.
pub fn squat_host(host: &str) -> Option<Squat> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() || host.len() > LONGEST {
        return None;
    }
    let shown = ::url::quirks::domain_to_unicode(&host);
    let look = skeleton(&shown);
    let taken_for = |known: &&&str| {
        let (of_known, of_host) = (zone(known), zone(&shown));
        // Whoever has the zone has every name in it.
        if of_known == of_host {
            return false;
        }
        let leads = host
            .strip_prefix(**known)
            .is_some_and(|rest| rest.starts_with('.'));
        let alike = skeleton(of_known) == skeleton(of_host);
        // One `m` looks like two letters, so it is two steps to the look of a name without it.
        let near = spelling::is_within(known, &shown, 1)
            || spelling::is_within(&skeleton(known), &look, 1);
        leads || alike || near
    };
    let known = HOSTS.iter().find(taken_for)?;
    Some(Squat { known })
}

/// The last two labels of a name.
fn zone(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let start = dots.nth(1).map_or(0, |at| at + 1);
    host.get(start..).unwrap_or(host)
}

fn taken_for(name: &str, counts: impl Fn(&str, &str) -> bool) -> Option<Squat> {
    if name.is_empty() || name.len() > LONGEST || NAMES.contains(&*name.to_ascii_lowercase()) {
        return None;
    }
    let look = skeleton(name);
    if let Some(known) = LOOKS.get(&look) {
        return counts(known, name).then_some(Squat { known });
    }
    if look.chars().count() < LONG {
        return None;
    }
    let near = LOOKS
        .iter()
        .filter(|(known, _)| known.chars().count() >= LONG && spelling::is_within(known, &look, 1));
    let near = near.map(|(_, known)| *known);
    let near = near.filter(|known| !is_plural(known, name));
    near.min().map(|known| Squat { known })
}

/// Whether two names have the same letters, however they are joined.
fn is_same(one: &str, other: &str) -> bool {
    let letters = |name: &str| {
        let joined = |c: &char| !matches!(c, '_' | '-' | '.' | '/' | ':' | ' ');
        let kept: String = name.chars().filter(joined).collect();
        kept.to_lowercase()
    };
    letters(one) == letters(other)
}

/// The name of a package without its version: `@scope/name@1.2`, `name==1.2`, `image:tag`.
fn unversioned(name: &str) -> &str {
    let name = name.split_once("==").map_or(name, |(name, _)| name);
    match name.rsplit_once('@') {
        Some((before, _)) if !before.is_empty() => before,
        _ => name.split_once(':').map_or(name, |(name, _)| name),
    }
}

fn is_plural(one: &str, other: &str) -> bool {
    one.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n9_2_a_letter_away_from_a_well_known_name_is_told() {
        for (name, known) in [
            (
                "@modelcontextprotocol/server-filesystm",
                "@modelcontextprotocol/server-filesystem",
            ),
            (
                "@modelcontextprotocol/server-flesystem@1.0.0",
                "@modelcontextprotocol/server-filesystem",
            ),
            (
                "@modelcontextprotocol/server-fi1esystem",
                "@modelcontextprotocol/server-filesystem",
            ),
            (
                "@modelcontextprotocl/server-memory",
                "@modelcontextprotocol/server-memory",
            ),
            (
                "@modelcontextprotocol-server-github",
                "@modelcontextprotocol/server-github",
            ),
            (
                "@modelcontext-protocol/server-github",
                "@modelcontextprotocol/server-github",
            ),
            ("mcp-server-fecth", "mcp-server-fetch"),
            ("mcp_server_git", "mcp-server-git"),
            ("mcp-server-tirne==1.0", "mcp-server-time"),
            ("mcp-rernote", "mcp-remote"),
        ] {
            assert_eq!(squat(name), Some(Squat { known }), "{name}");
        }
        for (name, known) in [
            ("secure-filesytem-server", "secure-filesystem-server"),
            ("pl\u{430}ywright", "playwright"),
        ] {
            assert_eq!(squat_server(name), Some(Squat { known }), "{name}");
        }
    }

    #[test]
    fn n9_2_a_host_that_passes_for_a_well_known_one_is_told() {
        for (host, known) in [
            ("mcp.notlon.com", Some("mcp.notion.com")),
            ("mcp.notion.co", Some("mcp.notion.com")),
            ("mcp.noti0n.com", Some("mcp.notion.com")),
            ("api.n0tion.com", Some("mcp.notion.com")),
            ("mcp-notion.com", Some("mcp.notion.com")),
            ("mcp.notion.com.evil.example", Some("mcp.notion.com")),
            ("mcp.xn--noton-p2e.com", Some("mcp.notion.com")),
            ("MCP.STR1PE.COM", Some("mcp.stripe.com")),
            ("mcp.notion.com", None),
            ("notion.com", None),
            ("eu.mcp.notion.com.", None),
            ("docs.mcp.cloudflare.com", None),
            ("mcp.example.com", None),
            ("mcp.nation-of-makers.com", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(squat_host(host).map(|it| it.known), known, "{host}");
        }
        for host in HOSTS {
            assert_eq!(squat_host(host), None, "{host}");
        }
        assert_eq!(squat_host(&"x".repeat(100_000)), None);
    }

    #[test]
    fn a_well_known_name_and_an_unlike_one_are_not() {
        for name in PACKAGES.iter().chain(SERVERS) {
            assert_eq!((squat(name), squat_server(name)), (None, None), "{name}");
        }
        for name in [
            "mcp-time",
            "mcp time",
            "Context 7",
            "Brave Search",
            "MCP-Server-Fetch",
        ] {
            assert_eq!(squat_server(name), None, "{name}");
        }
        for name in [
            "@modelcontextprotocol/server-filesystem@2025.7.1",
            "mcp-server-time==2026.1",
            "Playwright",
            "Context7",
            "mcp/time:latest",
            "my-company-tools",
            "weather",
            "npx",
            "node",
            "",
            "time",
            "files",
            "@acme/server-orders",
            "mcp-server",
            "server-filesystem-of-acme",
            "fixture",
        ] {
            assert_eq!(squat(name), None, "{name}");
        }
        assert_eq!(squat(&"x".repeat(100_000)), None);
    }
}
