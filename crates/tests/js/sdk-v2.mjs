// The official TypeScript SDK of the 2.x line, which looks at who answered: see `sdk-v1.mjs`.
export { Client, StreamableHTTPClientTransport as Transport, UnauthorizedError } from '@modelcontextprotocol/client';

export const finish = (transport, back) => transport.finishAuth(back.get('code'), back.get('iss'));
