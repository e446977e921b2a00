//! An answer in the client's names: resources by the URIs the client knows them by, tasks by handles
//! that nobody else can use.

use super::Screen;
use crate::seal::{Bound, Purpose};
use crate::stages::authorize;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Task, task_ids};
use policy::{Action, Request, Target};
use protocol::{Act, Edits, Message, Shape};

/// How long a task can be looked after, in milliseconds: a server forgets it sooner.
const TASK_MS: u64 = 7 * 24 * 3600 * 1000;

impl Screen {
    /// The message with the client's names in it.
    pub(super) fn outward(&self, message: Message) -> Result<Message, Refused> {
        let mut edits = Edits::new();
        if let (Some(served), Some(method)) = (&self.served, self.row(&message)) {
            edits = self
                .route
                .naming
                .outward_uris(message.document(), method, &served.name);
        }
        self.tasks(&message, &mut edits)?;
        if edits.is_empty() {
            return Ok(message);
        }
        let bytes = message.document().apply(&edits);
        self.read(bytes.map_err(|_| refused::crashed())?)
    }

    /// Puts the client's handle in the place of every task the message names. A new task is sealed
    /// for this client; what is told of a task that is not theirs keeps the server's name for it,
    /// which opens nothing.
    fn tasks(&self, message: &Message, edits: &mut Edits) -> Result<(), Refused> {
        let (Some(served), Some(session)) = (&self.served, &self.session) else {
            return Ok(());
        };
        let begins = message.shape() == Shape::Response
            && matches!(self.method, Some(method) if matches!(method.act, Act::Call | Act::Task));
        for place in task_ids(message) {
            let id = place.text().unwrap_or_default();
            let handle = match session.task(&served.name, &id) {
                Some(handle) => handle,
                None if begins => {
                    let task = Task {
                        server: (&*served.name).into(),
                        tool: self.task_of.clone(),
                        id: (&*id).into(),
                    };
                    let handle = self.seal_task(&task)?;
                    session.remember_task(&served.name, &id, &handle);
                    handle.into()
                }
                None => continue,
            };
            edits.replace_string(place.range(), &handle);
        }
        Ok(())
    }

    /// Whether the resource the message tells of, if it tells of one, is there for this client:
    /// offered here, and theirs to read. A server may tell of anything, asked or not.
    pub(super) fn may_be_told_of(&self, message: &Message) -> bool {
        if message.method() != "notifications/resources/updated" {
            return true;
        }
        let uri = message
            .params()
            .and_then(|params| params.get("uri")?.text());
        let (Some(served), Some(uri)) = (&self.served, uri) else {
            return false;
        };
        let outward = self.route.naming.uri(&served.name, &uri);
        let context = self.circumstances.bare();
        let request = Request {
            principal: &self.principal,
            action: Action::Read,
            resource: Target::Resource {
                server: &served.name,
                uri: &uri,
            },
            context: &context,
        };
        self.route.settled.offers_resource(&outward) && authorize::allows(&self.gate, &request)
    }

    /// Whether the message tells of a task that is not this client's.
    pub(super) fn is_about_another(&self, message: &Message) -> bool {
        let (Some(served), Some(session)) = (&self.served, &self.session) else {
            return false;
        };
        message.method().starts_with("notifications/tasks")
            && task_ids(message).iter().any(|place| {
                let id = place.text().unwrap_or_default();
                session.task(&served.name, &id).is_none()
            })
    }

    /// Whom a task is handed out to.
    pub(super) fn task_bound(&self) -> Bound<'_> {
        Bound {
            purpose: Purpose::Task,
            user: &self.user,
            client: self.client.as_deref(),
            holder: self.holder.as_ref().map(<[u8; _]>::as_slice),
            route: &self.route.path,
            about: &[],
        }
    }

    fn seal_task(&self, task: &Task) -> Result<String, Refused> {
        let expires = self.gate.clock().unix_ms().saturating_add(TASK_MS);
        let sealed = self
            .gate
            .seal
            .seal(&self.task_bound(), expires, &task.to_payload());
        sealed.map_err(|error| {
            tracing::error!("a task could not be sealed: {error}");
            refused::unsealed()
        })
    }
}
