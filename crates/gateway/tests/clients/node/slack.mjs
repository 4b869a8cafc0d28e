{{recipe slack-node}}

const post = (base) => connect(base).chat.postMessage({ channel: 'C1', text: 'Good morning' });

const pages = await all(connect(BASE).paginate('conversations.list', { limit: 1 }));
const refused = await connect(BASE).chat.delete({ channel: 'C1', ts: '1' }).catch((error) => error.data.error);
const result = {
  channels: pages.flatMap((page) => page.channels.map((channel) => channel.name)),
  posted: (await post(BASE)).ts,
  refused,
};
const detail = async (base) => {
  try {
    return await post(base);
  } catch (error) {
    // The message is the status alone.
    throw new Error(`${error.message}: ${JSON.stringify(error.body)}`);
  }
};
report({ result, unknown: await shown(detail, UNKNOWN), broken: await shown(detail, BROKEN) });
