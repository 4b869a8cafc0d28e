// Generates a client from the document of the gateway, and calls each of PATHS with it.
import { createClient } from '@hey-api/openapi-ts';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';

const { ORIGIN, KEY, OUT, PATHS } = process.env;

const document = await (await fetch(`${ORIGIN}/openapi.json`)).json();
await createClient({
  input: document,
  output: { path: OUT, postProcess: [] },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
  logs: { level: 'silent' },
});

// Old releases of Node can't run TypeScript.
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
  writeFileSync(file.replace(/\.ts$/, '.js'), outputText);
}
writeFileSync(join(OUT, 'package.json'), '{ "type": "commonjs" }');
const require = createRequire(join(OUT, 'index.js'));
const sdk = require('./index.js');
const { client } = require('./client.gen.js');

// The address is that of the document's server.
client.setConfig({ auth: ({ name }) => (name === 'x-api-key' ? KEY : undefined) });
const at = (path) => ({ connection_id: 'c', path });

const statuses = [];
let data;
for (const path of JSON.parse(PATHS)) {
  const called = await sdk.getPath({ path: at(path) });
  statuses.push(called.response.status);
  data = called.data;
}
const query = { b: 'x y', c: 'z' };
statuses.push((await sdk.getPath({ path: at('/v2/x?a=1'), query: { query } })).response.status);
statuses.push((await sdk.postPath({ path: at('/v2/x'), body: { name: 'ü' } })).response.status);
statuses.push((await sdk.headBase({ path: { connection_id: 'c' } })).response.status);
const { error, response } = await sdk.getPath({ path: { connection_id: 'nobody', path: '/v2/x' } });
const unknown = { field: response.headers.get('passthrough-error'), error };
console.log(JSON.stringify({ statuses, data, unknown }));
