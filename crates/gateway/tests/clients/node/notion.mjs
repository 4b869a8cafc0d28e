import { collectPaginatedAPI } from '@notionhq/client';

{{recipe notion-js}}

const create = (base) => connect(base).pages.create({ parent: { page_id: 'p' }, properties: {} });

const users = await collectPaginatedAPI(connect(BASE).users.list, {});
const result = { users: users.map((user) => user.id), created: (await create(BASE)).id };
const detail = async (base) => {
  try {
    return await create(base);
  } catch (error) {
    // The message is the status alone for codes that are not Notion's.
    throw new Error(`${error.message}: ${error.body}`);
  }
};
report({ result, unknown: await shown(detail, UNKNOWN), broken: await shown(detail, BROKEN) });
