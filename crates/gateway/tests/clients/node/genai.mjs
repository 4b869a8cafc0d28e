import { GoogleGenAI } from '@google/genai';

const ASK = { model: 'm', contents: 'Hello' };
const models = (base) => new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: base } }).models;
const ask = async (base) => (await models(base).generateContent(ASK)).text;

const chunks = await all(await models(BASE).generateContentStream(ASK));
const result = { text: await ask(BASE), stream: chunks.map((chunk) => chunk.text).join('') };
report({ result, unknown: await shown(ask, UNKNOWN), broken: await shown(ask, BROKEN) });
