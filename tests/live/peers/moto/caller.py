"""Uses S3 and DynamoDB through a gateway, with a key that AWS wouldn't accept.

Arguments: the endpoints of S3 and DynamoDB, and of S3 with payloads in signed chunks. Prints `ok` if all calls succeeded.
"""

import hashlib
import io
import random
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

S3, DYNAMODB, STREAMING = sys.argv[1:4]

# Keys with characters that SDKs and signatures may encode in different ways.
KEYS = [
    "plain",
    "a b",
    "a+b",
    "a%20b",
    "a%2Fb",
    "100%",
    "folder/sub/key",
    "two//slashes",
    "caf\u00e9/\u4f60\u597d/\U0001f600",
    "(parens)'quote'!*",
    "a=b&c=d?e#f",
    "~tilde_-.",
    "colon:at@comma,semi;dollar$",
]
chance = random.Random(4)
ALPHABET = "ab/+ %&=?#~.'()*!:@,;$\u00e9\u4f60\U0001f600"
KEYS += ["k" + "".join(chance.choices(ALPHABET, k=12)) + "k" for _ in range(40)]


def client(service, endpoint, **config):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-west-2",
        aws_access_key_id="AKIADUMMYDUMMYDUMMY",
        aws_secret_access_key="dummy",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def objects(s3):
    s3.create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    for nth, key in enumerate(KEYS):
        body = f"{nth}: {key}".encode()
        s3.put_object(
            Bucket="bucket",
            Key=key,
            Body=body,
            ContentType="text/plain; charset=utf-8",
            Metadata={"nth": str(nth), "spaced": "a  b"},
        )
        found = s3.get_object(Bucket="bucket", Key=key)
        assert found["Body"].read() == body, key
        assert found["Metadata"]["nth"] == str(nth), key
        assert s3.head_object(Bucket="bucket", Key=key)["ContentLength"] == len(body), key
    listed = s3.list_objects_v2(Bucket="bucket", MaxKeys=1000)
    assert sorted(one["Key"] for one in listed["Contents"]) == sorted(KEYS), listed
    for prefix in ["a ", "a+", "caf\u00e9/", "(par"]:
        listed = s3.list_objects_v2(Bucket="bucket", Prefix=prefix, Delimiter="/")
        assert listed["KeyCount"] > 0, prefix
    assert s3.get_bucket_location(Bucket="bucket")["LocationConstraint"] == "eu-central-1"
    s3.put_object_tagging(
        Bucket="bucket", Key="plain", Tagging={"TagSet": [{"Key": "k", "Value": "v w"}]}
    )
    part = s3.get_object(Bucket="bucket", Key="plain", Range="bytes=0-0")
    assert part["Body"].read() == b"0"
    s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "a+b"})
    gone = [{"Key": key} for key in ["copy", "plain", "a b"]]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": gone})
    try:
        s3.get_object(Bucket="bucket", Key="copy")
    except s3.exceptions.NoSuchKey:
        return
    raise AssertionError("it's still there")


def parts(s3):
    """Uploads a large object in parts."""
    data = bytes(range(256)) * (11 * 4096)
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(data), "bucket", "in parts", Config=config)
    found = io.BytesIO()
    s3.download_fileobj("bucket", "in parts", found)
    assert hashlib.sha256(found.getvalue()).digest() == hashlib.sha256(data).digest()


def put(url, data):
    # Without a content type, urllib would send a form.
    binary = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(url, data=data, method="PUT", headers=binary)
    assert urllib.request.urlopen(request).status == 200


def presigned(s3):
    """Uses presigned URLs, which are signed with the wrong key as well."""
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "by url"})
    put(url, b"by url")
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "by url"})
    assert urllib.request.urlopen(get).read() == b"by url"


def chunks(s3):
    """Sends a payload without a hash and without a signature."""
    data = bytes(range(256)) * 1000
    put(f"{STREAMING}/bucket/in%20chunks", data)
    assert s3.get_object(Bucket="bucket", Key="in chunks")["Body"].read() == data


def items(dynamodb):
    dynamodb.create_table(
        TableName="table",
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "n", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for n in range(3):
        dynamodb.put_item(
            TableName="table",
            Item={"id": {"S": "caf\u00e9"}, "n": {"N": str(n)}, "data": {"S": "x" * 50_000}},
        )
    found = dynamodb.get_item(TableName="table", Key={"id": {"S": "caf\u00e9"}, "n": {"N": "1"}})
    assert len(found["Item"]["data"]["S"]) == 50_000
    found = dynamodb.query(
        TableName="table",
        KeyConditionExpression="id = :id AND n > :n",
        ExpressionAttributeValues={":id": {"S": "caf\u00e9"}, ":n": {"N": "0"}},
    )
    assert found["Count"] == 2
    try:
        dynamodb.get_item(TableName="no table", Key={"id": {"S": "x"}})
    except ClientError as error:
        assert error.response["Error"]["Code"] != "SignatureDoesNotMatch", error
        return
    raise AssertionError("there is no such table")


s3 = client("s3", S3, s3={"addressing_style": "path"}, signature_version="s3v4")
objects(s3)
parts(s3)
presigned(s3)
chunks(s3)
items(client("dynamodb", DYNAMODB))
print("ok")
