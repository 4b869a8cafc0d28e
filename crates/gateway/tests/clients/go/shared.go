package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var (
	base    = os.Getenv("BASE")
	key     = os.Getenv("KEY")
	unknown = os.Getenv("UNKNOWN")
	broken  = os.Getenv("BROKEN")
)

// must ends the program if a call that must succeed has failed.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shown returns the text of an error.
func shown(err error) string {
	if err == nil {
		must(fmt.Errorf("no error"))
	}
	return err.Error()
}

func report(result map[string]any, unknown, broken error) {
	said := map[string]any{"result": result, "unknown": shown(unknown), "broken": shown(broken)}
	must(json.NewEncoder(os.Stdout).Encode(said))
}
