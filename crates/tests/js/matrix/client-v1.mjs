// The reference script on the official TypeScript SDK of the 1.x line, which knows sessions only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { run } from './script.mjs';

const lists = {
  tools: 'listTools',
  resources: 'listResources',
  templates: 'listResourceTemplates',
  prompts: 'listPrompts',
};

async function whole(client, kind) {
  const pages = [];
  for (let cursor; ; ) {
    const page = await client[lists[kind]](cursor === undefined ? {} : { cursor });
    pages.push(page);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  const [member] = Object.keys(pages[0]).filter((key) => Array.isArray(pages[0][key]));
  return { [member]: pages.flatMap((page) => page[member]) };
}

function listen(client, desk) {
  const notices = [
    types.ToolListChangedNotificationSchema,
    types.PromptListChangedNotificationSchema,
    types.ResourceListChangedNotificationSchema,
    types.ResourceUpdatedNotificationSchema,
  ];
  for (const schema of notices) {
    client.setNotificationHandler(schema, ({ method, params }) => desk.notice(method, params));
  }
  client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) => desk.log(params));
  client.setRequestHandler(types.ElicitRequestSchema, ({ params }) => desk.elicit(params));
  client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }) => desk.sample(params));
  client.setRequestHandler(types.ListRootsRequestSchema, () => desk.roots());
}

function transport({ target, headers }) {
  if (target instanceof URL) return new StreamableHTTPClientTransport(target, { requestInit: { headers } });
  const [command, ...args] = target;
  return new StdioClientTransport({ command, args, stderr: 'ignore' });
}

await run(async (where, desk) => {
  if (where.era === 'modern') throw new Error('this SDK knows no modern era');
  const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
  const client = new Client({ name: 'matrix-v1', version: '1.0.0' }, { capabilities });
  listen(client, desk);
  await client.connect(transport(where));
  return {
    server: () => ({
      info: client.getServerVersion(),
      instructions: client.getInstructions(),
      capabilities: Object.keys(client.getServerCapabilities()).sort(),
    }),
    list: (kind) => whole(client, kind),
    call: (params, { onprogress, signal }) => client.callTool(params, undefined, { onprogress, signal }),
    read: (params) => client.readResource(params),
    prompt: (params) => client.getPrompt(params),
    complete: (params) => client.complete(params),
    ping: () => client.ping(),
    level: (level) => client.setLoggingLevel(level),
    async watch(what) {
      if (!what.includes(':')) return { close() {} };
      await client.subscribeResource({ uri: what });
      return { close: () => client.unsubscribeResource({ uri: what }) };
    },
    async coreTask(params) {
      const options = { task: { ttl: 60_000 } };
      let created = false;
      for await (const said of client.experimental.tasks.callToolStream(params, undefined, options)) {
        created ||= said.type === 'taskCreated';
        if (said.type === 'error') throw said.error;
        if (said.type === 'result') return { ...said.result, created };
      }
      throw new Error('no result');
    },
    close: () => client.close(),
  };
});
