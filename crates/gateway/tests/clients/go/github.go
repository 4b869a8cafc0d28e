package main

import (
	"context"
	"net/url"

	"github.com/google/go-github/github"
	"golang.org/x/oauth2"
)

var ctx = context.Background()

func client(base string) *github.Client {
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: key})
	client := github.NewClient(oauth2.NewClient(ctx, token))
	url, err := url.Parse(base + "/")
	must(err)
	client.BaseURL = url
	return client
}

func create(base string) (int, error) {
	issue := &github.IssueRequest{Title: github.String("new")}
	created, _, err := client(base).Issues.Create(ctx, "o", "r", issue)
	return created.GetNumber(), err
}

func main() {
	var numbers []int
	options := &github.IssueListByRepoOptions{ListOptions: github.ListOptions{PerPage: 2}}
	for {
		issues, response, err := client(base).Issues.ListByRepo(ctx, "o", "r", options)
		must(err)
		for _, issue := range issues {
			numbers = append(numbers, issue.GetNumber())
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
	report(map[string]any{"issues": numbers, "created": created}, errUnknown, errBroken)
}
