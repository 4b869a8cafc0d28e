import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import got from 'got';

const http = got.extend({ headers: { authorization: `Bearer ${KEY}` } });
async function create(base) {
  const response = await http.post(`${base}/v1/things`, { json: { name: 'd' }, responseType: 'json' });
  return [response.statusCode, response.body.id];
}

const upload = http.stream.put(`${BASE}/v1/upload`);
const parts = [];
await pipeline(Readable.from(pieces()), upload, async (answer) => parts.push(...(await all(answer))));
const result = {
  things: (await http(`${BASE}/v1/things`, { searchParams: { page: 2 } }).json()).things,
  stream: Buffer.concat(await all(http.stream(`${BASE}/v1/stream`))).toString(),
  upload: JSON.parse(Buffer.concat(parts).toString()),
  created: await create(BASE),
};
const detail = (base) =>
  create(base).catch((error) => {
    throw new Error(`${error.message}: ${error.response.body.detail}`);
  });
report({ result, unknown: await shown(detail, UNKNOWN), broken: await shown(detail, BROKEN) });
