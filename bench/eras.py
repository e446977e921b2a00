#!/usr/bin/env python3
"""What both eras of MCP, bridges, merged lists, idle sessions and long streams cost. Python standard library only.

  eras.py [--parts calls,merged,held,streams] [--out out/eras] [--gateway PATH] [--rounds 3] [--secs 2]
          [--held 10000] [--streams 100] [--events 10000] [--pin] [-- further arguments for bench.py]

Keys, configurations and ledgers are made anew in every run. What is to be compared is measured interleaved in
one run of bench.py (parts calls and merged); memory and streams are measured here, each on a gateway that was
just started. Asserts nothing but that answers are right. Writes OUT/report.md.
"""
import argparse, http.client, json, os, re, selectors, shutil, signal, socket, statistics, subprocess, sys, time

here = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser()
ap.add_argument("--parts", default="calls,merged,held,streams")
ap.add_argument("--out", default=os.path.join(here, "out/eras"))
ap.add_argument("--bin", default=os.environ.get("MCPB_BIN", os.path.join(here, "target/release")))
ap.add_argument("--gateway", default=os.path.join(here, "../target/release/ringwall"))
ap.add_argument("--rounds", default="3")
ap.add_argument("--secs", default="2")
ap.add_argument("--held", type=int, default=10_000)
ap.add_argument("--streams", type=int, default=100)
ap.add_argument("--events", type=int, default=10_000)
ap.add_argument("--pin", action="store_true", help="gateway on CPU 0; load and upstream on CPU 1")
ap.add_argument("rest", nargs="*", help="for bench.py")
a = ap.parse_args()

# ---- what every run begins with
USERS = 10
PORTS = {1: 9321, 10: 9322, 100: 9323}
RESOURCES = ["http://127.0.0.1:9310/legacy", "http://127.0.0.1:9310/modern"]
RESOURCES += [f"http://127.0.0.1:{port}/mcp" for port in PORTS.values()]
keys = os.path.join(a.out, "keys")
report = None


def prepare():
    """Keys, tokens and configurations. The ledgers of an earlier run would be opened again, and grow for ever."""
    global report
    shutil.rmtree(a.out, ignore_errors=True)
    os.makedirs(keys)
    report = open(os.path.join(a.out, "report.md"), "w")
    subprocess.run([f"{a.bin}/mcpb-token", "--out", keys, "--ttl", "36000", "--count", str(64 * USERS), "--users", str(USERS),
                    "--claims", json.dumps({"aud": RESOURCES})], check=True)
    tokens = open(f"{keys}/tokens.ES256").read().split()
    open(f"{keys}/tokens", "w").write("\n".join(tokens[::USERS]) + "\n")
    for n, port in PORTS.items():
        merged(n, port)
    return tokens[:USERS]


def merged(n, port):
    """A route that leads to n servers of 100 tools each, and a policy for each server."""
    names = [f"s{i:03}" for i in range(n)]
    rate = "{ rate: 100000/s, burst: 100000, concurrent: 4096 }"
    servers = "".join(f"""  - name: {s}
    http: {{ url: http://127.0.0.1:9112/{s}, network: private }}
    era: legacy
    pins: first_use
""" for s in names)
    limits = "".join(f"  {kind}: {rate}\n" for kind in ["source", "user", "session", "tool", "resource"])
    open(f"{a.out}/merged-{n}.yaml", "w").write(f"""version: 1
public_url: http://127.0.0.1:{port}
data: data-{n}
listeners:
  - address: 127.0.0.1:{port}
issuers:
  - issuer: http://127.0.0.1:9000
    network: private
    keys: http://127.0.0.1:9112/jwks.json
    lifetime_max: 24h
servers:
{servers}routes:
  - path: /mcp
    servers: [{", ".join(names)}]
    ledger: {{ durability: interval }}
    sessions: {{ per_user: 4096 }}
limits:
{limits}  connections: 4096
policies: [merged-{n}.cedar]
""")
    open(f"{a.out}/merged-{n}.cedar", "w").write("".join(f"""@id("bench-users-use-{s}")
permit(
  principal,
  action in [Ringwall::Action::"use", Ringwall::Action::"list", Ringwall::Action::"call"],
  resource in Ringwall::Server::"{s}"
);
""" for s in names))


def say(text=""):
    print(text, flush=True)
    report.write(text + "\n")
    report.flush()


# ---- programs
targets = json.load(open(os.path.join(here, "targets-eras.json")))
running = []


def start(cmd, port, cpu, log):
    put = lambda x: x.replace("{BIN}", a.bin).replace("{HERE}", here).replace("{GATEWAY}", a.gateway)
    pin = (lambda: os.sched_setaffinity(0, {cpu})) if a.pin else None
    out = open(f"{a.out}/{log}.log", "ab")
    began = time.monotonic()
    p = subprocess.Popen([put(c) for c in cmd], stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=pin)
    running.append(p)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            p.began = time.monotonic() - began
            return p
        except OSError:
            if p.poll() is not None or time.monotonic() - began > 30:
                sys.exit(f"{log} did not start: see {a.out}/{log}.log")
            time.sleep(0.002)


def stop(*programs):
    for p in programs:
        p.terminate()
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        running.remove(p)


def upstreams(*names):
    return [start(targets["upstreams"][n]["cmd"], targets["upstreams"][n]["port"], 1, n) for n in names]


def gateway(target="legacy-legacy", fresh=True):
    t = next(t for t in targets["targets"] if t["name"] == target)
    if fresh:
        shutil.rmtree(f"{a.out}/data", ignore_errors=True)
    return start(t["cmd"], t["port"], 0, "gateway")


def rss(p):
    """Resident MiB."""
    text = open(f"/proc/{p.pid}/status").read()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def cpu(p):
    """Seconds of CPU of all its threads."""
    tasks = f"/proc/{p.pid}/task"
    return sum(int(open(f"{tasks}/{t}/schedstat").read().split()[0]) for t in os.listdir(tasks)) / 1e9


def bench(name, only, scenarios, *more):
    """One interleaved run; the summary and the raw lines."""
    out = f"{a.out}/{name}"
    cmd = [sys.executable, os.path.join(here, "bench.py"), "--targets", os.path.join(here, "targets-eras.json"), "--out", out, "--bin", a.bin,
           "--gateway", a.gateway, "--only", only, "--scenarios", scenarios, "--rounds", a.rounds, "--secs", a.secs, "--warm", "1", *more, *a.rest]
    p = subprocess.Popen(cmd + (["--pin"] if a.pin else []))
    running.append(p)
    if p.wait():
        sys.exit(f"bench.py failed: {p.returncode}")
    running.remove(p)
    raw = [json.loads(line) for line in open(f"{out}/raw.jsonl")]
    for r in raw:
        if "error" in r or r.get("bad"):
            print("!!", r["target"], r.get("error"), r.get("bad"), r.get("bad_sample"), file=sys.stderr)
    return json.load(open(f"{out}/summary.json")), raw


# ---- speaking MCP
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "eras", "version": "1"}}


def message(method, params, modern, session=None, notify=False, caps=None):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "MCP-Protocol-Version": "2026-07-28" if modern else "2025-06-18"}
    if modern:
        meta = dict(META) if caps is None else {**META, "io.modelcontextprotocol/clientCapabilities": caps}
        params = {**params, "_meta": {**meta, **params.get("_meta", {})}}
        headers["Mcp-Method"] = method
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
    if session:
        headers["Mcp-Session-Id"] = session
    body = {"jsonrpc": "2.0", "method": method, "params": params}
    if not notify:
        body["id"] = 1
    return headers, json.dumps(body).encode()


class Client:
    """One connection; as many sessions over it as somebody wants."""

    def __init__(self, port, path, token):
        self.c, self.path, self.token = http.client.HTTPConnection("127.0.0.1", port, timeout=600), path, token
        self.c.connect()
        self.c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method, params, **how):
        headers, body = message(method, params, how.pop("modern", False), **how)
        return self.post(headers, body)

    def post(self, headers, body, verb="POST"):
        self.c.request(verb, self.path, body, {**headers, "Authorization": f"Bearer {self.token}"})
        r = self.c.getresponse()
        data = r.read()
        if r.status not in (200, 202, 204):
            sys.exit(f"{self.path}: {r.status} {data[:400]!r}")
        return r, data

    def open(self, version="2025-06-18"):
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "eras", "version": "1"}}
        r, _ = self.send("initialize", params)
        session = r.getheader("mcp-session-id")
        self.send("notifications/initialized", {}, session=session, notify=True)
        return session

    def call(self, text="hello", **how):
        _, data = self.send("tools/call", {"name": "echo", "arguments": {"text": text}}, **how)
        if f'"text":"{text}"'.encode() not in data:
            sys.exit(f"not the answer: {data[:400]!r}")


# ---- the parts
def calls():
    names = "floor-pooled,floor-pooled-modern,legacy-legacy,modern-modern,modern-legacy,legacy-modern"
    summary, raw = bench("calls", names, "c16,c64,r2000,c16:65536", "--base", "floor-pooled")
    say("## A call in every pairing\n\nClient first, server second. The floor is the bare pooled proxy in the same era as the client.\n")
    for sc in ["c16", "c64", "c16:65536"]:
        rows = {e["target"]: e for e in summary if e["scenario"] == sc}
        if not rows:
            continue
        say(f"\n### {sc}\n\n| pairing | calls/s | p50 µs | p99 µs | CPU µs/call | × floor | × legacy-legacy | RSS MiB | bad |\n|---|---|---|---|---|---|---|---|---|")
        for name in names.split(","):
            e = rows.get(name)
            if not e:
                say(f"| {name} | not measured |")
                continue
            floor = "floor-pooled-modern" if name.startswith("modern") or name.endswith("pooled-modern") else "floor-pooled"
            say(f"| {name} | {e['rps']:,.0f} | {e['p50']:,.0f} | {e['p99']:,.0f} | {e['cpu_us']:.1f} | {ratio(raw, sc, name, floor):.2f} | "
                f"{ratio(raw, sc, name, 'legacy-legacy'):.2f} | {e['rss_mib']:.0f} | {e['bad']} |")
    rows = {e["target"]: e for e in summary if e["scenario"] == "r2000"}
    say("\n### 2,000 calls/s, open loop\n\n| pairing | p50 µs | p99 µs | added p50 µs | added p99 µs |\n|---|---|---|---|---|")
    for name in names.split(","):
        e = rows.get(name)
        if e:
            say(f"| {name} | {e['p50']:,.0f} | {e['p99']:,.0f} | {e['p50_added']:,.0f} | {e['p99_added']:,.0f} |")


def ratio(raw, scenario, name, base, key=lambda r: r["procs"]["gw"]["cpu_us_per_req"]):
    """The median of the ratios within one round."""
    best = lambda n: {r["round"]: r for r in raw if r["target"] == n and r["scenario"] == scenario and "error" not in r and r["ok"]}
    mine, theirs = best(name), best(base)
    both = [key(mine[k]) / key(theirs[k]) for k in mine if k in theirs and key(theirs[k])]
    return statistics.median(both) if both else float("nan")


def merged_part(tokens):
    say("\n## Many servers behind one route\n\nServers of 100 tools each, all of them one process on the other core; a policy for each server.\n")
    say("| servers | tools | first start, all tools new: list s | CPU s | stop s | start with known tools: list s | CPU s | stop s | RSS MiB |\n|---|---|---|---|---|---|---|---|---|")
    ups = upstreams("many")
    for n, port in PORTS.items():
        row = []
        for _ in range(2):
            gw = gateway(f"calls-{n}", fresh=False)
            before, began = cpu(gw), time.monotonic()
            tools = whole_list(port, tokens[0])
            row += [f"{time.monotonic() - began:.2f}", f"{cpu(gw) - before:.2f}"]
            # The first user of all has to wait until every definition is known.
            for _ in range(5):
                tools = tools if tools == n * 100 else whole_list(port, tokens[0])
            if tools != n * 100:
                say(f"!! {tools} tools instead of {n * 100}")
            memory = rss(gw)
            began = time.monotonic()
            stop(gw)
            row += [f"{time.monotonic() - began:.2f}"]
        say(f"| {n} | {n * 100:,} | {' | '.join(row)} | {memory:.0f} |")
    stop(*ups)
    summary, raw = bench("merged-calls", "calls-1,calls-10,calls-100", "c16,c64", "--base", "calls-1")
    say("\n### A call among them\n\n| servers | scenario | calls/s | p50 µs | p99 µs | CPU µs/call | × one server | RSS MiB | bad |\n|---|---|---|---|---|---|---|---|---|")
    for e in summary:
        say(f"| {e['target'][6:]} | {e['scenario']} | {e['rps']:,.0f} | {e['p50']:,.0f} | {e['p99']:,.0f} | {e['cpu_us']:.1f} | "
            f"{ratio(raw, e['scenario'], e['target'], 'calls-1'):.2f} | {e['rss_mib']:.0f} | {e['bad']} |")
    summary, raw = bench("merged-lists", "list-1,list-10,list-100-page", "c1", "--base", "list-1", "--secs", "10", "--retries", "0")
    # A whole list of 100 servers takes seconds: it gets a window of its own.
    whole = bench("merged-whole", "list-1,list-100", "c1", "--base", "list-1", "--secs", "60", "--rounds", "1", "--retries", "0")
    summary += [e for e in whole[0] if e["target"] == "list-100"]
    raw += [{**r, "round": "whole"} for r in whole[1]]
    say("\n### A list of all of them\n\n| list | tools | pages | ms p50 | ms p99 | gateway CPU ms | µs CPU per tool | × one server, per tool | bad |\n|---|---|---|---|---|---|---|---|---|")
    sizes = {t["name"]: t["list"] for t in targets["targets"] if "list" in t}
    for e in summary:
        name, tools = e["target"], sizes[e["target"]]
        each = next((r for r in raw if r["target"] == name and r.get("ok")), None)
        pages = f"{each['pages'] / each['ok']:.0f}" if each else "–"
        per_tool = ratio(raw, "c1", name, "list-1") * sizes["list-1"] / tools
        say(f"| {name} | {tools:,} | {pages} | {e['p50'] / 1000:,.1f} | {e['p99'] / 1000:,.1f} | {e['cpu_us'] / 1000:,.1f} | {e['cpu_us'] / tools:.1f} | {per_tool:.2f} | {e['bad']} |")


def whole_list(port, token):
    """Lists all tools and says how many there are."""
    c = Client(port, "/mcp", token)
    session, params, tools = c.open(), {}, 0
    while True:
        _, data = c.send("tools/list", params, session=session)
        data = data.decode()
        if data.startswith(("event:", "id:", "data:")):
            data = [line[6:] for line in data.splitlines() if line.startswith("data: {")][-1]
        result = json.loads(data)["result"]
        tools += len(result["tools"])
        if "nextCursor" not in result:
            c.post({"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-06-18"}, b"", verb="DELETE")
            return tools
        params = {"cursor": result["nextCursor"]}


def steady(gw, path, token, modern):
    """Warms caches and the allocator: 16 clients at full load. Then CPU per call of a quiet measurement."""
    cmd = [f"{a.bin}/mcpb-load", "--port", "9310", "--path", path, "--conns", "16", "--secs", "2", "--warm", "1", "--token-file", token, "--token-rotate",
           "--pid", f"gw={gw.pid}"] + (["--modern"] if modern else [])
    pin = (lambda: os.sched_setaffinity(0, {1})) if a.pin else None
    j = json.loads(subprocess.run(cmd, stdout=subprocess.PIPE, preexec_fn=pin, timeout=60).stdout)
    if "error" in j or j["bad"]:
        sys.exit(f"load: {j}")
    return j["procs"]["gw"]["cpu_us_per_req"]


def held(tokens):
    say(f"\n## {a.held:,} that are held and idle\n")
    say("Sessions and standings of 10 users, each on a gateway of its own, without a connection. `opened`: nothing asked yet. `used`: one call each. CPU per call: 16 busy clients beside them.\n")
    say("| what | start ms | RSS idle MiB | after load | opened | used | KiB each, opened | KiB each, used | ended | CPU µs/call before | with them | × |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, path, modern in [("legacy sessions, legacy server", "/legacy", False), ("legacy sessions, modern server", "/modern", False),
                               ("modern standings, modern server", "/modern", True), ("modern standings, legacy server", "/legacy", True)]:
        ups = upstreams("legacy", "modern")
        gw = gateway()
        time.sleep(1)
        idle = rss(gw)
        steady(gw, path, f"{keys}/tokens", modern)
        before = steady(gw, path, f"{keys}/tokens", modern)
        time.sleep(1)
        warm = rss(gw)
        clients = [Client(9310, path, t) for t in tokens]
        caps = lambda i: {"experimental": {f"bench/{i}": {}}}
        sessions = []
        if modern:
            # What is kept for a stateless client is made by its first request; there is no opening it.
            for i in range(a.held):
                clients[i % USERS].send("tools/list", {}, modern=True, caps=caps(i))
        else:
            sessions = [clients[i % USERS].open() for i in range(a.held)]
        time.sleep(1)
        opened = rss(gw)
        for i in range(a.held):
            if modern:
                clients[i % USERS].call(modern=True, caps=caps(i))
            else:
                clients[i % USERS].call(session=sessions[i])
        time.sleep(1)
        used = rss(gw)
        after = steady(gw, path, f"{keys}/tokens", modern)
        for i, s in enumerate(sessions):
            clients[i % USERS].post({"Mcp-Session-Id": s, "MCP-Protocol-Version": "2025-06-18"}, b"", verb="DELETE")
        time.sleep(1)
        ended = f"{rss(gw):.0f}" if sessions else "–"
        each = lambda m: (m - warm) * 1024 / a.held
        say(f"| {name} | {gw.began * 1000:.0f} | {idle:.1f} | {warm:.0f} | {opened:.0f} | {used:.0f} | {each(opened):.1f} | {each(used):.1f} | {ended} | {before:.1f} | {after:.1f} | {after / before:.2f} |")
        stop(gw, *ups)


class Flow:
    """One stream being read: what is counted is the bytes as they come."""

    def __init__(self, port, path, token, number, modern, session):
        params = {"name": "stream", "arguments": {"text": "done", "events": a.events}, "_meta": {"progressToken": f"t{number}"}}
        headers, body = message("tools/call", params, modern, session=session)
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + (f"Authorization: Bearer {token}\r\n" if token else "")
        self.s = socket.create_connection(("127.0.0.1", port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.s.setblocking(False)
        self.events, self.raw, self.tail, self.answered = 0, b"", b"", False

    def read(self):
        """False once it has ended."""
        try:
            data = self.s.recv(1 << 18)
        except BlockingIOError:
            return True
        raw = self.raw + data
        ended = not data or raw.endswith(b"0\r\n\r\n")
        # A proxy that knows nothing of events may cut a chunk anywhere, so the frames between chunks are taken
        # out first. One that is not whole yet is left for the next look.
        cut = len(raw) if ended else max(0, len(raw) - 16)
        begun = raw.find(b"\r", max(0, cut - 16), cut)
        cut = begun if begun >= 0 and not ended else cut
        self.raw = raw[cut:]
        text = self.tail + FRAME.sub(b"", raw[:cut])
        # Counted is what ends in what came just now; what is kept may hold one that was counted before.
        mark = b'"progress":'
        self.events += text.count(mark, max(0, len(self.tail) - len(mark) + 1))
        self.answered = self.answered or b'"text":"done"' in text
        self.tail = text[-16:]
        return not ended


FRAME = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}\r\n")


def flow(port, path, token, modern, gw, ups):
    sessions = [None] * a.streams
    if not modern:
        c = Client(port, path, token)
        sessions = [c.open() for _ in range(a.streams)]
    before, theirs, began, peak, next_look = cpu(gw), cpu(ups), time.monotonic(), rss(gw), 0
    base = peak
    flows = [Flow(port, path, token, i, modern, s) for i, s in enumerate(sessions)]
    sel = selectors.DefaultSelector()
    for f in flows:
        sel.register(f.s, selectors.EVENT_READ, f)
    open_flows = len(flows)
    while open_flows:
        for key, _ in sel.select(30) or sys.exit("streams: nothing came for 30 s"):
            if not key.data.read():
                sel.unregister(key.data.s)
                key.data.s.close()
                open_flows -= 1
        if time.monotonic() > next_look:
            peak, next_look = max(peak, rss(gw)), time.monotonic() + 0.1
    took, used = time.monotonic() - began, cpu(gw) - before
    total = sum(f.events for f in flows)
    whole = sum(f.answered and f.events == a.events for f in flows)
    return total / took, used * 1e6 / total, (cpu(ups) - theirs) * 1e6 / total, base, peak, rss(gw), whole


def streams(tokens):
    say(f"\n## {a.streams} streams of {a.events:,} events\n\nProgress notifications of a call, 180 bytes each, as fast as one reader takes them.\n")
    say("| pairing | events/s | CPU µs/event | × floor | server µs/event | RSS before MiB | at most | KiB a stream | after | whole streams |\n|---|---|---|---|---|---|---|---|---|---|")
    floor = {}
    if a.pin:
        os.sched_setaffinity(0, {1})
    for name, port, path, modern, up in [("floor-pooled", 9211, "/mcp", False, "legacy"), ("floor-pooled-modern", 9212, "/mcp", True, "modern"),
                                         ("legacy-legacy", 9310, "/legacy", False, "legacy"), ("modern-modern", 9310, "/modern", True, "modern"),
                                         ("modern-legacy", 9310, "/legacy", True, "legacy"), ("legacy-modern", 9310, "/modern", False, "modern")]:
        ups = upstreams("legacy", "modern")
        gw = gateway(name)
        token = None if name.startswith("floor") else tokens[0]
        if token:
            steady(gw, path, f"{keys}/tokens", modern)
        rate, each, theirs, base, peak, after, whole = flow(port, path, token, modern, gw, ups[up == "modern"])
        floor.setdefault(modern, each)
        say(f"| {name} | {rate:,.0f} | {each:.1f} | {each / floor[modern]:.1f} | {theirs:.1f} | {base:.0f} | {peak:.0f} | {(peak - base) * 1024 / a.streams:.0f} | {after:.0f} | {whole} of {a.streams} |")
        stop(gw, *ups)


# Nothing that was started stays behind, however this ends.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
parts = a.parts.split(",")
tokens = prepare()
try:
    if "calls" in parts:
        calls()
    if "merged" in parts:
        merged_part(tokens)
    if "held" in parts:
        held(tokens)
    if "streams" in parts:
        streams(tokens)
finally:
    stop(*list(running))
print(f"== {a.out}/report.md has the figures")
