from notion_client import Client
from notion_client.errors import HTTPResponseError
from notion_client.helpers import iterate_paginated_api


def client(base):
    return Client(auth=KEY, base_url=base)


def create(base):
    try:
        return client(base).pages.create(parent={"page_id": "p"}, properties={})
    except HTTPResponseError as error:
        # The message is the status alone for codes that are not Notion's.
        raise RuntimeError(f"{error}: {error.body}") from error


result = {
    "users": [user["id"] for user in iterate_paginated_api(client(BASE).users.list)],
    "created": create(BASE)["id"],
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
