"""What the reference server in Python does; `surface.json` says what it offers.

It knows no SDK: a `peer` stands for the request at hand and whoever sent it. It has `meta`, `state`,
`progress(done, total, message)`, `log(level, data)` and `need(questions, state)`, which gives the
answers by key.
"""

import asyncio
import base64
import json
import re
from pathlib import Path

SURFACE = json.loads((Path(__file__).parents[2] / "src/peers/surface.json").read_text())


class Rejected(Exception):
    """A failure that is a JSON-RPC error."""

    def __init__(self, message, data=None, missing=False):
        super().__init__(message)
        self.message = message
        self.data = data
        self.missing = missing


class State:
    """What changes while the server runs."""

    def __init__(self, announce):
        self.announce = announce
        self.grown = False
        self.waits = {}


def tools(state):
    return SURFACE["tools"] + ([SURFACE["grown"]] if state.grown else [])


def page(member, everything, cursor):
    """One page of a list; the cursor is where it begins, hidden in base64 as a real one would be."""
    try:
        start = 0 if cursor is None else int(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise Rejected("no such cursor") from None
    if not 0 <= start < len(everything):
        raise Rejected("no such cursor")
    end = start + SURFACE["page"]
    further = {"nextCursor": base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(everything) else {}
    return {member: everything[start:end], **further}


def canonical(value):
    """JSON with its keys in order, so that it is one text whoever wrote it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def text(said):
    return {"content": [{"type": "text", "text": said}]}


def told(value):
    return text(canonical({key: member for key, member in value.items() if member is not None}))


def form(message):
    params = {"mode": "form", "message": message, "requestedSchema": SURFACE["form"]}
    return {"method": "elicitation/create", "params": params}


def visit(message):
    params = {"mode": "url", "message": message, "url": SURFACE["page_to_visit"]}
    return {"method": "elicitation/create", "params": params}


def consult(question):
    messages = [{"role": "user", "content": {"type": "text", "text": question}}]
    params = {"messages": messages, "systemPrompt": "Be brief.", "maxTokens": 100}
    return {"method": "sampling/createMessage", "params": params}


LOOK = {"method": "roots/list"}


def said(answer):
    return {key: answer[key] for key in ("action", "content") if answer.get(key) is not None}


def reply(answer):
    kept = {key: answer[key] for key in ("model", "role", "stopReason") if key in answer}
    return {**kept, "text": answer["content"]["text"]}


def roots(answer):
    return [{"uri": root["uri"], "name": root["name"]} for root in answer["roots"]]


async def count(_state, given, peer):
    for done in range(1, given["to"] + 1):
        await peer.progress(done, given["to"], f"step {done}")
        # The TypeScript 1.x client drops progress that it reads together with the result.
        await asyncio.sleep(0.5 if done == given["to"] else 0.03)
    return text(f"counted {given['to']}")


async def log(_state, _given, peer):
    for level in ("debug", "info", "warning", "error"):
        await peer.log(level, {"level": level})
    return text("logged")


async def wait(state, given, peer):
    waited = state.waits.setdefault(given["key"], {"begun": 0, "cancelled": 0})
    waited["begun"] += 1
    if await peer.cancelled(30):
        waited["cancelled"] += 1
    return text("waited")


async def ask(_state, given, peer):
    return told(said((await peer.need({"form": form(given["message"])}))["form"]))


async def visit_page(_state, given, peer):
    return told({"action": (await peer.need({"page": visit(given["message"])}))["page"]["action"]})


async def consult_model(_state, given, peer):
    return told(reply((await peer.need({"model": consult(given["question"])}))["model"]))


async def look(_state, _given, peer):
    return text(canonical(roots((await peer.need({"roots": LOOK}))["roots"])))


async def gather(_state, _given, peer):
    answers = await peer.need({"form": form("Both?"), "roots": LOOK})
    return told({"form": said(answers["form"]), "roots": roots(answers["roots"])})


async def converse(_state, _given, peer):
    name = peer.state
    if name is None:
        answer = (await peer.need({"form": form("Who is it?")}))["form"]
        name = (answer.get("content") or {}).get("name", "nobody")
    answer = await peer.need({"model": consult(f"Who is {name}?")}, name)
    return told({"name": name, "text": reply(answer["model"])["text"]})


async def touch(state, given, _peer):
    await state.announce(given["what"])
    return text(f"touched {given['what']}")


async def grow(state, given, _peer):
    state.grown = given["present"]
    await state.announce("tools")
    return text("grown" if given["present"] else "shrunk")


async def reject(_state, _given, _peer):
    raise Rejected("It was rejected, as it was told to.", {"reason": "told to"})


def plainly(answer):
    async def does(state, given, peer):
        return answer(state, given, peer)

    return does


BEHAVIOUR = {
    "echo": plainly(lambda _state, given, _peer: text(given["text"])),
    "add": plainly(
        lambda _state, given, _peer: {
            **told({"sum": given["a"] + given["b"]}),
            "structuredContent": {"sum": given["a"] + given["b"]},
        }
    ),
    "fail": plainly(lambda *_: SURFACE["results"]["fail"]),
    "media": plainly(lambda *_: SURFACE["results"]["media"]),
    "grown": plainly(lambda *_: SURFACE["results"]["grown"]),
    "slow": plainly(lambda *_: SURFACE["results"]["slow"]),
    "tag": plainly(
        lambda _state, _given, peer: told(
            {"tag": peer.meta.get("org.example/tag"), "traceparent": peer.meta.get("traceparent")}
        )
    ),
    "route": plainly(lambda _state, given, _peer: text(given["region"])),
    "waited": plainly(
        lambda state, given, _peer: told(state.waits.get(given["key"], {"begun": 0, "cancelled": 0}))
    ),
    "reject": reject,
    "count": count,
    "log": log,
    "wait": wait,
    "ask": ask,
    "visit": visit_page,
    "consult": consult_model,
    "look": look,
    "gather": gather,
    "converse": converse,
    "touch": touch,
    "grow": grow,
}


async def call(state, name, given, peer):
    if name not in {tool["name"] for tool in tools(state)}:
        raise Rejected(f"no tool `{name}`")
    return await BEHAVIOUR[name](state, given or {}, peer)


async def read(_state, uri, peer):
    if uri == "ref://guarded":
        answer = (await peer.need({"form": form("May it be read?")}))["form"]
        if answer["action"] != "accept":
            raise Rejected("the user does not want it read")
    found = re.fullmatch(r"ref://(item|many)/(\d+)", uri)
    if found:
        named = f"Item {found[2]}." if found[1] == "item" else f"Number {found[2]}."
        return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": named}]}
    if uri not in SURFACE["contents"]:
        raise Rejected(f"no resource {uri}", {"uri": uri}, missing=True)
    return SURFACE["contents"][uri]


async def prompt(_state, name, given, peer):
    def message(spoken):
        return {"messages": [{"role": "user", "content": {"type": "text", "text": spoken}}]}

    given = given or {}
    if name == "greet":
        if "name" not in given:
            raise Rejected("`name` is missing")
        tone = f" in a {given['tone']} tone" if "tone" in given else ""
        return message(f"Greet {given['name']}{tone}.")
    if name == "interview":
        answer = (await peer.need({"form": form("May we talk?")}))["form"]
        return message(f"The user said {answer['action']}.")
    if name not in SURFACE["messages"]:
        raise Rejected(f"no prompt `{name}`")
    return SURFACE["messages"][name]


def complete(argument, value, context):
    given = context.get("name")
    values = [known for known in SURFACE["completions"].get(argument, []) if known.startswith(value)]
    values = [f"{known} for {given}" if given else known for known in values]
    return {"completion": {"values": values, "total": len(values), "hasMore": False}}
