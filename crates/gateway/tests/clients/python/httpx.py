import httpx

client = httpx.Client(headers={"authorization": f"Bearer {KEY}"})


def create(base):
    response = client.post(base + "/v1/things", json={"name": "d"})
    if response.is_error:
        raise RuntimeError(response.json()["detail"])
    return [response.status_code, response.json()["id"]]


with client.stream("GET", BASE + "/v1/stream") as response:
    stream = "".join(response.iter_text())
result = {
    "things": client.get(BASE + "/v1/things", params={"page": 2}).json()["things"],
    "stream": stream,
    "upload": client.put(BASE + "/v1/upload", content=(b"x" * 1000 for _ in range(300))).json(),
    "created": create(BASE),
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
