from github import Auth, Github


def repository(base):
    # A POST is repeated after each status of 500 and above, unless `retry` says otherwise.
    return Github(base_url=base, auth=Auth.Token(KEY), per_page=2, retry=None).get_repo("o/r", lazy=True)


result = {
    "issues": [issue.number for issue in repository(BASE).get_issues()],
    "created": repository(BASE).create_issue("new").number,
}
report(
    result=result,
    unknown=shown(lambda: list(repository(UNKNOWN).get_issues())),
    broken=shown(lambda: repository(BROKEN).create_issue("new")),
)
