//! What a notification says that a task came to: a result of the tool that began it, whoever is told of it
//! first. It is held to the same as a result that is answered.

use super::{Promise, Screen, fits};
use crate::content::{Minimised, Outcome};
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Task, task_ids};
use protocol::{Message, Value};
use std::sync::Arc;

/// The result that stands in a notification about a task.
fn result(message: &Message) -> Option<Value<'_>> {
    if !message.method().starts_with("notifications/tasks") {
        return None;
    }
    message.params()?.get("result")
}

impl Screen {
    /// The task of this client that a message is about, while it is the server's words.
    pub(super) fn task(&self, message: &Message) -> Option<Task> {
        let (served, session) = (self.served.as_ref()?, self.session.as_ref()?);
        result(message)?;
        let id = task_ids(message).first()?.text()?;
        let handle = session.task(&served.name, &id)?;
        let opened = self
            .gate
            .seal
            .open(&self.task_bound(), self.gate.clock().unix_ms(), &handle);
        Task::of_payload(&opened.ok()?)
    }

    /// The message with only what goes on of the result in it. Where nobody knows of which tool that is, it
    /// goes no further.
    pub(super) fn less_of_task(
        &self,
        message: Message,
        task: Option<&Task>,
        draft: &mut Draft,
    ) -> Result<Message, Refused> {
        let Some(came_to) = result(&message) else {
            return Ok(message);
        };
        let (Some(task), Some(_)) = (task, &self.served) else {
            return Err(refused::answer_malformed(
                "it tells of a task that nobody began",
            ));
        };
        let minimising = self.content().minimising();
        let minimised = minimising.of(&task.tool, self.caller.claims());
        let minimised = minimised.map_err(|_| refused::purpose_unknown())?;
        let minimised: Option<&Arc<Minimised>> = minimised.filter(|it| !it.keeps_results());
        let Some(minimised) = minimised else {
            return Ok(message);
        };
        let outcome = (Outcome::Result(came_to), "/params/result");
        let less = self.less(&message, minimised, outcome, draft)?;
        Ok(less.unwrap_or(message))
    }

    /// Whether the result in it is what its tool promised to give, as it would be sent.
    pub(super) fn fits_task(&self, message: &Message, task: Option<&Task>) -> Result<(), Refused> {
        let tool = task.and_then(|task| self.served.as_ref()?.shelves.tool(&task.tool));
        let schema = tool.as_ref().and_then(|tool| tool.output.as_ref());
        match (result(message), schema) {
            (Some(came_to), Some(schema)) => {
                let hush = |name: &str| self.hush(name);
                fits((schema, &hush), came_to, (None, Promise::Given))
            }
            _ => Ok(()),
        }
    }
}
