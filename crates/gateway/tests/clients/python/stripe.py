import io

{{recipe stripe-python}}


def create(base):
    return connect(base).v1.customers.create({"name": "New one"})


customers = connect(BASE).v1.customers.list({"limit": 2}).auto_paging_iter()
file = {"purpose": "dispute_evidence", "file": io.BytesIO(b"a picture")}
result = {
    "customers": [customer.id for customer in customers],
    "created": create(BASE).id,
    "file": connect(BASE).v1.files.create(file).id,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
