{{recipe hubspot-node}}

const contacts = (base) => connect(base).crm.contacts;
const create = (base) => contacts(base).basicApi.create({ properties: { email: 'new@b.test' }, associations: [] });

const found = await contacts(BASE).getAll();
const result = { contacts: found.map((contact) => contact.id), created: (await create(BASE)).id };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
