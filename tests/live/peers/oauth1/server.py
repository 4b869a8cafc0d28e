"""A vendor that verifies each request with oauthlib, and answers with its verdict.

Prints one line of JSON when it's ready: two ports (`http`, and `https` for requests from which the test has removed TLS), and the
private key that belongs to the server's public key.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint, SignatureOnlyEndpoint

CLIENT = "9djdj82h48djs9d2xyzw"
CLIENT_SECRET = "j49sk3j29djd&%+/"
TOKEN = "kkk9d7dh3k39sjv7xyzw"
TOKEN_SECRET = "dh893hdasih9 ~é"
METHODS = ["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "RSA-SHA256", "PLAINTEXT"]

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_KEY = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PRIVATE_KEYS = {
    name: KEY.private_bytes(
        serialization.Encoding.PEM, format, serialization.NoEncryption()
    ).decode()
    for name, format in {
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "pkcs1": serialization.PrivateFormat.TraditionalOpenSSL,
    }.items()
}


class Validator(RequestValidator):
    """Accepts one client and one token, and each nonce once. The formats are those of oauthlib."""

    dummy_client = "dummydummydummydummy"
    dummy_access_token = "dummydummydummydummy"
    allowed_signature_methods = METHODS

    def __init__(self, enforce_ssl):
        super().__init__()
        self._enforce_ssl = enforce_ssl
        self._seen = set()
        self._lock = threading.Lock()

    @property
    def enforce_ssl(self):
        return self._enforce_ssl

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        with self._lock:
            is_new = (timestamp, nonce) not in self._seen
            self._seen.add((timestamp, nonce))
        return is_new

    def validate_client_key(self, client_key, request):
        return client_key == CLIENT

    def validate_access_token(self, client_key, token, request):
        return token == TOKEN

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return request.realm in (None, "a realm")

    def get_client_secret(self, client_key, request):
        return CLIENT_SECRET if client_key == CLIENT else "wrong"

    def get_access_token_secret(self, client_key, token, request):
        return TOKEN_SECRET if token == TOKEN else "wrong"

    def get_rsa_key(self, client_key, request):
        return PUBLIC_KEY.decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_any(self):
        body = self._body()
        host = self.headers["Host"]
        uri = f"{self.server.scheme}://{host}{self.path}"
        headers = dict(self.headers.items())
        request = (uri, self.command, body.decode("latin-1"), headers)
        try:
            is_valid, seen = self.server.signature_only.validate_request(*request)
            if is_valid and seen.resource_owner_key:
                is_valid, seen = self.server.resource.validate_protected_resource_request(*request)
        except ValueError as error:
            is_valid, seen = False, None
            print(error, flush=True)
        verdict = {
            "valid": bool(is_valid),
            "method": getattr(seen, "signature_method", None),
            "realm": getattr(seen, "realm", None),
            "token": getattr(seen, "resource_owner_key", None),
            "hash": (getattr(seen, "oauth_params", None) or {}).get("oauth_body_hash"),
        }
        answer = json.dumps(verdict).encode()
        self.send_response(200 if is_valid else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_any

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def log_message(self, *args):
        pass


def serve(scheme):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.scheme = scheme
    server.signature_only = SignatureOnlyEndpoint(Validator(scheme == "https"))
    server.resource = ResourceEndpoint(Validator(scheme == "https"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    servers = {scheme: serve(scheme) for scheme in ("http", "https")}
    ports = {scheme: server.server_address[1] for scheme, server in servers.items()}
    print(json.dumps({**ports, **PRIVATE_KEYS}), flush=True)
    threading.Event().wait()
