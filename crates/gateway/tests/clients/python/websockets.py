import asyncio

from websockets.asyncio.client import connect


async def use(base):
    url = base.replace("http", "ws", 1) + "/v1/realtime"
    async with connect(url, additional_headers={"authorization": f"Bearer {KEY}"}) as socket:
        await socket.send("caf\u00e9")
        text = await socket.recv()
        await socket.send(b"x" * 200_000)
        sent = len(await socket.recv())
    return {"text": text, "bytes": sent, "close": socket.close_code}


def run(base):
    return asyncio.run(use(base))


report(result=run(BASE), unknown=shown(run, UNKNOWN), broken=shown(run, BROKEN))
