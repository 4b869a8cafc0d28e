import { toFile } from 'openai';

{{recipe openai-node}}

const complete = (base, options) =>
  connect(base).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...options });

const models = await all(connect(BASE).models.list());
const chunks = await all(await complete(BASE, { stream: true }));
const file = await toFile(Buffer.from('{"line":1}'), 'f.jsonl');
const result = {
  models: models.map((model) => model.id),
  stream: chunks.map((chunk) => chunk.choices[0].delta.content).join(''),
  file: (await connect(BASE).files.create({ file, purpose: 'batch' })).id,
};
report({ result, unknown: await shown(complete, UNKNOWN), broken: await shown(complete, BROKEN) });
