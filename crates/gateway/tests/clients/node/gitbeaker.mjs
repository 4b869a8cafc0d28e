{{recipe gitbeaker}}

const create = (base) => connect(base).Issues.create('group/project', 'new');

const project = await connect(BASE).Projects.show('group/project');
const issues = await connect(BASE).Issues.all({ projectId: 'group/project', perPage: 2 });
const result = {
  project: project.name,
  issues: issues.map((issue) => issue.iid),
  created: (await create(BASE)).iid,
};
const detail = async (base) => {
  try {
    return await create(base);
  } catch (error) {
    // The message is the title alone: the description is in the cause.
    throw new Error(`${error.message}: ${error.cause?.description}`);
  }
};
report({ result, unknown: await shown(detail, UNKNOWN), broken: await shown(detail, BROKEN) });
