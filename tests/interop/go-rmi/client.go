package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	pickle "github.com/kisielk/og-rek"
)

const headBytes = 36

// client calls services over rmi:// as docs/rmi.md describes it. Without a secret calls are not signed.
type client struct {
	address, secret, key string
	protocol             int
}

type dict map[any]any

// fault is an exception of the service; trouble is an error on the way, or a refusal.
type fault struct {
	name   string
	fields map[any]any
}

type trouble struct{ code, message string }

func (f fault) Error() string   { return f.name }
func (t trouble) Error() string { return t.code + ": " + t.message }

// seal puts a frame together.
func (c client) seal(payload, nonce []byte) []byte {
	var made uint64
	key := ""
	if c.secret != "" {
		key, made = c.key, uint64(time.Now().UnixMilli())
	} else {
		nonce = make([]byte, 16)
	}
	head := append([]byte("PRMI\x01\x01"), byte(len(key)), 0)
	head = binary.BigEndian.AppendUint32(head, uint32(len(payload)))
	head = binary.BigEndian.AppendUint64(head, made)
	head = append(append(head, nonce...), key...)
	if c.secret == "" {
		return append(head, payload...)
	}
	return append(append(head, c.sign(head, payload)...), payload...)
}

func (c client) sign(parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(c.secret))
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// open checks the frame that came back and gives its payload.
func (c client) open(frame, nonce []byte) ([]byte, error) {
	if len(frame) < headBytes || string(frame[:5]) != "PRMI\x01" {
		return nil, errors.New("no frame came back")
	}
	if frame[5] == 3 {
		return nil, trouble{"refused", fmt.Sprint(frame[7])}
	}
	keyEnd := headBytes + int(frame[6])
	start := keyEnd
	if frame[6] != 0 {
		start += sha256.Size
	}
	if len(frame) != start+int(binary.BigEndian.Uint32(frame[8:])) {
		return nil, errors.New("the frame has another length than it says")
	}
	if c.secret != "" {
		if !hmac.Equal(c.sign(frame[:keyEnd], frame[start:]), frame[keyEnd:start]) || !bytes.Equal(frame[20:headBytes], nonce) {
			return nil, errors.New("the reply is not signed by who has the secret")
		}
	}
	return frame[start:], nil
}

func (c client) exchange(data []byte) ([]byte, error) {
	connection, err := net.DialTimeout("tcp", c.address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err = connection.Write(data); err != nil {
		return nil, err
	}
	if err = connection.(*net.TCPConn).CloseWrite(); err != nil {
		return nil, err
	}
	return io.ReadAll(connection)
}

// call makes one call and gives what the method returned; more holds further members of the call.
func (c client) call(service, method string, arguments []any, more dict) (any, error) {
	said := map[any]any{"service": service, "method": method, "args": arguments, "consumer": "go", "timeout": 10000}
	for name, value := range more {
		said[name] = value
	}
	var payload bytes.Buffer
	encoder := pickle.NewEncoderWithConfig(&payload, &pickle.EncoderConfig{Protocol: c.protocol})
	if err := encoder.Encode(said); err != nil {
		return nil, err
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	frame, err := c.exchange(c.seal(payload.Bytes(), nonce))
	if err != nil {
		return nil, err
	}
	data, err := c.open(frame, nonce)
	if err != nil {
		return nil, err
	}
	found, err := pickle.NewDecoder(bytes.NewReader(data)).Decode()
	if err != nil {
		return nil, err
	}
	reply, ok := found.(map[any]any)
	if !ok {
		return nil, fmt.Errorf("the reply is a %T", found)
	}
	if value, ok := reply["ok"]; ok {
		return value, nil
	}
	if name, ok := reply["fault"].(string); ok {
		fields, _ := reply["fields"].(map[any]any)
		return nil, fault{name, fields}
	}
	return nil, trouble{fmt.Sprint(reply["error"]), fmt.Sprint(reply["message"])}
}
