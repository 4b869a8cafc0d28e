import boto3
from botocore.config import Config


def client(base):
    return boto3.client(
        "dynamodb",
        endpoint_url=base,
        region_name="eu-central-1",
        aws_access_key_id=KEY,
        aws_secret_access_key="any",
        # By default, a call is repeated after each status of 500 and above.
        config=Config(retries={"total_max_attempts": 1}),
    )


def update(base):
    return client(base).update_item(TableName="t", Key={"id": {"S": "a"}}, ReturnValues="ALL_NEW")


pages = client(BASE).get_paginator("scan").paginate(TableName="t")
result = {
    "items": [item["id"]["S"] for page in pages for item in page["Items"]],
    "updated": update(BASE)["Attributes"]["n"]["N"],
}
report(result=result, unknown=shown(update, UNKNOWN), broken=shown(update, BROKEN))
