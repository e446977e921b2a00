// The official TypeScript SDK of the 2.x line, which looks at who answered: see `dance.mjs`.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { dance } from './dance.mjs';

await dance(Client, StreamableHTTPClientTransport, UnauthorizedError, (transport, back) =>
  transport.finishAuth(back.get('code'), back.get('iss')),
);
