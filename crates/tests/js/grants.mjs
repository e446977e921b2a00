// An authorization server for tests of the gateway as a client: `grants.mjs PORT FOLDER`. Prints
// `issuer URL` when it is ready; `resource URL` on stdin adds a resource; it ends when stdin closes.
// Below FOLDER lie `asked.jsonl`, with every header and field it was sent, and `client-key.pem`, the
// key of the client `keyed`. Proofs of possession need a nonce of its own.
// The exchange of tokens is ours: oidc-provider authenticates the client and reads the fields, and has
// no such grant itself.
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { SignJWT, calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const [port, folder] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const resources = [];

const signing = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(signing.privateKey)), kid: 'key-1', use: 'sig', alg: 'ES256' };

const keyed = await generateKeyPair('ES256', { extractable: true });
const keyedJwk = await exportJWK(keyed.publicKey);
keyedJwk.kid = await calculateJwkThumbprint(keyedJwk);
writeFileSync(`${folder}/client-key.pem`, await exportPKCS8(keyed.privateKey), { mode: 0o600 });

function client(client_id, token_endpoint_auth_method, proof) {
  return {
    client_id,
    token_endpoint_auth_method,
    grant_types: ['client_credentials', exchange],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
    ...proof,
  };
}

const provider = new Provider(issuer, {
  clients: [
    client('alice-agent', 'client_secret_basic', { client_secret: 'alice-agent-secret' }),
    // Both parts of its header need encoding.
    client('basic:client', 'client_secret_basic', { client_secret: 'a secret: 100% /+' }),
    client('post-client', 'client_secret_post', { client_secret: 'the-secret-of-post' }),
    client('keyed', 'private_key_jwt', { jwks: { keys: [keyedJwk] } }),
  ],
  jwks: { keys: [key] },
  scopes: ['mcp:tools'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_context, resource) {
        if (!resources.includes(resource)) throw new errors.InvalidTarget();
        return {
          scope: 'mcp:tools',
          audience: resource,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        };
      },
    },
  },
});

// Who a token of ours is about, and who acts with it.
async function read(token, type) {
  if (type !== accessToken) throw new errors.InvalidRequest('not an access token');
  try {
    return (await jwtVerify(token, signing.publicKey, { issuer })).payload;
  } catch {
    throw new errors.InvalidGrant('a token of somebody else');
  }
}

async function exchanged({ oidc }) {
  const { params } = oidc;
  const subject = await read(params.subject_token, params.subject_token_type);
  const actor = params.actor_token && (await read(params.actor_token, params.actor_token_type));
  if (!resources.includes(params.resource)) throw new errors.InvalidTarget();
  const claims = {
    client_id: oidc.client.clientId,
    scope: params.scope,
    ...(actor && { act: { sub: actor.sub } }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })
    .setIssuer(issuer)
    .setAudience(params.resource)
    .setSubject(subject.sub)
    .setIssuedAt()
    .setExpirationTime('5m')
    .setJti(crypto.randomUUID())
    .sign(signing.privateKey);
}

const names = ['subject_token', 'subject_token_type', 'requested_token_type', 'actor_token',
  'actor_token_type', 'audience', 'resource', 'scope'];
provider.registerGrantType(exchange, async (context) => {
  context.body = {
    access_token: await exchanged(context),
    issued_token_type: accessToken,
    token_type: 'Bearer',
    expires_in: 300,
  };
}, new Set(names));

provider.use(async (context, next) => {
  await next();
  const asked = {
    method: context.method,
    path: context.url,
    headers: context.req.headers,
    fields: context.oidc?.body ?? null,
    status: context.status,
  };
  appendFileSync(`${folder}/asked.jsonl`, `${JSON.stringify(asked)}\n`);
});

const server = createServer(provider.callback());
server.listen(Number(port), '127.0.0.1', () => console.log(`issuer ${issuer}`));

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line.startsWith('resource ')) {
    resources.push(line.slice('resource '.length));
    console.log('added');
  }
}
process.exit(0);
