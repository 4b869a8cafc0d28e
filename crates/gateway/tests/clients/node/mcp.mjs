import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

async function add(base) {
  const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
  const transport = new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { requestInit });
  const client = new Client({ name: 'client', version: '1' });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    const sum = await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } });
    return {
      server: client.getServerVersion().name,
      tools: tools.map((tool) => tool.name),
      sum: sum.content[0].text,
    };
  } finally {
    await client.close();
  }
}

report({ result: await add(BASE), unknown: await shown(add, UNKNOWN), broken: await shown(add, BROKEN) });
