import OpenAI, { toFile } from 'openai';

const client = (base) => new OpenAI({ apiKey: KEY, baseURL: `${base}/v1` });
const complete = (base, options) =>
  client(base).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...options });

const models = await all(client(BASE).models.list());
const chunks = await all(await complete(BASE, { stream: true }));
const file = await toFile(Buffer.from('{"line":1}'), 'f.jsonl');
const result = {
  models: models.map((model) => model.id),
  stream: chunks.map((chunk) => chunk.choices[0].delta.content).join(''),
  file: (await client(BASE).files.create({ file, purpose: 'batch' })).id,
};
report({ result, unknown: await shown(complete, UNKNOWN), broken: await shown(complete, BROKEN) });
