"""AWS, simulated by moto on a free port, with checks of signatures.

Prints one line of JSON with its address and the key that it accepts. Ends when its standard input ends.
"""

import json
import logging
import os
import sys

# The calls that create the key aren't checked.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import boto3
from moto.server import ThreadedMotoServer

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
iam = boto3.client(
    "iam",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="setup",
    aws_secret_access_key="setup",
)
iam.create_user(UserName="gateway")
key = iam.create_access_key(UserName="gateway")["AccessKey"]
iam.put_user_policy(UserName="gateway", PolicyName="all", PolicyDocument=json.dumps(POLICY))
said = {"port": port, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
print(json.dumps(said), flush=True)
sys.stdin.read()
server.stop()
