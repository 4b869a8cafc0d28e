import boto3
from botocore.config import Config


resolve_names()


def client(id):
    config = Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=f"http://{id}.gw.test:{PORT}",
        region_name="eu-central-1",
        aws_access_key_id=KEY,
        aws_secret_access_key="any",
        config=config,
    )


def put(id):
    return client(id).put_object(Bucket="bucket", Key="new", Body=b"new")


pages = client("c").get_paginator("list_objects_v2").paginate(Bucket="bucket")
result = {
    "names": [item["Key"] for page in pages for item in page["Contents"]],
    "text": client("c").get_object(Bucket="bucket", Key="a b")["Body"].read().decode(),
    "etag": put("c")["ETag"],
}
report(result=result, unknown=shown(put, "nobody"), broken=shown(put, "broken"))
