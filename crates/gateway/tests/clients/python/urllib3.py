import urllib3

pool = urllib3.PoolManager(headers={"authorization": f"Bearer {KEY}"})


def create(base):
    response = pool.request("POST", base + "/v1/things", json={"name": "d"})
    if response.status >= 400:
        raise RuntimeError(response.json()["detail"])
    return [response.status, response.json()["id"]]


stream = pool.request("GET", BASE + "/v1/stream", preload_content=False).stream()
upload = (b"x" * 1000 for _ in range(300))
result = {
    "things": pool.request("GET", BASE + "/v1/things", fields={"page": "2"}).json()["things"],
    "stream": b"".join(stream).decode(),
    "upload": pool.request("PUT", BASE + "/v1/upload", body=upload).json(),
    "created": create(BASE),
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
