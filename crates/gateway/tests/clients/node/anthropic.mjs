import Anthropic from '@anthropic-ai/sdk';

const ASK = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] };
const client = (base) => new Anthropic({ apiKey: KEY, baseURL: base });
const ask = (base) => client(base).messages.create(ASK);

const result = {
  message: (await ask(BASE)).content[0].text,
  stream: await client(BASE).messages.stream(ASK).finalText(),
};
report({ result, unknown: await shown(ask, UNKNOWN), broken: await shown(ask, BROKEN) });
