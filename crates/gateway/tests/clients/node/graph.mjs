import { RetryHandlerOptions } from '@microsoft/microsoft-graph-client';

{{recipe msgraph-js}}

// By default, a POST is repeated after a 503 or 504.
const once = [new RetryHandlerOptions(undefined, 0)];
const create = (base) => connect(base).api('/users').middlewareOptions(once).post({ displayName: 'new' });

// The link to the next page is Microsoft's own address, to which the SDK would send the key. The path alone stays
// below the mount.
const users = [];
let path = '/users?$top=2';
while (path) {
  const page = await connect(BASE).api(path).get();
  users.push(...page.value.map((user) => user.id));
  path = page['@odata.nextLink']?.replace(/^.*\/v1\.0/, '');
}
report({
  result: { users, created: (await create(BASE)).id },
  unknown: await shown(create, UNKNOWN),
  broken: await shown(create, BROKEN),
});
