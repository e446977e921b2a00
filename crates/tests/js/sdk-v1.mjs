// The official TypeScript SDK of the 1.x line, by the names that `oauth.mjs` knows.
export { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
export { Client } from '@modelcontextprotocol/sdk/client/index.js';
export { StreamableHTTPClientTransport as Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export const finish = (transport, back) => transport.finishAuth(back.get('code'));
