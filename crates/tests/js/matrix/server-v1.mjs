// The reference server on the official TypeScript SDK of the 1.x line: sessions only. Prints its
// URL, and ends when stdin does.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import * as reference from './reference.mjs';

const { surface } = reference;
const sessions = new Map();

const answers = {
  'elicitation/create': types.ElicitResultSchema,
  'sampling/createMessage': types.CreateMessageResultSchema,
  'roots/list': types.ListRootsResultSchema,
};

function announce(what) {
  for (const { server, watched } of sessions.values()) {
    if (what === 'tools') server.sendToolListChanged();
    else if (what === 'prompts') server.sendPromptListChanged();
    else if (what === 'resources') server.sendResourceListChanged();
    else if (watched.has(what)) server.sendResourceUpdated({ uri: what });
  }
}

function peerOf(server, request, extra) {
  const token = request.params?._meta?.progressToken;
  return {
    meta: request.params?._meta,
    signal: extra.signal,
    async progress(progress, total, message) {
      if (token === undefined) return;
      const params = { progressToken: token, progress, total, message };
      await extra.sendNotification({ method: 'notifications/progress', params });
    },
    async log(level, data) {
      if (server.isMessageIgnored(level, extra.sessionId)) return;
      await extra.sendNotification({ method: 'notifications/message', params: { level, logger: 'reference', data } });
    },
    async need(questions) {
      const asked = Object.entries(questions).map(async ([key, { method, params }]) => {
        const url = params?.mode === 'url';
        const whole = url ? { ...params, elicitationId: randomUUID() } : params;
        return [key, await extra.sendRequest({ method, params: whole }, answers[method])];
      });
      return Object.fromEntries(await Promise.all(asked));
    },
  };
}

function open(watched) {
  const { instructions, ...info } = surface.server;
  const server = new Server(info, { capabilities: reference.capabilities, instructions });
  const on = (schema, does) =>
    server.setRequestHandler(schema, async (request, extra) => {
      try {
        return await does(request.params ?? {}, peerOf(server, request, extra));
      } catch (error) {
        if (!(error instanceof reference.Rejected)) throw error;
        throw Object.assign(new Error(error.message), { code: error.missing ? -32002 : -32602, data: error.data });
      }
    });
  on(types.ListToolsRequestSchema, ({ cursor }) => reference.page('tools', reference.tools(), cursor));
  on(types.CallToolRequestSchema, (params, peer) => reference.call(announce, params, peer));
  on(types.ListResourcesRequestSchema, ({ cursor }) => reference.page('resources', surface.resources, cursor));
  on(types.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: surface.templates }));
  on(types.ReadResourceRequestSchema, reference.read);
  on(types.SubscribeRequestSchema, ({ uri }) => (watched.add(uri), {}));
  on(types.UnsubscribeRequestSchema, ({ uri }) => (watched.delete(uri), {}));
  on(types.ListPromptsRequestSchema, () => ({ prompts: surface.prompts }));
  on(types.GetPromptRequestSchema, reference.prompt);
  on(types.CompleteRequestSchema, reference.complete);
  return server;
}

async function transportFor(request, response) {
  const known = request.headers['mcp-session-id'];
  if (known !== undefined) {
    const session = sessions.get(known);
    if (!session) response.writeHead(404).end();
    return session?.transport;
  }
  const watched = new Set();
  const server = open(watched);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => sessions.set(id, { server, watched, transport }),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await server.connect(transport);
  return transport;
}

reference.serve(
  createServer(async (request, response) => {
    const transport = await transportFor(request, response);
    await transport?.handleRequest(request, response);
  }),
);
