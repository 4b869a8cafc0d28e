{{recipe boto3}}


def put(base):
    return connect(base).put_object(Bucket="bucket", Key="new", Body=b"new")


pages = connect(BASE).get_paginator("list_objects_v2").paginate(Bucket="bucket")
result = {
    "names": [item["Key"] for page in pages for item in page["Contents"]],
    "text": connect(BASE).get_object(Bucket="bucket", Key="a b")["Body"].read().decode(),
    "etag": put(BASE)["ETag"],
}
report(result=result, unknown=shown(put, UNKNOWN), broken=shown(put, BROKEN))
