// The official TypeScript SDK of the 1.x line as a client: `client-v1.mjs URL TOKEN TOOL ARGUMENTS
// [RESOURCE]`. Prints one line of JSON.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { drive } from './drive.mjs';

await drive(async (url, headers) => {
  const client = new Client({ name: 'client-v1', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return client;
});
