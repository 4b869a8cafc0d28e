{{recipe jsforce}}

const connection = (base) => Object.assign(connect(base), { version: '62.0' });
const create = (base) => connection(base).sobject('Account').create({ Name: 'new' });

const found = await connection(BASE).query('SELECT Id FROM Account', { autoFetch: true, maxFetch: 10 });
const result = { records: found.records.map((record) => record.Id), created: (await create(BASE)).id };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
