{{recipe atlassian-python-api}}


def create(base):
    return connect(base).create_issue(fields={"summary": "new"})


result = {
    "summary": connect(BASE).issue("P-1")["fields"]["summary"],
    "created": create(BASE)["key"],
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
