import { Client } from 'undici';

const client = new Client(ORIGIN, { pipelining: 2 });
const headers = { authorization: `Bearer ${KEY}` };
const send = (base, path, options) =>
  client.request({ path: new URL(base + path).pathname, method: 'GET', ...options, headers: { ...headers, ...options?.headers } });
async function create(base) {
  const json = { 'content-type': 'application/json' };
  const response = await send(base, '/v1/things', { method: 'POST', headers: json, body: '{"name":"d"}' });
  const answer = await response.body.json();
  if (response.statusCode >= 400) throw new Error(answer.detail);
  return [response.statusCode, answer.id];
}

// Two calls at once on one connection.
const [things, stream] = await Promise.all([
  send(BASE, '/v1/things', { query: { page: 2 } }),
  send(BASE, '/v1/stream'),
]);
const result = {
  things: (await things.body.json()).things,
  stream: await stream.body.text(),
  upload: await (await send(BASE, '/v1/upload', { method: 'PUT', body: pieces() })).body.json(),
  created: await create(BASE),
};
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
await client.close();
