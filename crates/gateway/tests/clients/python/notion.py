from notion_client.errors import HTTPResponseError
from notion_client.helpers import iterate_paginated_api


{{recipe notion-py}}


def create(base):
    try:
        return connect(base).pages.create(parent={"page_id": "p"}, properties={})
    except HTTPResponseError as error:
        # The message is the status alone for codes that are not Notion's.
        raise RuntimeError(f"{error}: {error.body}") from error


result = {
    "users": [user["id"] for user in iterate_paginated_api(connect(BASE).users.list)],
    "created": create(BASE)["id"],
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
