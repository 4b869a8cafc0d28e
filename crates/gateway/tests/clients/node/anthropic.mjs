{{recipe anthropic-typescript}}

const ASK = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] };
const ask = (base) => connect(base).messages.create(ASK);

const result = {
  message: (await ask(BASE)).content[0].text,
  stream: await connect(BASE).messages.stream(ASK).finalText(),
};
report({ result, unknown: await shown(ask, UNKNOWN), broken: await shown(ask, BROKEN) });
