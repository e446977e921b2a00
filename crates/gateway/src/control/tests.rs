//! The control socket: who is answered, what is answered, and how little anybody can ask of it.

use super::holdings::Holdings;
use super::*;
use crate::links::{Introduction, Links};
use crate::sessions::{Binding, Lifetime, Session, Sessions};
use crate::upstream::Owner;
use protocol::Revision;
use tokio::time::Instant;

/// Answers with a mark of its own, and with what it was asked.
fn mark(asked: Asked) -> BoxFuture<'static, Outcome> {
    let told = match Operation::named(&asked.ask) {
        Some(operation) => admin::Asked::read(operation, Value::Object(asked.input))
            .map(|asked| serde_json::json!({ "at_ms": 7, "asked": format!("{asked:?}") }))
            .map_err(Refusal::Unreadable),
        None => Err(Refusal::Unknown(asked.ask)),
    };
    Box::pin(std::future::ready(told))
}

struct Running {
    folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(of: impl FnOnce(&mut Control)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).await.unwrap();
        of(&mut control);
        let task = tokio::spawn(control.answer(mark));
        Running { folder, task }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(Control::NAME)
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).await.unwrap()
    }

    /// What is said to these bytes, after which nothing follows.
    async fn said(&self, bytes: &[u8]) -> serde_json::Value {
        let mut stream = self.connect().await;
        // Whoever is not listened to is told so all the same.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        line(stream).await
    }
}

async fn line(stream: UnixStream) -> serde_json::Value {
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line).await;
    assert!(line.ends_with('\n'), "{line:?}, {read:?}");
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_goes_with_the_gateway() {
    let running = Running::start(|_| {}).await;
    let there = std::fs::symlink_metadata(running.socket()).unwrap();
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    let path = running.folder.path().join(Control::NAME);
    assert!(std::fs::symlink_metadata(path).is_err());
}

#[tokio::test]
async fn another_user_is_refused_before_anything_is_read() {
    let running = Running::start(|control| control.owner ^= 1).await;
    let stream = running.connect().await;
    let said = line(stream).await.to_string();
    assert!(said.contains("only the user"), "{said}");
}

#[tokio::test]
async fn what_is_not_asked_rightly_is_refused_with_the_reason() {
    let running = Running::start(|_| {}).await;
    let sized = |bytes: usize| {
        let around = "{\"ask\":\"sessions.list\",\"input\":{\"user\":\"\"}}\n".len();
        let user = "u".repeat(bytes - around);
        format!("{{\"ask\":\"sessions.list\",\"input\":{{\"user\":\"{user}\"}}}}\n")
    };
    let (fits, long) = (sized(Control::ASK_BYTES), sized(Control::ASK_BYTES + 1));
    assert_eq!(fits.len(), Control::ASK_BYTES);
    for (asked, said) in [
        ("{\"ask\":\"sessions.list\"}\n", "\"at_ms\":7"),
        (
            "{\"ask\":\"sessions.list\",\"input\":{\"user\":\"u\",\"route\":\"/r\"}}\n",
            "\"at_ms\":7",
        ),
        (fits.as_str(), "\"at_ms\":7"),
        (long.as_str(), "more than 4096 bytes"),
        ("{\"ask\":\"sessions\"}\n", "`sessions` is no operation"),
        ("{\"ask\":\"look\"}\n", "`look` is no operation"),
        (
            "{\"ask\":\"sessions.list\",\"input\":{\"session\":\"s\"}}\n",
            "unknown field `session`",
        ),
        (
            "{\"ask\":\"sessions.list\",\"user\":\"u\"}\n",
            "unknown field `user`",
        ),
        ("{\"ask\":\"people.end\"}\n", "missing field `session`"),
        (
            "{\"ask\":\"whoami\",\"ask\":\"whoami\"}\n",
            "duplicate field `ask`",
        ),
        ("{\"ask\":\"whoami\"}{}\n", "cannot be read"),
        ("{\"input\":{}}\n", "missing field `ask`"),
        ("\n", "cannot be read"),
        ("{\"ask\":\"whoami\"}", "no end"),
        ("", "no end"),
    ] {
        let answer = running.said(asked.as_bytes()).await;
        assert!(answer.to_string().contains(said), "{asked:?}: {answer}");
        let refused = answer.get("refused").is_some();
        assert_eq!(refused, !said.contains("at_ms"), "{asked:?}: {answer}");
    }
}

#[tokio::test]
async fn what_is_looked_for_is_handed_on_as_it_was_asked() {
    let (near, far) = UnixStream::pair().unwrap();
    let asking = async {
        let mut far = far;
        let asked = b"{\"ask\":\"sessions.list\",\"input\":{\"user\":\"ada\"}}\n";
        far.write_all(asked).await.unwrap();
        line(far).await
    };
    let ((), said) = tokio::join!(converse(near, Arc::new(mark)), asking);
    let expected = admin::Asked::Sessions(Wanted {
        user: Some("ada".into()),
        route: None,
    });
    assert_eq!(said["done"]["asked"], format!("{expected:?}"));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_nothing_is_sent_away() {
    let (near, far) = UnixStream::pair().unwrap();
    let began = Instant::now();
    converse(near, Arc::new(mark)).await;
    assert_eq!(began.elapsed(), Control::TIME);
    let said = line(far).await.to_string();
    assert!(said.contains("nothing was asked within 5 s"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_take_the_answer_is_cut_off() {
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(b"{\"ask\":\"sessions.list\"}\n")
        .await
        .unwrap();
    let long = |_: Asked| -> BoxFuture<'static, Outcome> {
        let done = Value::String("s".repeat(8 * 1024 * 1024));
        Box::pin(std::future::ready(Ok(done)))
    };
    let began = Instant::now();
    converse(near, Arc::new(long)).await;
    assert_eq!(began.elapsed(), Control::TIME);
    let mut taken = Vec::new();
    far.read_to_end(&mut taken).await.unwrap();
    assert_ne!(taken.last(), Some(&b'\n'));
}

#[tokio::test]
async fn only_so_many_ask_at_a_time() {
    let running = Running::start(|_| {}).await;
    let mut silent = Vec::new();
    for _ in 0..Control::CONNECTIONS {
        silent.push(running.connect().await);
    }
    let said = running
        .said(b"{\"ask\":\"sessions.list\"}\n")
        .await
        .to_string();
    assert!(said.contains("8 ask already"), "{said}");
    // One that is answered makes room.
    let mut first = silent.remove(0);
    first
        .write_all(b"{\"ask\":\"sessions.list\"}\n")
        .await
        .unwrap();
    let mut all = Vec::new();
    first.read_to_end(&mut all).await.unwrap();
    let said = running
        .said(b"{\"ask\":\"sessions.list\"}\n")
        .await
        .to_string();
    assert!(said.contains("\"at_ms\":7"), "{said}");
}

#[tokio::test]
async fn what_is_left_behind_is_replaced_and_what_lives_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Control::NAME);
    // Closing a socket does not take its name away.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let living = Control::open(folder.path()).await.unwrap();
    let before = identity(&std::fs::symlink_metadata(&path).unwrap());
    let second = Control::open(folder.path()).await;
    assert!(
        matches!(second, Err(ControlError::Taken { .. })),
        "{second:?}"
    );
    let after = identity(&std::fs::symlink_metadata(&path).unwrap());
    assert_eq!(before, after);
    // Where somebody else has the name by now, it is theirs.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "a file").unwrap();
    drop(living);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
    let third = Control::open(folder.path()).await;
    assert!(
        matches!(third, Err(ControlError::NoSocket { .. })),
        "{third:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
}

#[tokio::test]
async fn a_socket_that_a_link_leads_to_is_not_believed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&target).unwrap());
    std::os::unix::fs::symlink(&target, folder.path().join(Control::NAME)).unwrap();
    let opened = Control::open(folder.path()).await;
    assert!(
        matches!(opened, Err(ControlError::NoSocket { .. })),
        "{opened:?}"
    );
    assert!(target.exists());
}

/// Asks the way the command does.
async fn asked(data: &Path) -> Result<Value, AskError> {
    let data = data.to_owned();
    let asking = move || ask(&data, Operation::SessionsList, &Wanted::default());
    tokio::task::spawn_blocking(asking).await.unwrap()
}

#[tokio::test]
async fn the_other_end_says_what_came_of_it() {
    let running = Running::start(|_| {}).await;
    assert_eq!(asked(running.folder.path()).await.unwrap()["at_ms"], 7);
    let stranger = Running::start(|control| control.owner ^= 1).await;
    let told = asked(stranger.folder.path()).await.unwrap_err();
    assert!(matches!(told, AskError::Refused(_)), "{told}");
    let empty = tempfile::tempdir().unwrap();
    let told = asked(empty.path()).await.unwrap_err();
    assert!(matches!(told, AskError::NoGateway { .. }), "{told}");
    let path = empty.path().join(Control::NAME);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let told = asked(empty.path()).await.unwrap_err();
    assert!(matches!(told, AskError::NoGateway { .. }), "{told}");
}

const HOUR: u64 = 3_600_000;

/// A session of this user (of an issuer, of whatever name), and on which route.
fn session(id: &str, (issuer, subject): (&str, &str), route: &str, opened_ms: u64) -> Session {
    let user: Arc<str> = format!("key-of-{subject}-at-{issuer}").into();
    let stateless = id.starts_with('\u{7f}');
    let revision = if stateless {
        Revision::V2026_07_28
    } else {
        Revision::newest_with_handshake()
    };
    let owner = Owner {
        user: Arc::clone(&user),
        client: Some("editor".into()),
        route: route.into(),
        session: id.into(),
    };
    let introduction = Introduction {
        revision,
        capabilities: None,
        info: None,
    };
    let binding = Binding {
        user,
        issuer: issuer.into(),
        subject: subject.into(),
        client: Some("editor".into()),
        holder: None,
        route: route.into(),
        revision,
        lifetime: Lifetime {
            idle_ms: HOUR,
            absolute_ms: HOUR,
            per_user: usize::MAX,
        },
        links: Links::new(owner, introduction, revision, &[]),
        standing: crate::sessions::Standing::of(&identity::Caller::local("user")),
    };
    Session::new(id.to_owned(), binding, opened_ms)
}

fn sessions() -> Sessions {
    let sessions = Sessions::default();
    for (id, who, route, opened_ms) in [
        ("id-1", ("https://a", "grace"), "/files", 1_000),
        ("id-2", ("https://a", "ada"), "/search", 4_000),
        ("\u{7f}id-3", ("https://a", "ada"), "/files", 2_000),
        ("id-4", ("https://a", "ada"), "/files", 1_500),
        ("id-5", ("https://b", "ada"), "/files", 3_000),
    ] {
        sessions
            .open(session(id, who, route, opened_ms), opened_ms)
            .unwrap();
    }
    sessions.find("key-of-grace-at-https://a", "id-1", 9_000);
    sessions
}

fn seen(sessions: &Sessions, wanted: &Wanted) -> Holdings {
    let parked = vec![
        ("key-of-ada-at-https://a".into(), 3),
        ("key-of-nobody".into(), 1),
    ];
    Holdings::seen(&sessions.all(), parked, Bounds::default(), wanted, 10_000)
}

#[test]
fn sessions_are_told_by_user_route_and_age_and_nothing_that_opens_them() {
    let held = seen(&sessions(), &Wanted::default());
    let told = held.sessions.iter().map(|it| {
        let times = (it.age_ms, it.idle_ms);
        (&*it.issuer, &*it.subject, &*it.route, it.footing, times)
    });
    let (legacy, stateless) = (Footing::Session, Footing::Stateless);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("https://a", "ada", "/files", legacy, (8_500, 8_500)),
            ("https://a", "ada", "/files", stateless, (8_000, 8_000)),
            ("https://a", "ada", "/search", legacy, (6_000, 6_000)),
            ("https://b", "ada", "/files", legacy, (7_000, 7_000)),
            ("https://a", "grace", "/files", legacy, (9_000, 1_000)),
        ]
    );
    let users = held.users.iter();
    let users = users.map(|user| (&*user.user, user.sessions, user.parked));
    assert_eq!(
        users.collect::<Vec<_>>(),
        [
            ("key-of-nobody", 0, 1),
            ("key-of-ada-at-https://a", 3, 3),
            ("key-of-ada-at-https://b", 1, 0),
            ("key-of-grace-at-https://a", 1, 0),
        ]
    );
    let expected = Totals {
        sessions: 5,
        stateless: 1,
        users: 4,
        parked: 4,
        ..Totals::default()
    };
    assert_eq!(held.totals, expected);
    let json = serde_json::to_string(&held).unwrap();
    assert!(!json.contains("id-"), "{json}");
    assert_eq!(serde_json::from_str::<Holdings>(&json).unwrap(), held);
}

#[test]
fn what_is_looked_for_is_found_and_nothing_else() {
    let sessions = sessions();
    let everything = seen(&sessions, &Wanted::default()).totals;
    for (user, route, found, users) in [
        (None, Some("/files"), 4, 3),
        (None, Some("/file"), 0, 0),
        (Some("ada"), None, 4, 2),
        (Some("ada"), Some("/search"), 1, 1),
        (Some("https://a#ada"), None, 3, 1),
        (Some("https://a#"), None, 0, 0),
        (Some("https://ada"), None, 0, 0),
        (Some("key-of-ada-at-https://b"), None, 1, 1),
        (Some("key-of-nobody"), None, 0, 1),
        (Some("key-of-nobody"), Some("/files"), 0, 0),
        (Some("ad"), None, 0, 0),
        (Some(""), None, 0, 0),
    ] {
        let wanted = Wanted {
            user: user.map(str::to_owned),
            route: route.map(str::to_owned),
        };
        let held = seen(&sessions, &wanted);
        let counts = (held.sessions.len(), held.users.len());
        assert_eq!(counts, (found, users), "{wanted:?}");
        assert_eq!(held.totals, everything, "{wanted:?}");
    }
}

#[test]
fn an_answer_lists_so_many_and_says_how_many_it_leaves_out() {
    let sessions = Sessions::default();
    for number in 0..Holdings::LISTED + 3 {
        let session = session(&number.to_string(), ("https://a", "ada"), "/files", 0);
        sessions.open(session, 0).unwrap();
    }
    let held = Holdings::seen(
        &sessions.all(),
        Vec::new(),
        Bounds::default(),
        &Wanted::default(),
        0,
    );
    assert_eq!((held.sessions.len(), held.left_out), (Holdings::LISTED, 3));
    assert_eq!(held.totals.sessions, Holdings::LISTED + 3);
}
