import boto3
from botocore.config import Config


def client(base):
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=base,
        region_name="eu-central-1",
        aws_access_key_id=KEY,
        aws_secret_access_key="any",
        config=config,
    )


def put(base):
    return client(base).put_object(Bucket="bucket", Key="new", Body=b"new")


pages = client(BASE).get_paginator("list_objects_v2").paginate(Bucket="bucket")
result = {
    "names": [item["Key"] for page in pages for item in page["Contents"]],
    "text": client(BASE).get_object(Bucket="bucket", Key="a b")["Body"].read().decode(),
    "etag": put(BASE)["ETag"],
}
report(result=result, unknown=shown(put, UNKNOWN), broken=shown(put, BROKEN))
