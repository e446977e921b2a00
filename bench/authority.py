#!/usr/bin/env python3
"""What the gateway costs as the authorization server of its clients, and whether a flood there disturbs calls. Python standard library only.

  authority.py [--rounds 3] [--secs 3] [--conns 16] [--people 560] [--rate 400] [--flood 2000] [--pin] [--out out/authority]

Each round has a gateway of its own, with nothing in its store. First everybody goes all the way, step by step; then calls come
with the tokens that were handed out: as fast as they are answered, and at a steady rate (open loop) alone, beside a flood of a
document that costs nothing, and beside a flood of registrations at the same rate. Asserts that every answer is as it must be, and
that all but a few registrations are refused. Writes OUT/report.md.
"""
import argparse, json, os, shutil, signal, socket, statistics, subprocess, sys, time

here = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser()
ap.add_argument("--out", default=os.path.join(here, "out/authority"))
ap.add_argument("--bin", default=os.environ.get("MCPB_BIN", os.path.join(here, "target/release")))
ap.add_argument("--gateway", default=os.path.join(here, "../target/release/ringwall"))
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--secs", type=float, default=3)
ap.add_argument("--conns", type=int, default=16)
ap.add_argument("--people", type=int, default=560, help="600 may decide at once in all, and 60 from one address")
ap.add_argument("--rate", type=int, default=400, help="calls/s beside a flood")
ap.add_argument("--flood", type=int, default=2000, help="requests/s of a flood")
ap.add_argument("--pin", action="store_true", help="gateway on CPU 0; everything else on CPU 1")
a = ap.parse_args()

PORT, PROVIDER, UPSTREAM, FLOOR = 9330, 9331, 9100, 9203
running = []
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))


def pinned(cpu):
    return (lambda: os.sched_setaffinity(0, {cpu})) if a.pin else None


def start(name, cmd, port, cpu):
    log = open(f"{a.out}/{name}.log", "ab")
    p = subprocess.Popen(cmd, cwd=here, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pinned(cpu))
    running.append(p)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p
        except OSError:
            if p.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit(f"{name} did not start: see {log.name}")


def stop(p):
    p.terminate()
    try:
        p.wait(10)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
    running.remove(p)


def begun(program, *more):
    return subprocess.Popen([f"{a.bin}/{program}", *map(str, more)], stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1))


def told(p):
    """What it printed, a line for each step."""
    lines = p.communicate(timeout=300)[0].splitlines()
    if p.returncode:
        sys.exit(f"{p.args}: {p.returncode}")
    lines = [json.loads(line) for line in lines]
    for line in lines:
        if line.get("bad"):
            sys.exit(f"not as it must be: {line}")
    return lines


def called(port, pid, *more):
    load = begun("mcpb-load", "--port", port, "--secs", a.secs, "--warm", 1, "--pid", f"gw={pid}", *more)
    return load


def cost(line):
    return line["procs"]["gw"]["cpu_us_per_req"]


FLOODS = {"alone": [], "beside a document, from many addresses": ["--flood", "/.well-known/oauth-authorization-server"],
          "beside registrations, from many addresses": ["--flood", "/register"],
          "beside registrations, from one address": ["--flood", "/register", "--one-address"]}


def beside(gateway, tokens, how):
    """Calls at a steady rate while something else comes, and what became of that."""
    load = called(PORT, gateway.pid, "--conns", 64, "--rate", a.rate, "--poisson", "--token-file", tokens)
    flood = how and begun("mcpb-authority", "--port", PORT, *how, "--conns", a.conns, "--rate", a.flood, "--secs", a.secs + 2, "--pid", gateway.pid)
    calls, came = told(load)[0], told(flood) if flood else [{"rss_kib": 0}, {"of": {}}]
    return calls, came[1]["of"]


def one_round(number):
    shutil.rmtree(f"{a.out}/data", ignore_errors=True)
    gateway = start("gateway", [a.gateway, "serve", "--config", "ringwall-authority.yaml"], PORT, 0)
    tokens = f"{a.out}/tokens"
    steps = told(begun("mcpb-authority", "--port", PORT, "--provider", PROVIDER, "--conns", a.conns, "--people", a.people, "--secs", a.secs,
                       "--pid", gateway.pid, "--tokens", tokens))
    floor = start("floor", [f"{a.bin}/mcpb-floor", "--mode", "pooled", "--port", str(FLOOR), "--up", str(UPSTREAM)], FLOOR, 0)
    bare = told(called(FLOOR, floor.pid, "--conns", 16))[0]
    stop(floor)
    calls = told(called(PORT, gateway.pid, "--conns", 16, "--token-file", tokens))[0]
    order = list(FLOODS)[number % len(FLOODS):] + list(FLOODS)[:number % len(FLOODS)]
    floods = {name: beside(gateway, tokens, FLOODS[name]) for name in order}
    for name, (_, came) in floods.items():
        if "registrations" in name and (came.get("201", 0) > 400 or not set(came) <= {"201", "429", "503"}):
            sys.exit(f"registrations are not refused: {came}")
    stop(gateway)
    ledger = subprocess.run([a.gateway, "audit", "verify", "--data", f"{a.out}/data"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return {"steps": {s["step"]: s for s in steps}, "bare": bare, "calls": calls, "floods": floods, "ledger": ledger.stdout.strip()}


def middle(values):
    return statistics.median(values)


def main():
    os.makedirs(a.out, exist_ok=True)
    upstream = start("upstream", [f"{a.bin}/mcpb-upstream", "--port", str(UPSTREAM), "--stateful"], UPSTREAM, 1)
    rounds = []
    try:
        for number in range(a.rounds):
            rounds.append(one_round(number))
            json.dump(rounds, open(f"{a.out}/rounds.json", "w"), indent=1)
    finally:
        for p in list(running):
            stop(p)
    with open(f"{a.out}/report.md", "w") as out:
        def say(text):
            print(text)
            out.write(text + "\n")
        say("| step | a second | p50 µs | p99 µs | gateway CPU µs each | × a document | × a bare proxied call | times in a round |\n|---|---|---|---|---|---|---|---|")
        for name in ["metadata", "shown", "decided", "signed_in", "code", "refresh"]:
            each = [(r["steps"][name], r["steps"]["metadata"], cost(r["bare"])) for r in rounds]
            of = lambda key: middle([s[key] for s, _, _ in each])
            say(f"| {name} | {of('rps'):,.0f} | {of('p50_us'):,} | {of('p99_us'):,} | {of('cpu_us'):,.0f} | {middle([s['cpu_us'] / m['cpu_us'] for s, m, _ in each]):.1f} | "
                f"{middle([s['cpu_us'] / b for s, _, b in each]):.1f} | {of('ok'):,.0f} |")
        calls = middle([cost(r["calls"]) for r in rounds])
        say(f"| a call with such a token | {middle([r['calls']['rps'] for r in rounds]):,.0f} | | | {calls:,.0f} | "
            f"{middle([cost(r['calls']) / r['steps']['metadata']['cpu_us'] for r in rounds]):.1f} | {middle([cost(r['calls']) / cost(r['bare']) for r in rounds]):.1f} | |")
        say("\n| calls/s, open loop | p50 µs | × alone | p99 µs | × alone | unfinished | bad | the flood was answered |\n|---|---|---|---|---|---|---|---|")
        for name in FLOODS:
            lat = lambda r, n, q: r["floods"][n][0]["lat_us"][q]
            ratio = lambda q: middle([lat(r, name, q) / lat(r, "alone", q) for r in rounds])
            came = {}
            for r in rounds:
                for status, count in r["floods"][name][1].items():
                    came.setdefault(status, []).append(count)
            span = lambda counts: f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
            came = ", ".join(f"{status}: {span(counts)}" for status, counts in sorted(came.items()))
            say(f"| {name} | {middle([lat(r, name, 'p50') for r in rounds]):,.0f} | {ratio('p50'):.2f} | {middle([lat(r, name, 'p99') for r in rounds]):,.0f} | {ratio('p99'):.2f} | "
                f"{sum(r['floods'][name][0]['unfinished'] for r in rounds)} | {sum(r['floods'][name][0]['bad'] for r in rounds)} | {came} |")
        say("\nOthers' share of the machine, in cores: " + ", ".join(f"{r['steps']['shown']['foreign_cores']:.2f}" for r in rounds))
        for r in rounds:
            say(r["ledger"].splitlines()[0] if r["ledger"] else "")


main()
