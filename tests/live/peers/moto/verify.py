"""Verifies signed requests with botocore: one request per line, as JSON. Prints `ok` if all signatures are correct."""

import json
import sys

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

seen = 0
for line in sys.stdin:
    sent = json.loads(line)
    fields = sent["fields"]
    value = fields["authorization"]
    signed = value.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        method=sent["method"],
        url=f"http://{fields['host']}{sent['target']}",
        headers={name: fields[name] for name in signed},
        data=sent["body"].encode(),
    )
    request.context["timestamp"] = fields["x-amz-date"]
    kind = S3SigV4Auth if sent["service"] == "s3" else SigV4Auth
    auth = kind(Credentials(sent["id"], sent["secret"]), sent["service"], sent["region"])
    canonical = auth.canonical_request(request)
    expected = auth.signature(auth.string_to_sign(request, canonical), request)
    assert value.endswith(f"Signature={expected}"), f"{sent['target']}\n{canonical}"
    seen += 1
assert seen > 0
print("ok")
