// An OpenID provider for tests: `provider.mjs PORT RESOURCE...`. Prints `issuer URL` when it is
// ready; `rotate` on stdin makes it sign with a new key, `resource URL` adds a resource, `opaque URL`
// one whose tokens are opaque, `away` makes it answer 503 until `back`, `asked` tells how often it was
// asked about a token, `signs-in URL` lets people sign in for the client `ringwall-signs-in`, which is
// answered there: whoever is at the browser is `alice`. They sign in with a password, and with a key (`phr`)
// where `acr_values` asks for that. It ends when stdin closes.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors, interactionPolicy } from 'oidc-provider';

const [port, ...resources] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const opaque = new Set();
let away = false;
let asked = 0;
let signsIn;

// What each client's tokens say about it.
const people = {
  'alice-agent': { groups: ['support', 'leads'], tenant: 'north' },
  'bob-agent': { groups: ['interns'], tenant: 'south' },
  'certified-agent': { groups: ['support'], tenant: 'north' },
};

async function key(kid) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'ES256' };
}

// Whoever is signed in is asked again if it was not as strongly as is wanted now.
const policy = interactionPolicy.base();
const isStrongEnough = ({ oidc }) => {
  const wanted = oidc.params.acr_values?.split(' ') ?? [];
  return wanted.length === 0 || wanted.includes(oidc.acr);
};
policy.get('login').checks.add(
  new interactionPolicy.Check('acr_not_met', 'a stronger sign-in is wanted', 'login_required', (context) =>
    isStrongEnough(context) ? interactionPolicy.Check.NO_NEED_TO_PROMPT : interactionPolicy.Check.REQUEST_PROMPT,
  ),
);

// Where people sign in, nobody is asked for anything.
const person = {
  acrValues: ['pwd', 'phr'],
  cookies: { keys: ['of no use to anybody'] },
  interactions: { policy, url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId,
      accountId: oidc.session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
};

const signIns = () => ({
  client_id: 'ringwall-signs-in',
  client_secret: 'ringwall-secret',
  grant_types: ['authorization_code'],
  redirect_uris: [signsIn],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  id_token_signed_response_alg: 'ES256',
});

function provider(keys) {
  return new Provider(issuer, {
    ...person,
    // The last of them is the gateway's own: it gets no tokens, and asks about those of others.
    clients: [...Object.keys(people), 'ringwall'].map((client_id) => ({
      client_id,
      client_secret: `${client_id}-secret`,
      grant_types: client_id === 'ringwall' ? [] : ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
      // Its tokens are bound to the certificate that its requests come with.
      tls_client_certificate_bound_access_tokens: client_id === 'certified-agent',
    })).concat(signsIn ? [signIns()] : []),
    jwks: { keys },
    scopes: ['openid', 'mcp:tools'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client) => client.clientId === 'ringwall',
      },
      revocation: { enabled: true },
      // A request with a proof gets a token that is bound to its key.
      dPoP: { enabled: true },
      // As a proxy in front of it would tell of the certificate.
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (context) => decodeURIComponent(context.get('x-ssl-client-cert')) || undefined,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_context, resource) {
          if (!resources.includes(resource)) throw new errors.InvalidTarget();
          return {
            scope: 'mcp:tools',
            audience: resource,
            accessTokenTTL: 600,
            ...(opaque.has(resource)
              ? { accessTokenFormat: 'opaque' }
              : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
          };
        },
      },
    },
    extraTokenClaims: (_context, token) => people[token.clientId],
  });
}

let keys = [await key('key-1')];
let running = provider(keys);
let current = running.callback();
const renew = () => {
  running = provider(keys);
  current = running.callback();
};

async function interact(request, response) {
  const { params } = await running.interactionDetails(request, response);
  const isWanted = params.acr_values?.split(' ').includes('phr');
  const login = { accountId: 'alice', ...(isWanted ? { acr: 'phr', amr: ['hwk', 'user'] } : { acr: 'pwd', amr: ['pwd', 'otp'] }) };
  await running.interactionFinished(request, response, { login });
}

const server = createServer((request, response) => {
  if (request.url.endsWith('/introspection')) asked += 1;
  if (!away && request.url.startsWith('/interaction/')) return interact(request, response);
  if (!away) return current(request, response);
  response.writeHead(503).end();
});
server.listen(Number(port), '127.0.0.1', () => console.log(`issuer ${issuer}`));

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line === 'rotate') {
    keys = [await key(`key-${keys.length + 1}`), ...keys];
    renew();
    console.log('rotated');
  } else if (line.startsWith('resource ')) {
    resources.push(line.slice('resource '.length));
    console.log('added');
  } else if (line.startsWith('opaque ')) {
    resources.push(line.slice('opaque '.length));
    opaque.add(line.slice('opaque '.length));
    console.log('added');
  } else if (line === 'away' || line === 'back') {
    away = line === 'away';
    console.log(`is ${line}`);
  } else if (line.startsWith('signs-in ')) {
    signsIn = line.slice('signs-in '.length);
    renew();
    console.log('signs in');
  } else if (line === 'asked') {
    console.log(`asked ${asked}`);
  }
}
process.exit(0);
