//! The board on data: no channel, no clock.

mod modern;

use super::super::queue::Item;
use super::*;

struct World {
    board: Board,
}

impl World {
    fn new() -> Self {
        World {
            board: Board::new(4096),
        }
    }

    fn session(&self) -> (u64, Arc<Queue>) {
        let inbox = Arc::new(Queue::new(4096));
        (self.board.join(inbox.clone()), inbox)
    }

    /// Enters a call: its number, what is written, and where its answer comes.
    fn call(&self, session: u64, text: &str) -> (u64, String, Arc<Queue>) {
        let queue = Arc::new(Queue::new(4096));
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        match self.board.call(session, 1, bytes, queue.clone()).unwrap() {
            Entry::Answered => (0, String::new(), queue),
            Entry::Write(number, line) => {
                (number, String::from_utf8(line.to_vec()).unwrap(), queue)
            }
        }
    }

    fn take(&self, text: &str) -> Option<String> {
        let back = self.board.take(Bytes::copy_from_slice(text.as_bytes()));
        back.map(|back| String::from_utf8(back.to_vec()).unwrap())
    }

    fn tell(&self, session: u64, text: &str) -> Option<String> {
        let message = peek::own(Bytes::copy_from_slice(text.as_bytes())).unwrap();
        match self.board.tell(session, &Outgoing::of(&message)).unwrap() {
            Line::Drop => None,
            Line::Write(line) => Some(String::from_utf8(line.to_vec()).unwrap()),
        }
    }
}

/// What lies in a queue, oldest first.
async fn read(queue: &Queue) -> Vec<String> {
    let mut found = Vec::new();
    queue.push(Bytes::from_static(b"end"));
    loop {
        match queue.next().await {
            Item::Next(bytes) if bytes == "end" => return found,
            Item::Next(bytes) => found.push(String::from_utf8(bytes.to_vec()).unwrap()),
            Item::Last(Ok(bytes)) => {
                found.push(String::from_utf8(bytes.to_vec()).unwrap());
                return found;
            }
            Item::Last(Err(error)) => return vec![error.code().to_owned()],
            Item::End => return found,
        }
    }
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;

#[tokio::test]
async fn swaps_id_and_token_and_keeps_every_other_byte() {
    let world = World::new();
    let (session, _) = world.session();
    let text = "{\"jsonrpc\": \"2.0\",\r\n \"id\" : \"a\\/b\", \"method\":\"tools/call\", \"params\":{\"_meta\":{\"progressToken\" : \"t1\", \"x\":1.50}, \"name\":\"\\u0041\"}}";
    let (number, line, queue) = world.call(session, text);
    let expected = format!(
        "{{\"jsonrpc\": \"2.0\",\r\n \"id\" : {number}, \"method\":\"tools/call\", \"params\":{{\"_meta\":{{\"progressToken\" : {number}, \"x\":1.50}}, \"name\":\"\\u0041\"}}}}"
    );
    assert_eq!(line, expected);
    let progress = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress": 0.50,"progressToken":{number}}}}}"#
    );
    assert_eq!(world.take(&progress), None);
    let answer = format!("{{\"result\" : {{\"x\":1.0}}, \"id\":{number} ,\"jsonrpc\":\"2.0\"}}");
    assert_eq!(world.take(&answer), None);
    assert_eq!(
        read(&queue).await,
        [
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress": 0.50,"progressToken":"t1"}}"#,
            r#"{"result" : {"x":1.0}, "id":"a/b" ,"jsonrpc":"2.0"}"#,
        ]
    );
}

#[tokio::test]
async fn sessions_with_the_same_ids_do_not_meet() {
    let world = World::new();
    let (one, _) = world.session();
    let (two, _) = world.session();
    let (first, _, queue_one) = world.call(one, CALL);
    let (second, _, queue_two) = world.call(two, CALL);
    assert_ne!(first, second);
    let answer = |n: u64| format!(r#"{{"jsonrpc":"2.0","id":{n},"result":{{"n":{n}}}}}"#);
    world.take(&answer(second));
    world.take(&answer(first));
    for (number, queue) in [(first, queue_one), (second, queue_two)] {
        let expected = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"n":{number}}}}}"#);
        assert_eq!(read(&queue).await, [expected]);
    }
}

#[tokio::test]
async fn an_answer_nobody_asked_for_goes_nowhere() {
    let world = World::new();
    let (session, inbox) = world.session();
    let (number, _, queue) = world.call(session, CALL);
    for text in [
        r#"{"jsonrpc":"2.0","id":99,"result":{}}"#.to_owned(),
        format!(r#"{{"jsonrpc":"2.0","id":"{number}","result":{{}}}}"#),
        r#"{"jsonrpc":"2.0","id":-1,"result":{}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#.to_owned(),
    ] {
        assert_eq!(world.take(&text), None);
    }
    assert_eq!(world.board.dropped(), 4);
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{{}}}}"#);
    world.take(&answer);
    assert!(matches!(queue.next().await, Item::Last(Ok(_))));
    // A second answer to the same call.
    world.take(&answer);
    assert_eq!(world.board.dropped(), 5);
    assert!(read(&inbox).await.is_empty());
}

#[tokio::test]
async fn progress_without_a_token_of_a_call_goes_nowhere() {
    let world = World::new();
    let (session, inbox) = world.session();
    let (number, _, queue) = world.call(session, CALL);
    for token in [number.to_string(), "77".to_owned(), "\"t\"".to_owned()] {
        world.take(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#
        ));
    }
    assert_eq!(world.board.dropped(), 3);
    assert!(read(&inbox).await.is_empty());
    assert!(read(&queue).await.is_empty());
}

#[tokio::test]
async fn a_question_goes_to_one_session_and_only_that_one_can_answer() {
    let world = World::new();
    let (one, inbox_one) = world.session();
    let (two, inbox_two) = world.session();
    let (_, _, _older) = world.call(one, CALL);
    let (_, _, queue) = world.call(two, CALL);
    let question = r#"{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage"}"#;
    assert_eq!(world.take(question), None);
    assert_eq!(read(&queue).await, [question]);
    assert!(read(&inbox_one).await.is_empty());
    assert!(read(&inbox_two).await.is_empty());
    let answer = r#"{"jsonrpc":"2.0","id":"q","result":{}}"#;
    assert_eq!(world.tell(one, answer), None, "another session's question");
    assert_eq!(world.tell(two, answer), Some(answer.to_owned()));
    assert_eq!(world.tell(two, answer), None, "answered already");
}

#[tokio::test]
async fn a_question_outside_any_call_goes_to_the_session_that_spoke_last() {
    let world = World::new();
    let (one, inbox_one) = world.session();
    let (_two, inbox_two) = world.session();
    let (number, _, _) = world.call(one, CALL);
    world.take(&format!(
        r#"{{"jsonrpc":"2.0","id":{number},"result":{{}}}}"#
    ));
    let question = r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#;
    assert_eq!(world.take(question), None);
    assert_eq!(read(&inbox_one).await, [question]);
    assert!(read(&inbox_two).await.is_empty());
    // The server takes its question back.
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    world.take(cancelled);
    assert_eq!(read(&inbox_one).await, [cancelled]);
    assert_eq!(
        world.tell(one, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        None
    );
}

#[tokio::test]
async fn s5_what_is_said_during_a_request_of_the_gateways_own_is_not_said_to_it() {
    let question = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    let own = r#"{"jsonrpc":"2.0","id":"ringwall-7","method":"tools/list"}"#;
    // Beside nothing else it is for whoever listens, beside a client's call for that call.
    for (calls, expected) in [(&[own][..], "inbox"), (&[CALL, own], "call")] {
        let world = World::new();
        let (session, inbox) = world.session();
        let queues: Vec<_> = calls
            .iter()
            .map(|call| world.call(session, call).2)
            .collect();
        assert_eq!(world.take(question), None, "{expected}");
        world.take(log);
        let (of_own, others) = queues.split_last().unwrap();
        assert!(read(of_own).await.is_empty(), "{expected}");
        let heard = match others.first() {
            Some(call) => read(call).await,
            None => read(&inbox).await,
        };
        assert_eq!(heard, [question, log], "{expected}");
        let answer = r#"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#;
        assert_eq!(world.tell(session, answer).as_deref(), Some(answer));
    }
}

#[tokio::test]
async fn a_question_nobody_can_take_is_declined() {
    let world = World::new();
    let back = world
        .take(r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#)
        .unwrap();
    assert!(back.contains(r#""id":"q","error""#), "{back}");
    let (session, _inbox) = world.session();
    world.call(session, CALL);
    let ask = |id: usize| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#);
    assert_eq!(world.take(&ask(0)), None);
    assert!(world.take(&ask(0)).is_some(), "the same id again");
    let declined = (1..1000)
        .filter(|id| world.take(&ask(*id)).is_some())
        .count();
    assert!(declined > 900);
}

#[tokio::test]
async fn l7_answers_a_ping_itself() {
    let world = World::new();
    assert_eq!(
        world
            .take(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#)
            .unwrap(),
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}"
    );
}

#[tokio::test]
async fn notifications_reach_every_session_and_logs_the_newest_call() {
    let world = World::new();
    let (one, inbox_one) = world.session();
    let (_, inbox_two) = world.session();
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    world.take(changed);
    world.take(log);
    assert_eq!(read(&inbox_one).await, [changed, log]);
    assert_eq!(read(&inbox_two).await, [changed, log]);
    let (_, _, queue) = world.call(one, CALL);
    world.take(changed);
    world.take(log);
    assert_eq!(read(&queue).await, [log]);
    assert_eq!(read(&inbox_one).await, [changed]);
    assert_eq!(read(&inbox_two).await, [changed]);
}

#[tokio::test]
async fn a_cancellation_concerns_own_calls_only() {
    let world = World::new();
    let (one, _) = world.session();
    let (two, _) = world.session();
    let (number, _, _) = world.call(one, CALL);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(world.tell(two, cancel), None);
    let expected = cancel.replace("\"requestId\":1", &format!("\"requestId\":{number}"));
    assert_eq!(world.tell(one, cancel), Some(expected));
    let unknown = cancel.replace("\"requestId\":1", "\"requestId\":2");
    assert_eq!(world.tell(one, &unknown), None);
    assert_eq!(world.tell(one, &cancel.replace("1}", "null}")), None);
}

#[tokio::test]
async fn the_process_hears_of_the_end_of_the_handshake_once() {
    let world = World::new();
    let (one, _) = world.session();
    let (two, _) = world.session();
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert!(world.tell(one, initialized).is_some());
    assert_eq!(world.tell(two, initialized), None);
    assert!(world.board.is_initialized());
}

#[tokio::test]
async fn calls_of_a_channel_that_is_gone_fail_and_its_questions_are_void() {
    let world = World::new();
    let (one, _) = world.session();
    let (_, _, queue) = world.call(one, CALL);
    let later = Arc::new(Queue::new(4096));
    let bytes = Bytes::from_static(CALL.as_bytes());
    world.board.call(one, 2, bytes, later.clone()).unwrap();
    world.take(r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#);
    let reason = "exit status: 1".to_owned();
    world.board.fail(1, &UpstreamError::Crashed { reason });
    assert_eq!(read(&queue).await, ["upstream_crashed"]);
    assert_eq!(
        read(&later).await.len(),
        1,
        "the call of the next process goes on"
    );
    assert_eq!(
        world.tell(one, r#"{"jsonrpc":"2.0","id":"q","result":{}}"#),
        None
    );
}

#[tokio::test]
async fn noise_is_counted_and_a_broken_answer_fails_the_only_call() {
    let world = World::new();
    let (one, _) = world.session();
    let (number, _, first) = world.call(one, CALL);
    world.board.noise(b"starting up");
    world.take("{'a': 1}");
    world.take(r#"{"level":"info"}"#);
    assert!(read(&first).await.is_empty());
    let broken = r#"{"jsonrpc":"2.0","id":3,"id":4,"result":{}}"#;
    let (_, _, second) = world.call(one, CALL);
    world.take(broken);
    assert!(
        read(&first).await.is_empty(),
        "it may be the answer to either"
    );
    assert!(world.board.forget(number));
    world.take(broken);
    assert_eq!(read(&second).await, ["upstream_malformed"]);
    let (_, _, fourth) = world.call(one, CALL);
    world.board.overlong();
    assert_eq!(read(&fourth).await, ["upstream_too_large"]);
    assert_eq!(world.board.dropped(), 6);
}

#[tokio::test]
async fn bounds_the_calls_under_way() {
    let world = World::new();
    let (one, _) = world.session();
    for _ in 0..CALLS_MAX {
        world.call(one, CALL);
    }
    let queue = Arc::new(Queue::new(4096));
    let bytes = Bytes::from_static(CALL.as_bytes());
    let error = world.board.call(one, 1, bytes, queue).unwrap_err();
    assert_eq!(error, UpstreamError::Full { what: "calls" });
}

#[tokio::test]
async fn updates_of_a_resource_reach_those_who_subscribed() {
    let world = World::new();
    let (one, inbox_one) = world.session();
    let (two, inbox_two) = world.session();
    let (_three, inbox_three) = world.session();
    let ask = |method: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"resources/{method}","params":{{"uri":"a://1"}}}}"#
        )
    };
    let updated =
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a://1"}}"#;
    assert_ne!(world.call(one, &ask("subscribe")).1, "");
    assert_ne!(world.call(two, &ask("subscribe")).1, "");
    world.take(updated);
    assert_eq!(read(&inbox_one).await, [updated]);
    assert_eq!(read(&inbox_two).await, [updated]);
    assert!(read(&inbox_three).await.is_empty());
    // The first one's end of it is not the other one's.
    let (_, line, queue) = world.call(one, &ask("unsubscribe"));
    assert_eq!(line, "");
    assert_eq!(
        read(&queue).await,
        [r#"{"jsonrpc":"2.0","id":1,"result":{}}"#]
    );
    world.take(updated);
    assert!(read(&inbox_one).await.is_empty());
    assert_eq!(read(&inbox_two).await, [updated]);
    assert_eq!(world.board.standing().len(), 1);
    assert_ne!(world.call(two, &ask("unsubscribe")).1, "");
    assert!(world.board.standing().is_empty());
    world.call(two, &ask("subscribe"));
    world.board.leave(two);
    assert!(world.board.standing().is_empty());
}

#[tokio::test]
async fn bounds_what_is_remembered_for_a_new_process() {
    let world = World::new();
    let (session, _inbox) = world.session();
    let mut refused = 0;
    for number in 0..1000 {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{{"uri":"a://{number}"}}}}"#
        );
        let queue = Arc::new(Queue::new(4096));
        let entered = world.board.call(session, 1, text.into(), queue);
        match entered {
            Ok(Entry::Write(number, _)) => drop(world.board.forget(number)),
            Ok(Entry::Answered) => panic!("nobody answered"),
            Err(error) => {
                assert_eq!(error.code(), "upstream_full");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 1000 - world.board.standing().len());
    assert!(refused > 0);
}
