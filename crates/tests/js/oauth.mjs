// What a client of an official TypeScript SDK needs to do the OAuth dance: it keeps what it gets, and leaves
// the browser to somebody else, who reads `authorize URL` and says the address that browser came back to.
import { createInterface } from 'node:readline';

const redirect = 'http://127.0.0.1:9/callback';
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function client(version, url, document) {
  const { Client, Transport, UnauthorizedError, finish } = await import(`./sdk-${version}.mjs`);
  const saved = { tokens: 0 };
  const provider = {
    redirectUrl: redirect,
    ...(document ? { clientMetadataUrl: document } : {}),
    clientMetadata: {
      client_name: 'Dancer',
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'of-the-sdk',
    clientInformation: () => saved.client,
    saveClientInformation: (client) => void (saved.client = client),
    tokens: () => saved.held,
    saveTokens: (tokens) => {
      saved.held = tokens;
      saved.tokens += 1;
    },
    redirectToAuthorization: (to) => console.log(`authorize ${to}`),
    saveCodeVerifier: (verifier) => void (saved.verifier = verifier),
    codeVerifier: () => saved.verifier,
  };
  let transport;
  const connected = async (more) => {
    const made = new Client({ name: 'dancer', version: '1.0.0' });
    transport = new Transport(new URL(url), { authProvider: provider, ...more });
    await made.connect(transport);
    return made;
  };
  // That this sends somebody to a browser, and what comes of their way there and back.
  const asked = async (work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      const back = new URL((await lines.next()).value);
      if (back.searchParams.get('state') !== 'of-the-sdk') throw new Error('another state');
      return finish(transport, back.searchParams);
    }
    throw new Error('nobody was asked');
  };
  return { saved, provider, connected, asked };
}

export async function echo(client) {
  const answer = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
  return answer.content[0].text;
}

// Does this, and says what was seen of it as one line of JSON. A failure is said too.
export async function told(work) {
  const seen = {};
  try {
    await work(seen);
  } catch (error) {
    seen.error = String(error?.stack ?? error);
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}
