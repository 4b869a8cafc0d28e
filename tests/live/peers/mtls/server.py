"""A vendor on Python's TLS that demands a client certificate, and answers each call with the certificate's name.

Arguments: its certificate, its key, the authority of its clients. Prints its port.
"""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        subject = dict(pair for names in self.connection.getpeercert()["subject"] for pair in names)
        text = f"{subject['commonName']} {self.path} : ".encode() + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        # Some connections end here, so that other connections resume their sessions.
        if self.path.endswith("7"):
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        # The handshake runs in the connection's thread, so that no connection delays another.
        with tls.wrap_socket(request, server_side=True) as secured:
            self.RequestHandlerClass(secured, client_address, self)

    def handle_error(self, *_):
        # The client was refused, or has left.
        pass


certificate, key, authority = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
tls.load_verify_locations(authority)
tls.verify_mode = ssl.CERT_REQUIRED
tls.set_alpn_protocols(["http/1.1"])
server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
