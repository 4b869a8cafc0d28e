{{recipe hubspot-python}}


def contacts(base):
    return connect(base).crm.contacts


def create(base):
    properties = {"properties": {"email": "new@b.test"}}
    return contacts(base).basic_api.create(simple_public_object_input_for_create=properties)


result = {
    "contacts": [contact.id for contact in contacts(BASE).get_all()],
    "created": create(BASE).id,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
