//! Providers on a line that only the test answers, and on a clock that only the test moves.

use super::*;
use crate::clock::StillClock;
use crate::providers::line::Heard as Answer;
use crate::providers::panel::{Detector, Local, Member, Panel};
use crate::secret::Secret;
use config::settled::{
    AzureCredential, HttpProvider, Network, PromptShields, ProviderKind, SecretRef,
};
use controls::{Fault, Mode, SCORE_MAX};
use identity::client::{Credentials, SecretMethod};
use identity::{BoxFuture, Fetch, FetchError, Fetched, Outbound, ServiceToken, ServiceTokenRules};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

/// What the line does with a request.
#[derive(Clone, Debug)]
enum Act {
    /// It says this of every text that has `ATTACK` in it, and the opposite of every other.
    Judge,
    /// It answers with this status, and when to come back.
    Status(u16, u64),
    /// It answers with this.
    Say(&'static str),
    /// It takes longer than anybody waits.
    Hang,
    /// It cannot be reached.
    Lose(Lost),
    /// Whoever asks it does not come back.
    Panic,
}

#[derive(Debug)]
struct Script {
    acts: Mutex<Vec<Act>>,
    sent: Mutex<Vec<Value>>,
    at_once: Mutex<(u32, u32)>,
}

impl Line for Arc<Script> {
    fn send(&self, asked: Asked, deadline: Instant) -> BoxFuture<'_, Result<Answer, Lost>> {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        lock(&self.sent).push(body.clone());
        let mut acts = lock(&self.acts);
        let act = match acts.len() {
            1 => acts[0].clone(),
            _ => acts.remove(0),
        };
        Box::pin(async move {
            {
                let mut at_once = lock(&self.at_once);
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            lock(&self.at_once).0 -= 1;
            let answer = |status, wait, body: String| Answer {
                status,
                wait: Duration::from_secs(wait),
                body: body.into(),
            };
            match act {
                Act::Judge => Ok(answer(200, 1, judged(&body).to_string())),
                Act::Status(status, wait) => Ok(answer(status, wait, String::new())),
                Act::Say(said) => Ok(answer(200, 1, said.to_owned())),
                Act::Hang => {
                    tokio::time::sleep_until(deadline).await;
                    Err(Lost::Late)
                }
                Act::Lose(lost) => Err(lost),
                Act::Panic => panic!("as asked for"),
            }
        })
    }
}

fn judged(body: &Value) -> Value {
    let attack =
        |text: &Value| json!({"attackDetected": text.as_str().unwrap().contains("ATTACK")});
    match (&body["userPrompt"], &body["documents"]) {
        (Value::Null, Value::Array(documents)) => {
            json!({"documentsAnalysis": documents.iter().map(attack).collect::<Vec<_>>()})
        }
        (prompt, Value::Null) => json!({"userPromptAnalysis": attack(prompt)}),
        both => panic!("{both:?}"),
    }
}

fn shields() -> settled::Provider {
    settled::Provider {
        name: "shields".to_owned(),
        kind: ProviderKind::PromptShields(PromptShields {
            endpoint: Url::parse("https://x.example/").unwrap(),
            credential: AzureCredential::Key(SecretRef::Env("KEY".to_owned())),
        }),
        network: Network::Public,
        timeout: Duration::from_secs(3),
        concurrent: 2,
        characters: 100_000,
        on_failure: OnFailure::Refuse,
    }
}

fn provider(settled: &settled::Provider, acts: &[Act]) -> (Arc<Script>, Arc<Provider>) {
    let script = Arc::new(Script {
        acts: Mutex::new(acts.to_vec()),
        sent: Mutex::default(),
        at_once: Mutex::default(),
    });
    let secret = Secret::new("env:KEY", Zeroizing::new("k".to_owned()));
    let provider = Provider::new(
        settled,
        Box::new(Arc::clone(&script)),
        Credential::azure_key(&secret).unwrap(),
        Arc::new(StillClock::default()),
    );
    (script, provider)
}

fn reading(texts: &[&str]) -> Reading {
    let mut reading = Reading::default();
    for (index, text) in texts.iter().enumerate() {
        reading.push(format!("/result/content/{index}/text"), text);
    }
    reading
}

fn requests(script: &Script) -> usize {
    lock(&script.sent).len()
}

fn value(heard: &Heard) -> Option<u16> {
    heard.said.first().map(|said| said.opinion.value)
}

#[tokio::test(start_paused = true)]
async fn n1_3_an_attack_across_any_border_of_two_windows_is_seen() {
    let attack = "the ATTACK lies across";
    for surface in [Surface::Arguments, Surface::Results] {
        let size = Kind::PromptShields.cut(surface).units;
        for before in (size - 420..size + 20).step_by(7) {
            let text = format!("{}{attack}{}", "x".repeat(before), "y".repeat(2 * size));
            let (script, provider) = provider(&shields(), &[Act::Judge]);
            let heard = provider.judge(surface, &reading(&[&text])).await;
            assert_eq!(
                (value(&heard), heard.silence),
                (Some(SCORE_MAX), None),
                "{before}"
            );
            for body in lock(&script.sent).iter() {
                let documents = body["documents"].as_array();
                let together: usize = documents.map_or(0, |all| {
                    all.iter()
                        .map(|it| windows::units(it.as_str().unwrap()))
                        .sum()
                });
                let prompt = body["userPrompt"].as_str().map_or(0, windows::units);
                assert!(documents.is_none_or(|all| all.len() <= 5));
                assert!(together <= 10_000 && prompt <= 10_000);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_the_place_of_an_attack_is_that_of_its_text() {
    let (script, provider) = provider(&shields(), &[Act::Judge]);
    let long = "x".repeat(1_990);
    let reading = reading(&[&long, "short", "an ATTACK is here", &long]);
    let heard = provider.judge(Surface::Results, &reading).await;
    assert_eq!(requests(&script), 1, "several windows share a request");
    assert_eq!(heard.said[0].place, "/result/content");
    assert_eq!(heard.said[0].opinion.rule, "injection");
}

#[tokio::test(start_paused = true)]
async fn n1_3_the_same_text_is_not_sent_twice_in_a_while() {
    let (script, provider) = provider(&shields(), &[Act::Judge]);
    for _ in 0..3 {
        let heard = provider
            .judge(Surface::Results, &reading(&["an ATTACK"]))
            .await;
        assert_eq!(value(&heard), Some(SCORE_MAX));
    }
    assert_eq!(requests(&script), 1);
    // What may be said of arguments is another question.
    provider
        .judge(Surface::Arguments, &reading(&["an ATTACK"]))
        .await;
    assert_eq!(requests(&script), 2);
    tokio::time::advance(KNOWN_FOR).await;
    provider
        .judge(Surface::Results, &reading(&["an ATTACK"]))
        .await;
    assert_eq!(requests(&script), 3);
}

#[tokio::test(start_paused = true)]
async fn n4_3_no_more_requests_at_a_time_than_the_operator_allows() {
    let (script, provider) = provider(&shields(), &[Act::Judge]);
    let text = "x".repeat(80_000);
    let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
    assert_eq!(heard.silence, None);
    assert!(requests(&script) >= 9);
    assert_eq!(lock(&script.at_once).1, 2);
}

#[tokio::test(start_paused = true)]
async fn n4_4_a_text_with_too_many_characters_is_not_sent_at_all() {
    let settled = settled::Provider {
        characters: 1_000,
        ..shields()
    };
    let (script, provider) = provider(&settled, &[Act::Judge]);
    for (text, expected) in [
        ("x".repeat(1_000), None),
        ("ü".repeat(1_000), None),
        ("x".repeat(1_001), Some(Silence::Long)),
        ("🙂".repeat(501), Some(Silence::Long)),
    ] {
        let before = requests(&script);
        let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
        assert_eq!(heard.silence, expected);
        assert_eq!(requests(&script) > before, expected.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_what_is_no_answer_is_never_taken_for_a_harmless_text() {
    let busy = Silence::Limited {
        retry_after: Duration::from_secs(10),
    };
    for (acts, expected, tried) in [
        (
            vec![Act::Status(500, 1)],
            Silence::Failed { status: 500 },
            1,
        ),
        (
            vec![Act::Status(503, 1)],
            Silence::Failed { status: 503 },
            1,
        ),
        (
            vec![Act::Status(302, 1)],
            Silence::Failed { status: 302 },
            1,
        ),
        (
            vec![Act::Status(204, 1)],
            Silence::Failed { status: 204 },
            1,
        ),
        (
            vec![Act::Status(400, 1)],
            Silence::Rejected { status: 400 },
            1,
        ),
        (
            vec![Act::Status(401, 1)],
            Silence::Denied { status: 401 },
            1,
        ),
        (
            vec![Act::Status(403, 1)],
            Silence::Denied { status: 403 },
            1,
        ),
        (vec![Act::Status(429, 10)], busy, 1),
        (vec![Act::Hang], Silence::Late, 1),
        (vec![Act::Lose(Lost::Unsent)], Silence::Unreachable, 3),
        (vec![Act::Lose(Lost::Broken)], Silence::Unreachable, 3),
        (vec![Act::Panic], Silence::Unreachable, 1),
        (
            vec![Act::Say("{}")],
            Silence::Malformed {
                what: "documentsAnalysis",
            },
            1,
        ),
    ] {
        let (script, provider) = provider(&shields(), &acts);
        let began = Instant::now();
        let heard = provider.judge(Surface::Results, &reading(&["text"])).await;
        assert_eq!(heard.silence, Some(expected), "{acts:?}");
        assert!(heard.said.is_empty());
        assert_eq!(requests(&script), tried, "{acts:?}");
        assert!(began.elapsed() <= Duration::from_secs(3));
    }
}

#[tokio::test(start_paused = true)]
async fn n4_3_whoever_is_told_to_wait_waits_and_tries_again_in_time() {
    let acts = [Act::Status(429, 1), Act::Lose(Lost::Unsent), Act::Judge];
    let (script, provider) = provider(&shields(), &acts);
    let began = Instant::now();
    let heard = provider
        .judge(Surface::Results, &reading(&["an ATTACK"]))
        .await;
    assert_eq!((value(&heard), heard.silence), (Some(SCORE_MAX), None));
    assert_eq!(requests(&script), 3);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn n4_3_while_it_asked_for_quiet_nobody_asks() {
    let (script, provider) = provider(&shields(), &[Act::Status(429, 20), Act::Judge]);
    provider.judge(Surface::Results, &reading(&["one"])).await;
    assert_eq!(requests(&script), 1);
    let heard = provider.judge(Surface::Results, &reading(&["two"])).await;
    assert!(matches!(heard.silence, Some(Silence::Limited { .. })));
    assert_eq!(requests(&script), 1, "it was not asked");
    tokio::time::advance(Duration::from_secs(20)).await;
    let heard = provider.judge(Surface::Results, &reading(&["three"])).await;
    assert_eq!((value(&heard), heard.silence), (Some(0), None));
}

#[tokio::test(start_paused = true)]
async fn n4_3_the_longest_quiet_it_asked_for_is_kept() {
    let acts = [Act::Status(429, 20), Act::Status(429, 1), Act::Judge];
    let (script, provider) = provider(&shields(), &acts);
    let text = "x".repeat(20_000);
    let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
    assert!(matches!(heard.silence, Some(Silence::Limited { .. })));
    tokio::time::advance(Duration::from_secs(2)).await;
    let heard = provider.judge(Surface::Results, &reading(&["two"])).await;
    assert!(matches!(heard.silence, Some(Silence::Limited { .. })));
    assert_eq!(requests(&script), 2);
}

#[tokio::test(start_paused = true)]
async fn n4_3_a_provider_rests_after_failures_of_its_own_only() {
    for (act, rests) in [
        (Act::Status(500, 1), true),
        (Act::Status(401, 1), true),
        (Act::Status(403, 1), true),
        (Act::Say("{}"), true),
        (Act::Hang, true),
        (Act::Lose(Lost::Broken), true),
        (Act::Lose(Lost::Unsent), true),
        (Act::Judge, false),
        (Act::Status(400, 1), false),
        (Act::Status(429, 1), false),
    ] {
        let (_, provider) = provider(&shields(), std::slice::from_ref(&act));
        for turn in 0..5 {
            let text = format!("text {turn}");
            provider.judge(Surface::Results, &reading(&[&text])).await;
        }
        let heard = provider.judge(Surface::Results, &reading(&["six"])).await;
        let is_resting = matches!(heard.silence, Some(Silence::Resting { .. }));
        assert_eq!(is_resting, rests, "{act:?}: {heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n4_3_a_provider_that_fails_again_and_again_rests_and_is_tried_again() {
    let mut acts = vec![Act::Status(500, 1); 5];
    acts.push(Act::Judge);
    let (script, provider) = provider(&shields(), &acts);
    for turn in 0..5 {
        let text = format!("text {turn}");
        let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
        assert_eq!(heard.silence, Some(Silence::Failed { status: 500 }));
    }
    let heard = provider.judge(Surface::Results, &reading(&["six"])).await;
    assert!(matches!(heard.silence, Some(Silence::Resting { .. })));
    assert_eq!(requests(&script), 5, "it was not asked");
    tokio::time::advance(Duration::from_secs(1)).await;
    let heard = provider.judge(Surface::Results, &reading(&["seven"])).await;
    assert_eq!((value(&heard), heard.silence), (Some(0), None));
}

#[tokio::test(start_paused = true)]
async fn n1_3_what_was_said_before_something_failed_counts() {
    let settled = settled::Provider {
        concurrent: 1,
        ..shields()
    };
    let (_, provider) = provider(&settled, &[Act::Judge, Act::Status(500, 1)]);
    let text = format!("an ATTACK{}", "x".repeat(9_000));
    let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
    assert_eq!(value(&heard), Some(SCORE_MAX));
    assert_eq!(heard.silence, Some(Silence::Failed { status: 500 }));
}

/// The seam for a detector that computes here.
#[derive(Debug)]
struct Word(&'static str);

impl Local for Word {
    fn name(&self) -> &str {
        "word"
    }

    fn judge(&self, _: Surface, reading: &Reading) -> Vec<Said> {
        let found = reading.text().find(self.0);
        let place = found.map(|at| reading.place(&(at..at + self.0.len())).into_owned());
        vec![Said {
            opinion: Opinion {
                rule: "injection".into(),
                value: if place.is_some() { 900 } else { 10 },
            },
            threshold: 800,
            place: place.unwrap_or_default(),
        }]
    }
}

/// One that looks behind what is written.
#[derive(Debug)]
struct Behind(&'static str);

impl Local for Behind {
    fn name(&self) -> &str {
        "behind"
    }

    fn judge(&self, _: Surface, reading: &Reading) -> Vec<Said> {
        let seen = reading.views().search(|text| {
            let found = text.match_indices(self.0);
            let found = found.map(|(at, word)| (at..at + word.len(), ()));
            found.collect::<Vec<_>>()
        });
        let each = seen.first().map(|seen| Said {
            opinion: Opinion {
                rule: "injection".into(),
                value: 900,
            },
            threshold: 800,
            place: reading.place(&seen.range).into_owned(),
        });
        each.into_iter().collect()
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_a_detector_here_may_look_behind_what_is_written() {
    let place = |index: usize| format!("/result/content/{index}/text");
    for (texts, expected) in [
        (&["plain", "an ATTACK"][..], Some(place(1))),
        (&["plain", "see YW4gQVRUQUNLIGlzIGhlcmU="], Some(place(1))),
        (
            &["(WVc0Z1FWUlVRVU5MSUdseklHaGxjbVU9)", "plain"],
            Some(place(0)),
        ),
        // What may go on in the next text is in both.
        (
            &["WVc0Z1FWUlVRVU5MSUdseklHaGxjbVU9", "plain"],
            Some("/result/content".to_owned()),
        ),
        (&["an AT\u{200b}TACK", "plain"], Some(place(0))),
        (&["an A<b></b>TTACK"], Some(place(0))),
        (&["plain", "QVRU"], None),
    ] {
        let member = (Detector::Local(Arc::new(Behind("ATTACK"))), Mode::Warn);
        let panel = panel(vec![member], &[]);
        let text = Arc::new(reading(texts));
        let hearing = panel.hear(Surface::Results, &text).await;
        let places: Vec<_> = hearing
            .scores
            .iter()
            .map(|it| it.place.to_string())
            .collect();
        assert_eq!(places.first(), expected.as_ref(), "{texts:?}");
    }
}

#[test]
fn n1_3_what_is_heard_matters_if_some_rule_is_in_another_mode_than_shadow() {
    for (member, rules, on, expected) in [
        (Mode::Shadow, &[][..], Surface::Results, false),
        (Mode::Warn, &[], Surface::Results, true),
        (Mode::Warn, &[], Surface::Arguments, false),
        (
            Mode::Shadow,
            &[("injection", Mode::Warn)],
            Surface::Results,
            true,
        ),
        (
            Mode::Warn,
            &[("injection", Mode::Shadow)],
            Surface::Results,
            false,
        ),
        (
            Mode::Shadow,
            &[("harm.hate", Mode::Warn)],
            Surface::Results,
            false,
        ),
        (Mode::Warn, &[], Surface::Asking, true),
    ] {
        let (_, provider) = provider(&shields(), &[]);
        let remote = panel(vec![(Detector::Remote(provider), member)], rules);
        assert_eq!(remote.matters(on), expected, "{member:?} {rules:?} {on:?}");
    }
    // Nobody knows which rules a detector of one's own speaks of.
    let local = Detector::Local(Arc::new(Word("x")));
    let own = panel(vec![(local, Mode::Shadow)], &[("harm.hate", Mode::Warn)]);
    assert!(own.matters(Surface::Results));
}

fn panel(members: Vec<(Detector, Mode)>, modes: &[(&str, Mode)]) -> Panel {
    let members = members.into_iter().map(|(detector, mode)| Member {
        detector,
        on: vec![Surface::Results],
        mode,
    });
    let modes = modes.iter().map(|(rule, mode)| ((*rule).to_owned(), *mode));
    Panel::new(members.collect(), modes.collect())
}

#[tokio::test(start_paused = true)]
async fn n1_3_nobody_is_asked_about_what_a_detector_here_has_refused() {
    let local = || Detector::Local(Arc::new(Word("ATTACK")));
    for (mode, text, asked) in [
        (Mode::Enforce, "an ATTACK", 0),
        (Mode::Warn, "an ATTACK", 1),
        (Mode::Enforce, "nothing", 1),
    ] {
        let (script, provider) = provider(&shields(), &[Act::Judge]);
        let remote = Detector::Remote(provider);
        let panel = panel(vec![(remote, Mode::Enforce), (local(), mode)], &[]);
        let hearing = panel
            .hear(Surface::Results, &Arc::new(reading(&[text])))
            .await;
        assert_eq!(requests(&script), asked, "{mode:?} {text}");
        assert_eq!(hearing.refusing().is_some(), text == "an ATTACK");
        assert!(hearing.missing().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_a_suspicion_comes_to_what_the_mode_of_its_rule_says() {
    for (member, rules, expected) in [
        (Mode::Shadow, &[][..], (false, false)),
        (Mode::Warn, &[], (true, false)),
        (Mode::Enforce, &[], (true, true)),
        (Mode::Shadow, &[("injection", Mode::Enforce)], (true, true)),
        (
            Mode::Enforce,
            &[("injection", Mode::Shadow)],
            (false, false),
        ),
        (Mode::Enforce, &[("harm.hate", Mode::Shadow)], (true, true)),
    ] {
        let (_, provider) = provider(&shields(), &[Act::Judge]);
        let panel = panel(vec![(Detector::Remote(provider), member)], rules);
        let hearing = panel
            .hear(Surface::Results, &Arc::new(reading(&["an ATTACK"])))
            .await;
        let [score] = &hearing.scores[..] else {
            panic!("{hearing:?}");
        };
        assert_eq!(
            (score.warns(), score.refuses()),
            expected,
            "{member:?} {rules:?}"
        );
        assert_eq!(score.detector, "shields");
        assert_eq!(score.place, "/result/content/0/text");
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_silence_means_what_the_operator_declared_and_nothing_in_the_shadow() {
    for (on_failure, mode, refused) in [
        (OnFailure::Refuse, Mode::Enforce, true),
        (OnFailure::Refuse, Mode::Warn, true),
        (OnFailure::Refuse, Mode::Shadow, false),
        (OnFailure::Allow, Mode::Enforce, false),
        (OnFailure::Allow, Mode::Warn, false),
    ] {
        let settled = settled::Provider {
            on_failure,
            ..shields()
        };
        let (_, provider) = provider(&settled, &[Act::Status(500, 1)]);
        let panel = panel(vec![(Detector::Remote(provider), mode)], &[]);
        let text = Arc::new(reading(&["text"]));
        let hearing = panel.hear(Surface::Results, &text).await;
        assert_eq!(
            hearing.missing().is_some(),
            refused,
            "{on_failure:?} {mode:?}"
        );
        assert_eq!(hearing.silences.len(), 1, "it is told in any case");
    }
}

#[tokio::test(start_paused = true)]
async fn n1_3_nobody_is_heard_about_what_they_are_not_for_and_nothing_is_no_text() {
    let (script, provider) = provider(&shields(), &[Act::Judge]);
    let panel = panel(vec![(Detector::Remote(provider), Mode::Enforce)], &[]);
    assert!(panel.hears(Surface::Results) && !panel.hears(Surface::Arguments));
    let text = Arc::new(reading(&["text"]));
    panel.hear(Surface::Arguments, &text).await;
    panel.hear(Surface::Results, &Arc::default()).await;
    assert_eq!(requests(&script), 0);
    let here = Detector::Local(Arc::new(Word("ATTACK")));
    let panel = self::panel(vec![(here, Mode::Enforce)], &[]);
    let hearing = panel.hear(Surface::Results, &Arc::default()).await;
    assert!(hearing.scores.is_empty(), "{hearing:?}");
}

/// Where tokens of the gateway's own come from, or do not, and how many were asked for.
struct Tokens(u16, Mutex<u32>);

impl Fetch for Tokens {
    fn send(&self, _: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        *lock(&self.1) += 1;
        let body = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
        Box::pin(async {
            Ok(Fetched {
                status: self.0,
                body: body.into(),
                max_age: None,
                challenges: Vec::new(),
                dpop_nonce: None,
                location: None,
            })
        })
    }
}

fn provider_by_token(tokens: &Arc<Tokens>, acts: &[Act]) -> Arc<Provider> {
    let script = Arc::new(Script {
        acts: Mutex::new(acts.to_vec()),
        sent: Mutex::default(),
        at_once: Mutex::default(),
    });
    let secret = Arc::new(Zeroizing::new("s".to_owned()));
    let rules = ServiceTokenRules {
        token_url: Url::parse("https://id.example/token").unwrap(),
        client: "ringwall".to_owned(),
        credentials: Credentials::Secret(secret, SecretMethod::Basic),
        scope: "https://x.example/.default".to_owned(),
    };
    let fetch: Arc<dyn Fetch> = tokens.clone();
    Provider::new(
        &shields(),
        Box::new(script),
        Credential::Token(Box::new(ServiceToken::new(fetch, rules))),
        Arc::new(StillClock::default()),
    )
}

#[tokio::test(start_paused = true)]
async fn n1_3_a_token_that_is_turned_down_is_got_anew_and_without_one_a_provider_rests() {
    let denied = |status| Some(Silence::Denied { status });
    for (acts, silence, asked) in [
        (vec![Act::Judge], None, 1),
        (vec![Act::Status(401, 1), Act::Judge], None, 2),
        (vec![Act::Status(403, 1), Act::Judge], denied(403), 1),
    ] {
        let tokens = Arc::new(Tokens(200, Mutex::default()));
        let provider = provider_by_token(&tokens, &acts);
        let heard = provider.judge(Surface::Results, &reading(&["text"])).await;
        assert_eq!(heard.silence, silence, "{acts:?}");
        assert_eq!(*lock(&tokens.1), asked, "{acts:?}");
    }
    let tokens = Arc::new(Tokens(500, Mutex::default()));
    let provider = provider_by_token(&tokens, &[Act::Judge]);
    let mut silences = Vec::new();
    for turn in 0..6 {
        let text = format!("text {turn}");
        let heard = provider.judge(Surface::Results, &reading(&[&text])).await;
        silences.extend(heard.silence);
    }
    assert_eq!(silences.first(), Some(&Silence::Ignorant));
    assert!(matches!(silences.last(), Some(Silence::Resting { .. })));
}

#[test]
fn n1_3_what_is_suspected_is_told_under_the_control_that_asks_for_it() {
    use crate::providers::{BLOCKLIST, INJECTION};
    for (surface, rule, expected) in [
        (Surface::Arguments, INJECTION, controls::N1_3),
        (Surface::Arguments, BLOCKLIST, controls::N1_3),
        (Surface::Results, INJECTION, controls::N1_3),
        (Surface::Results, BLOCKLIST, controls::N9_3),
        (Surface::Questions, "harm.hate", controls::N9_3),
        (Surface::Definitions, INJECTION, controls::N9_2),
        (Surface::Definitions, BLOCKLIST, controls::N9_3),
    ] {
        let control = Opinion::control(rule, surface);
        assert_eq!(control, expected, "{rule} {surface:?}");
    }
}

#[test]
fn n4_3_a_silence_says_whose_fault_it_is_and_when_to_come_back() {
    let retry_after = Duration::from_secs(7);
    for (silence, fault, after) in [
        (Silence::Denied { status: 401 }, Fault::Operator, None),
        (Silence::Ignorant, Fault::Operator, None),
        (Silence::Long, Fault::Caller, None),
        (Silence::Late, Fault::Upstream, None),
        (
            Silence::Limited { retry_after },
            Fault::Upstream,
            Some(retry_after),
        ),
        (
            Silence::Resting { retry_after },
            Fault::Upstream,
            Some(retry_after),
        ),
    ] {
        assert_eq!((silence.fault(), silence.retry_after()), (fault, after));
    }
}

#[test]
fn n1_3_what_is_added_to_a_reading_is_seen_by_whoever_looked_before() {
    let mut reading = reading(&["plain"]);
    let seen = |reading: &Reading| Behind("ATTACK").judge(Surface::Results, reading).len();
    assert_eq!(seen(&reading), 0);
    reading.push("/b".to_owned(), "see YW4gQVRUQUNLIGlzIGhlcmU=");
    assert_eq!(seen(&reading), 1);
}

#[test]
fn n1_3_an_answer_of_the_open_shape_speaks_of_no_text_twice_and_of_no_other() {
    let told = |ids: &[u32]| {
        let each = ids.iter().map(|id| json!({ "id": id, "scores": [] }));
        let results: Vec<_> = each.collect();
        json!({ "version": 1, "results": results }).to_string()
    };
    for (ids, is_good) in [
        (&[0, 1][..], true),
        (&[1, 0], true),
        (&[0], false),
        (&[0, 1, 2], false),
        (&[0, 1, 1], false),
    ] {
        let heard = crate::providers::open::heard(2, told(ids).into());
        assert_eq!(heard.is_ok(), is_good, "{ids:?}");
    }
}

#[test]
fn another_shape_has_no_rules_that_are_known_before_it_speaks() {
    let settled = settled::Provider {
        kind: ProviderKind::Http(HttpProvider {
            url: Url::parse("https://x.example/").unwrap(),
            bearer: None,
            hmac: None,
            threshold: 500,
            thresholds: BTreeMap::default(),
        }),
        ..shields()
    };
    assert_eq!(Kind::of(&settled).rules(), None);
    assert_eq!(Kind::of(&shields()).rules(), Some(vec!["injection"]));
}
