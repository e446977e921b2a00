// The whole OAuth dance of an official TypeScript SDK: `dance.mjs VERSION URL [DOCUMENT]`. Says what a call
// said, and what another one said once the access token was worth nothing. With DOCUMENT, that is its client
// id; without, it registers.
import { client, echo, told } from './oauth.mjs';

await told(async (seen) => {
  const { saved, connected, asked } = await client(...process.argv.slice(2));
  await asked(connected);
  const one = await connected();
  seen.call = await echo(one);
  saved.held = { ...saved.held, access_token: 'worth-nothing' };
  seen.again = await echo(one);
  seen.client = saved.client.client_id;
  seen.tokens = saved.tokens;
});
