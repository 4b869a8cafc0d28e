{{recipe stripe-node}}

const create = (base) => connect(base).customers.create({ name: 'New one' });

const customers = await all(connect(BASE).customers.list({ limit: 2 }));
const file = { data: Buffer.from('a picture'), name: 'a.png', type: 'image/png' };
const result = {
  customers: customers.map((customer) => customer.id),
  created: (await create(BASE)).id,
  file: (await connect(BASE).files.create({ purpose: 'dispute_evidence', file })).id,
};
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
