//! What a route offers of what its servers have: a few tools, prompts and resources by name.
//!
//! A profile only ever takes away. It is no permission: that is for policies.

use crate::bounds;
use crate::naming;
use crate::problem::Problems;
use crate::settle::words::{self, Thing};
use crate::settled::{ServerName, ToolPattern, UriPattern};
use crate::written;

/// The lists of a route; what has none is offered whole.
pub(super) struct Profile {
    pub(super) tools: Option<Vec<ToolPattern>>,
    pub(super) prompts: Option<Vec<ToolPattern>>,
    pub(super) resources: Option<Vec<UriPattern>>,
}

/// The lists of a route that leads to these servers, as far as they are known.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &written::Route,
    servers: &[ServerName],
) -> Profile {
    let mut lists = Lists { problems, servers };
    Profile {
        tools: lists.settle(
            &format!("{path}.tools"),
            written.tools.as_deref(),
            Thing::Tool,
            |problems, path, text| words::names(problems, path, text, Thing::Tool),
        ),
        prompts: lists.settle(
            &format!("{path}.prompts"),
            written.prompts.as_deref(),
            Thing::Prompt,
            |problems, path, text| words::names(problems, path, text, Thing::Prompt),
        ),
        resources: lists.settle(
            &format!("{path}.resources"),
            written.resources.as_deref(),
            Thing::Resource,
            words::uris,
        ),
    }
}

struct Lists<'a> {
    problems: &'a mut Problems,
    servers: &'a [ServerName],
}

impl Lists<'_> {
    fn settle<T: Clone + Ord>(
        &mut self,
        path: &str,
        list: Option<&[String]>,
        thing: Thing,
        read: impl Fn(&mut Problems, &str, &str) -> T,
    ) -> Option<Vec<T>> {
        let list = list?;
        words::count(self.problems, path, list.len(), bounds::WORDS);
        let mut patterns = Vec::new();
        for (index, text) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            patterns.push(read(self.problems, &path, text));
            self.reaches(&path, text, thing);
        }
        Some(words::once(&patterns))
    }

    /// With several servers every name begins with one of theirs: a pattern that does not would offer
    /// nothing, and somebody would look for the reason elsewhere.
    fn reaches(&mut self, path: &str, text: &str, thing: Thing) {
        let [first, _, ..] = self.servers else {
            return;
        };
        let begins = |server: &ServerName| outward(server, thing);
        let fits = |server: &ServerName| match text.strip_suffix('*') {
            Some(start) => {
                let begins = begins(server);
                start.starts_with(&begins) || begins.starts_with(start)
            }
            None => text.starts_with(&begins(server)),
        };
        if self.servers.iter().any(fits) {
            return;
        }
        let message = "names nothing: with several servers, names begin with the server's";
        let fix = format!("begin with a server of the route: `{}…`", begins(first));
        self.problems.refuse(None, path, message, fix);
    }
}

/// How callers see the names of a server's things begin, on a route with several servers.
fn outward(server: &ServerName, thing: Thing) -> String {
    match thing {
        Thing::Prompt | Thing::Tool => format!("{server}{}", naming::SEPARATOR),
        Thing::Resource => format!("{}+", naming::scheme(server.as_str())),
    }
}
