// A client of an official TypeScript SDK that is told to step up (RFC 9470): `step.mjs VERSION URL HOW`. No SDK
// carries `acr_values` and `max_age` of a challenge on by itself. With HOW `carries` this one does: it sees
// the challenge, lets go of the token that was not enough, and adds both to the address that the SDK
// makes; everything else is the SDK's own. With `forgets` it only lets go of the token.
import { client, echo, told } from './oauth.mjs';

const [version, url, how] = process.argv.slice(2);
const parameter = (challenge, name) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];

await told(async (seen) => {
  const { saved, provider, connected, asked } = await client(version, url);
  const challenged = {};
  const fetching = async (...request) => {
    const response = await fetch(...request);
    const challenge = response.headers.get('www-authenticate') ?? '';
    if (parameter(challenge, 'error') === 'insufficient_user_authentication') {
      for (const name of ['acr_values', 'max_age']) challenged[name] = parameter(challenge, name);
      saved.held = undefined;
    }
    return response;
  };
  const { redirectToAuthorization } = provider;
  provider.redirectToAuthorization = (to) => {
    const carried = how === 'carries' ? Object.entries(challenged) : [];
    for (const [name, value] of carried) to.searchParams.set(name, value);
    redirectToAuthorization(to);
  };
  await asked(connected);
  const weak = await connected({ fetch: fetching });
  seen.other = (await weak.callTool({ name: 'add', arguments: { a: 1, b: 2 } })).content[0].text;
  await asked(() => echo(weak));
  seen.challenged = challenged;
  const strong = await connected();
  seen.call = await echo(strong).catch((error) => `refused: ${error}`);
});
