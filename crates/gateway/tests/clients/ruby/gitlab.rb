require 'gitlab'

def client(base)
  # A token of more than 20 characters is sent as a bearer token.
  Gitlab.client(endpoint: "#{base}/api/v4", private_token: KEY)
end

def create(base)
  client(base).create_issue('group/project', 'new').iid
end

issues = client(BASE).issues('group/project', per_page: 2).auto_paginate
result = {
  project: client(BASE).project('group/project').name,
  issues: issues.map(&:iid),
  created: create(BASE)
}
report(result: result, unknown: shown { create(UNKNOWN) }, broken: shown { create(BROKEN) })
