import { once } from 'node:events';
import WebSocket from 'ws';

async function use(base) {
  const url = `${base.replace('http', 'ws')}/v1/realtime`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${KEY}` } });
  await once(socket, 'open');
  socket.send('caf\u00e9');
  const [text] = await once(socket, 'message');
  socket.send(Buffer.alloc(200000, 'x'));
  const [bytes] = await once(socket, 'message');
  socket.close(1000);
  const [close] = await once(socket, 'close');
  return { text: text.toString(), bytes: bytes.length, close };
}

report({ result: await use(BASE), unknown: await shown(use, UNKNOWN), broken: await shown(use, BROKEN) });
