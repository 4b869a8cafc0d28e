package main

import "github.com/slack-go/slack"

{{recipe slack-go *slack.Client}}

func post(base string) (string, error) {
	_, time, err := connect(base).PostMessage("C1", slack.MsgOptionText("Good morning", false))
	return time, err
}

func main() {
	var names []string
	parameters := &slack.GetConversationsParameters{Limit: 1}
	for {
		channels, next, err := connect(base).GetConversations(parameters)
		must(err)
		for _, channel := range channels {
			names = append(names, channel.Name)
		}
		if next == "" {
			break
		}
		parameters.Cursor = next
	}
	posted, err := post(base)
	must(err)
	_, _, refused := connect(base).DeleteMessage("C1", "1")
	result := map[string]any{"channels": names, "posted": posted, "refused": shown(refused)}
	_, errUnknown := post(unknown)
	_, errBroken := post(broken)
	report(result, errUnknown, errBroken)
}
