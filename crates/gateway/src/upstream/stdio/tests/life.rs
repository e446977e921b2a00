//! When processes start and end, who shares one, and what they see of the gateway.

use super::*;

#[tokio::test]
async fn starts_a_process_when_a_session_opens_and_not_before() {
    let world = World::new();
    assert_eq!(world.starts(), 0);
    let (link, reply) = world.try_open("alice", "s1", INITIALIZE).await.unwrap();
    let greeting = message(reply);
    assert!(greeting.contains(r#""id":"init""#), "{greeting}");
    assert!(greeting.contains("2025-11-25"));
    assert_eq!(world.starts(), 1);
    send(&link, INITIALIZED).await.unwrap();
    assert_eq!(text_of(&link, "hello").await, "hello");
    assert!(world.log().contains("notifications/initialized"));
}

#[tokio::test]
async fn connection_preview_never_starts_a_process() {
    let world = World::new();
    assert!(format!("{:?}", world.server()).contains("clock"));
    // What does not read as a greeting starts nothing either.
    for text in [
        CANCELLED,
        "{}",
        "[]",
        r#"{"jsonrpc":"2.0","method":"initialize"}"#,
    ] {
        let error = world.try_open("alice", "s1", text).await.unwrap_err();
        assert_eq!(error.code(), "upstream_message", "{text}");
    }
    world.server.close().await;
    assert_eq!(world.log(), "");
}

#[tokio::test]
async fn n10_2_the_process_sees_declared_variables_and_its_own_directory_only() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let seen = text_of(&link, "environment").await;
    let mut names: Vec<_> = seen.split(' ').filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    // The shell itself sets the last three.
    names.retain(|name| !["OLDPWD", "PWD", "SHLVL", "_"].contains(name));
    assert_eq!(names, ["KEY", "LOG", "PATH"], "{seen}");
    assert_eq!(text_of(&link, "secret").await, "s3cret");
    let directory = text_of(&link, "directory").await;
    assert_eq!(
        PathBuf::from(directory),
        world.folder.path().canonicalize().unwrap()
    );
}

#[tokio::test]
async fn no_caller_input_becomes_a_command_line() {
    let world = World::new();
    let hostile = r#"{"jsonrpc":"2.0","id":"$(touch injected)","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"command":["touch","injected"],"clientInfo":{"name":"; touch injected #"}}}"#;
    let (link, _) = world
        .try_open("`touch injected`", "$(touch injected)", hostile)
        .await
        .unwrap();
    assert_eq!(text_of(&link, "; touch injected").await, "unknown");
    // An argument of the configuration is an argument, not a line for a shell.
    assert_eq!(text_of(&link, "argument").await, "$(touch injected)");
    assert!(!world.path("injected").exists());
}

#[tokio::test]
async fn n7_2_a_process_is_shared_by_one_client_on_one_route() {
    for mode in ["modern", "refuses"] {
        let world = World::of(mode);
        let mut held = Vec::new();
        for (number, (route, client, expected)) in [
            ("/mcp", None, 1),
            ("/mcp", None, 1),
            ("/mcp", Some("editor"), 2),
            ("/mcp", Some("agent"), 3),
            ("/mcp", Some("editor"), 3),
            ("/other", Some("editor"), 4),
        ]
        .into_iter()
        .enumerate()
        {
            let owner = Owner {
                user: "alice".into(),
                client: client.map(Into::into),
                route: route.into(),
                session: format!("s{number}").into(),
            };
            let greeting = introduction(Era::Modern);
            held.push(world.server().meet(&owner, greeting).await.unwrap());
            assert_eq!(world.starts(), expected, "{mode} {route} {client:?}");
        }
    }
}

#[tokio::test]
async fn n7_2_users_never_share_a_process_and_like_sessions_of_one_user_do() {
    let world = World::new();
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    let other = world.open("bob", "s1").await;
    let pid = text_of(&one, "pid").await;
    assert_eq!(text_of(&two, "pid").await, pid);
    assert_ne!(text_of(&other, "pid").await, pid);
    // Another greeting needs a process that was greeted so.
    let capable = INITIALIZE.replace("\"capabilities\":{}", "\"capabilities\":{\"roots\":{}}");
    let (capable, _) = world.try_open("alice", "s3", &capable).await.unwrap();
    assert_ne!(text_of(&capable, "pid").await, pid);
    assert_eq!(world.starts(), 3);
}

#[tokio::test]
async fn answers_a_like_greeting_from_the_first_with_the_id_swapped() {
    let world = World::new();
    let (_one, first) = world.try_open("alice", "s1", INITIALIZE).await.unwrap();
    let again = INITIALIZE.replace("\"init\"", "77");
    let (_two, second) = world.try_open("alice", "s2", &again).await.unwrap();
    assert_eq!(message(second), message(first).replace("\"init\"", "77"));
    assert_eq!(world.log().matches("\"initialize\"").count(), 1);
}

#[tokio::test]
async fn a_process_per_session_if_that_is_set() {
    let world = World::with(|spec| stdio_spec(spec).sharing = Sharing::Session);
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    assert_ne!(text_of(&one, "pid").await, text_of(&two, "pid").await);
}

#[tokio::test]
async fn bounds_the_processes_of_a_user_and_of_a_server() {
    let world = World::with(|spec| {
        stdio_spec(spec).sharing = Sharing::Session;
        stdio_spec(spec).processes_per_user = 2;
        stdio_spec(spec).processes = 3;
    });
    let full = UpstreamError::Full { what: "processes" };
    let mut links = Vec::new();
    for (user, session, opens) in [
        ("alice", "1", true),
        ("alice", "2", true),
        ("alice", "3", false),
        ("alice", "1", true),
        ("bob", "1", true),
        ("carol", "1", false),
    ] {
        let opened = world.try_open(user, session, INITIALIZE).await;
        assert_eq!(opened.is_ok(), opens, "{user} {session}");
        match opened {
            Ok((link, _)) => links.push(link),
            Err(error) => assert_eq!(error, full),
        }
    }
}

#[tokio::test]
async fn a_crash_fails_the_calls_under_way_and_the_next_call_starts_anew() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    send(&link, INITIALIZED).await.unwrap();
    let subscribe =
        r#"{"jsonrpc":"2.0","id":9,"method":"resources/subscribe","params":{"uri":"a://1"}}"#;
    send(&link, subscribe).await.unwrap();
    let hanging = link.clone();
    let hanging = tokio::spawn(async move { send(&hanging, &call("8", "hang")).await });
    world.until_noted("hang").await;
    let error = send(&link, &call("1", "crash")).await.unwrap_err();
    assert_eq!(error.code(), "upstream_crashed");
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    assert_eq!(
        hanging.await.unwrap().unwrap_err().code(),
        "upstream_crashed"
    );
    assert_eq!(text_of(&link, "hello").await, "hello");
    assert_eq!(world.starts(), 2);
    let log = world.log();
    let second = log.rsplit("start ").next().unwrap();
    let place = |part: &str| {
        second
            .find(part)
            .unwrap_or_else(|| panic!("{part}: {second}"))
    };
    assert!(place("\"initialize\"") < place("/initialized"));
    assert!(place("/initialized") < place("resources/subscribe"));
    assert!(place("resources/subscribe") < place("hello"));
}

#[tokio::test]
async fn l6_ends_the_process_when_the_last_session_is_gone() {
    let world = World::new();
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    let pid = text_of(&one, "pid").await;
    one.close().await;
    assert_eq!(
        send(&one, &call("1", "pid")).await.unwrap_err(),
        UpstreamError::Closed
    );
    assert_eq!(text_of(&two, "pid").await, pid);
    drop(two);
    until_gone(&pid).await;
    assert!(
        world.log().contains("end of input"),
        "its input was closed first"
    );
}

#[tokio::test]
async fn l6_ends_a_process_that_will_not_and_whatever_it_started() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let child = text_of(&link, "stubborn").await;
    let pid = text_of(&link, "pid").await;
    let server = Arc::clone(&world.server);
    let closing = tokio::spawn(async move { server.close().await });
    // However slow it is, it has come to each step before it is given up.
    world.until_noted("end of input").await;
    pass(PATIENCE).await;
    // SIGTERM comes before SIGKILL.
    world.until_noted("ignored the signal").await;
    pass(PATIENCE).await;
    closing.await.unwrap();
    until_gone(&pid).await;
    until_gone(&child).await;
    let error = world.try_open("alice", "s2", INITIALIZE).await.unwrap_err();
    assert_eq!(error, UpstreamError::Closed);
}

#[tokio::test]
async fn a_process_that_cannot_start_is_the_operators_fault() {
    for (command, code) in [
        (&["/nonexistent/program"][..], "upstream_start"),
        (&["sh", "-c", "exit 7"], "upstream_crashed"),
        (
            &[
                "sh",
                "-c",
                "read -r line; echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}'",
            ],
            "upstream_crashed",
        ),
    ] {
        let world = World::with(|spec| {
            stdio_spec(spec).command = command.iter().map(|part| (*part).to_owned()).collect();
        });
        let error = world.try_open("alice", "s1", INITIALIZE).await.unwrap_err();
        assert_eq!(error.code(), code, "{command:?}: {error}");
    }
}

#[tokio::test]
async fn a_process_that_keeps_crashing_is_given_a_rest() {
    let world = World::with(|spec| {
        stdio_spec(spec).command = ["sh", "-c", "exit 7"].map(str::to_owned).to_vec();
    });
    let mut last = String::new();
    for _ in 0..6 {
        let error = world.try_open("alice", "s1", INITIALIZE).await.unwrap_err();
        last = error.code().to_owned();
    }
    assert_eq!(last, "upstream_resting");
}
