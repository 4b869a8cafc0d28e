{{recipe google-api-python-client}}


def files(base):
    return connect(base).files()


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
