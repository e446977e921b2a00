//! Lists, as this caller may see them: only tools whose definition is approved, and of everything
//! only what the same policies and the route's profile let them list. What is withheld leaves no trace
//! in the answer. The lists of several servers become one, in the order of the route.

use super::{Screen, sealed};
use crate::catalog::{self, Standing};
use crate::definitions;
use crate::gate::Gate;
use crate::links::Far;
use crate::naming::Naming;
use crate::seal::Purpose;
use crate::stages::authorize;
use crate::stages::draft::Draft;
use crate::stages::forward::{Missing, Page};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{From, runs_tasks_with, servers};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use policy::{Action, Request, Target};
use protocol::bridge::{self, Asked};
use protocol::revision::Era;
use protocol::{Id, Message, Method, write};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Items of one page of a list that several servers fill.
const PAGE: usize = 1000;
/// How long a cursor is good for, in milliseconds.
const CURSOR_MS: u64 = 3600 * 1000;

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
    mut pages: Vec<Page>,
    missing: Vec<Missing>,
    draft: &mut Draft,
) -> Result<Bytes, Refused> {
    let method = call.method().ok_or_else(refused::crashed)?;
    let listing = Listing {
        gate,
        call,
        method,
        member: method.list_member.ok_or_else(refused::crashed)?,
        id: call
            .message()
            .and_then(Message::id)
            .ok_or_else(refused::crashed)?,
    };
    let alone = call.raw().route().only().is_some();
    let bytes = match (alone, pages.pop()) {
        (true, Some(page)) => listing.only(page, draft)?,
        (true, None) => return Err(refused::crashed()),
        (false, last) => {
            pages.extend(last);
            listing.merged(pages, missing, draft)?
        }
    };
    draft.answer_bytes = Some(bytes.len());
    Ok(bytes)
}

impl Listing<'_> {
    /// The page of the only server: everything it says besides stays as it is.
    fn only(&self, page: Page, draft: &mut Draft) -> Result<Bytes, Refused> {
        let screen = self.screen(&page.far, draft);
        let message = match page.answer.result() {
            None => page.answer,
            Some(result) => {
                let mut result: Map<String, Value> = parsed(result)?;
                let items = self.filtered(&screen, &page.far, &mut result)?;
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
        draft: &mut Draft,
    ) -> Result<Bytes, Refused> {
        let mut all = Vec::new();
        let mut begun: Option<(Arc<str>, usize)> = None;
        for page in pages {
            let server = Arc::clone(&page.far.served().name);
            if missing.iter().any(|missing| missing.server == server) {
                continue;
            }
            let begins = begun.take_if(|(name, _)| *name == server);
            let (_, start) = begun.insert(begins.unwrap_or((Arc::clone(&server), all.len())));
            match self.part(page, draft) {
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
        // A server that repeats itself is listed once: nothing has a name that something else has.
        let mut known = HashSet::new();
        all.retain(|item| {
            let name = item.get(named(self.member)).and_then(Value::as_str);
            known.insert(name.unwrap_or_default().to_owned())
        });
        let screen = Screen::of(self.gate, self.call, None, draft);
        let mut result = Map::new();
        let (items, next) = self.cut(all)?;
        result.insert(self.member.to_owned(), Value::Array(items));
        if let Some(next) = next {
            let cursor = self.cursor(next.to_string().as_bytes())?;
            result.insert("nextCursor".to_owned(), cursor.into());
        }
        if !missing.is_empty() {
            let missing = missing.iter();
            let left_out = missing
                .map(|missing| json!({ "server": &*missing.server, "code": missing.code }))
                .collect::<Vec<_>>();
            let meta = json!({ "io.ringwall/unavailable": left_out });
            result.insert("_meta".to_owned(), meta);
        }
        let message = self.message(&screen, result)?;
        let asked = self.asked(None);
        let bytes = match self.call.revision().rules().era {
            Era::Modern => bridge::answer_for_modern(&message, &self.id, &asked),
            Era::Legacy => bridge::answer_for_legacy(&message, &self.id, &asked),
        };
        bytes.map_err(|error| refused::unbridged(&error))
    }

    /// One server's items, filtered, cleaned and called by the client's names.
    fn part(&self, page: Page, draft: &mut Draft) -> Result<Vec<Value>, Refused> {
        let Some(result) = page.answer.result() else {
            let code = page
                .answer
                .error()
                .and_then(|error| error.get("code")?.integer());
            let code = code.unwrap_or_default();
            return Err(refused::upstream(&UpstreamError::Declined { code }));
        };
        let screen = self.screen(&page.far, draft);
        let mut result: Map<String, Value> = parsed(result)?;
        let items = self.filtered(&screen, &page.far, &mut result)?;
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
    ) -> Result<Vec<Value>, Refused> {
        let Some(Value::Array(mut items)) = result.remove(self.member) else {
            return Err(refused::answer_malformed("the list is missing"));
        };
        if self.member == "tools" {
            approved_only(screen, far, &mut items)?;
            if !runs_tasks_with(self.call.raw().route(), self.call.revision(), far.era()) {
                items.retain(|tool| !catalog::needs_task(tool));
            }
        }
        items.retain(|item| may_list(screen, self.member, item));
        let route = self.call.raw().route();
        items.retain_mut(|item| rename(screen, route.naming, self.member, item));
        items.retain(|item| is_offered(screen, self.member, item));
        Ok(items)
    }

    /// What of a merged list stands on the page that is asked for, and where the next one begins.
    fn cut(&self, all: Vec<Value>) -> Result<(Vec<Value>, Option<usize>), Refused> {
        let start = match self.call.resumed().map(|resumed| &resumed.from) {
            Some(From::Cursor(payload)) => {
                let text = std::str::from_utf8(payload).unwrap_or_default();
                text.parse::<usize>().map_err(|_| refused::crashed())?
            }
            _ => 0,
        };
        let most = self.call.raw().route().reading_answers.bytes / 2;
        let mut bytes = 0;
        let mut items = Vec::new();
        let mut rest = all.into_iter().enumerate().skip(start);
        for (at, item) in rest.by_ref() {
            bytes += item.to_string().len();
            if !items.is_empty() && (items.len() == PAGE || bytes > most) {
                return Ok((items, Some(at)));
            }
            items.push(item);
        }
        Ok((items, None))
    }

    fn screen(&self, far: &Far, draft: &Draft) -> Screen {
        Screen::of(self.gate, self.call, Some(far.served()), draft)
    }

    fn message(&self, screen: &Screen, result: Map<String, Value>) -> Result<Message, Refused> {
        let bytes = serde_json::to_vec(&result).map_err(|_| refused::crashed())?;
        screen.read(write::result(&self.id, &bytes))
    }

    fn asked<'a>(&self, server_info: Option<&'a [u8]>) -> Asked<'a> {
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

/// Keeps the tools that stand as approved, in the very definition that was approved.
fn approved_only(screen: &Screen, far: &Far, items: &mut Vec<Value>) -> Result<(), Refused> {
    let served = screen.served.as_ref().ok_or_else(refused::crashed)?;
    let shelf = served.shelves.of(far.revision());
    definitions::learn(&screen.gate, served, shelf, items)
        .map_err(|error| refused::catalog(&error.into()))?;
    let catalog = shelf.catalog();
    items.retain(|item| {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        match catalog.tool(name) {
            // Two callers may be shown two definitions: the one in hand is what counts.
            Some(Standing::Approved(tool)) => tool.definition == *item,
            _ => false,
        }
    });
    Ok(())
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
            action: Action::List,
            resource,
            context: &context,
        };
        authorize::allows(&screen.gate, &request)
    })
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
