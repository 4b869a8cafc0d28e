package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

func send(method, url string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequest(method, url, body)
	must(err)
	request.Header.Set("Authorization", "Bearer "+key)
	if method == "POST" {
		request.Header.Set("Content-Type", "application/json")
	}
	return http.DefaultClient.Do(request)
}

func create(base string) ([]any, error) {
	response, err := send("POST", base+"/v1/things", bytes.NewReader([]byte(`{"name":"d"}`)))
	must(err)
	defer response.Body.Close()
	var answer struct {
		ID     int
		Detail string
	}
	must(json.NewDecoder(response.Body).Decode(&answer))
	if response.StatusCode >= 400 {
		return nil, errors.New(answer.Detail)
	}
	return []any{response.StatusCode, answer.ID}, nil
}

func read(method, path string, body io.Reader) []byte {
	response, err := send(method, base+path, body)
	must(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(err)
	return answer
}

func main() {
	var things struct{ Things []string }
	must(json.Unmarshal(read("GET", "/v1/things?page=2", nil), &things))
	// The length of a pipe is unknown.
	reader, writer := io.Pipe()
	go func() {
		for piece := 0; piece < 300; piece++ {
			_, _ = writer.Write(bytes.Repeat([]byte("x"), 1000))
		}
		_ = writer.Close()
	}()
	upload := json.RawMessage(read("PUT", "/v1/upload", reader))
	created, err := create(base)
	must(err)
	result := map[string]any{
		"things": things.Things, "stream": string(read("GET", "/v1/stream", nil)),
		"upload": upload, "created": created,
	}
	_, errUnknown := create(unknown)
	_, errBroken := create(broken)
	report(result, errUnknown, errBroken)
}
