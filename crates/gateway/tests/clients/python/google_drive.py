from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build


def files(base):
    options = {"api_endpoint": base + "/drive/v3/"}
    return build("drive", "v3", credentials=Credentials(token=KEY), client_options=options).files()


def create(base):
    return files(base).create(body={"name": "new"}).execute()


found = []
request = files(BASE).list()
while request is not None:
    page = request.execute()
    found += [file["id"] for file in page["files"]]
    request = files(BASE).list_next(request, page)
result = {"files": found, "created": create(BASE)["id"]}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
