//! MCP load generator: one thread, one epoll loop, raw HTTP/1.1 keep-alive.
//!
//!   mcpb-load --port P [--path /mcp] --conns N --secs S [--warm S] [--max-requests N]
//!             [--rate R [--poisson]] [--token-file F [--token-rotate]] [--tool NAME|auto]
//!             [--payload BYTES] [--body-template FILE] [--header 'K: V'] [--stateless]
//!             [--pid label=PID]... [--gw-cpu N] [--label X]
//!
//! Each connection runs initialize, notifications/initialized, then tools/call on its own session.
//! Without --rate: closed loop (next call as soon as the last is answered).
//! With --rate: open loop. Call k is due at start + k/R whatever the gateway does, waits in a queue
//! if every connection is busy, and its latency counts from when it was due (no coordinated
//! omission). Every response is checked: status 200 and the unique text of that very call in it.
//! Prints one JSON object.
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, IntoRawFd};

struct Hist {
    b: Vec<u32>,
    n: u64,
    sum: u128,
    max: u64,
}
impl Hist {
    fn new() -> Self {
        Hist { b: vec![0; 1024 * 56], n: 0, sum: 0, max: 0 }
    }
    fn add(&mut self, v: u64) {
        let i = if v < 2048 {
            v as usize
        } else {
            let e = 53 - v.leading_zeros() as usize;
            e * 1024 + (v >> e) as usize
        };
        self.b[i] += 1;
        self.n += 1;
        self.sum += v as u128;
        self.max = self.max.max(v);
    }
    fn q(&self, q: f64) -> f64 {
        let want = (q * self.n as f64).ceil() as u64;
        let mut c = 0u64;
        for (i, x) in self.b.iter().enumerate() {
            c += *x as u64;
            if c >= want && *x > 0 {
                let v = if i < 2048 { i as u64 } else { ((i % 1024 + 1024) as u64) << (i / 1024 - 1) };
                return v as f64 / 1000.0;
            }
        }
        self.max as f64 / 1000.0
    }
}

fn now() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

#[derive(Debug)]
enum Parsed {
    More,
    Bad(&'static str),
    Done { status: u16, end: usize, close: bool, session: Option<String>, body: (usize, usize) },
}
fn find(h: &[u8], n: &[u8]) -> Option<usize> {
    if n.is_empty() || h.len() < n.len() {
        return None;
    }
    let p = unsafe { libc::memmem(h.as_ptr().cast(), h.len(), n.as_ptr().cast(), n.len()) };
    (!p.is_null()).then(|| p as usize - h.as_ptr() as usize)
}
/// Is there one whole response at the front of `b`? (`body` spans raw bytes, chunk heads included.)
fn parse(b: &[u8]) -> Parsed {
    let Some(he) = find(b, b"\r\n\r\n") else { return Parsed::More };
    if b.len() < 12 || !b.starts_with(b"HTTP/1.1 ") {
        return Parsed::Bad("not http/1.1");
    }
    let status = std::str::from_utf8(&b[9..12]).ok().and_then(|s| s.parse().ok()).unwrap_or(0u16);
    let (mut len, mut chunked, mut close, mut session) = (None, false, false, None);
    for line in b[..he].split(|c| *c == b'\n').skip(1) {
        let Some(c) = line.iter().position(|c| *c == b':') else { continue };
        let (k, v) = (&line[..c], line[c + 1..].trim_ascii());
        match k.len() {
            14 if k.eq_ignore_ascii_case(b"content-length") => len = std::str::from_utf8(v).ok().and_then(|s| s.parse::<usize>().ok()),
            17 if k.eq_ignore_ascii_case(b"transfer-encoding") => chunked = v.eq_ignore_ascii_case(b"chunked"),
            10 if k.eq_ignore_ascii_case(b"connection") => close = v.eq_ignore_ascii_case(b"close"),
            14 if k.eq_ignore_ascii_case(b"mcp-session-id") => session = Some(Staws_lc_rs::from_utf8_lossy(v).into_owned()),
            _ => {}
        }
    }
    let start = he + 4;
    let end = if chunked {
        let mut p = start;
        loop {
            let Some(le) = find(&b[p..], b"\r\n") else { return Parsed::More };
            let hex = b[p..p + le].split(|c| *c == b';').next().unwrap_or(b"");
            let Some(n) = std::str::from_utf8(hex).ok().and_then(|s| usize::from_str_radix(s.trim(), 16).ok()) else {
                return Parsed::Bad("chunk");
            };
            p += le + 2 + n + 2;
            if p > b.len() {
                return Parsed::More;
            }
            if n == 0 {
                break p;
            }
        }
    } else {
        start + match len {
            Some(n) => n,
            None if status == 204 || status == 202 => 0,
            None => return Parsed::Bad("no length"),
        }
    };
    if b.len() < end {
        return Parsed::More;
    }
    Parsed::Done { status, end, close, session, body: (start, end) }
}

struct Opt {
    port: u16,
    path: String,
    conns: usize,
    secs: f64,
    warm: f64,
    max: u64,
    rate: f64,
    poisson: bool,
    tokens: Vec<String>,
    rotate: bool,
    tool: String,
    payload: usize,
    template: Option<String>,
    headers: Vec<String>,
    stateless: bool,
    proto: String,
    pids: Vec<(String, i32)>,
    label: String,
    gw_cpu: Option<usize>,
}

struct Conn {
    s: TcpStream,
    rbuf: Vec<u8>,
    rlen: usize,
    session: Option<String>,
    token: usize,
    head: Vec<u8>,
    out: Vec<u8>,
    busy: bool,
    due: u64,
    marker: String,
    rec: bool,
}

fn head(o: &Opt, session: Option<&str>, token: usize) -> Vec<u8> {
    let mut h = format!(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: {}\r\n",
        o.path, o.port, o.proto
    );
    if let Some(s) = session {
        h += &format!("Mcp-Session-Id: {s}\r\n");
    }
    if !o.tokens.is_empty() {
        h += &format!("Authorization: Bearer {}\r\n", o.tokens[token % o.tokens.len()]);
    }
    for x in &o.headers {
        h += x;
        h += "\r\n";
    }
    h += "Content-Length: ";
    h.into_bytes()
}
fn frame(out: &mut Vec<u8>, head: &[u8], body: &str) {
    out.clear();
    out.extend_from_slice(head);
    let _ = write!(out, "{}\r\n\r\n{}", body.len(), body);
}
fn dial(port: u16) -> TcpStream {
    let s = TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|e| die(&format!("connect: {e}")));
    s.set_nodelay(true).unwrap();
    s
}
fn die(m: &str) -> ! {
    println!("{}", serde_json::json!({"error": m}));
    std::process::exit(1)
}
/// Blocking request/response, for the set-up phase only.
fn ask(c: &mut Conn, o: &Opt, body: &str) -> (u16, Vec<u8>) {
    frame(&mut c.out, &c.head, body);
    c.s.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let out = std::mem::take(&mut c.out);
    if c.s.write_all(&out).is_err() {
        die("set-up: write failed");
    }
    c.out = out;
    let mut b = Vec::new();
    let mut t = [0u8; 65536];
    loop {
        match parse(&b) {
            Parsed::Done { status, close, session, body, .. } => {
                let raw = b[body.0..body.1].to_vec();
                if session.is_some() && c.session != session {
                    c.session = session;
                    c.head = head(o, c.session.as_deref(), c.token);
                }
                if close {
                    c.s = dial(o.port);
                }
                return (status, raw);
            }
            Parsed::Bad(m) => die(&format!("set-up: {m}: {}", Staws_lc_rs::from_utf8_lossy(&b))),
            Parsed::More => match c.s.read(&mut t) {
                Ok(0) => die(&format!("set-up: closed after {}", Staws_lc_rs::from_utf8_lossy(&b))),
                Ok(n) => b.extend_from_slice(&t[..n]),
                Err(e) => die(&format!("set-up: {e}; had {}", Staws_lc_rs::from_utf8_lossy(&b))),
            },
        }
    }
}

fn descendants(root: i32) -> Vec<i32> {
    let mut kids: Vec<(i32, i32)> = Vec::new();
    for e in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(p) = e.file_name().to_string_lossy().parse::<i32>() else { continue };
        if let Ok(s) = std::fs::read_to_string(format!("/proc/{p}/stat")) {
            if let Some(r) = s.rfind(')') {
                if let Some(pp) = s[r + 2..].split(' ').nth(1).and_then(|x| x.parse().ok()) {
                    kids.push((p, pp));
                }
            }
        }
    }
    let mut all = vec![root];
    let mut i = 0;
    while i < all.len() {
        let p = all[i];
        all.extend(kids.iter().filter(|(c, pp)| *pp == p && !all.contains(c)).map(|x| x.0).collect::<Vec<_>>());
        i += 1;
    }
    all
}
/// (user s, sys s, precise run time s summed over live threads)
fn cpu(pids: &[i32]) -> (f64, f64, f64) {
    let hz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let (mut u, mut s, mut r) = (0.0, 0.0, 0.0);
    for p in pids {
        if let Ok(t) = std::fs::read_to_string(format!("/proc/{p}/stat")) {
            if let Some(i) = t.rfind(')') {
                let f: Vec<&str> = t[i + 2..].split(' ').collect();
                u += f[11].parse::<f64>().unwrap_or(0.0) / hz;
                s += f[12].parse::<f64>().unwrap_or(0.0) / hz;
            }
        }
        for e in std::fs::read_dir(format!("/proc/{p}/task")).into_iter().flatten().flatten() {
            if let Ok(t) = std::fs::read_to_string(e.path().join("schedstat")) {
                r += t.split(' ').next().and_then(|x| x.parse::<f64>().ok()).unwrap_or(0.0) / 1e9;
            }
        }
    }
    (u, s, r)
}
fn rss(pids: &[i32]) -> (u64, u64) {
    let (mut rss, mut pss) = (0, 0);
    for p in pids {
        let grab = |f: String, k: &str| -> u64 {
            std::fs::read_to_string(f).ok().and_then(|t| t.lines().find(|l| l.starts_with(k)).and_then(|l| l.split_whitespace().nth(1).and_then(|x| x.parse().ok()))).unwrap_or(0)
        };
        rss += grab(format!("/proc/{p}/status"), "VmRSS:");
        pss += grab(format!("/proc/{p}/smaps_rollup"), "Pss:");
    }
    (rss, pss)
}
/// Busy seconds of the whole machine, or of one CPU.
fn machine_busy(cpu: Option<usize>) -> f64 {
    let hz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let t = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let f: Vec<f64> = t.lines().nth(cpu.map_or(0, |c| c + 1)).unwrap_or("").split_whitespace().skip(1).filter_map(|x| x.parse().ok()).collect();
    // user nice system irq softirq steal
    [0usize, 1, 2, 5, 6, 7].iter().map(|i| f.get(*i).copied().unwrap_or(0.0)).sum::<f64>() / hz
}

fn main() {
    let mut o = Opt {
        port: 0, path: "/mcp".into(), conns: 1, secs: 5.0, warm: 1.0, max: 20_000_000, rate: 0.0, poisson: false,
        tokens: vec![], rotate: false, tool: "auto".into(), payload: 64, template: None, headers: vec![],
        stateless: false, proto: "2025-06-18".into(), pids: vec![], label: String::new(), gw_cpu: None,
    };
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        match k.as_str() {
            "--poisson" => { o.poisson = true; continue }
            "--token-rotate" => { o.rotate = true; continue }
            "--stateless" => { o.stateless = true; continue }
            _ => {}
        }
        let v = a.next().unwrap_or_else(|| die("value expected"));
        match k.as_str() {
            "--port" => o.port = v.parse().unwrap(),
            "--path" => o.path = v,
            "--conns" => o.conns = v.parse().unwrap(),
            "--secs" => o.secs = v.parse().unwrap(),
            "--warm" => o.warm = v.parse().unwrap(),
            "--max-requests" => o.max = v.parse().unwrap(),
            "--rate" => o.rate = v.parse().unwrap(),
            "--tool" => o.tool = v,
            "--payload" => o.payload = v.parse().unwrap(),
            "--proto" => o.proto = v,
            "--label" => o.label = v,
            "--gw-cpu" => o.gw_cpu = v.parse().ok(),
            "--header" => o.headers.push(v),
            "--body-template" => o.template = Some(std::fs::read_to_string(&v).unwrap().trim().to_string()),
            "--token-file" => o.tokens = std::fs::read_to_string(&v).unwrap_or_else(|e| die(&e.to_string())).split_whitespace().map(Staws_lc_rs::from).collect(),
            "--pid" => {
                let (l, p) = v.split_once('=').unwrap_or_else(|| die("--pid label=PID"));
                o.pids.push((l.into(), p.parse().unwrap()));
            }
            _ => die(&format!("unknown option {k}")),
        }
    }
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1usize);
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
    // ---- set-up: sessions
    let t_setup = now();
    let mut conns: Vec<Conn> = Vec::new();
    let mut reconnects = 0u64;
    for i in 0..o.conns {
        let mut c = Conn {
            s: dial(o.port), rbuf: vec![0; 1 << 16], rlen: 0, session: None, token: i, head: head(&o, None, i), out: vec![],
            busy: false, due: 0, marker: String::new(), rec: false,
        };
        if !o.stateless {
            let (st, b) = ask(&mut c, &o, &format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{{\"protocolVersion\":\"{}\",\"capabilities\":{{}},\"clientInfo\":{{\"name\":\"mcpb-load\",\"version\":\"0.1.0\"}}}}}}", o.proto));
            if st != 200 || find(&b, b"serverInfo").is_none() {
                die(&format!("initialize: {st} {}", Staws_lc_rs::from_utf8_lossy(&b[..b.len().min(600)])));
            }
            ask(&mut c, &o, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
        }
        if i == 0 && o.tool == "auto" {
            let (_, b) = ask(&mut c, &o, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{}}");
            let t = Staws_lc_rs::from_utf8_lossy(&b).into_owned();
            // a gateway may prefix names: take the first "name":"…echo"
            let mut found = None;
            for part in t.split("\"name\":").skip(1) {
                let n = part.trim_start().trim_start_matches('"').split('"').next().unwrap_or("");
                if n.ends_with("echo") {
                    found = Some(n.to_string());
                    break;
                }
            }
            o.tool = found.unwrap_or_else(|| die(&format!("no echo tool in {}", &t[..t.len().min(600)])));
        }
        conns.push(c);
    }
    let setup_ms = (now() - t_setup) as f64 / 1e6;
    let ep = unsafe { libc::epoll_create1(0) };
    let add = |c: &Conn, i: usize| {
        c.s.set_nonblocking(true).unwrap();
        let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: i as u64 };
        unsafe { libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, c.s.as_raw_fd(), &mut e) };
    };
    for (i, c) in conns.iter().enumerate() {
        add(c, i);
    }
    let pad = "p".repeat(o.payload);
    let (mut next_id, mut sent) = (10u64, 0u64);
    let trees: Vec<(String, Vec<i32>)> = o.pids.iter().map(|(l, p)| (l.clone(), descendants(*p))).collect();
    let me = vec![std::process::id() as i32];
    let mut h = Hist::new();
    let (mut ok, mut bad, mut bad_sample) = (0u64, 0u64, String::new());
    let t0 = now();
    let w0 = t0 + (o.warm * 1e9) as u64;
    let w1 = w0 + (o.secs * 1e9) as u64;
    let mut cpu0: Option<(Vec<(f64, f64, f64)>, f64, f64, f64)> = None;
    let mut free: Vec<usize> = (0..conns.len()).rev().collect();
    let mut queue: VecDeque<u64> = VecDeque::new();
    let open = o.rate > 0.0;
    let gap = if open { 1e9 / o.rate } else { 0.0 };
    let mut next_due = t0 as f64;
    let mut rng = 0x9E3779B97F4A7C15u64;
    let mut maxq = 0usize;
    let mut late_max = 0u64;
    let mut evs: Vec<libc::epoll_event> = vec![libc::epoll_event { events: 0, u64: 0 }; 256];
    let mut body = String::new();

    macro_rules! send {
        ($i:expr, $due:expr) => {{
            let c = &mut conns[$i];
            let id = next_id;
            next_id += 1;
            sent += 1;
            c.marker.clear();
            use std::fmt::Write as _;
            let _ = write!(c.marker, "m{id}x{:x}-", (id as u32).wrapping_mul(2654435761));
            body.clear();
            match &o.template {
                Some(t) => body.push_str(&t.replace("{ID}", &id.to_string()).replace("{TEXT}", &format!("{}{}", c.marker, pad))),
                None => {
                    let _ = write!(body, "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"{}\",\"arguments\":{{\"text\":\"{}{}\"}}}}}}", o.tool, c.marker, pad);
                }
            }
            if o.rotate && !o.tokens.is_empty() {
                c.token = id as usize;
                c.head = head(&o, c.session.as_deref(), c.token);
            }
            let mut out = std::mem::take(&mut c.out);
            frame(&mut out, &c.head, &body);
            c.busy = true;
            c.due = $due;
            c.rec = $due >= w0 && $due < w1;
            c.rlen = 0;
            let mut off = 0;
            while off < out.len() {
                match c.s.write(&out[off..]) {
                    Ok(n) => off += n,
                    Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                        let mut p = libc::pollfd { fd: c.s.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
                        unsafe { libc::poll(&mut p, 1, 1000) };
                    }
                    Err(_) => {
                        // idle keep-alive connection closed under us: reconnect once and resend
                        reconnects += 1;
                        c.s = dial(o.port);
                        add(c, $i);
                        off = 0;
                        if reconnects > 200_000 { die("reconnect storm"); }
                    }
                }
            }
            c.out = out;
        }};
    }

    if !open {
        while let Some(i) = free.pop() {
            let t = now();
            send!(i, t);
        }
    }
    let hard = w1 + 3_000_000_000;
    loop {
        let t = now();
        if cpu0.is_none() && t >= w0 {
            cpu0 = Some((trees.iter().map(|(_, p)| cpu(p)).collect(), cpu(&me).2, machine_busy(o.gw_cpu), now() as f64));
        }
        if open {
            while next_due <= t as f64 && next_due < w1 as f64 && sent + (queue.len() as u64) < o.max {
                queue.push_back(next_due as u64);
                next_due += if o.poisson {
                    rng ^= rng << 13;
                    rng ^= rng >> 7;
                    rng ^= rng << 17;
                    -gap * (((rng >> 11) as f64 + 1.0) / (1u64 << 53) as f64).ln()
                } else {
                    gap
                };
            }
            maxq = maxq.max(queue.len());
            while !queue.is_empty() && !free.is_empty() {
                let d = queue.pop_front().unwrap();
                let i = free.pop().unwrap();
                late_max = late_max.max(now().saturating_sub(d));
                send!(i, d);
            }
        }
        let in_flight = conns.len() - free.len();
        if t >= w1 && (!open || t >= hard || (queue.is_empty() && in_flight == 0)) {
            break;
        }
        if sent >= o.max && in_flight == 0 {
            break;
        }
        let until = if open && next_due < w1 as f64 && !free.is_empty() { (next_due as u64).min(w1) } else { if t < w1 { w1 } else { hard } };
        let until = if cpu0.is_none() { until.min(w0) } else { until };
        let d = until.saturating_sub(now());
        let ts = libc::timespec { tv_sec: (d / 1_000_000_000) as i64, tv_nsec: (d % 1_000_000_000) as i64 };
        let n = unsafe { libc::syscall(libc::SYS_epoll_pwait2, ep, evs.as_mut_ptr(), evs.len() as i32, &ts as *const _, std::ptr::null::<libc::sigset_t>(), 8usize) };
        for k in 0..n.max(0) as usize {
            let i = evs[k].u64 as usize;
            let mut fin: Option<(bool, bool)> = None; // (good, close)
            {
                let c = &mut conns[i];
                if c.rbuf.len() - c.rlen < 1 << 15 {
                    c.rbuf.resize(c.rbuf.len() * 2, 0);
                }
                let r = c.s.read(&mut c.rbuf[c.rlen..]);
                match r {
                    Ok(0) => fin = Some((false, true)),
                    Ok(n) => {
                        c.rlen += n;
                        match parse(&c.rbuf[..c.rlen]) {
                            Parsed::More => {}
                            Parsed::Bad(m) => {
                                if bad_sample.is_empty() { bad_sample = m.into(); }
                                fin = Some((false, true));
                            }
                            Parsed::Done { status, end, close, body: (s, e), .. } => {
                                let good = status == 200 && end == c.rlen && find(&c.rbuf[s..e], c.marker.as_bytes()).is_some();
                                if !good && bad_sample.is_empty() {
                                    bad_sample = format!("{status} {}", Staws_lc_rs::from_utf8_lossy(&c.rbuf[s..e.min(s + 400)]));
                                }
                                fin = Some((good, close));
                            }
                        }
                    }
                    Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => fin = Some((false, true)),
                }
            }
            let Some((good, close)) = fin else { continue };
            let was_busy = conns[i].busy;
            if close {
                reconnects += 1;
                if reconnects > 200_000 { die("reconnect storm"); }
                conns[i].s = dial(o.port);
                add(&conns[i], i);
            }
            if !was_busy {
                continue;
            }
            let c = &mut conns[i];
            c.busy = false;
            let t = now();
            // Throughput and CPU per call count what was finished in the window (open loop: what
            // was due in it); latency counts calls that also began in it.
            if good && (if open { c.rec } else { t >= w0 && t < w1 }) {
                ok += 1;
            }
            if good && c.rec && (open || t < w1) {
                h.add(t - c.due);
            }
            if !good {
                bad += 1;
            }
            if open {
                free.push(i);
            } else if t < w1 && sent < o.max {
                send!(i, t);
            } else {
                free.push(i);
            }
        }
    }
    let tend = now();
    let (c0, me0, mb0, tc0) = cpu0.unwrap_or_else(|| (trees.iter().map(|(_, p)| cpu(p)).collect(), cpu(&me).2, machine_busy(o.gw_cpu), tend as f64));
    let wall = ((now() as f64 - tc0) / 1e9).max(1e-3);
    let c1: Vec<_> = trees.iter().map(|(_, p)| cpu(p)).collect();
    let me1 = cpu(&me).2;
    let mb1 = machine_busy(o.gw_cpu);
    let mut unfinished = 0u64;
    if open {
        for c in &conns {
            if c.busy && c.rec { h.add(tend - c.due); unfinished += 1; }
        }
        for d in &queue {
            if *d >= w0 { h.add(tend - d); unfinished += 1; }
        }
    }
    let mut procs = serde_json::Map::new();
    // others' share: of the whole machine, or only of the CPU the gateway is pinned to
    let mut known = if o.gw_cpu.is_some() { 0.0 } else { me1 - me0 };
    for (i, (l, p)) in trees.iter().enumerate() {
        let run = c1[i].2 - c0[i].2;
        if o.gw_cpu.is_none() || l == "gw" {
            known += run;
        }
        let (r, s) = rss(p);
        procs.insert(l.clone(), serde_json::json!({
            "cpu_us_per_req": run * 1e6 / ok.max(1) as f64,
            "user_s_per_100k": (c1[i].0 - c0[i].0) * 1e5 / ok.max(1) as f64,
            "sys_s_per_100k": (c1[i].1 - c0[i].1) * 1e5 / ok.max(1) as f64,
            "cores": run / wall, "rss_kib": r, "pss_kib": s, "procs": p.len(),
        }));
    }
    let foreign = ((mb1 - mb0) - known).max(0.0) / wall;
    println!("{}", serde_json::json!({
        "label": o.label, "conns": o.conns, "rate": o.rate, "secs": o.secs, "tool": o.tool, "payload": o.payload,
        "setup_ms": setup_ms, "sessions": conns.iter().filter(|c| c.session.is_some()).count(),
        "ok": ok, "bad": bad, "bad_sample": bad_sample, "unfinished": unfinished, "reconnects": reconnects,
        "rps": ok as f64 / o.secs,
        "lat_us": {"mean": if h.n > 0 { h.sum as f64 / h.n as f64 / 1000.0 } else { 0.0 }, "p50": h.q(0.5), "p90": h.q(0.9), "p99": h.q(0.99), "p999": h.q(0.999), "max": h.max as f64 / 1000.0},
        "max_queue": maxq, "max_late_us": late_max as f64 / 1000.0,
        "load_cpu_us_per_req": (me1 - me0) * 1e6 / ok.max(1) as f64,
        "procs": procs, "foreign_cores": foreign,
    }));
    for c in conns {
        let _ = c.s.into_raw_fd();
    }
}
