import { Octokit } from '@octokit/rest';

const repository = { owner: 'o', repo: 'r' };
const log = { debug() {}, info() {}, warn() {}, error() {} };
const client = (base) => new Octokit({ auth: KEY, baseUrl: base, log });
const create = (base) => client(base).rest.issues.create({ ...repository, title: 'new' });

const octokit = client(BASE);
const issues = await octokit.paginate(octokit.rest.issues.listForRepo, { ...repository, per_page: 2 });
const result = { issues: issues.map((issue) => issue.number), created: (await create(BASE)).data.number };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
