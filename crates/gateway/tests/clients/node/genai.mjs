{{recipe google-genai-js}}

const ASK = { model: 'm', contents: 'Hello' };
const models = (base) => connect(base).models;
const ask = async (base) => (await models(base).generateContent(ASK)).text;

const chunks = await all(await models(BASE).generateContentStream(ASK));
const result = { text: await ask(BASE), stream: chunks.map((chunk) => chunk.text).join('') };
report({ result, unknown: await shown(ask, UNKNOWN), broken: await shown(ask, BROKEN) });
