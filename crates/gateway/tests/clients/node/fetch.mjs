const headers = { authorization: `Bearer ${KEY}` };
const get = (path) => fetch(`${BASE}${path}`, { headers });
async function create(base) {
  const json = { ...headers, 'content-type': 'application/json' };
  const response = await fetch(`${base}/v1/things`, { method: 'POST', headers: json, body: '{"name":"d"}' });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return [response.status, answer.id];
}

const body = ReadableStream.from(pieces());
const upload = await fetch(`${BASE}/v1/upload`, { method: 'PUT', headers, body, duplex: 'half' });
const result = {
  things: (await (await get('/v1/things?page=2')).json()).things,
  stream: Buffer.concat(await all((await get('/v1/stream')).body)).toString(),
  upload: await upload.json(),
  created: await create(BASE),
};
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
