// The reference script on the official TypeScript SDK of the 2.x line, in either era.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { NotApplicable, run } from './script.mjs';

const modes = { legacy: 'legacy', auto: 'auto', modern: { pin: '2026-07-28' } };
const lists = {
  tools: 'listTools',
  resources: 'listResources',
  templates: 'listResourceTemplates',
  prompts: 'listPrompts',
};

function listen(client, desk) {
  for (const what of ['tools/list_changed', 'prompts/list_changed', 'resources/list_changed', 'resources/updated']) {
    const method = `notifications/${what}`;
    client.setNotificationHandler(method, ({ params }) => desk.notice(method, params));
  }
  client.setNotificationHandler('notifications/message', ({ params }) => desk.log(params));
  client.setRequestHandler('elicitation/create', ({ params }) => desk.elicit(params));
  client.setRequestHandler('sampling/createMessage', ({ params }) => desk.sample(params));
  client.setRequestHandler('roots/list', () => desk.roots());
}

function transport({ target, headers }) {
  if (target instanceof URL) return new StreamableHTTPClientTransport(target, { requestInit: { headers } });
  const [command, ...args] = target;
  return new StdioClientTransport({ command, args, stderr: 'ignore' });
}

async function watch(client, modern, what) {
  const listed = { tools: 'toolsListChanged', prompts: 'promptsListChanged', resources: 'resourcesListChanged' };
  if (modern) return client.listen(listed[what] ? { [listed[what]]: true } : { resourceSubscriptions: [what] });
  if (listed[what]) return { close() {} };
  await client.subscribeResource({ uri: what });
  return { close: () => client.unsubscribeResource({ uri: what }) };
}

await run(async (where, desk) => {
  const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
  const versionNegotiation = { mode: modes[where.era] };
  const client = new Client({ name: 'matrix-v2', version: '1.0.0' }, { capabilities, versionNegotiation });
  listen(client, desk);
  await client.connect(transport(where));
  const modern = client.getProtocolEra() === 'modern';
  // In the modern era the level is part of every request.
  const levelled = ({ _meta, ...params }, level) => ({
    ...params,
    _meta: { ..._meta, ...(modern && level ? { 'io.modelcontextprotocol/logLevel': level } : {}) },
  });
  return {
    server: () => ({
      info: client.getServerVersion(),
      instructions: client.getInstructions(),
      capabilities: Object.keys(client.getServerCapabilities()).sort(),
    }),
    list: (kind) => client[lists[kind]](),
    call: (params, { onprogress, signal, level }) =>
      client.callTool(levelled(params, level), { onprogress, signal }),
    read: (params) => client.readResource(params),
    prompt: (params) => client.getPrompt(params),
    complete: (params) => client.complete(params),
    ping() {
      if (modern) throw new NotApplicable('the modern era has no ping');
      return client.ping();
    },
    level: async (level) => {
      if (!modern) await client.setLoggingLevel(level);
    },
    watch: (what) => watch(client, modern, what),
    close: () => client.close(),
  };
});
