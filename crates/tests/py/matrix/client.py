"""The reference script on the official Python SDK, in either era.

`client.py TARGET --era legacy|modern|auto [--token T] --steps JSON`. The target is a URL, or a JSON
list: a command that speaks on stdio. Prints what was seen as one line of JSON with its keys in
order; what is volatile (ids, tokens, session ids) is left out.
"""

import asyncio
import json
import os
import re
import sys
import time
import traceback
import warnings

import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

warnings.simplefilter("ignore")

# A machine that does much else is slow; nothing waits longer than it must.
PATIENCE = 60
AGAIN = 0.1
# How long two lines of a log may be behind what they are about.
LATE = 5
MODERN = "2026-07-28"
LISTS = {
    "tools": ("list_tools", "tools"),
    "resources": ("list_resources", "resources"),
    "templates": ("list_resource_templates", "resourceTemplates"),
    "prompts": ("list_prompts", "prompts"),
}


class NotApplicable(Exception):
    """The SDK or the era does not have it."""


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def present(**members):
    return {name: member for name, member in members.items() if member is not None}


def bare(result):
    """A result without what its era adds to every result, and without a default that is spelled out."""
    if not isinstance(result, dict):
        return result
    kept = {key: value for key, value in result.items() if key not in ("ttlMs", "cacheScope", "resultType", "_meta")}
    if kept.get("isError") is False:
        del kept["isError"]
    own = {key: value for key, value in result.get("_meta", {}).items() if not key.startswith("io.modelcontextprotocol/")}
    return {**kept, "_meta": own} if own else kept


FORMATS = {"email": "ada@example.com", "uri": "https://example.com/", "date": "2026-07-28"}
TYPES = {"string": "text", "integer": 7, "number": 1.5, "boolean": True}


def filled(schema):
    """What the user of this client fills in: the first thing that each property lets in."""

    def value(given):
        if given.get("type") == "array":
            return [value(given["items"])]
        if "enum" in given:
            return given["enum"][0]
        choices = given.get("oneOf", given.get("anyOf"))
        if choices:
            return choices[0]["const"]
        return FORMATS.get(given.get("format"), TYPES[given["type"]])

    return {name: value(given) for name, given in schema["properties"].items()}


class Desk:
    """How this client answers what a server asks of it, and what it was asked."""

    def __init__(self):
        self.asked, self.logs, self.notices = [], [], []

    def take(self):
        seen = {"asked": sorted(self.asked, key=lambda one: one["method"]), "logs": self.logs}
        self.asked, self.logs = [], []
        return seen

    def note(self, method, params=None):
        kept = plain(params) if params else {}
        self.asked.append({"method": method, "params": {k: v for k, v in kept.items() if k not in ("_meta", "elicitationId")}})

    async def elicit(self, _context, params):
        self.note("elicitation/create", params)
        for action in ("decline", "cancel"):
            if action in params.message:
                return types.ElicitResult(action=action)
        if params.mode == "url":
            return types.ElicitResult(action="accept")
        return types.ElicitResult(action="accept", content=filled(plain(params)["requestedSchema"]))

    async def sample(self, _context, params):
        self.note("sampling/createMessage", params)
        content = params.messages[0].content
        asked = (content[0] if isinstance(content, list) else content).text
        answer = types.TextContent(type="text", text=f"answer to: {asked}")
        return types.CreateMessageResult(role="assistant", content=answer, model="reference-model", stop_reason="endTurn")

    async def roots(self, _context):
        self.note("roots/list")
        return types.ListRootsResult(roots=[types.Root(uri="file:///reference", name="reference")])

    async def log(self, params):
        self.logs.append({"level": params.level, "logger": params.logger, "data": params.data})

    async def message(self, message):
        if isinstance(message, types.ServerNotification):
            seen = plain(message)
            params = {key: value for key, value in seen.get("params", {}).items() if key != "_meta"}
            self.notices.append({"method": seen["method"], "params": params})

    def noticed(self, method, uri):
        for notice in self.notices:
            if notice["method"] == method and uri in (None, notice["params"].get("uri")):
                return notice
        return None


async def until(condition):
    for _ in range(int(PATIENCE / 2 / AGAIN)):
        found = await condition()
        if found:
            return found
        await asyncio.sleep(AGAIN)
    raise TimeoutError("nothing came")


class Run:
    def __init__(self, client, desk):
        self.client, self.desk = client, desk
        self.modern = client.protocol_version == MODERN

    async def server(self, _step):
        info = self.client.server_info
        capabilities = plain(self.client.server_capabilities)
        seen = {"info": plain(info) if info else None, "capabilities": sorted(capabilities)}
        return {**seen, **present(instructions=self.client.instructions)}

    async def list(self, step):
        """Every page. Some servers add tools once they know the client: `until` names one to wait for."""
        method, member = LISTS[step["do"]]

        async def complete():
            everything, cursor = [], None
            while True:
                page = plain(await getattr(self.client, method)(cursor=cursor))
                everything += page[member]
                cursor = page.get("nextCursor")
                if cursor is None:
                    break
            awaited = step.get("until")
            return [everything] if awaited in [None, *(one.get("name") for one in everything)] else None

        return (await until(complete))[0]

    tools = resources = templates = prompts = list

    async def ping(self, _step):
        if self.modern:
            raise NotApplicable("the modern era has no ping")
        return plain(await self.client.send_ping())

    async def call(self, step):
        meta = dict(step.get("meta", {}))
        if "level" in step:
            if self.modern:
                meta["io.modelcontextprotocol/logLevel"] = step["level"]
            else:
                await self.client.set_logging_level(step["level"])
        seen = []

        async def progress(done, total, message):
            seen.append({"progress": int(done), "total": int(total), **present(message=message)})

        result = await self.client.call_tool(
            step["tool"],
            step.get("arguments", {}),
            progress_callback=progress if step.get("progress") else None,
            meta=meta or None,
        )
        if "level" in step:
            await self.settled()
        return {**plain(result), **({"progress": seen} if step.get("progress") else {})}

    async def settled(self):
        """Some servers log on a stream of their own, which may be behind the one that carried the result;
        some are not heard at all."""
        for _ in range(int(LATE / AGAIN)):
            if len(self.desk.logs) >= 2:
                break
            await asyncio.sleep(AGAIN)
        seen = -1
        while seen != len(self.desk.logs):
            seen = len(self.desk.logs)
            await asyncio.sleep(AGAIN)

    async def read(self, step):
        return plain(await self.client.read_resource(step["uri"]))

    async def prompt(self, step):
        return plain(await self.client.get_prompt(step["prompt"], step.get("arguments")))

    async def complete(self, step):
        known = {"ref/prompt": types.PromptReference, "ref/resource": types.ResourceTemplateReference}
        ref = known[step["ref"]["type"]].model_validate(step["ref"])
        context = step.get("context", {}).get("arguments")
        return plain(await self.client.complete(ref, step["argument"], context))

    async def watch(self, step):
        """A notice can be lost before its stream stands, so what announces it is done until it comes."""
        what = step["what"]
        uri = None if what in LISTS else what
        method = "notifications/resources/updated" if uri else f"notifications/{what}/list_changed"
        self.desk.notices.clear()

        async def announced():
            await self.client.call_tool(step["tool"], step["arguments"])
            return self.desk.noticed(method, uri)

        if self.modern:
            wish = {"resource_subscriptions": [uri]} if uri else {f"{what}_list_changed": True}
            async with self.client.listen(**wish):
                return await until(announced)
        if uri:
            await self.client.subscribe_resource(uri)
        notice = await until(announced)
        if uri:
            await self.client.unsubscribe_resource(uri)
        return notice

    async def task(self, _step):
        raise NotApplicable("this SDK has no tasks extension")

    async def core_task(self, _step):
        raise NotApplicable("this SDK has no core tasks")

    async def cancel(self, _step):
        key = f"{os.getpid()}-{time.time_ns()}"

        async def waited():
            answer = await self.client.call_tool("waited", {"key": key})
            return json.loads(answer.content[0].text)

        async def begun():
            return (await waited())["begun"] > 0

        async def cancelled():
            return (await waited())["cancelled"] > 0

        waiting = asyncio.create_task(self.client.call_tool("wait", {"key": key}))
        await until(begun)
        waiting.cancel()
        await until(cancelled)
        try:
            await waiting
            outcome = "answered"
        except asyncio.CancelledError:
            outcome = "gave up"
        return {**(await waited()), "outcome": outcome}

    async def perform(self, step):
        try:
            async with asyncio.timeout(PATIENCE):
                return {"ok": bare(await getattr(self, step["do"])(step)), **self.desk.take()}
        except NotApplicable as reason:
            return {"n/a": str(reason)}
        except MCPError as error:
            said = {"message": re.sub(r"^MCP error -?\d+: ", "", error.message), "code": error.code}
            if error.data is not None:
                said["data"] = error.data
            return {"error": said, **self.desk.take()}
        except Exception as error:
            return {"error": {"message": repr(error)}, **self.desk.take()}


def flags():
    given = sys.argv[1:]

    def flag(name):
        return given[given.index(name) + 1] if name in given else None

    return given[0], flag("--era") or "auto", flag("--token"), json.loads(flag("--steps"))


async def drive(seen):
    target, era, token, steps = flags()
    desk = Desk()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(PATIENCE, read=None)) as http:
        if target.startswith("["):
            command, *arguments = json.loads(target)
            server = StdioServerParameters(command=command, args=arguments)
        else:
            server = streamable_http_client(target, http_client=http)
        client = Client(
            server,
            mode="legacy" if era == "legacy" else "auto",
            client_info=types.Implementation(name="matrix-python", version="1.0.0"),
            elicitation_callback=desk.elicit,
            sampling_callback=desk.sample,
            list_roots_callback=desk.roots,
            logging_callback=desk.log,
            message_handler=desk.message,
        )
        async with client:
            run = Run(client, desk)
            if era == "modern" and not run.modern:
                raise RuntimeError(f"the server speaks {client.protocol_version}")
            for step in steps:
                seen[step["name"]] = await run.perform(step)


def main():
    seen = {}
    try:
        asyncio.run(drive(seen))
    except BaseException:
        seen["failed"] = {"message": traceback.format_exc()}
    print(json.dumps(seen, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


main()
