"""Puts 100 MiB into S3 through a gateway: by boto3, which sends the hash, and by a plain PUT that the
gateway puts into signed chunks. Arguments: the endpoints of S3, of DynamoDB, and of S3 with chunks.
"""

import hashlib
import sys
import urllib.request

import boto3
from botocore.config import Config

S3, _, STREAMING = sys.argv[1:4]
DATA = bytes(range(256)) * (100 * 4096)
HASH = hashlib.sha256(DATA).digest()

s3 = boto3.client(
    "s3",
    endpoint_url=S3,
    region_name="us-west-2",
    aws_access_key_id="AKIADUMMYDUMMYDUMMY",
    aws_secret_access_key="dummy",
    config=Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
    ),
)
s3.create_bucket(Bucket="large", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
s3.put_object(Bucket="large", Key="by boto3", Body=DATA)
request = urllib.request.Request(
    f"{STREAMING}/large/in%20chunks",
    data=DATA,
    method="PUT",
    headers={"Content-Type": "application/octet-stream"},
)
assert urllib.request.urlopen(request).status == 200
for key in ["by boto3", "in chunks"]:
    found = hashlib.sha256()
    for piece in s3.get_object(Bucket="large", Key=key)["Body"].iter_chunks(1 << 20):
        found.update(piece)
    assert found.digest() == HASH, key
print("ok")
