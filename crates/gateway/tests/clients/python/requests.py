import requests

session = requests.Session()
session.headers["authorization"] = f"Bearer {KEY}"


def create(base):
    response = session.post(base + "/v1/things", json={"name": "d"})
    if not response.ok:
        raise RuntimeError(response.json()["detail"])
    return [response.status_code, response.json()["id"]]


result = {
    "things": session.get(BASE + "/v1/things", params={"page": 2}).json()["things"],
    "stream": b"".join(session.get(BASE + "/v1/stream", stream=True).iter_content(None)).decode(),
    "upload": session.put(BASE + "/v1/upload", data=(b"x" * 1000 for _ in range(300))).json(),
    "created": create(BASE),
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
