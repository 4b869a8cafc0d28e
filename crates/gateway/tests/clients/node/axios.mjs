import { Readable } from 'node:stream';
import axios from 'axios';

const http = axios.create({ headers: { authorization: `Bearer ${KEY}` }, proxy: false });
async function create(base) {
  const { status, data } = await http.post(`${base}/v1/things`, { name: 'd' });
  return [status, data.id];
}

const stream = await http.get(`${BASE}/v1/stream`, { responseType: 'stream' });
const result = {
  things: (await http.get(`${BASE}/v1/things`, { params: { page: 2 } })).data.things,
  stream: Buffer.concat(await all(stream.data)).toString(),
  upload: (await http.put(`${BASE}/v1/upload`, Readable.from(pieces()))).data,
  created: await create(BASE),
};
const detail = (base) =>
  create(base).catch((error) => {
    throw new Error(`${error.message}: ${error.response.data.detail}`);
  });
report({ result, unknown: await shown(detail, UNKNOWN), broken: await shown(detail, BROKEN) });
