// The official TypeScript SDK of the 2.x line as a client: `client-v2.mjs URL TOKEN TOOL ARGUMENTS
// [RESOURCE]`. Prints one line of JSON.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { drive } from './drive.mjs';

await drive(async (url, headers) => {
  const client = new Client({ name: 'client-v2', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return client;
});
