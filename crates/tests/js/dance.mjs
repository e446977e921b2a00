// The whole OAuth dance of an official TypeScript SDK: `dance-v?.mjs URL [DOCUMENT]`. Prints `authorize
// URL` for whoever has a browser, reads the address that browser came back to, and prints one line of JSON:
// what a call said, and what another one said once the access token was worth nothing. With DOCUMENT, that
// is its client id; without, it registers.
import { createInterface } from 'node:readline';

const redirect = 'http://127.0.0.1:9/callback';

export async function dance(Client, Transport, UnauthorizedError, finish) {
  const [url, document] = process.argv.slice(2);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
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
  const connected = async () => {
    const client = new Client({ name: 'dancer', version: '1.0.0' });
    await client.connect(new Transport(new URL(url), { authProvider: provider }));
    return client;
  };
  const echo = async (client) => {
    const answer = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
    return answer.content[0].text;
  };
  const seen = {};
  try {
    const first = new Transport(new URL(url), { authProvider: provider });
    try {
      await new Client({ name: 'dancer', version: '1.0.0' }).connect(first);
      throw new Error('nobody was asked');
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
    }
    const back = new URL((await lines.next()).value);
    if (back.searchParams.get('state') !== 'of-the-sdk') throw new Error('another state');
    await finish(first, back.searchParams);
    const client = await connected();
    seen.call = await echo(client);
    saved.held = { ...saved.held, access_token: 'worth-nothing' };
    seen.again = await echo(client);
    seen.client = saved.client.client_id;
    seen.tokens = saved.tokens;
  } catch (error) {
    seen.error = String(error?.stack ?? error);
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}
