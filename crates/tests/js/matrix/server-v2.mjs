// The reference server on the official TypeScript SDK of the 2.x line: `server-v2.mjs --era
// legacy|modern|both`. Prints its URL, and ends when stdin does.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import {
  ProtocolError, ResourceNotFoundError, Server, createMcpHandler, inputRequired, isLegacyRequest,
} from '@modelcontextprotocol/server';
import * as reference from './reference.mjs';

const { surface } = reference;
const era = process.argv[process.argv.indexOf('--era') + 1] ?? 'both';
const sessions = new Map();

// The SDK's own way to ask, in both eras: the handler ends, and is called again with the answers.
class Wanted {
  constructor(inputRequests, requestState) {
    this.result = inputRequired({ inputRequests, ...(requestState === undefined ? {} : { requestState }) });
  }
}

function announce(what) {
  const kinds = { tools: 'toolsChanged', prompts: 'promptsChanged', resources: 'resourcesChanged' };
  if (kinds[what]) modern.notify[kinds[what]]();
  else modern.notify.resourceUpdated(what);
  for (const { server, watched } of sessions.values()) {
    if (what === 'tools') server.sendToolListChanged();
    else if (what === 'prompts') server.sendPromptListChanged();
    else if (what === 'resources') server.sendResourceListChanged();
    else if (watched.has(what)) server.sendResourceUpdated({ uri: what });
  }
}

function peerOf({ mcpReq }) {
  const token = mcpReq._meta?.progressToken;
  return {
    meta: mcpReq._meta,
    signal: mcpReq.signal,
    state: mcpReq.requestState(),
    async progress(progress, total, message) {
      if (token === undefined) return;
      const params = { progressToken: token, progress, total, message };
      await mcpReq.notify({ method: 'notifications/progress', params });
    },
    log: (level, data) => mcpReq.log(level, data, 'reference'),
    async need(questions, state) {
      const given = mcpReq.inputResponses ?? {};
      if (Object.keys(questions).every((key) => given[key] !== undefined)) return given;
      throw new Wanted(questions, state);
    },
  };
}

function open(watched) {
  const { instructions, ...info } = surface.server;
  const server = new Server(info, { capabilities: reference.capabilities, instructions });
  const on = (method, does) =>
    server.setRequestHandler(method, async (request, context) => {
      try {
        return await does(request.params ?? {}, peerOf(context));
      } catch (error) {
        if (error instanceof Wanted) return error.result;
        if (!(error instanceof reference.Rejected)) throw error;
        if (error.missing) throw new ResourceNotFoundError(error.data.uri, error.message);
        throw new ProtocolError(-32602, error.message, error.data);
      }
    });
  on('tools/list', ({ cursor }) => reference.page('tools', reference.tools(), cursor));
  on('tools/call', (params, peer) => reference.call(announce, params, peer));
  on('resources/list', ({ cursor }) => reference.page('resources', surface.resources, cursor));
  on('resources/templates/list', () => ({ resourceTemplates: surface.templates }));
  on('resources/read', reference.read);
  on('resources/subscribe', ({ uri }) => (watched.add(uri), {}));
  on('resources/unsubscribe', ({ uri }) => (watched.delete(uri), {}));
  on('prompts/list', () => ({ prompts: surface.prompts }));
  on('prompts/get', reference.prompt);
  on('completion/complete', reference.complete);
  return server;
}

async function serveSession(request, response, parsed) {
  const known = request.headers['mcp-session-id'];
  if (known !== undefined) {
    const session = sessions.get(known);
    if (!session) return response.writeHead(404).end();
    return session.transport.handleRequest(request, response, parsed);
  }
  const watched = new Set();
  const server = open(watched);
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => sessions.set(id, { server, watched, transport }),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await server.connect(transport);
  return transport.handleRequest(request, response, parsed);
}

const modern = createMcpHandler(() => open(new Set()), { legacy: 'reject' });
const serveModern = toNodeHandler(modern);

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return undefined;
  }
}

reference.serve(
  createServer(async (request, response) => {
    if (era === 'legacy' || (era === 'both' && request.method !== 'POST')) return serveSession(request, response);
    if (era === 'modern') return serveModern(request, response);
    const parsed = await body(request);
    const legacy = await isLegacyRequest(await toWebRequest(request, parsed), parsed);
    return (legacy ? serveSession : serveModern)(request, response, parsed);
  }),
);
