"""The official Python SDK as a client: `client.py URL TOKEN TOOL ARGUMENTS [RESOURCE]`.

Prints one line of JSON.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client


async def drive(url, token, tool, arguments, resource=None):
    seen = {}
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=httpx2.Timeout(60, read=None))
    try:
        async with http, Client(streamable_http_client(url, http_client=http)) as client:
            seen["tools"] = [listed.name for listed in (await client.list_tools()).tools]
            seen["call"] = plain(await client.call_tool(tool, json.loads(arguments)))
            if resource:
                seen["read"] = plain(await client.read_resource(resource))
    except MCPError as error:
        seen["error"] = {"message": str(error), "data": getattr(error.error, "data", None)}
    except BaseExceptionGroup as group:
        seen["error"] = {"message": "; ".join(repr(error) for error in group.exceptions)}
    except Exception as error:
        seen["error"] = {"message": repr(error)}
    return seen


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


print(json.dumps(asyncio.run(drive(*sys.argv[1:]))))
