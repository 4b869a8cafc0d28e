import Stripe from 'stripe';

resolveNames();
const client = (host) => new Stripe(KEY, { host: `${host}.gw.test`, port: PORT, protocol: 'http' });
const create = (host) => client(host).customers.create({ name: 'New one' });

const customers = await all(client('c').customers.list({ limit: 2 }));
const file = { data: Buffer.from('a picture'), name: 'a.png', type: 'image/png' };
const result = {
  customers: customers.map((customer) => customer.id),
  created: (await create('c')).id,
  file: (await client('c').files.create({ purpose: 'dispute_evidence', file })).id,
};
report({ result, unknown: await shown(create, 'nobody'), broken: await shown(create, 'broken') });
