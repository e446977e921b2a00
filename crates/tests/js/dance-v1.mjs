// The official TypeScript SDK of the 1.x line: see `dance.mjs`.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { dance } from './dance.mjs';

await dance(Client, StreamableHTTPClientTransport, UnauthorizedError, (transport, back) =>
  transport.finishAuth(back.get('code')),
);
