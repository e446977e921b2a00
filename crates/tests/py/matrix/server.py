"""The reference server on the official Python SDK: `server.py --era legacy|modern|both`.

Prints its URL once it listens on loopback, and ends when stdin does.
"""

import socket
import sys
import threading
import uuid
import warnings

import anyio
import mcp_types as types
import reference
import uvicorn
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged

warnings.simplefilter("ignore")

MODERN = "2026-07-28"
LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
CHANGES = {"tools": ToolsListChanged, "prompts": PromptsListChanged, "resources": ResourcesListChanged}
RESULTS = {
    "elicitation/create": types.ElicitResult,
    "sampling/createMessage": types.CreateMessageResult,
    "roots/list": types.ListRootsResult,
}
REQUESTS = {
    "elicitation/create": types.ElicitRequest,
    "sampling/createMessage": types.CreateMessageRequest,
    "roots/list": types.ListRootsRequest,
}

ANSWERS = {
    "tools/list": types.ListToolsResult,
    "tools/call": types.CallToolResult,
    "resources/list": types.ListResourcesResult,
    "resources/templates/list": types.ListResourceTemplatesResult,
    "resources/read": types.ReadResourceResult,
    "resources/subscribe": types.EmptyResult,
    "resources/unsubscribe": types.EmptyResult,
    "prompts/list": types.ListPromptsResult,
    "prompts/get": types.GetPromptResult,
    "completion/complete": types.CompleteResult,
    "logging/setLevel": types.EmptyResult,
}


class Wanted(Exception):
    """The SDK's way to ask in the modern era: the handler ends, and is called again with the answers."""

    def __init__(self, questions, state):
        super().__init__("wanted")
        given = {"inputRequests": questions, "requestState": state}
        self.result = types.InputRequiredResult.model_validate(given)


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Peer:
    def __init__(self, ctx, params, level):
        self.ctx = ctx
        self.meta = ctx.meta or {}
        self.level = level
        self.modern = ctx.protocol_version == MODERN
        self.state = getattr(params, "request_state", None)
        self.given = {key: plain(answer) for key, answer in (getattr(params, "input_responses", None) or {}).items()}

    async def progress(self, done, total, message):
        await self.ctx.session.report_progress(done, total, message)

    async def log(self, level, data):
        if self.modern or LEVELS.index(level) >= LEVELS.index(self.level):
            await self.ctx.session.send_log_message(level, data, "reference", related_request_id=self.ctx.request_id)

    async def cancelled(self, limit):
        try:
            await anyio.sleep(limit)
        except anyio.get_cancelled_exc_class():
            self.on_cancelled()
            raise
        return False

    async def need(self, questions, state=None):
        if self.modern:
            if all(key in self.given for key in questions):
                return self.given
            raise Wanted(questions, state)
        answers = {}

        async def ask(key, question):
            params = dict(question.get("params", {}))
            if params.get("mode") == "url":
                params["elicitationId"] = str(uuid.uuid4())
            method = question["method"]
            request = REQUESTS[method].model_validate({"method": method, "params": params} if params else {"method": method})
            answer = await self.ctx.session.send_request(
                request, RESULTS[method], metadata=ServerMessageMetadata(related_request_id=self.ctx.request_id)
            )
            answers[key] = plain(answer)

        async with anyio.create_task_group() as group:
            for key, question in questions.items():
                group.start_soon(ask, key, question)
        return answers


class Sessions:
    """Who listens: sessions by their id in the legacy era, the SDK's own bus in the modern one."""

    def __init__(self):
        self.bus = InMemorySubscriptionBus()
        self.known = {}

    def of(self, ctx):
        key = ctx.request.headers.get("mcp-session-id")
        session = self.known.setdefault(key, {"watched": set(), "level": "debug"})
        session["session"] = ctx.session
        return session

    async def announce(self, what):
        change = CHANGES.get(what)
        await self.bus.publish(change() if change else ResourceUpdated(uri=what))
        for key, session in self.known.items():
            if key is None:
                continue
            to = session["session"]
            if what == "tools":
                await to.send_tool_list_changed()
            elif what == "prompts":
                await to.send_prompt_list_changed()
            elif what == "resources":
                await to.send_resource_list_changed()
            elif what in session["watched"]:
                await to.send_resource_updated(what)


class Reference(Server):
    """Says what it announces in the legacy era too, which the SDK leaves to its caller."""

    def get_capabilities(self, notification_options=None, *more, **named):
        return super().get_capabilities(NotificationOptions(True, True, True), *more, **named)


def build():
    sessions = Sessions()
    state = reference.State(sessions.announce)

    def handler(does):
        async def handle(ctx, params):
            session = sessions.of(ctx)
            peer = Peer(ctx, params, session["level"])
            try:
                return ANSWERS[ctx.method].model_validate(await does(params, peer, session))
            except Wanted as wanted:
                return wanted.result
            except reference.Rejected as rejected:
                missing = types.INVALID_PARAMS if peer.modern else -32002
                code = missing if rejected.missing else types.INVALID_PARAMS
                raise MCPError(code, rejected.message, rejected.data) from None

        return handle

    async def list_tools(params, _peer, _session):
        return reference.page("tools", reference.tools(state), params and params.cursor)

    async def call_tool(params, peer, _session):
        def on_cancelled():
            state.waits[params.arguments["key"]]["cancelled"] += 1

        peer.on_cancelled = on_cancelled
        return await reference.call(state, params.name, params.arguments, peer)

    async def list_resources(params, _peer, _session):
        return reference.page("resources", reference.SURFACE["resources"], params and params.cursor)

    async def list_templates(_params, _peer, _session):
        return {"resourceTemplates": reference.SURFACE["templates"]}

    async def read_resource(params, peer, _session):
        return await reference.read(state, params.uri, peer)

    async def subscribe(params, _peer, session):
        session["watched"].add(params.uri)
        return {}

    async def unsubscribe(params, _peer, session):
        session["watched"].discard(params.uri)
        return {}

    async def list_prompts(_params, _peer, _session):
        return {"prompts": reference.SURFACE["prompts"]}

    async def get_prompt(params, peer, _session):
        return await reference.prompt(state, params.name, params.arguments, peer)

    async def complete(params, _peer, _session):
        context = (params.context.arguments if params.context else None) or {}
        return reference.complete(params.argument.name, params.argument.value, context)

    async def set_level(params, _peer, session):
        session["level"] = params.level
        return {}

    info = reference.SURFACE["server"]
    return Reference(
        info["name"],
        version=info["version"],
        instructions=info["instructions"],
        on_list_tools=handler(list_tools),
        on_call_tool=handler(call_tool),
        on_list_resources=handler(list_resources),
        on_list_resource_templates=handler(list_templates),
        on_read_resource=handler(read_resource),
        on_subscribe_resource=handler(subscribe),
        on_unsubscribe_resource=handler(unsubscribe),
        on_subscriptions_listen=ListenHandler(sessions.bus),
        on_list_prompts=handler(list_prompts),
        on_get_prompt=handler(get_prompt),
        on_completion=handler(complete),
        on_set_logging_level=handler(set_level),
    )


def only(era, app):
    """The SDK serves both eras; this leaves one, refusing the other as a server of one era does."""

    async def served(scope, receive, send):
        if scope["type"] == "http" and era != "both":
            headers = dict(scope["headers"])
            modern = headers.get(b"mcp-protocol-version") == MODERN.encode()
            if modern != (era == "modern"):
                return await refuse(era, scope, send)
        return await app(scope, receive, send)

    return served


async def refuse(era, scope, send):
    status = 405 if era == "modern" and scope["method"] != "POST" else 400
    data = b',"data":{"supported":["2026-07-28"],"requested":"2025-11-25"}'
    error = b'"code":-32022,"message":"Unsupported protocol version"' + data
    if era == "legacy":
        error = b'"code":-32000,"message":"Bad Request: Unsupported protocol version"'
    body = b'{"jsonrpc":"2.0","id":null,"error":{' + error + b"}}"
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def main():
    era = sys.argv[sys.argv.index("--era") + 1] if "--era" in sys.argv else "both"
    listener = socket.create_server(("127.0.0.1", 0))
    app = only(era, build().streamable_http_app())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=0))

    def end_with_stdin():
        sys.stdin.read()
        server.should_exit = True
        server.force_exit = True

    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    server.run(sockets=[listener])


main()
