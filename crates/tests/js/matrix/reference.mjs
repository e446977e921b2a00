// What the reference servers in JavaScript do, whichever SDK carries them; `surface.json` says what
// they offer. It knows no SDK: a `peer` stands for the request at hand and whoever sent it.
//
// peer: meta (the request's `_meta`), signal, state (what an earlier round left),
//   progress(done, total, message), log(level, data), need(questions, state) → answers by key.
import { readFileSync } from 'node:fs';

export const surface = JSON.parse(readFileSync(new URL('../../src/peers/surface.json', import.meta.url)));

// A failure that is a JSON-RPC error; the server turns it into one of its own SDK.
export class Rejected extends Error {
  constructor(message, data, missing) {
    super(message);
    this.data = data;
    this.missing = missing;
  }
}

let grown = false;
const waits = new Map();

export const tools = () => [...surface.tools, ...(grown ? [surface.grown] : [])];

// One page of a list; the cursor is where it begins, hidden in base64 as a real one would be.
export function page(member, all, cursor) {
  const start = cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0 || start >= all.length) throw new Rejected('no such cursor');
  const end = start + surface.page;
  const next = end < all.length ? { nextCursor: Buffer.from(String(end)).toString('base64url') } : {};
  return { [member]: all.slice(start, end), ...next };
}

// JSON with its keys in order, so that it is one text whoever wrote it.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

const text = (said) => ({ content: [{ type: 'text', text: said }] });
const told = (value) => text(canonical(value));

export const form = (message) => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: surface.form },
});
const visit = (message) => ({
  method: 'elicitation/create',
  params: { mode: 'url', message, url: surface.page_to_visit },
});
const consult = (question) => ({
  method: 'sampling/createMessage',
  params: {
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    systemPrompt: 'Be brief.',
    maxTokens: 100,
  },
});
const look = { method: 'roots/list' };

const said = ({ action, content }) => ({ action, content });
const reply = ({ model, role, content, stopReason }) => ({ model, role, text: content.text, stopReason });
const roots = (answer) => answer.roots.map(({ uri, name }) => ({ uri, name }));

// Every tool: what it does with its arguments. `announce` tells every listener of a change.
export const behaviour = (announce) => ({
  echo: (given) => text(given.text),
  add: ({ a, b }) => ({ ...told({ sum: a + b }), structuredContent: { sum: a + b } }),
  fail: () => surface.results.fail,
  media: () => surface.results.media,
  slow: () => surface.results.slow,
  reject: () => {
    throw new Rejected('It was rejected, as it was told to.', { reason: 'told to' });
  },
  tag: (_given, peer) => told({ tag: peer.meta?.['org.example/tag'], traceparent: peer.meta?.traceparent }),
  route: (given) => text(given.region),
  async count({ to }, peer) {
    for (let done = 1; done <= to; done += 1) {
      await peer.progress(done, to, `step ${done}`);
      // The 1.x client drops progress that it reads together with the result.
      await new Promise((next) => setTimeout(next, done === to ? 500 : 30));
    }
    return text(`counted ${to}`);
  },
  async log(_given, peer) {
    for (const level of ['debug', 'info', 'warning', 'error']) await peer.log(level, { level });
    return text('logged');
  },
  async wait({ key }, peer) {
    const waited = waits.get(key) ?? { begun: 0, cancelled: 0 };
    waits.set(key, waited);
    waited.begun += 1;
    await new Promise((done) => {
      const end = setTimeout(done, 30_000);
      const cancel = () => {
        waited.cancelled += 1;
        clearTimeout(end);
        done();
      };
      if (peer.signal.aborted) cancel();
      else peer.signal.addEventListener('abort', cancel, { once: true });
    });
    return text('waited');
  },
  waited: ({ key }) => told(waits.get(key) ?? { begun: 0, cancelled: 0 }),
  ask: async ({ message }, peer) => told(said((await peer.need({ form: form(message) })).form)),
  visit: async ({ message }, peer) => told({ action: (await peer.need({ page: visit(message) })).page.action }),
  consult: async ({ question }, peer) => told(reply((await peer.need({ model: consult(question) })).model)),
  look: async (_given, peer) => told(roots((await peer.need({ roots: look })).roots)),
  async gather(_given, peer) {
    const answers = await peer.need({ form: form('Both?'), roots: look });
    return told({ form: said(answers.form), roots: roots(answers.roots) });
  },
  async converse(_given, peer) {
    const name = peer.state ?? (await peer.need({ form: form('Who is it?') })).form.content?.name ?? 'nobody';
    const answer = await peer.need({ model: consult(`Who is ${name}?`) }, name);
    return told({ name, text: reply(answer.model).text });
  },
  touch({ what }) {
    announce(what);
    return text(`touched ${what}`);
  },
  grow({ present }) {
    grown = present;
    announce('tools');
    return text(present ? 'grown' : 'shrunk');
  },
  ...(grown ? { grown: () => surface.results.grown } : {}),
});

export async function call(announce, { name, arguments: given = {} }, peer) {
  const does = behaviour(announce)[name];
  if (!does) throw new Rejected(`no tool \`${name}\``);
  return does(given, peer);
}

export async function read({ uri }, peer) {
  if (uri === 'ref://guarded') {
    const { form: answer } = await peer.need({ form: form('May it be read?') });
    if (answer.action !== 'accept') throw new Rejected('the user does not want it read');
  }
  const found = /^ref:\/\/(item|many)\/(\d+)$/.exec(uri);
  if (found) {
    const named = found[1] === 'item' ? `Item ${found[2]}.` : `Number ${found[2]}.`;
    return { contents: [{ uri, mimeType: 'text/plain', text: named }] };
  }
  const contents = surface.contents[uri];
  if (!contents) throw new Rejected(`no resource ${uri}`, { uri }, true);
  return contents;
}

export async function prompt({ name, arguments: given = {} }, peer) {
  const message = (spoken) => ({ messages: [{ role: 'user', content: { type: 'text', text: spoken } }] });
  if (name === 'greet') {
    if (given.name === undefined) throw new Rejected('`name` is missing');
    return message(`Greet ${given.name}${given.tone ? ` in a ${given.tone} tone` : ''}.`);
  }
  if (name === 'interview') {
    const { form: answer } = await peer.need({ form: form('May we talk?') });
    return message(`The user said ${answer.action}.`);
  }
  if (!surface.messages[name]) throw new Rejected(`no prompt \`${name}\``);
  return surface.messages[name];
}

export function complete({ argument, context }) {
  const given = context?.arguments?.name;
  const values = (surface.completions[argument.name] ?? [])
    .filter((value) => value.startsWith(argument.value))
    .map((value) => (given ? `${value} for ${given}` : value));
  return { completion: { values, total: values.length, hasMore: false } };
}

export const capabilities = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
};

// Ends with the test that started it; prints the URL once it listens.
export function serve(server) {
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
  process.stdin.on('end', () => process.exit(0)).resume();
}
