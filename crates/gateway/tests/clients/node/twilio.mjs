{{recipe twilio-node}}

const messages = (base) => connect(base).messages;
const create = (base) => messages(base).create({ to: '+15550001', from: '+15550002', body: 'Good morning' });

const found = await messages(BASE).list({ pageSize: 1 });
const result = { messages: found.map((message) => message.sid), created: (await create(BASE)).sid };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
