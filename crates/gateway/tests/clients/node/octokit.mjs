{{recipe octokit}}

const repository = { owner: 'o', repo: 'r' };
const create = (base) => connect(base).rest.issues.create({ ...repository, title: 'new' });

const octokit = connect(BASE);
const issues = await octokit.paginate(octokit.rest.issues.listForRepo, { ...repository, per_page: 2 });
const result = { issues: issues.map((issue) => issue.number), created: (await create(BASE)).data.number };
report({ result, unknown: await shown(create, UNKNOWN), broken: await shown(create, BROKEN) });
