//! What a server says, one message at a time, each of them screened before it is passed on: in the
//! course of a call, or unasked. What no table row names goes no further.

use super::Screen;
use super::renew::Renewed;
use crate::bridge::{Asker, Said, Talk, Waiting};
use crate::content::{self, Threads};
use crate::links::{Attention, Ear, Far};
use crate::route::Served;
use crate::sessions::InFlight;
use crate::stages::authorize::Circumstances;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use bytes::Bytes;
use protocol::bridge::{self, NoticeChange, Question, Subscription, Wish};
use protocol::revision::Era;
use protocol::{Id, Message, Method, Sender, Shape, write};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// Messages of a server on their way to a client.
#[derive(Debug)]
pub struct ScreenedStream {
    pub(super) screen: Screen,
    source: Source,
    /// What a legacy server asked of a modern client and is not told yet.
    gathered: Vec<Waiting>,
    until: Option<Instant>,
    questions: u64,
    /// What its notifications said last: a value may begin in one and end in the next.
    threads: Option<Threads>,
}

#[derive(Debug)]
enum Source {
    Call(Box<Talk>),
    Feed {
        ear: Ear,
        /// The subscription the messages belong to, towards a modern client.
        tag: Option<Id>,
    },
}

/// Something that may be passed on.
#[derive(Debug)]
pub(in crate::stages) enum Part {
    /// The response the stream was for; nothing follows.
    Answer(Bytes),
    /// A notification.
    Aside(Bytes),
    /// Questions for a client that can be asked, in the era of sessions.
    Questions(Vec<(Message, Asker)>),
    /// What a stateless client has to bring along when it sends the call again.
    Wants(Wants),
    /// The same, asked by a server that waits for it.
    Park(Vec<Waiting>),
}

/// What a server wants before it answers.
#[derive(Debug)]
pub(in crate::stages) struct Wants {
    pub(super) questions: Vec<Question>,
    /// The server's own words, cleaned, if it speaks the client's era.
    pub(super) answer: Option<Message>,
    /// The server's own state, byte for byte.
    pub(super) state: Option<Bytes>,
}

impl ScreenedStream {
    pub(super) fn of_call(screen: Screen, talk: Talk) -> Self {
        Self::new(screen, Source::Call(Box::new(talk)))
    }

    pub(super) fn of_feed(screen: Screen, ear: Ear, call: &Inspected) -> Self {
        let tag = call
            .message()
            .and_then(Message::id)
            .filter(|_| screen.revision.rules().era == Era::Modern);
        Self::new(screen, Source::Feed { ear, tag })
    }

    fn new(screen: Screen, source: Source) -> Self {
        ScreenedStream {
            screen,
            source,
            gathered: Vec::new(),
            until: None,
            questions: 0,
            threads: None,
        }
    }

    /// The server of the call.
    pub(in crate::stages) fn far(&self) -> Option<Arc<Far>> {
        self.talk().map(|talk| Arc::clone(talk.far()))
    }

    /// See [`Talk::attend`].
    pub(in crate::stages) fn attend(&mut self, attention: Option<Attention>) {
        if let Source::Call(talk) = &mut self.source {
            talk.attend(attention);
        }
    }

    /// Goes on for another request of the same client, which did not answer everything yet.
    pub(in crate::stages) fn resume(
        &mut self,
        (id, flight): (Id, InFlight),
        token: Option<Id>,
        waiting: Vec<Waiting>,
        gone: watch::Receiver<bool>,
    ) {
        if let Source::Call(talk) = &mut self.source {
            talk.resume((id, flight), token, gone);
        }
        if !waiting.is_empty() {
            self.until = Some(Instant::now());
        }
        self.gathered = waiting;
    }

    /// The call is another request of the same client by now: what the server asks is judged by what
    /// that request says its client can do, and by who sent it.
    pub(in crate::stages) fn now_for(&mut self, call: &Inspected, draft: &Draft) {
        self.screen.session = call.session().cloned();
        self.screen.principal = call.principal().clone();
        let served = self.screen.served.as_ref();
        self.screen.circumstances = Circumstances::of(call, served, draft.at_ms());
    }

    /// Whether the client can be asked this, by what it says it can do.
    pub(in crate::stages) fn can_be_asked(&self, question: &Question) -> bool {
        matches!(question.missing(self.screen.offered()), Ok(None))
    }

    /// The server that is heard, if it is one.
    pub(in crate::stages) fn served(&self) -> Option<&Arc<Served>> {
        self.screen.served.as_ref()
    }

    /// Writes down what became of a call that has nobody who could be told.
    pub(crate) fn note(&self, event: &str, after: &str) {
        let screen = &self.screen;
        let server = screen.served.as_ref().map_or("", |served| &*served.name);
        let method = screen.method.map_or("", |method| method.name);
        screen
            .gate
            .note_of(Some(screen.who()), event, (server, method), after);
    }

    /// The next thing that may be passed on; nothing once the server has ended the stream.
    pub(in crate::stages) async fn next(
        &mut self,
        draft: &mut Draft,
    ) -> Result<Option<Part>, Refused> {
        loop {
            let said = match self.until {
                None => self.said().await?,
                // More questions may follow at once, and the client is better asked only once.
                Some(until) => match tokio::time::timeout_at(until, self.said()).await {
                    Ok(said) => said?,
                    Err(_) => {
                        self.until = None;
                        return Ok(Some(Part::Park(std::mem::take(&mut self.gathered))));
                    }
                },
            };
            let Some(said) = said else {
                return Ok(None);
            };
            if let Some(part) = self.screened(said, draft).await? {
                return Ok(Some(part));
            }
        }
    }

    /// Whether others are heard beside it, so that the client goes on listening when it ends.
    pub(in crate::stages) fn is_one_of_several(&self) -> bool {
        self.screen.route.only().is_none()
    }

    /// Hears a server again that was heard before, and says what the client may have missed: a change
    /// of everything that it wished to hear of.
    pub(in crate::stages) async fn again(
        &mut self,
        draft: &mut Draft,
    ) -> Result<Vec<Bytes>, Refused> {
        let Source::Feed { ear, tag } = &mut self.source else {
            return Ok(Vec::new());
        };
        let session = self.screen.session.as_ref();
        let session = session.ok_or_else(refused::session_missing)?;
        let route = Arc::clone(&self.screen.route);
        let mut places = route.places();
        let found = places.find(|(_, served)| Arc::ptr_eq(served, ear.far().served()));
        let (at, _) = found.ok_or_else(refused::crashed)?;
        let far = session.links().far(at).await;
        let far = far.map_err(|error| refused::upstream(&error))?;
        let wish = ear.wish().clone();
        let heard = far.hear(wish.clone()).await;
        *ear = heard.map_err(|why| refused::unheard(&why))?;
        let tag = tag.clone();
        let mut missed = Vec::new();
        for bytes in all_changes(&wish) {
            let message = self.screen.read(bytes)?;
            let told = bridge::notice(&message, &towards(&self.screen, tag.as_ref()));
            let told = told.map_err(|error| refused::unbridged(&error))?;
            let Some(bytes) = told else {
                continue;
            };
            if let Some(Part::Aside(bytes)) = self.notice(self.screen.read(bytes)?, draft).await? {
                missed.push(bytes);
            }
        }
        Ok(missed)
    }

    /// Says that the answer was seen, so that the connection can be used again.
    pub(in crate::stages) fn finish(self) {
        if let Source::Call(talk) = self.source {
            talk.finish();
        }
    }

    /// Says that nobody waits for it any more.
    pub(crate) fn cancel(self) {
        if let Source::Call(talk) = self.source {
            talk.cancel();
        }
    }

    pub(super) fn talk(&self) -> Option<&Talk> {
        match &self.source {
            Source::Call(talk) => Some(talk),
            Source::Feed { .. } => None,
        }
    }

    async fn said(&mut self) -> Result<Option<Said>, Refused> {
        match &mut self.source {
            Source::Call(talk) => talk.next().await.map_err(|why| refused::broken(&why)),
            Source::Feed { ear, tag } => overheard(&self.screen, ear, tag.as_ref()).await,
        }
    }

    async fn screened(&mut self, said: Said, draft: &mut Draft) -> Result<Option<Part>, Refused> {
        if self.screen.renew(draft)? == Renewed::Yes {
            // Other rules may be looked for from now on.
            self.threads = None;
        }
        match said {
            Said::Answer(message) => {
                let structured = self.talk().and_then(Talk::structured);
                let bytes = self.screen.response(message, structured, draft)?;
                self.screen.heard(draft).await?;
                Ok(Some(Part::Answer(bytes)))
            }
            Said::Notice(message) => self.notice(message, draft).await,
            Said::Wants { questions, answer } => {
                let wants = self.screen.wants(questions, answer, draft).await?;
                Ok(Some(Part::Wants(wants)))
            }
            Said::Asks(asks) => self.asks(asks, draft).await,
        }
    }

    async fn notice(
        &mut self,
        message: Message,
        draft: &mut Draft,
    ) -> Result<Option<Part>, Refused> {
        let Some(method) = self.screen.row(&message) else {
            tracing::debug!(
                method = &*content::hushed(message.method()),
                "a notification that no table row names"
            );
            return Ok(None);
        };
        match (method.changes, &self.screen.served) {
            (Some("tools/list"), Some(served)) => served.shelves.distrust(),
            (Some(_), Some(served)) => served.others.distrust(),
            _ => {}
        }
        if !self.screen.may_be_told_of(&message) {
            tracing::debug!("a notification about a resource that is not there for this client");
            return Ok(None);
        }
        if self.screen.is_about_another(&message) {
            tracing::debug!("a notification about a task of another client");
            return Ok(None);
        }
        if let (Source::Call(talk), Era::Modern) = (&self.source, self.screen.revision.rules().era)
            && is_change(&self.screen, &message)
        {
            // A stateless client hears of changes where it listens for them (rule H12).
            talk.overheard(message.bytes());
            return Ok(None);
        }
        let task = self.screen.task(&message);
        let message = self.screen.disowned(message)?;
        let message = self.screen.outward(self.screen.with_provenance(message)?)?;
        let less = self.screen.less_of_task(message, task.as_ref(), draft);
        let message = match less {
            Ok(message) => message,
            Err(refused) => {
                tracing::debug!(
                    "a task came to what nobody may hear: {}",
                    refused.refusal.reason
                );
                return Ok(None);
            }
        };
        let bytes = self.continued(&message, draft)?;
        if message.method().starts_with("notifications/tasks") {
            // A task that waits asks its questions here, too.
            let judged = self.screen.read(bytes.clone())?;
            let fits = self.screen.fits_task(&judged, task.as_ref());
            if let Err(refused) = fits.and_then(|()| self.screen.asked_in_passing(&judged)) {
                tracing::debug!("a task says what it may not: {}", refused.refusal.reason);
                return Ok(None);
            }
        }
        match self.passes(message.method(), draft).await {
            true => Ok(Some(Part::Aside(bytes))),
            false => Ok(None),
        }
    }

    /// Whether detectors let a notification pass. Nobody waits for one, so nobody is told that it was
    /// withheld.
    async fn passes(&self, method: &str, draft: &mut Draft) -> bool {
        let before = draft.scores.len();
        let heard = self.screen.heard(draft).await;
        if let Err(refused) = &heard {
            tracing::debug!(
                method,
                "a notification was withheld: {}",
                refused.refusal.code
            );
        }
        let verdict = heard.as_ref().map_or("withheld", |_| "passed on");
        self.written_down(method, verdict, before, draft);
        heard.is_ok()
    }

    /// Writes down what was said of something that belongs to no call: there is no other record that could
    /// have it.
    fn written_down(&self, method: &str, verdict: &str, before: usize, draft: &mut Draft) {
        if let Source::Feed { .. } = &self.source {
            let said = draft.scores.split_off(before.min(draft.scores.len()));
            let suspected = said.iter().filter(|score| score.is_suspicion());
            self.screen.suspected_of(method, verdict, suspected);
        }
    }

    /// A notification, cleaned in the light of those before it.
    fn continued(&mut self, message: &Message, draft: &mut Draft) -> Result<Bytes, Refused> {
        if self.threads.is_none() {
            let content = self.screen.content();
            self.threads = content.threads();
        }
        self.screen.cleaned_after(&mut self.threads, message, draft)
    }

    /// Questions of a server: answered here, refused by policy, or passed on.
    async fn asks(
        &mut self,
        asks: Vec<(Message, Asker)>,
        draft: &mut Draft,
    ) -> Result<Option<Part>, Refused> {
        let gathers = !self.screen.revision.rules().server_requests;
        let most = self.screen.route.reading_answers.bytes;
        let waiting = self.gathered.iter();
        let mut bytes: usize = waiting.map(|waiting| waiting.question.params.len()).sum();
        let mut allowed = Vec::new();
        for (message, asker) in asks {
            let open = self.gathered.len() + allowed.len();
            bytes = bytes.saturating_add(message.bytes().len());
            let full = open >= bridge::QUESTIONS_MAX || (open > 0 && bytes > most);
            if gathers && full && message.method() != "ping" {
                // Neither judged nor written down.
                let told = asker.decline(refused::LIMIT, "too many questions are open");
                told.await.map_err(|error| refused::upstream(&error))?;
                continue;
            }
            let (method, before) = (message.method().to_owned(), draft.scores.len());
            let clean = self.screen.question(message, &asker, draft).await?;
            let verdict = clean.as_ref().map_or("withheld", |_| "passed on");
            self.written_down(&method, verdict, before, draft);
            if let Some(clean) = clean {
                allowed.push((clean, asker));
            }
        }
        if allowed.is_empty() {
            return Ok(None);
        }
        if !gathers {
            return Ok(Some(Part::Questions(allowed)));
        }
        for (message, asker) in allowed {
            self.questions += 1;
            let key = format!("q{}", self.questions);
            let question = bridge::question_of_legacy(&key, &message)
                .map_err(|error| refused::unbridged(&error))?;
            self.gathered.push(Waiting { question, asker });
        }
        let gather = self.screen.route.settled.bridge.gather;
        self.until.get_or_insert(Instant::now() + gather);
        Ok(None)
    }
}

/// What a server says unasked, in the client's words.
async fn overheard(
    screen: &Screen,
    ear: &mut Ear,
    tag: Option<&Id>,
) -> Result<Option<Said>, Refused> {
    loop {
        let next = ear.next().await.map_err(|why| refused::unheard(&why))?;
        let Some(bytes) = next else {
            return Ok(None);
        };
        let message = screen.read(bytes)?;
        match message.shape() {
            // On a stream of the server's own there is nothing to respond to.
            Shape::Response => tracing::debug!("a response on a stream that answers nothing"),
            Shape::Request => {
                let far = Arc::clone(ear.far());
                let Some(id) = message.id().filter(|_| far.era() == Era::Legacy) else {
                    continue;
                };
                let asker = Asker::Server { far, id };
                if tag.is_none() {
                    return Ok(Some(Said::Asks(vec![(message, asker)])));
                }
                // A stateless client is asked in answers to its calls, and nowhere else.
                if let (false, Asker::Server { far, id }) = (ear.far().is_attended(), &asker)
                    && far.take_question(id)
                {
                    asker.give_up().await;
                }
            }
            Shape::Notification => {
                // A subscription carries changes only: neither progress nor logs (section 2.8).
                let carried = match tag {
                    Some(_) => is_change(screen, &message) && ear.wish().covers(&message),
                    None => ear.far().era() == Era::Legacy || is_change(screen, &message),
                };
                let told = bridge::notice(&message, &towards(screen, tag));
                let told = told.map_err(|error| refused::unbridged(&error))?;
                if let Some(bytes) = told.filter(|_| carried) {
                    return Ok(Some(Said::Notice(screen.read(bytes)?)));
                }
            }
        }
    }
}

/// The change of everything that is wished, as the server would tell it.
fn all_changes(wish: &Wish) -> Vec<Bytes> {
    let lists = [
        (wish.tools, "notifications/tools/list_changed"),
        (wish.prompts, "notifications/prompts/list_changed"),
        (wish.resources, "notifications/resources/list_changed"),
    ];
    let lists = lists.into_iter().filter(|(wished, _)| *wished);
    let lists = lists.map(|(_, method)| write::notification(method, None));
    let resources = wish.uris.iter().map(|uri| {
        let params = [&b"{\"uri\":"[..], &write::string(uri), b"}"].concat();
        write::notification("notifications/resources/updated", Some(&params))
    });
    lists.chain(resources).collect()
}

/// What becomes of a notification on its way to this client.
fn towards<'a>(screen: &Screen, tag: Option<&'a Id>) -> NoticeChange<'a> {
    NoticeChange {
        sender: Sender::Server,
        to: screen.revision,
        token: None,
        request: None,
        subscription: match tag {
            Some(id) => Subscription::Set(id),
            None => Subscription::Remove,
        },
    }
}

fn is_change(screen: &Screen, message: &Message) -> bool {
    screen.row(message).is_some_and(|method| {
        method.changes.is_some() || method.name.starts_with("notifications/tasks")
    })
}

impl Screen {
    /// The row of something a server sent on its own account.
    pub(super) fn row(&self, message: &Message) -> Option<&'static Method> {
        if message.shape() == Shape::Response {
            return self.method;
        }
        let row = Method::find(message.method(), self.revision, Sender::Server)?;
        (row.shape == message.shape()).then_some(row)
    }
}
