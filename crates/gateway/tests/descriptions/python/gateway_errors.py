"""A check of schemathesis: a response with `passthrough-error` is an error of the gateway, as the document describes it.

The document can't say this itself, because a vendor's response may have the same status and any content.
"""

import json
import os

import jsonschema
import schemathesis

with open(os.environ["DOCUMENT"], encoding="utf-8") as file:
    DOCUMENT = json.load(file)

SCHEMA = {"$ref": "#/components/schemas/GatewayError", "components": DOCUMENT["components"]}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@schemathesis.check
def gateway_error(ctx, response, case):
    codes = response.headers.get("passthrough-error")
    if codes is None:
        return
    (code,) = codes
    described = DOCUMENT["components"]["responses"].get(f"Error{response.status_code}")
    assert described, f"{response.status_code} isn't described"
    assert f"- `{code}`:" in described["description"], f"{code} isn't described for {response.status_code}"
    if code != "unauthenticated":
        assert response.headers.get("proxy-status"), "there is no Proxy-Status"
    with open(os.environ["SEEN"], "a", encoding="utf-8") as file:
        file.write(f"{code}\n")
    if case.method == "HEAD":
        return
    (content_type,) = response.headers["content-type"]
    assert content_type in described["content"], f"{content_type} isn't described"
    VALIDATOR.validate(response.json())
    assert response.json()["code"] == code
    assert response.json()["status"] == response.status_code
