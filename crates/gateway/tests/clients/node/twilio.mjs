import twilio from 'twilio';

const ACCOUNT = `AC${'1'.repeat(32)}`;
function messages(base) {
  const client = twilio(ACCOUNT, KEY);
  client.api.baseUrl = base;
  return client.messages;
}
const create = (base) => messages(base).create({ to: '+15550001', from: '+15550002', body: 'Good morning' });

const found = await messages(BASE).list({ pageSize: 1 });
const result = { messages: found.map((message) => message.sid), created: (await create(BASE)).sid };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
