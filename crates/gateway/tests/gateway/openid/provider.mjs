// An OpenID provider that rotates refresh tokens and revokes a grant if an old refresh token is used again, and a vendor's API that
// accepts the provider's access tokens. The test that started the program calls `control`.
//
// Prints one line of JSON with the ports of the three servers. Ends when its standard input ends.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const CLIENT = { id: 'gateway', secret: 'cl13nt s3cr3t/+' };
const asked = { refreshed: 0, refused: 0 };
const grants = new Map();
const used = new Set();
let seconds = 3600;
let isDown = false;
let delay = 0;

const listen = (handler) => new Promise((resolve) => {
  const server = createServer(handler);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});
const answer = (response, status, value) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

const provider = new Provider('http://127.0.0.1', {
  clients: [{
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: ['https://gateway.test/callback'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: () => seconds, ClientCredentials: () => seconds, RefreshToken: 86400, Grant: 86400, IdToken: 3600,
  },
});
provider.on('grant.success', (ctx) => {
  asked.refreshed += 1;
  const { AccessToken } = ctx.oidc.entities;
  if (AccessToken) grants.set(AccessToken.grantId, { ...grants.get(AccessToken.grantId), newest: ctx.body.access_token });
});
provider.on('grant.error', () => { asked.refused += 1; });

const callback = provider.callback();
const token = await listen((request, response) => {
  if (isDown) return answer(response, 503, { error: 'temporarily_unavailable' });
  return setTimeout(() => callback(request, response), delay);
});

const api = await listen(async (request, response) => {
  const value = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const found = await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value);
  const isLive = found?.isValid && (!found.grantId || await provider.Grant.find(found.grantId));
  request.resume();
  request.on('end', () => {
    if (!isLive) return answer(response, 401, { message: 'the token is stale' });
    used.add(value);
    return answer(response, 200, { grant: found.grantId ?? null });
  });
});

const commands = {
  // Makes a grant: a refresh token, and an access token that ends after this number of seconds.
  async grant({ lifetime = 3600 }) {
    const client = await provider.Client.find(CLIENT.id);
    const grant = new provider.Grant({ accountId: 'ann', clientId: CLIENT.id });
    grant.addOIDCScope('openid offline_access');
    const grantId = await grant.save();
    const shared = { client, accountId: 'ann', grantId, scope: 'openid offline_access', gty: 'authorization_code' };
    seconds = lifetime;
    const access = await new provider.AccessToken({ ...shared, expiresIn: lifetime }).save();
    const refresh = await new provider.RefreshToken({
      ...shared, rotations: 0, iiat: Math.floor(Date.now() / 1000), authTime: Math.floor(Date.now() / 1000),
    }).save();
    grants.set(grantId, { newest: access });
    return { grant: grantId, access_token: access, refresh_token: refresh };
  },
  async revoke({ grant }) {
    await provider.RefreshToken.revokeByGrantId(grant);
    await provider.AccessToken.revokeByGrantId(grant);
    await (await provider.Grant.find(grant))?.destroy();
    return {};
  },
  // Makes the vendor reject that access token before its end.
  async expire({ token: value }) {
    await (await provider.AccessToken.find(value))?.destroy();
    return {};
  },
  async settings(given) {
    seconds = given.lifetime ?? seconds;
    isDown = given.down ?? isDown;
    delay = given.delay ?? delay;
    return {};
  },
  // Returns the numbers of requests to the token endpoint, and whether the vendor has seen the newest access token of the grant.
  async facts({ grant }) {
    const newest = grants.get(grant)?.newest;
    return { ...asked, newest, isUsed: used.has(newest) };
  },
};
const control = await listen((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', async () => {
    try {
      answer(response, 200, await commands[request.url.slice(1)](JSON.parse(body || '{}')));
    } catch (error) {
      answer(response, 500, { message: String(error.stack) });
    }
  });
});

console.log(JSON.stringify({ token, api, control }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
