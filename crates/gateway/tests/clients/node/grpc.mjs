import { Client, Metadata, credentials } from '@grpc/grpc-js';

const metadata = new Metadata();
metadata.set('authorization', `Bearer ${KEY}`);
const client = (id) =>
  new Client(`127.0.0.1:${PORT}`, credentials.createInsecure(), {
    'grpc.default_authority': `${id}.gw.test:${PORT}`,
    'grpc.enable_http_proxy': 0,
  });
const same = (bytes) => bytes;

function one(id) {
  return new Promise((resolve, reject) => {
    const opened = client(id);
    opened.makeUnaryRequest('/test.Echo/One', same, same, Buffer.from('hello'), metadata, (error, answer) => {
      opened.close();
      if (error) reject(error);
      else resolve(answer.toString());
    });
  });
}

async function many(id) {
  const opened = client(id);
  const call = opened.makeBidiStreamRequest('/test.Echo/Many', same, same, metadata);
  for (const text of ['a', 'b', 'c']) call.write(Buffer.from(text));
  call.end();
  const messages = await all(call);
  opened.close();
  return messages.map(String);
}

report({
  result: { one: await one('c'), many: await many('c') },
  unknown: await shown(one, 'nobody'),
  broken: await shown(one, 'broken'),
});
