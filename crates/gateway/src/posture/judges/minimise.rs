//! The judge of which fields go on (control P1): of every tool that a caller can get at, not of those that
//! the operator thought of.

use super::{Status, View, Way};
use crate::content::exactness;
use config::settled::{Fields, Minimise, Minimised};

/// Names of tools that are told, each way.
const TOLD: usize = 8;

/// Without a word of the operator nobody knows which fields are needed.
pub(in crate::posture) fn p1(view: &View<'_>, way: &Way<'_>) -> Status {
    let minimise = way.content().minimise;
    if minimise.is_empty() {
        return Status::off("`content.minimise` is not said: arguments and results pass whole");
    }
    let whole = minimise.iter().filter(|(_, entries)| !cut(entries));
    let whole: Vec<String> = whole.map(|(tools, _)| format!("`{tools}`")).collect();
    if whole.len() == minimise.len() {
        return Status::off("`content.minimise` lets every field go on");
    }
    let mut missing = Vec::new();
    if !whole.is_empty() {
        let whole = some(whole);
        missing.push(format!(
            "every field of {whole} goes on (`content.minimise` takes nothing away there)"
        ));
    }
    missing.extend(forgotten(&minimise, offered(view, way)));
    Status::lacking(missing)
}

/// The tools of which nothing is said. Where it is not known which there are, only an entry for all of them
/// speaks of all.
fn forgotten(minimise: &Minimise, offered: Option<Vec<String>>) -> Option<String> {
    if minimise.keys().any(|tools| exactness(tools) == 0) {
        return None;
    }
    let Some(tools) = offered else {
        let named = minimise.keys().map(|tools| format!("`{tools}`"));
        let named = some(named.collect());
        return Some(format!(
            "tools other than {named} pass whole (`content.minimise` has no entry `*`)"
        ));
    };
    let others = tools
        .iter()
        .filter(|tool| !minimise.keys().any(|tools| tools.names(tool)));
    let others: Vec<String> = others.map(|tool| format!("`{tool}`")).collect();
    (!others.is_empty()).then(|| format!("{} pass whole (`content.minimise`)", some(others)))
}

/// Every tool that is approved there, in order, where a running gateway has asked.
fn offered(view: &View<'_>, way: &Way<'_>) -> Option<Vec<String>> {
    let runtime = view.live?.runtime();
    let mut servers = runtime.servers.values();
    let served = servers.find(|served| &*served.name == way.server.name.as_str())?;
    // What was never read may hold anything.
    let mut catalogs = served.shelves.all().map(|shelf| shelf.catalog());
    catalogs.find(|catalog| catalog.is_read())?;
    let approved = served.shelves.approved();
    let mut names: Vec<String> = approved.iter().map(|it| it.name.to_string()).collect();
    names.sort_unstable();
    Some(names)
}

/// Whether these entries take anything away. Of a purpose that is named all may be needed; a call of any
/// other purpose loses something, or is refused.
fn cut(entries: &[Minimised]) -> bool {
    let cuts = |entry: &&Minimised| takes(&entry.arguments) || takes(&entry.results);
    let of_any = |entry: &&Minimised| entry.purposes.is_empty();
    entries.iter().any(|entry| cuts(&entry)) && entries.iter().filter(of_any).all(|it| cuts(&it))
}

/// Whether these fields are fewer than all, or some of them tokens.
fn takes(fields: &Fields) -> bool {
    let all = |keep: &Vec<String>| keep.iter().any(|place| place == "/*");
    !fields.drop.is_empty()
        || !fields.tokenise.is_empty()
        || fields.keep.as_ref().is_some_and(|keep| !all(keep))
}

/// A few of these, and how many more.
fn some(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(TOLD);
    let mut told = names;
    told.truncate(TOLD);
    let told = told.join(", ");
    match more {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Around, Drift, Reading};
    use crate::house::still::Still;
    use config::settled::{OtherText, ToolPattern};
    use inspect::likeness::Neighbourhood;

    #[tokio::test]
    async fn p1_a_server_that_was_never_read_may_offer_any_tool() {
        let minimise = "{ find: [{ results: { drop: [/a] } }] }";
        let server = format!(
            "{{ name: s, http: {{ url: 'https://s.example.com/mcp' }}, content: {{ minimise: {minimise} }} }}"
        );
        let still = Still::before(&server, "").await;
        let gate = still.gate();
        let runtime = gate.runtime();
        let told = || {
            let report = crate::posture::report(&runtime.settled, None, Some(gate));
            let mut lines = report.controls.into_iter();
            let line = lines.find(|line| line.control == controls::P1);
            line.unwrap().status.shortfalls().join("\n")
        };
        let any = "tools other than `find` pass whole (`content.minimise` has no entry `*`)";
        assert_eq!(told(), any);
        // Of one that was read it is known that it has none.
        let around = Around::new(&|_| Neighbourhood::default());
        let reading = Reading {
            pins: &gate.pins,
            around: &around,
            party: &Drift::default(),
            now_ms: 1,
        };
        let shelf = runtime.servers["s"].shelves.all().next().unwrap();
        shelf.store(shelf.whole(&[], &reading).unwrap().catalog);
        assert_eq!(told(), "");
    }

    #[test]
    fn p1_every_tool_that_is_offered_is_named_that_nothing_is_said_of() {
        let less = || Minimised {
            purposes: Vec::new(),
            arguments: Fields::default(),
            results: Fields {
                keep: Some(vec!["/id".to_owned()]),
                ..Fields::default()
            },
            other_text: OtherText::Drop,
        };
        let of = |patterns: &[ToolPattern]| -> Minimise {
            let each = patterns.iter().map(|it| (it.clone(), vec![less()]));
            each.collect()
        };
        let named = |name: &str| ToolPattern::Named(name.to_owned());
        let begins = |start: &str| ToolPattern::StartsWith(start.to_owned());
        let many: Vec<String> = (0..11).map(|at| format!("t{at:02}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (patterns, offered, expected) in [
            (vec![begins("")], Some(vec!["find"]), None),
            (vec![begins("")], None, None),
            (vec![named("find")], Some(vec!["find"]), None),
            (vec![named("find")], Some(vec![]), None),
            (vec![begins("fi")], Some(vec!["find", "fix"]), None),
            (
                vec![named("find")],
                Some(vec!["find", "finder"]),
                Some("`finder` pass whole"),
            ),
            (
                vec![named("find"), begins("t0")],
                Some(many.clone()),
                Some("`t10` pass whole"),
            ),
            (
                vec![named("find")],
                Some(many),
                Some(
                    "`t00`, `t01`, `t02`, `t03`, `t04`, `t05`, `t06`, `t07` and 3 more pass whole",
                ),
            ),
            (
                vec![named("find"), begins("a")],
                None,
                Some("tools other than `find`, `a*` pass whole"),
            ),
        ] {
            let all = offered.map(|all| all.into_iter().map(str::to_owned).collect());
            let told = forgotten(&of(&patterns), all);
            let fits = match (&told, expected) {
                (Some(told), Some(expected)) => told.starts_with(expected),
                (None, None) => true,
                _ => false,
            };
            assert!(fits, "{patterns:?}: {told:?}");
        }
    }
}
