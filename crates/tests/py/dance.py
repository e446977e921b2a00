"""The whole OAuth dance of the official Python SDK: `dance.py URL [DOCUMENT]`.

Prints `authorize URL` for whoever has a browser, reads the address that browser came back to, and prints
one line of JSON: what a call said, and what another one said once the access token was worth nothing. With
DOCUMENT, that is its client id; without, it registers.
"""

import asyncio
import json
import sys
import traceback
from urllib.parse import parse_qs, urlparse

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = "http://127.0.0.1:9/callback"


class Storage:
    def __init__(self):
        self.tokens = None
        self.client = None
        self.count = 0

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens
        self.count += 1

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def came_back():
    line = await asyncio.to_thread(sys.stdin.readline)
    query = parse_qs(urlparse(line.strip()).query)
    return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})


async def asks(url):
    print(f"authorize {url}", flush=True)


async def echo(client):
    return (await client.call_tool("echo", {"text": "hello"})).content[0].text


async def drive(url, document=None):
    seen = {}
    storage = Storage()
    metadata = OAuthClientMetadata(
        client_name="Dancer",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    provider = OAuthClientProvider(url, metadata, storage, asks, came_back, document)
    try:
        http = httpx2.AsyncClient(auth=provider, timeout=httpx2.Timeout(60, read=None))
        async with http, Client(streamable_http_client(url, http_client=http)) as client:
            seen["call"] = await echo(client)
            # As if its time were over: the next call gets another one first.
            provider.context.token_expiry_time = 1
            seen["again"] = await echo(client)
        seen["client"] = storage.client.client_id
        seen["tokens"] = storage.count
    except BaseException:
        seen["error"] = traceback.format_exc()
    return seen


print(json.dumps(asyncio.run(drive(*sys.argv[1:]))))
