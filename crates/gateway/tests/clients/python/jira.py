from atlassian import Jira


def create(base):
    return Jira(url=base, token=KEY).create_issue(fields={"summary": "new"})


result = {
    "summary": Jira(url=BASE, token=KEY).issue("P-1")["fields"]["summary"],
    "created": create(BASE)["key"],
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
