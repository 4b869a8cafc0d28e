{{recipe pygithub}}


def repository(base):
    return connect(base).get_repo("o/r", lazy=True)


result = {
    "issues": [issue.number for issue in repository(BASE).get_issues()],
    "created": repository(BASE).create_issue("new").number,
}
report(
    result=result,
    unknown=shown(lambda: list(repository(UNKNOWN).get_issues())),
    broken=shown(lambda: repository(BROKEN).create_issue("new")),
)
