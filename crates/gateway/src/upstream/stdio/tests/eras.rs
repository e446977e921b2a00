//! In which era a process is met (rules V7 and V8), and who shares one then.

use super::*;

const PROBED: [&str; 3] = ["start", "server/discover", "initialize"];

#[tokio::test]
async fn v7_whatever_is_no_modern_answer_is_followed_by_a_handshake() {
    for (mode, told) in [
        ("refuses", &PROBED[..]),
        // No answer at all, in time.
        ("silent", &PROBED),
        // A server that dies of the question is started again and not asked again.
        ("dies", &["start", "server/discover", "start", "initialize"]),
    ] {
        let world = World::of(mode);
        let met = world.meet("alice", "s1", Era::Modern).await.unwrap();
        assert_eq!(met.link.era(), Era::Legacy, "{mode}");
        assert_eq!(world.told(), told, "{mode}");
        let said = String::from_utf8(met.said.to_vec()).unwrap();
        assert!(said.contains(r#""id":0"#), "{said}");
        assert!(said.contains("2025-11-25"), "{said}");
        assert_eq!(world.server().verdict(), Some(Verdict::Legacy), "{mode}");
        assert_eq!(text_of(&met.link, "hello").await, "hello");
        // It is remembered: nobody is asked again.
        let starts = world.starts();
        let other = world.meet("bob", "s1", Era::Modern).await.unwrap();
        assert_eq!(other.link.era(), Era::Legacy, "{mode}");
        assert_eq!(world.starts(), starts + 1, "{mode}");
        assert_eq!(world.log().matches("server/discover").count(), 1, "{mode}");
    }
}

#[tokio::test]
async fn v7_a_modern_server_is_met_without_a_handshake() {
    let world = World::of("modern");
    let met = world.meet("alice", "s1", Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Modern);
    assert_eq!(world.told(), ["start", "server/discover"]);
    let said = String::from_utf8(met.said.to_vec()).unwrap();
    assert!(said.contains(r#""id":9"#), "{said}");
    assert!(said.contains("supportedVersions"), "{said}");
    assert_eq!(text_of(&met.link, "hello").await, "hello");
    assert_eq!(world.server().verdict(), Some(Verdict::Modern));
}

#[tokio::test]
async fn v7_a_slow_modern_server_is_met_by_its_late_answer() {
    for mode in ["slow-first", "slow-last"] {
        let world = World::of(mode);
        let met = world.meet("alice", "s1", Era::Modern).await.unwrap();
        assert_eq!(met.link.era(), Era::Modern, "{mode}");
        assert_eq!(world.told(), PROBED, "{mode}");
        assert_eq!(text_of(&met.link, "hello").await, "hello", "{mode}");
        assert!(!world.log().contains("cancelled"), "{mode}");
    }
}

#[tokio::test]
async fn v9_a_server_of_both_eras_is_met_in_the_preferred_one() {
    let world = World::of("both");
    let modern = world.meet("alice", "s1", Era::Modern).await.unwrap();
    let legacy = world.meet("alice", "s2", Era::Legacy).await.unwrap();
    assert_eq!(modern.link.era(), Era::Modern);
    assert_eq!(legacy.link.era(), Era::Legacy);
    assert_eq!(world.server().verdict(), Some(Verdict::Both));
    // How a process was opened is what it speaks, so there are two.
    let pid = text_of(&modern.link, "pid").await;
    assert_ne!(text_of(&legacy.link, "pid").await, pid);
    let told = ["start", "server/discover", "start", "initialize"];
    assert_eq!(world.told()[..4], told);
    let again = world.meet("alice", "s3", Era::Modern).await.unwrap();
    assert_eq!(text_of(&again.link, "pid").await, pid);
    assert_eq!(world.starts(), 2);
}

#[tokio::test]
async fn v10_a_server_without_a_handshake_is_met_without_one_by_the_same_process() {
    let world = World::of("modern");
    let met = world.meet("alice", "s1", Era::Legacy).await.unwrap();
    assert_eq!(met.link.era(), Era::Modern);
    assert_eq!(world.told(), ["start", "initialize", "server/discover"]);
    assert_eq!(world.server().verdict(), Some(Verdict::Modern));
    // Whoever comes next finds the process under its right name.
    let pid = text_of(&met.link, "pid").await;
    for (session, prefer) in [("s2", Era::Modern), ("s3", Era::Legacy)] {
        let next = world.meet("alice", session, prefer).await.unwrap();
        assert_eq!(text_of(&next.link, "pid").await, pid);
    }
    let other = world.meet("bob", "s1", Era::Legacy).await.unwrap();
    assert_ne!(text_of(&other.link, "pid").await, pid);
    assert_eq!(world.log().matches("\"initialize\"").count(), 1);
}

#[tokio::test]
async fn n7_2_a_probe_that_ends_in_a_handshake_serves_like_greetings_only() {
    let world = World::of("refuses");
    let one = world.meet("alice", "s1", Era::Modern).await.unwrap();
    let two = world.meet("alice", "s2", Era::Legacy).await.unwrap();
    let pid = text_of(&one.link, "pid").await;
    assert_eq!(text_of(&two.link, "pid").await, pid);
    let mut capable = introduction(Era::Modern);
    let text = String::from_utf8(capable.initialize.to_vec()).unwrap();
    let text = text.replace("\"capabilities\":{}", "\"capabilities\":{\"roots\":{}}");
    capable.initialize = text.into();
    let owner = Owner {
        user: "alice".into(),
        client: None,
        route: "/mcp".into(),
        session: "s3".into(),
    };
    let three = world.server().meet(&owner, capable).await.unwrap();
    assert_ne!(text_of(&three.link, "pid").await, pid);
    assert_eq!(world.starts(), 2);
}

#[tokio::test]
async fn many_who_come_at_once_meet_one_process() {
    for (mode, era) in [("refuses", Era::Legacy), ("modern", Era::Modern)] {
        let world = Arc::new(World::of(mode));
        let mut meetings = tokio::task::JoinSet::new();
        for number in 0..8 {
            let world = world.clone();
            let prefer = [Era::Modern, Era::Legacy][number % 2];
            meetings.spawn(async move {
                let session = format!("s{number}");
                world.meet("alice", &session, prefer).await.unwrap().link
            });
        }
        let links = meetings.join_all().await;
        assert!(links.iter().all(|link| link.era() == era), "{mode}");
        let pid = text_of(&links[0], "pid").await;
        for link in &links {
            assert_eq!(text_of(link, "pid").await, pid, "{mode}");
        }
        // One came by the wrong door at most.
        assert!(world.starts() <= 2, "{mode}: {:?}", world.told());
        world.server.close().await;
    }
}

#[tokio::test]
async fn n3_4_only_the_era_that_is_configured_is_ever_tried() {
    let world = World::of_choice("both", EraChoice::Legacy);
    let met = world.meet("alice", "s1", Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Legacy);
    assert_eq!(world.told(), ["start", "initialize"]);
    let world = World::of_choice("both", EraChoice::Modern);
    let met = world.meet("alice", "s1", Era::Legacy).await.unwrap();
    assert_eq!(met.link.era(), Era::Modern);
    assert_eq!(world.told(), ["start", "server/discover"]);
    let world = World::of_choice("refuses", EraChoice::Modern);
    let error = world.meet("alice", "s1", Era::Modern).await.unwrap_err();
    assert_eq!(error, UpstreamError::Era { era: Era::Modern });
    assert!(!world.log().contains("\"initialize\""));
    let world = World::of_choice("modern", EraChoice::Legacy);
    let error = world.meet("alice", "s1", Era::Modern).await.unwrap_err();
    assert_eq!(error, UpstreamError::Declined { code: -32022 });
    assert!(!world.log().contains("server/discover"));
}

#[tokio::test]
async fn v8_a_server_that_comes_back_in_another_era_is_met_anew() {
    // The second process speaks another era than the first one.
    let world = World::with(|spec| {
        let stdio = stdio_spec(spec);
        let script = format!("[ -e seen ] && MODE=refuses || MODE=modern; touch seen; {SERVER}");
        stdio.command = ["sh", "-c", &script].map(str::to_owned).to_vec();
        stdio.probe = Duration::from_millis(200);
    });
    let old = world.meet("alice", "s1", Era::Modern).await.unwrap().link;
    assert_eq!(old.era(), Era::Modern);
    let error = send(&old, &call("1", "crash")).await.unwrap_err();
    assert_eq!(error.code(), "upstream_crashed");
    let error = send(&old, &call("2", "hello")).await.unwrap_err();
    assert_eq!(error, UpstreamError::Era { era: Era::Modern });
    assert_eq!(world.server().verdict(), None);
    let new = world.meet("alice", "s2", Era::Modern).await.unwrap().link;
    assert_eq!(new.era(), Era::Legacy);
    assert_eq!(text_of(&new, "hello").await, "hello");
    assert_eq!(world.server().verdict(), Some(Verdict::Legacy));
    // The end of the server is the end of every process of it, also of those nobody can join.
    let pid = text_of(&new, "pid").await;
    world.server.close().await;
    until_gone(&pid).await;
    drop(old);
}
