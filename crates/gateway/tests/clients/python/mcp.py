import asyncio

import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def use(base, work):
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        streamable_http_client(base + "/mcp", http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        return await work(session)


async def add(session):
    server = await session.initialize()
    tools = await session.list_tools()
    sum = await session.call_tool("add", {"a": 2, "b": 3})
    return {
        "server": server.server_info.name,
        "tools": [tool.name for tool in tools.tools],
        "sum": sum.content[0].text,
    }


def run(base):
    return asyncio.run(use(base, add))


report(result=run(BASE), unknown=shown(run, UNKNOWN), broken=shown(run, BROKEN))
