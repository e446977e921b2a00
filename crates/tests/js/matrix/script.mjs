// Runs the steps of a script against a server, and prints what was seen as one line of JSON with its
// keys in order: `DRIVER TARGET --era legacy|modern|auto [--token T] --steps JSON`. The target is a
// URL, or a JSON list: a command that speaks on stdio. What is volatile (ids, tokens, session ids)
// is left out. It knows no SDK: the driver gives it a client.
//
// client: era, server(), list(kind), call(params, options), read(params), prompt(params),
//   complete(params), ping(), level(level), watch(what) → { close() }, close(), and where the SDK has
//   it coreTask(params).
import { canonical } from './reference.mjs';

// A machine that does much else is slow; nothing waits longer than it must.
const PATIENCE = 60_000;
const AGAIN = 100;
// How long two lines of a log may be behind what they are about.
const LATE = 5_000;

export const flags = () => {
  const given = process.argv.slice(2);
  const flag = (name) => (given.includes(name) ? given[given.indexOf(name) + 1] : undefined);
  const target = given[0].startsWith('[') ? JSON.parse(given[0]) : new URL(given[0]);
  const token = flag('--token');
  return {
    target,
    era: flag('--era') ?? 'auto',
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    steps: JSON.parse(flag('--steps')),
  };
};

// What the user of this client fills in: the first thing that each property lets in.
const formats = { email: 'ada@example.com', uri: 'https://example.com/', date: '2026-07-28' };
const types = { string: 'text', integer: 7, number: 1.5, boolean: true };

function filled(schema) {
  const value = (property) => {
    const [choice] = property.oneOf ?? property.anyOf ?? [];
    if (property.type === 'array') return [value(property.items)];
    return property.enum?.[0] ?? choice?.const ?? formats[property.format] ?? types[property.type];
  };
  return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, value(property)]));
}

// How this client answers what a server asks of it, and what it was asked.
export class Desk {
  asked = [];
  logs = [];
  notices = [];

  take() {
    const seen = { asked: this.asked, logs: this.logs };
    this.asked = [];
    this.logs = [];
    seen.asked.sort((one, other) => (one.method < other.method ? -1 : 1));
    return seen;
  }

  note(method, params) {
    const { _meta, elicitationId, ...kept } = params ?? {};
    this.asked.push({ method, params: kept });
  }

  elicit(params) {
    this.note('elicitation/create', params);
    for (const action of ['decline', 'cancel']) if (params.message.includes(action)) return { action };
    return params.mode === 'url'
      ? { action: 'accept' }
      : { action: 'accept', content: filled(params.requestedSchema) };
  }

  sample(params) {
    this.note('sampling/createMessage', params);
    const text = `answer to: ${[params.messages[0].content].flat()[0].text}`;
    return { role: 'assistant', content: { type: 'text', text }, model: 'reference-model', stopReason: 'endTurn' };
  }

  roots() {
    this.note('roots/list');
    return { roots: [{ uri: 'file:///reference', name: 'reference' }] };
  }

  log({ level, logger, data }) {
    this.logs.push({ level, logger, data });
  }

  notice(method, params) {
    const { _meta, ...kept } = params ?? {};
    this.notices.push({ method, params: kept });
  }

  noticed(method, uri) {
    return this.notices.find((notice) => notice.method === method && (uri === undefined || notice.params.uri === uri));
  }
}

const lists = { tools: 'tools', resources: 'resources', templates: 'resourceTemplates', prompts: 'prompts' };
const pause = (time) => new Promise((done) => setTimeout(done, time));

async function until(condition) {
  for (let waited = 0; waited < PATIENCE / 2; waited += AGAIN) {
    const found = await condition();
    if (found) return found;
    await pause(AGAIN);
  }
  throw new Error('nothing came');
}

// Some servers log on a stream of their own, which may be behind the one that carried the result; some are
// not heard at all.
async function settled(desk) {
  for (let waited = 0; waited < LATE && desk.logs.length < 2; waited += AGAIN) await pause(AGAIN);
  for (let seen = -1; seen !== desk.logs.length; await pause(AGAIN)) seen = desk.logs.length;
}

const verbs = {
  server: (client) => client.server(),
  ping: (client) => client.ping(),
  read: (client, _desk, { uri }) => client.read({ uri }),
  prompt: (client, _desk, { prompt, arguments: given }) => client.prompt({ name: prompt, arguments: given }),
  complete: (client, _desk, { ref, argument, context }) => client.complete({ ref, argument, context }),
  async call(client, desk, { tool, arguments: given = {}, meta, level, progress }) {
    if (level) await client.level(level);
    const seen = [];
    const onprogress = ({ progress: done, total, message }) => seen.push({ progress: done, total, message });
    const params = { name: tool, arguments: given, ...(meta ? { _meta: meta } : {}) };
    const result = await client.call(params, { level, ...(progress ? { onprogress } : {}) });
    if (level) await settled(desk);
    return { ...result, ...(progress ? { progress: seen } : {}) };
  },
  task() {
    throw new NotApplicable('this SDK has no tasks extension');
  },
  core_task(client, _desk, { tool, arguments: given }) {
    if (!client.coreTask) throw new NotApplicable('this SDK has no core tasks');
    return client.coreTask({ name: tool, arguments: given });
  },
  // A notice can be lost before its stream stands, so what announces it is done until it comes.
  async watch(client, desk, { what, tool, arguments: given }) {
    const uri = what in lists ? undefined : what;
    const method = `notifications/${uri ? 'resources/updated' : `${what}/list_changed`}`;
    desk.notices = [];
    const watching = await client.watch(what);
    try {
      return await until(async () => {
        await client.call({ name: tool, arguments: given }, {});
        return desk.noticed(method, uri);
      });
    } finally {
      await watching.close();
    }
  },
  async cancel(client) {
    const key = `${process.pid}-${Date.now()}`;
    const waited = async () => {
      const { content } = await client.call({ name: 'waited', arguments: { key } }, {});
      return JSON.parse(content[0].text);
    };
    const stop = new AbortController();
    const waiting = client
      .call({ name: 'wait', arguments: { key } }, { signal: stop.signal })
      .then(() => 'answered', () => 'gave up');
    await until(async () => (await waited()).begun > 0);
    stop.abort('enough');
    await until(async () => (await waited()).cancelled > 0);
    return { ...(await waited()), outcome: await waiting };
  },
};
// Some servers add tools once they know the client: `until` names one to wait for.
for (const [kind, member] of Object.entries(lists)) {
  verbs[kind] = (client, _desk, { until: awaited }) =>
    until(async () => {
      const all = (await client.list(kind))[member];
      return (awaited === undefined || all.some(({ name }) => name === awaited)) && all;
    });
}

// Thrown by a client for what its SDK or its era does not have.
export class NotApplicable extends Error {}

// A result without what its era adds to every result, and without a default that is spelled out.
function bare(result) {
  if (Array.isArray(result)) return result;
  const { _meta = {}, ttlMs, cacheScope, resultType, ...kept } = result;
  if (kept.isError === false) delete kept.isError;
  const own = Object.entries(_meta).filter(([key]) => !key.startsWith('io.modelcontextprotocol/'));
  return { ...kept, ...(own.length ? { _meta: Object.fromEntries(own) } : {}) };
}

async function perform(client, desk, step) {
  let clock;
  const slow = new Promise((_, fail) => {
    clock = setTimeout(() => fail(new Error('too slow')), PATIENCE);
  });
  try {
    const ok = await Promise.race([verbs[step.do](client, desk, step), slow]);
    return { ok: bare(ok), ...desk.take() };
  } catch (error) {
    if (error instanceof NotApplicable) return { 'n/a': error.message };
    const { code, data } = error;
    const message = String(error.message ?? error).replace(/^MCP error -?\d+: /, '');
    return { error: { message, code, data }, ...desk.take() };
  } finally {
    clearTimeout(clock);
  }
}

export async function run(connect) {
  const { steps, ...where } = flags();
  const desk = new Desk();
  const seen = {};
  try {
    const client = await connect(where, desk);
    for (const step of steps) seen[step.name] = await perform(client, desk, step);
    await client.close();
  } catch (error) {
    seen.failed = { message: String(error.stack ?? error), code: error.code, data: error.data };
  }
  console.log(canonical(seen));
  process.exit(0);
}
