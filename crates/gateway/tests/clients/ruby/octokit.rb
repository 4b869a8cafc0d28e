require 'octokit'

def client(base)
  Octokit::Client.new(access_token: KEY, api_endpoint: base, auto_paginate: true, per_page: 2)
end

def create(base)
  client(base).create_issue('o/r', 'new').number
end

result = { issues: client(BASE).list_issues('o/r').map(&:number), created: create(BASE) }
report(result: result, unknown: shown { create(UNKNOWN) }, broken: shown { create(BROKEN) })
