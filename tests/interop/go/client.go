package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// client calls services over http:// with net/http.
type client struct{ base string }

// answer is a response whose body was read.
type answer struct {
	status int
	header http.Header
	text   string
}

// problem is what a failed request says (RFC 9457), with the members that Polyport adds.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Path      string         `json:"path"`
	Exception map[string]any `json:"exception"`
}

func (c client) exchange(request *http.Request) (answer, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// post sends arguments, a value or JSON as it is; headers are names and values in turn.
func (c client) post(path string, arguments any, headers ...string) (answer, error) {
	body, isText := arguments.(string)
	if !isText {
		data, err := json.Marshal(arguments)
		if err != nil {
			return answer{}, err
		}
		body = string(data)
	}
	request, err := http.NewRequest(http.MethodPost, c.base+"/"+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	for index := 0; index < len(headers); index += 2 {
		request.Header.Set(headers[index], headers[index+1])
	}
	return c.exchange(request)
}

// problem sends arguments and reads the refusal.
func (c client) problem(path string, arguments any, headers ...string) (problem, error) {
	var said problem
	answer, err := c.post(path, arguments, headers...)
	if err != nil {
		return said, err
	}
	if kind := answer.header.Get("Content-Type"); kind != "application/problem+json" {
		return said, fmt.Errorf("a problem of type %q: %s", kind, answer.text)
	}
	if err = json.Unmarshal([]byte(answer.text), &said); err == nil && said.Status != answer.status {
		err = fmt.Errorf("status %d in a response of status %d", said.Status, answer.status)
	}
	return said, err
}

// call sends arguments and reads the answer into a value of type T.
func call[T any](c client, path string, arguments any, headers ...string) (T, error) {
	return read[T](c.post(path, arguments, headers...))
}

// get asks with a query.
func get[T any](c client, path string, query url.Values) (T, error) {
	request, err := http.NewRequest(http.MethodGet, c.base+"/"+path+"?"+query.Encode(), nil)
	if err != nil {
		var none T
		return none, err
	}
	return read[T](c.exchange(request))
}

func read[T any](answer answer, err error) (T, error) {
	var value T
	if err != nil {
		return value, err
	}
	if answer.status != http.StatusOK {
		return value, fmt.Errorf("%d %s", answer.status, answer.text)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(answer.text)))
	decoder.DisallowUnknownFields()
	return value, decoder.Decode(&value)
}
