from hubspot import HubSpot


def contacts(base):
    return HubSpot(access_token=KEY, host=base, base_url=base).crm.contacts


def create(base):
    properties = {"properties": {"email": "new@b.test"}}
    return contacts(base).basic_api.create(simple_public_object_input_for_create=properties)


result = {
    "contacts": [contact.id for contact in contacts(BASE).get_all()],
    "created": create(BASE).id,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
