package main

import "github.com/xanzy/go-gitlab"

const project = "group/project"

func client(base string) *gitlab.Client {
	// By default, a POST is repeated after each status of 500 and above.
	client, err := gitlab.NewOAuthClient(key, gitlab.WithBaseURL(base), gitlab.WithoutRetries())
	must(err)
	return client
}

func create(base string) (int, error) {
	issue, _, err := client(base).Issues.CreateIssue(project, &gitlab.CreateIssueOptions{Title: gitlab.String("new")})
	if err != nil {
		return 0, err
	}
	return issue.IID, nil
}

func main() {
	found, _, err := client(base).Projects.GetProject(project, nil)
	must(err)
	var numbers []int
	options := &gitlab.ListProjectIssuesOptions{ListOptions: gitlab.ListOptions{PerPage: 2}}
	for {
		issues, response, err := client(base).Issues.ListProjectIssues(project, options)
		must(err)
		for _, issue := range issues {
			numbers = append(numbers, issue.IID)
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	created, err := create(base)
	must(err)
	_, errUnknown := create(unknown)
	_, errBroken := create(broken)
	report(map[string]any{"project": found.Name, "issues": numbers, "created": created}, errUnknown, errBroken)
}
