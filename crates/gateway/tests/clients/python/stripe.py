import io

from stripe import StripeClient


def client(base):
    hosts = ("api", "files", "connect", "meter_events")
    return StripeClient(KEY, base_addresses={host: base for host in hosts}, max_network_retries=2)


def create(base):
    return client(base).v1.customers.create({"name": "New one"})


customers = client(BASE).v1.customers.list({"limit": 2}).auto_paging_iter()
file = {"purpose": "dispute_evidence", "file": io.BytesIO(b"a picture")}
result = {
    "customers": [customer.id for customer in customers],
    "created": create(BASE).id,
    "file": client(BASE).v1.files.create(file).id,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
