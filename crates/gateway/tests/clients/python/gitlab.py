{{recipe python-gitlab}}


project = connect(BASE).projects.get("group/project")
issues = project.issues.list(iterator=True, per_page=2)


def create(base):
    return connect(base).projects.get("group/project", lazy=True).issues.create({"title": "new"})


result = {
    "project": project.name,
    "issues": [issue.iid for issue in issues],
    "created": create(BASE).iid,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
