//! What is wrong with a file, where it stands, what to write instead: one table a part of the file.
//!
//! Every case changes one place of a configuration that is fine, and names everything that is then
//! reported, errors and warnings, in the order of the text.

mod approval;
mod events;
mod issuers;
mod listeners;
mod numbers;
mod oauth;
mod offers;
mod possession;
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
fn m1_reports_what_is_wrong_with_issuers() {
    check(issuers::CASES);
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
