{{recipe octokit-rb}}

def client(base)
  connect(base).tap { |client| client.auto_paginate = true }
end

def create(base)
  client(base).create_issue('o/r', 'new').number
end

result = { issues: client(BASE).list_issues('o/r').map(&:number), created: create(BASE) }
report(result: result, unknown: shown { create(UNKNOWN) }, broken: shown { create(BROKEN) })
