//! Lists, as this caller may see them: only tools whose definition is approved, and of everything
//! only what the same policies and the route's profile let them list. What is withheld leaves no trace
//! in the answer. The lists of several servers become one, in the order of the route.

use super::{Screen, sealed};
use crate::catalog::{self, Standing};
use crate::content::lesson;
use crate::definitions::{self, Shown};
use crate::gate::Gate;
use crate::links::{Far, Last};
use crate::listed::{self, List, Lists, Terms, Whole};
use crate::naming::Naming;
use crate::pins::Kind;
use crate::seal::Purpose;
use crate::stages::authorize;
use crate::stages::draft::Draft;
use crate::stages::forward::{self, Missing, Page};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{From, runs_tasks_with, servers};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use controls::{Action, Finding, Severity};
use policy::{Request, Target};
use protocol::bridge::{self, Asked};
use protocol::revision::Era;
use protocol::{Id, Message, Method, write};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Items of one page of a list that several servers fill.
const PAGE: usize = 1000;
/// How long a cursor is good for, in milliseconds.
const CURSOR_MS: u64 = 3600 * 1000;

/// A page of a server as it was read.
struct Read {
    far: Arc<Far>,
    result: Result<Map<String, Value>, Refused>,
}

/// What is listed, and for whom.
struct Listing<'a> {
    gate: &'a Arc<Gate>,
    call: &'a Inspected,
    method: &'static Method,
    member: &'static str,
    id: Id,
}

/// Joins the servers' pages into the one the client gets.
pub(super) fn join(
    gate: &Arc<Gate>,
    call: &Inspected,
    (mut pages, missing): (Vec<Page>, Vec<Missing>),
    servers: &[usize],
    draft: &mut Draft,
) -> Result<Bytes, Refused> {
    let listing = Listing::of(gate, call)?;
    let alone = call.raw().route().only().is_some();
    let bytes = match (alone, pages.pop()) {
        (true, Some(page)) => listing.only(page, draft)?,
        (true, None) => {
            let mut ours = Vec::new();
            listing.teach(&mut ours);
            let whole = Whole {
                items: ours.iter().map(|item| item.to_string().into()).collect(),
                missing: Vec::new(),
            };
            listing.page(&whole, 0..whole.items.len(), None, draft)?
        }
        (false, last) => {
            pages.extend(last);
            listing.merged(pages, missing, servers, draft)?
        }
    };
    draft.answer_bytes = Some(bytes.len());
    Ok(bytes)
}

/// Another page of a list that was joined before.
pub(super) fn more(
    gate: &Arc<Gate>,
    call: &Inspected,
    list: &Arc<List>,
    at: usize,
    draft: &mut Draft,
) -> Result<Bytes, Refused> {
    let listing = Listing::of(gate, call)?;
    let (end, place) = listing.cut(&list.whole, at);
    let number = listing.number();
    let place = place.map(|at| listed::Place { at, list: number });
    if place.is_none() {
        gate.lists.forget(list);
    }
    let bytes = listing.page(&list.whole, at..end, place, draft)?;
    draft.answer_bytes = Some(bytes.len());
    Ok(bytes)
}

impl<'a> Listing<'a> {
    fn of(gate: &'a Arc<Gate>, call: &'a Inspected) -> Result<Self, Refused> {
        let method = call.method().ok_or_else(refused::crashed)?;
        let id = call.message().and_then(Message::id);
        Ok(Listing {
            gate,
            call,
            method,
            member: method.list_member.ok_or_else(refused::crashed)?,
            id: id.ok_or_else(refused::crashed)?,
        })
    }

    /// The page of the only server: everything it says besides stays as it is.
    fn only(&self, page: Page, draft: &mut Draft) -> Result<Bytes, Refused> {
        let screen = self.screen(&page.far, draft);
        let message = match page.answer.result() {
            None => page.answer,
            Some(result) => {
                let mut result: Map<String, Value> = parsed(result)?;
                let shown = self.shown(&page.far, &result).into_iter().collect();
                let learnt = definitions::learn(self.gate, shown).into_iter();
                let learnt: Result<(), _> = learnt.collect();
                learnt.map_err(|error| refused::catalog(&error.into()))?;
                let mut items = self.filtered(&screen, &page.far, &mut result, draft)?;
                self.teach(&mut items);
                result.insert(self.member.to_owned(), Value::Array(items));
                // Nothing goes out as a cursor that is not ours.
                if let Some(Value::String(cursor)) = result.remove("nextCursor") {
                    let cursor = self.cursor(cursor.as_bytes())?;
                    result.insert("nextCursor".to_owned(), cursor.into());
                }
                self.message(&screen, result)?
            }
        };
        let info = page.far.welcome().server_info();
        let asked = self.asked(info.map(protocol::Value::raw));
        let theirs = page.far.era();
        let bytes = match (theirs, self.call.revision().rules().era) {
            (Era::Legacy, Era::Modern) => bridge::answer_for_modern(&message, &self.id, &asked),
            (Era::Modern, Era::Legacy) => bridge::answer_for_legacy(&message, &self.id, &asked),
            _ => bridge::answer_same_era(&message, &self.id, &asked),
        };
        let bytes = bytes.map_err(|error| refused::unbridged(&error))?;
        screen.cleaned(&screen.disowned(screen.read(bytes)?)?, draft)
    }

    /// The lists of several servers as one. A server whose list cannot be shown is left out like one
    /// that did not answer.
    fn merged(
        &self,
        pages: Vec<Page>,
        mut missing: Vec<Missing>,
        servers: &[usize],
        draft: &mut Draft,
    ) -> Result<Bytes, Refused> {
        let read = self.read(pages);
        let terms = forward::terms(self.gate, self.call, self.method, servers);
        let mut all = Vec::new();
        let mut begun: Option<(Arc<str>, usize)> = None;
        for Read { far, result } in read {
            let server = Arc::clone(&far.served().name);
            if missing.iter().any(|missing| missing.server == server) {
                continue;
            }
            let begins = begun.take_if(|(name, _)| *name == server);
            let (_, start) = begun.insert(begins.unwrap_or((Arc::clone(&server), all.len())));
            match result.and_then(|result| self.part(&far, result, draft)) {
                Ok(items) => all.extend(items),
                Err(refused) => {
                    all.truncate(*start);
                    missing.push(Missing {
                        server,
                        code: refused.refusal.code,
                    });
                }
            }
        }
        self.teach(&mut all);
        once(self.member, &mut all);
        let start = match self.place() {
            Some(place) => place?.at,
            None => 0,
        };
        let missing = missing.into_iter().map(|it| (it.server, it.code));
        let whole = Arc::new(Whole {
            items: all.iter().map(|item| item.to_string().into()).collect(),
            missing: missing.collect(),
        });
        let (end, next) = self.cut(&whole, start);
        let next = next.map(|at| {
            // Kept is what was joined by what is in force still.
            let now = forward::terms(self.gate, self.call, self.method, servers);
            let terms = terms.filter(|terms| now.as_ref() == Some(terms));
            let list = terms.and_then(|terms| self.keep(terms, &whole));
            listed::Place { at, list }
        });
        self.page(&whole, start..end, next, draft)
    }

    /// Puts the gateway's own prompt first, where it has one: no server lists another by its name.
    fn teach(&self, items: &mut Vec<Value>) {
        if self.member != "prompts" || !lesson::is_offered(self.call.raw().route()) {
            return;
        }
        let name = |item: &Value| item.get("name") == Some(&lesson::NAME.into());
        items.retain(|item| !name(item));
        let goes_on = self.call.raw().route().only().is_some() && self.call.resumed().is_some();
        if !goes_on {
            items.insert(0, lesson::entry());
        }
    }

    fn keep(&self, terms: Terms, whole: &Arc<Whole>) -> Option<u64> {
        let now_ms = self.gate.clock().unix_ms();
        let list = List {
            terms,
            whole: Arc::clone(whole),
            until_ms: now_ms.saturating_add(Lists::KEPT_MS),
        };
        self.gate.lists.keep(Arc::new(list), now_ms)
    }

    /// Where in a joined list the client goes on, if it does.
    fn place(&self) -> Option<Result<listed::Place, Refused>> {
        match self.call.resumed().map(|resumed| &resumed.from) {
            Some(From::Cursor(payload)) => {
                Some(listed::Place::of_payload(payload).ok_or_else(refused::crashed))
            }
            _ => None,
        }
    }

    fn number(&self) -> Option<u64> {
        self.place()?.ok()?.list
    }

    /// Where the page that begins here ends, and where the next one begins.
    fn cut(&self, whole: &Whole, start: usize) -> (usize, Option<usize>) {
        let most = self.call.raw().route().reading_answers.bytes / 2;
        let (mut bytes, mut end) = (0, start);
        for item in whole.items.iter().skip(start).take(PAGE) {
            bytes += item.len();
            if end > start && bytes > most {
                break;
            }
            end += 1;
        }
        (end, (end < whole.items.len()).then_some(end))
    }

    /// A page of a joined list.
    fn page(
        &self,
        whole: &Whole,
        shown: Range<usize>,
        next: Option<listed::Place>,
        draft: &Draft,
    ) -> Result<Bytes, Refused> {
        let mut besides = Map::new();
        if let Some(next) = next {
            let cursor = self.cursor(next.to_payload().as_bytes())?;
            besides.insert("nextCursor".to_owned(), cursor.into());
        }
        if !whole.missing.is_empty() {
            let missing = whole.missing.iter();
            let left_out = missing
                .map(|(server, code)| json!({ "server": &**server, "code": code }))
                .collect::<Vec<_>>();
            let meta = json!({ "io.ringwall/unavailable": left_out });
            besides.insert("_meta".to_owned(), meta);
        }
        let shown = whole.items.get(shown).unwrap_or_default();
        let items = format!("{}:[{}]", json!(self.member), shown.join(","));
        let besides = besides
            .iter()
            .map(|(name, value)| format!(",{}:{value}", json!(name)));
        let result = format!("{{{items}{}}}", besides.collect::<String>());
        let screen = Screen::of(self.gate, self.call, None, draft);
        let message = screen.read(write::result(&self.id, result.as_bytes()))?;
        let asked = self.asked(None);
        let bytes = match self.call.revision().rules().era {
            Era::Modern => bridge::answer_for_modern(&message, &self.id, &asked),
            Era::Legacy => bridge::answer_for_legacy(&message, &self.id, &asked),
        };
        bytes.map_err(|error| refused::unbridged(&error))
    }

    /// What the pages say, once their tools are known: all of them at once, since the policies are
    /// compiled again for what is new.
    fn read(&self, pages: Vec<Page>) -> Vec<Read> {
        let read = pages.into_iter().map(|page| Read {
            result: said(&page.answer),
            far: page.far,
        });
        let mut read: Vec<Read> = read.collect();
        let mut shown: Vec<Shown<'_>> = Vec::new();
        for Read { far, result } in &read {
            let Some(more) = result.as_ref().ok().and_then(|said| self.shown(far, said)) else {
                continue;
            };
            // The pages of a server follow each other.
            match shown
                .last_mut()
                .filter(|last| std::ptr::eq(last.shelf, more.shelf))
            {
                Some(last) => last.definitions.extend(more.definitions),
                None => shown.push(more),
            }
        }
        let names = shown.iter().map(|it| Arc::clone(&it.far.served().name));
        let names: Vec<_> = names.collect();
        let outcomes = names.into_iter().zip(definitions::learn(self.gate, shown));
        for (server, error) in outcomes.filter_map(|(name, it)| Some((name, it.err()?))) {
            // With its first page all of it is left out.
            let first = read.iter_mut().find(|it| it.far.served().name == server);
            if let Some(first) = first {
                first.result = Err(refused::catalog(&error.into()));
            }
        }
        read
    }

    /// The tools of a page, if it is one of tools.
    fn shown<'p>(&self, far: &'p Far, result: &'p Map<String, Value>) -> Option<Shown<'p>> {
        match result.get(self.member) {
            Some(Value::Array(tools)) if self.member == "tools" => Some(Shown {
                far,
                shelf: far.served().shelves.of(far.revision()),
                definitions: tools.iter().collect(),
            }),
            _ => None,
        }
    }

    /// One server's items, filtered, cleaned and called by the client's names.
    fn part(
        &self,
        far: &Far,
        mut result: Map<String, Value>,
        draft: &mut Draft,
    ) -> Result<Vec<Value>, Refused> {
        let screen = self.screen(far, draft);
        let items = self.filtered(&screen, far, &mut result, draft)?;
        let mut kept = Map::new();
        kept.insert(self.member.to_owned(), Value::Array(items));
        let message = self.message(&screen, kept)?;
        let clean = screen.read(screen.cleaned(&message, draft)?)?;
        let mut result: Map<String, Value> = match clean.result() {
            Some(result) => parsed(result)?,
            None => Map::new(),
        };
        match result.remove(self.member) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    fn filtered(
        &self,
        screen: &Screen,
        far: &Far,
        result: &mut Map<String, Value>,
        draft: &mut Draft,
    ) -> Result<Vec<Value>, Refused> {
        let Some(Value::Array(mut items)) = result.remove(self.member) else {
            return Err(refused::answer_malformed("the list is missing"));
        };
        if let Some(kind) = Kind::of_member(self.member) {
            let all: Vec<&Value> = items.iter().collect();
            let told = match kind {
                // They were learnt when the page was read.
                Kind::Tool => Ok(vec![true; all.len()]),
                _ => definitions::told(self.gate, far, (kind, &all)),
            };
            let told = told.map_err(|error| refused::catalog(&error.into()))?;
            draft.findings.extend(drifted(far, kind, &all));
            let mut told = told.into_iter();
            items.retain(|_| told.next() == Some(true));
        }
        if self.member == "tools" {
            approved_only(screen, far, &mut items)?;
            items.retain(|tool| !is_misfit(screen, tool));
            if !runs_tasks_with(self.call.raw().route(), self.call.revision(), far.era()) {
                items.retain(|tool| !catalog::needs_task(tool));
            }
        }
        items.retain(|item| may_list(screen, self.member, item));
        let route = self.call.raw().route();
        items.retain_mut(|item| rename(screen, route.naming, self.member, item));
        items.retain(|item| is_offered(screen, self.member, item));
        once(self.member, &mut items);
        Ok(items)
    }

    fn screen(&self, far: &Far, draft: &Draft) -> Screen {
        Screen::of(self.gate, self.call, Some(far.served()), draft)
    }

    fn message(&self, screen: &Screen, result: Map<String, Value>) -> Result<Message, Refused> {
        let bytes = serde_json::to_vec(&result).map_err(|_| refused::crashed())?;
        screen.read(write::result(&self.id, &bytes))
    }

    fn asked<'i>(&self, server_info: Option<&'i [u8]>) -> Asked<'i> {
        Asked {
            method: self.method,
            revision: self.call.revision(),
            server_info,
        }
    }

    fn cursor(&self, payload: &[u8]) -> Result<String, Refused> {
        let servers = servers(self.call.raw().route());
        let about: [&[u8]; 2] = [self.method.name.as_bytes(), servers.as_bytes()];
        let expires = self.gate.clock().unix_ms().saturating_add(CURSOR_MS);
        sealed(
            self.gate,
            self.call,
            Purpose::Cursor,
            &about,
            expires,
            payload,
        )
    }
}

fn parsed(value: protocol::Value<'_>) -> Result<Map<String, Value>, Refused> {
    serde_json::from_slice(value.raw())
        .map_err(|error| refused::answer_malformed(&error.to_string()))
}

/// What a server says when it is asked for a list.
fn said(answer: &Message) -> Result<Map<String, Value>, Refused> {
    let Some(result) = answer.result() else {
        let code = answer.error();
        let code = code.and_then(|error| error.get("code")?.integer());
        let code = code.unwrap_or_default();
        return Err(refused::upstream(&UpstreamError::Declined { code }));
    };
    parsed(result)
}

/// That this caller was shown things otherwise than they are pinned: none of them goes on.
fn drifted(far: &Far, kind: Kind, items: &[&Value]) -> Option<Finding> {
    let (member, named) = kind.listed()?;
    let differs = |item: &&&Value| {
        let name = item.get(named).and_then(Value::as_str);
        name.is_some_and(|name| far.drift().last(&kind.key(name)) != Last::Alike)
    };
    let count = items.iter().filter(differs).count();
    (count > 0).then(|| Finding {
        control: controls::N9_2,
        rule: "definition.changed".into(),
        severity: Severity::High,
        place: format!("/result/{member}").into(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        action: Action::Remove,
    })
}

/// Keeps the tools that stand as approved, in the very definition that was approved.
fn approved_only(screen: &Screen, far: &Far, items: &mut Vec<Value>) -> Result<(), Refused> {
    let served = screen.served.as_ref().ok_or_else(refused::crashed)?;
    let catalog = served.shelves.of(far.revision()).catalog();
    items.retain(|item| {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        match catalog.tool(name) {
            // Two callers may be shown two definitions: the one in hand is what counts, and no other beside it.
            Some(Standing::Approved(tool)) => {
                tool.definition == *item && !far.drift().last(name).is_other_than(tool.digest)
            }
            _ => false,
        }
    });
    Ok(())
}

/// Whether a tool is not to be had, since `content.minimise` breaks it for what this caller is here for.
fn is_misfit(screen: &Screen, tool: &Value) -> bool {
    let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
    let content = screen.content();
    let minimised = content.minimising().of(name, screen.caller.claims());
    // What a call is for that has no entry is told to whoever calls.
    let minimised = minimised.ok().flatten();
    minimised.is_some_and(|minimised| minimised.breaks(tool).is_some())
}

fn may_list(screen: &Screen, member: &str, item: &Value) -> bool {
    let server = screen.served.as_ref().map_or("", |served| &*served.name);
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let target = match member {
        "tools" => text("name").map(|name| Target::Tool { server, name }),
        "prompts" => text("name").map(|name| Target::Prompt { server, name }),
        "resources" => text("uri").map(|uri| Target::Resource { server, uri }),
        "resourceTemplates" => text("uriTemplate").map(|uri| Target::Resource { server, uri }),
        _ => None,
    };
    let context = screen.circumstances.bare();
    target.is_some_and(|resource| {
        let request = Request {
            principal: &screen.principal,
            action: policy::Action::List,
            resource,
            context: &context,
        };
        authorize::allows(&screen.gate, &request)
    })
}

/// Lists a server that repeats itself once: nothing has a name that something else has.
fn once(member: &str, items: &mut Vec<Value>) {
    let mut known = HashSet::new();
    items.retain(|item| {
        let name = item.get(named(member)).and_then(Value::as_str);
        known.insert(name.unwrap_or_default().to_owned())
    });
}

/// Where an item of a list says what it is called.
fn named(member: &str) -> &'static str {
    match member {
        "resources" => "uri",
        "resourceTemplates" => "uriTemplate",
        _ => "name",
    }
}

/// Calls an item by the name the client knows it by; false if it has none.
fn rename(screen: &Screen, naming: Naming, member: &str, item: &mut Value) -> bool {
    let server = screen.served.as_ref().map_or("", |served| &*served.name);
    let place = item.get_mut(named(member));
    let Some(Value::String(name)) = place else {
        return false;
    };
    *name = match member {
        "resources" | "resourceTemplates" => naming.uri(server, name),
        _ => naming.tool(server, name),
    };
    true
}

/// Whether the route's profile has it.
fn is_offered(screen: &Screen, member: &str, item: &Value) -> bool {
    let route = &screen.route.settled;
    let name = item.get(named(member)).and_then(Value::as_str);
    name.is_some_and(|name| match member {
        "tools" => route.offers_tool(name),
        "prompts" => route.offers_prompt(name),
        _ => route.offers_resource(name),
    })
}
