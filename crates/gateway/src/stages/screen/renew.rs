//! A stream outlives the configuration it was opened under: what its server says is held against what is in
//! force when it is said. Which servers there are is nothing for a stream to renew: where those changed, its
//! session ends.

use super::Screen;
use crate::route::{Route, Served};
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use std::sync::Arc;

/// Whether another configuration counts than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewed {
    No,
    Yes,
}

impl Screen {
    /// Goes by the route as it is now. A call whose purpose has no entry any more is answered with that.
    pub(super) fn renew(&mut self, draft: &mut Draft) -> Result<Renewed, Refused> {
        let Some(route) = self.gate.route(&self.route.path) else {
            return Ok(Renewed::No);
        };
        if Arc::ptr_eq(&route, &self.ruling) {
            return Ok(Renewed::No);
        }
        let served = self.served.as_ref();
        let way = way(&route, &self.route, served);
        if way == Way::None {
            return Ok(Renewed::No);
        }
        let minimising = route.content(served).minimising();
        let minimised = match &*self.task_of {
            "" => None,
            tool => minimising
                .of(tool, self.caller.claims())
                .map_err(|_| refused::purpose_unknown())?
                .cloned(),
        };
        self.minimised = minimised;
        draft.route = Some(Arc::clone(&route));
        if way == Way::Same {
            self.route = Arc::clone(&route);
        }
        self.ruling = route;
        Ok(Renewed::Yes)
    }
}

/// How a route leads to a server, held against how it led there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It does not: the server is another one now, or gone from the route.
    None,
    /// By other names, or from another place: what a client was told still goes by the old ones.
    Other,
    /// As before.
    Same,
}

/// How a route leads now to a server that a stream is of; to all of its servers, if it is of no single one.
fn way(now: &Route, before: &Route, served: Option<&Arc<Served>>) -> Way {
    let Some(served) = served else {
        let same = now.servers.iter().zip(&before.servers);
        let is_same = now.servers.len() == before.servers.len()
            && same.into_iter().all(|(a, b)| Arc::ptr_eq(a, b));
        return if is_same { Way::Same } else { Way::None };
    };
    let place = |route: &Route| route.servers.iter().position(|it| Arc::ptr_eq(it, served));
    match (place(now), place(before)) {
        (None, _) => Way::None,
        (now_at, at) if now_at == at && now.naming == before.naming => Way::Same,
        _ => Way::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use serde_json::json;

    /// A configuration of three servers, one of which has another setting, with this route.
    fn written(route: &str, changed: &str) -> String {
        let server = |name: &str| {
            let seconds = if name == changed { 7 } else { 8 };
            format!(
                "{{ name: {name}, timeout: {seconds}s, http: {{ url: 'https://{name}.example.com/mcp' }} }}"
            )
        };
        let servers = ["a", "b", "c"].map(server).join(", ");
        format!(
            "version: 1\npublic_url: https://mcp.example.com\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: 'https://id.example.com', sign_in: {{ client: ringwall }} }}]\n\
             servers: [{servers}]\nroutes: [{{ path: /s, {route} }}]\n"
        )
    }

    #[tokio::test]
    async fn n9_3_a_stream_goes_by_the_route_as_it_is_while_its_own_server_stays() {
        let stricter = "content: { data: { personal: { answers: redact } } }";
        for (before, after, changed, expected) in [
            ("server: a", "server: a", "", Way::Same),
            // Another server of the route is another one in the same reload.
            ("servers: [a, b]", "servers: [a, b]", "b", Way::Same),
            ("servers: [a, b]", "servers: [a, b, c]", "", Way::Same),
            ("servers: [a, b]", "servers: [a, c]", "", Way::Same),
            ("servers: [a, b]", "servers: [b, a]", "b", Way::Other),
            ("server: a", "servers: [a, b]", "", Way::Other),
            ("servers: [a, b]", "server: a", "b", Way::Other),
            // The server itself is.
            ("servers: [a, b]", "servers: [a, b]", "a", Way::None),
            ("servers: [a, b]", "servers: [b, c]", "", Way::None),
        ] {
            let still = Still::of(&written(before, "")).await;
            let gate = still.gate();
            let old = gate.route("/s").unwrap();
            let served = old.served(0).unwrap();
            let after = format!("{after}, {stricter}");
            still.reload(&written(&after, changed)).await;
            let new = gate.route("/s").unwrap();
            let row = format!("{before} {after} {changed}");
            assert_eq!(way(&new, &old, Some(served)), expected, "{row}");
            let personal = |route: &Route| route.settled.content.data.is_some();
            assert_eq!((personal(&old), personal(&new)), (false, true));
        }
    }

    #[tokio::test]
    async fn n9_3_a_stream_is_told_once_that_other_rules_count_than_before() {
        let stricter = "server: a, content: { data: { personal: { answers: redact } } }";
        let still = Still::of(&written("server: a", "")).await;
        let (call, mut draft) = still.inspected("tools/list", json!({})).await;
        let call = call.unwrap();
        let mut screen = Screen::of(still.gate(), &call, call.served(), &draft);
        for (after, expected) in [
            (None, Renewed::No),
            (Some((stricter, "")), Renewed::Yes),
            (None, Renewed::No),
            // Its server is another one.
            (Some(("server: a", "a")), Renewed::No),
        ] {
            if let Some((route, changed)) = after {
                still.reload(&written(route, changed)).await;
            }
            assert_eq!(screen.renew(&mut draft).unwrap(), expected, "{after:?}");
        }
    }

    #[tokio::test]
    async fn n8_2_a_stream_of_all_servers_goes_by_another_route_only_where_that_leads_to_the_same()
    {
        let server = |name: &str| {
            let url = format!("https://{name}.example.com/mcp");
            json!({ "name": name, "http": { "url": url } })
        };
        let text = json!({
            "version": 1,
            "listeners": [{ "address": "127.0.0.1:0" }],
            "issuers": [{ "issuer": "https://id.example.com" }],
            "servers": [server("a"), server("b")],
            "routes": [
                { "path": "/a", "server": "a" },
                { "path": "/also-a", "server": "a" },
                { "path": "/b", "server": "b" },
                { "path": "/ab", "servers": ["a", "b"] },
                { "path": "/ba", "servers": ["b", "a"] },
            ],
        });
        let load = || config::load(&text.to_string()).unwrap().0;
        let routes = crate::house::routes_of(load()).unwrap();
        let others = crate::house::routes_of(load()).unwrap();
        for (one, other, expected) in [
            ("/a", "/a", true),
            ("/a", "/also-a", true),
            ("/ab", "/ab", true),
            ("/a", "/b", false),
            ("/a", "/ab", false),
            ("/ab", "/a", false),
            ("/ab", "/ba", false),
        ] {
            let found = way(&routes[one], &routes[other], None) == Way::Same;
            assert_eq!(found, expected, "{one}");
            // Of another configuration it is another server, whatever it is called.
            assert_eq!(way(&routes[one], &others[other], None), Way::None, "{one}");
        }
    }
}
