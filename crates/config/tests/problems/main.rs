//! What is wrong with a file, where it stands, what to write instead: one table a part of the file.
//!
//! Every case changes one place of a configuration that is fine, and names everything that is then
//! reported, errors and warnings, in the order of the text.

mod administration;
mod approval;
mod arguments;
mod authority;
mod data;
mod events;
mod issuers;
mod listeners;
mod numbers;
mod oauth;
mod offers;
mod output;
mod possession;
mod providers;
mod routes;
mod servers;
mod shape;
mod trust;
mod warnings;

use config::bounds;
use ringwall_config as config;

/// What is replaced, by what, and what is then told.
type Case = (&'static str, &'static str, &'static [&'static str]);

/// A configuration with nothing wrong in it.
const FINE: &str = "\
version: 1
issuers:
  - issuer: https://id.example.com
servers:
  - name: files
    http:
      url: https://files.example.com/mcp
routes:
  - path: /files
    server: files
policies: [p/*.cedar]
";

fn told(text: &str) -> Vec<String> {
    let problems = match config::load(text) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems
        .iter()
        .map(|it| it.in_file("").to_string().replace("\n  fix: ", " => "))
        .collect()
}

/// Holds every case against what is told of it.
fn check(cases: &[Case]) {
    for (before, after, expected) in cases {
        assert!(FINE.contains(before), "{before}");
        let text = FINE.replacen(before, after, 1);
        let told = told(&text);
        assert_eq!(&told, expected, "\n{text}");
        assert!(told.iter().all(|it| !it.contains("hunter2")), "{told:?}");
    }
}

#[test]
fn nothing_is_wrong_with_the_configuration_the_cases_start_from() {
    assert_eq!(told(FINE), Vec::<String>::new());
}

#[test]
fn reports_what_does_not_have_the_shape_of_the_format() {
    check(shape::CASES);
}

#[test]
fn n3_1_reports_what_is_wrong_with_listeners() {
    check(listeners::CASES);
}

#[test]
fn n2_4_reports_administration_that_anybody_could_do_or_nobody() {
    check(administration::CASES);
}

#[test]
fn n1_3_reports_providers_that_nobody_or_anybody_could_ask() {
    check(providers::CASES);
}

#[test]
fn m1_reports_what_is_wrong_with_issuers() {
    check(issuers::CASES);
}

#[test]
fn m3_reports_an_authorization_server_that_cannot_be_meant() {
    let told_of = |text: &str| -> Vec<String> {
        let bare = |it: &String| {
            let (_, told) = it.split_once(": error: ").unwrap_or(("", it));
            told.to_owned()
        };
        told(text).iter().map(bare).collect()
    };
    for (server, expected) in authority::SERVERS {
        let text = authority::with(server);
        assert_eq!(&told_of(&text), expected, "\n{text}");
    }
    let places = authority::with("{ registration: open }");
    for path in [
        "/authorize",
        "/token/x",
        "/Register",
        "/authority",
        "/revoke",
    ] {
        let text = places.replace("path: /files", &format!("path: {path}"));
        let expected =
            "routes[0].path: is a place of the authorization server => write another path";
        assert_eq!(told_of(&text), [expected], "{path}");
    }
    let nobody = FINE.replace(
        "policies:",
        "authorization_server: { registration: open }\npolicies:",
    );
    let expected = "authorization_server: does not say where people sign in (control M3) => add \
                    `sign_in:` with one of `issuers` that has `sign_in`";
    assert_eq!(told_of(&nobody), [expected]);
    let named = "{ registration: open, sign_in: 'https://id.example.com' }";
    let nobody = FINE.replace(
        "policies:",
        &format!("authorization_server: {named}\npolicies:"),
    );
    let expected = "authorization_server.sign_in: names an issuer that nobody can sign in at (control M3) \
                    => add `sign_in: { client: … }` to that issuer";
    assert_eq!(told_of(&nobody), [expected]);
    let scoped = places.replace("    server: files", "    server: files\n    scopes: [read]");
    let warned = told(&scoped);
    assert!(
        warned[0].contains("does not say what `read` means"),
        "{warned:?}"
    );
    let other = places.replace(
        "    server: files",
        "    server: files\n    issuers: ['https://id.example.com']",
    );
    let warned = told(&other);
    assert!(
        warned[0].contains("no route accepts its tokens"),
        "{warned:?}"
    );
}

#[test]
fn m3_a_route_names_the_gateway_itself_by_a_word() {
    let text = authority::with("{ registration: open }");
    let issuers = |text: &str| {
        let (settled, _) = config::load(text).unwrap();
        let issuers = settled.routes.into_iter().next().unwrap().issuers;
        (issuers, settled.public_url)
    };
    let (all, _) = issuers(&text);
    assert_eq!(all, ["http://127.0.0.1:8080", "https://id.example.com"]);
    let own = text.replace(
        "    server: files",
        "    server: files\n    issuers: [self]",
    );
    assert_eq!(issuers(&own).0, ["http://127.0.0.1:8080"]);
    // Without one there is nobody of that name.
    let none = FINE.replace(
        "    server: files",
        "    server: files\n    issuers: [self]",
    );
    assert!(told(&none)[0].contains("is no issuer of this configuration"));
}

#[test]
fn n8_3_reports_what_is_wrong_with_events() {
    check(events::CASES);
}

#[test]
fn m1_reports_profiles_tenants_and_questions_that_cannot_be_meant() {
    check(trust::CASES);
}

#[test]
fn n7_1_reports_tokens_that_could_go_to_the_wrong_party() {
    check(oauth::CASES);
}

#[test]
fn n6_3_reports_what_is_wrong_with_servers() {
    check(servers::CASES);
}

#[test]
fn n7_4_reports_what_callers_cannot_be_asked_to_hold() {
    check(possession::CASES);
}

#[test]
fn n2_4_reports_what_nobody_could_prove_or_approve() {
    check(approval::CASES);
}

#[test]
fn m2_reports_what_is_wrong_with_routes() {
    check(routes::CASES);
}

#[test]
fn n9_2_reports_what_is_wrong_with_what_routes_offer() {
    check(offers::CASES);
}

#[test]
fn n1_4_reports_what_cannot_be_meant_about_what_servers_say() {
    check(output::CASES);
}

#[test]
fn n9_3_reports_what_is_wrong_with_what_is_done_about_data() {
    check(data::CASES);
}

#[test]
fn a_route_leads_to_so_many_servers_and_no_more() {
    for (count, expected) in [
        (bounds::ROUTE_SERVERS, vec![]),
        (
            bounds::ROUTE_SERVERS + 1,
            vec![
                "routes[0].servers: has 101 entries, more than 100 => split it, or remove what nobody uses",
            ],
        ),
    ] {
        let name = |index: usize| format!("s{index}");
        let servers = (0..count).map(|index| {
            let name = name(index);
            format!("  - name: {name}\n    http: {{ url: https://{name}.example.com }}\n")
        });
        let names: Vec<_> = (0..count).map(name).collect();
        let servers = format!("servers:\n{}", servers.collect::<String>());
        let route = format!("    servers: [{}]", names.join(", "));
        let text = FINE
            .replace("servers:\n", &servers)
            .replace(
                "  - name: files\n    http:\n      url: https://files.example.com/mcp\n",
                "",
            )
            .replace("    server: files", &route);
        let told = told(&text);
        let told: Vec<_> = told
            .iter()
            .filter_map(|it| it.split_once(": error: "))
            .collect();
        let told: Vec<_> = told.iter().map(|(_, it)| *it).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn n4_1_refuses_numbers_outside_their_bounds() {
    check(numbers::CASES);
}

#[test]
fn warns_of_what_is_weaker_than_it_could_be() {
    check(warnings::CASES);
}
