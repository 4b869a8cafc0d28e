import asyncio

import aiohttp


async def pieces():
    for _ in range(300):
        yield b"x" * 1000


async def main():
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {KEY}"}) as session:

        async def create(base):
            async with session.post(base + "/v1/things", json={"name": "d"}) as response:
                if not response.ok:
                    return (await response.json())["detail"]
                return [response.status, (await response.json())["id"]]

        async with session.get(BASE + "/v1/things", params={"page": "2"}) as response:
            things = (await response.json())["things"]
        async with session.get(BASE + "/v1/stream") as response:
            stream = b"".join([chunk async for chunk in response.content.iter_any()]).decode()
        async with session.put(BASE + "/v1/upload", data=pieces()) as response:
            upload = await response.json()
        result = {"things": things, "stream": stream, "upload": upload, "created": await create(BASE)}
        report(result=result, unknown=await create(UNKNOWN), broken=await create(BROKEN))


asyncio.run(main())
