#!/usr/bin/env python3
"""What each part of content costs a call: the same call through a bare proxy, and through gateways of which each has
another part on or off, in turns. Python standard library only; needs what `cargo xtask bench` builds and its keys.

  content.py [--before GATEWAY] [-- arguments of bench.py]

Texts are words at random, and rows of JSON, so that nothing repeats itself and nothing is found. The tool returns the text
it was given: each is looked at twice, in the call and in the answer. Results: bench/out/content.
"""
import json, os, random, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "out", "content")
KEYS = os.path.join(HERE, "out", "keys")
WORDS = ("the quarterly report was sent to our team and numbers look better than anyone had hoped please read section "
         "three before meeting bring questions").split()
NONE = {"arguments": "ignore", "answers": "ignore"}
OFF = dict.fromkeys(["markup", "images", "links", "repetition", "emptiness"], "off")
PARTS = {
    "as it comes": {},
    "data ignored and output off": {"data": {"secrets": NONE, "personal": NONE}, "output": OFF},
    "marks for a model": {"spotlight": "datamark"},
    "an argument that means something": {
        "arguments": {"tools": {"*": {"/text": {"is": "shell_word", "otherwise": "report"}}}}},
    "tokens for values": {"data": {"secrets": {"answers": "tokenise"}, "personal": {"answers": "tokenise"}}},
    "a field left out": {"minimise": {"*": [{"arguments": {"drop": ["/debug"]}}]}},
}


def prose(size):
    text = ""
    while len(text) < size:
        text += random.choice(WORDS) + (". " if random.random() < 0.1 else " ")
    return text[:size]


def rows(size):
    text, row = "", 0
    while len(text) < size:
        row += 1
        text += json.dumps({"id": random.randint(1000, 99999), "name": "Widget " + random.choice(WORDS), "price": row + 0.5,
                            "tags": ["new", "sale"], "updated": f"2026-11-{row % 28 + 1:02}T09:30:00Z"}) + "\n"
    return text[:size]


def body(name, text):
    path = os.path.join(OUT, name.replace(" ", "-") + ".json")
    call = {"jsonrpc": "2.0", "id": "{ID}", "method": "tools/call",
            "params": {"name": "echo", "arguments": {"text": "{TEXT} " + text}}}
    open(path, "w").write(json.dumps(call).replace('"{ID}"', "{ID}"))
    return path


def config(name, port, content):
    path = os.path.join(OUT, name.replace(" ", "-") + ".yaml")
    text = open(os.path.join(HERE, "ringwall.yaml")).read()
    text = text.replace("127.0.0.1:9300\nissuers", f"127.0.0.1:{port}\nissuers")
    text = text.replace("out/ringwall-data", path.replace(".yaml", "-data"))
    text = text.replace("[policy.cedar]", f"[{HERE}/policy.cedar]")
    text = text.replace("    pins: first_use\n", f"    pins: first_use\n    content: {json.dumps(content)}\n")
    open(path, "w").write(text)
    return path


def main():
    own = sys.argv[1:]
    at = own.index("--") if "--" in own else len(own)
    own, more = own[:at], own[at + 1:]
    before = own[own.index("--before") + 1] if "--before" in own else None
    random.seed(7)
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    bodies = {"64 B": body("64 B", prose(64)), "10 KB": body("10 KB", prose(10240)), "100 KB": body("100 KB", prose(102400)),
              "10 KB of rows": body("10 KB of rows", rows(10240))}
    targets = []

    def add(name, port, cmd, **of):
        for size, path in bodies.items():
            # One process for all sizes.
            targets.append({"name": f"{name} {size}", "share": name, "port": port, "upstream": "up", "tool": "echo",
                            "body_template": path, "ready_secs": 60, "cmd": cmd, **of})

    token = {"token_file": os.path.join(KEYS, "tokens.ES256")}
    add("bare proxy", 9203, ["{BIN}/mcpb-floor", "--mode", "pooled", "--port", "9203", "--up", "9100"])
    for port, (name, content) in enumerate(PARTS.items(), 9401):
        add(name, port, ["{GATEWAY}", "serve", "--config", config(name, port, content)], **token)
    if before:
        add("before", 9500, [before, "serve", "--config", config("before", 9500, {})], **token)
    up = ["{BIN}/mcpb-upstream", "--port", "9100", "--stateful", "--jwks", os.path.join(KEYS, "jwks.json")]
    path = os.path.join(OUT, "targets.json")
    json.dump({"upstreams": {"up": {"port": 9100, "cmd": up}}, "targets": targets}, open(path, "w"), indent=1)
    sys.exit(subprocess.run([sys.executable, "bench.py", "--targets", path, "--out", OUT, "--base", "bare proxy 64 B",
                             *more], cwd=HERE).returncode)


main()
