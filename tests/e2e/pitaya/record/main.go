// Writes what Pitaya's server and client say to each other, for the codec's tests to agree with:
//
//	go run ./record > ../../../services/pomelo/testing/pitaya_vectors.json
//
// It starts a Pitaya server twice, without compression and with it, each time in a process of its own, because Pitaya keeps
// its settings in globals. Pitaya's client talks to it through a relay that keeps all packages. Byte strings are hexadecimal.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/topfreegames/pitaya/client"
	"github.com/topfreegames/pitaya/conn/codec"
	"github.com/topfreegames/pitaya/conn/message"
	"github.com/topfreegames/pitaya/conn/packet"
	"github.com/topfreegames/pitaya/logger"
	"github.com/topfreegames/pitaya/util/compression"
)

const deadline = 10 * time.Second

// One package as it went over the wire, and what Pitaya itself reads in it.
type record struct {
	From    string       `json:"from"`
	Type    packet.Type  `json:"type"`
	Bytes   string       `json:"bytes"`
	Text    string       `json:"text,omitempty"` // A handshake's JSON.
	Message *messageRead `json:"message,omitempty"`
}

type messageRead struct {
	Type  string `json:"type"`
	ID    uint   `json:"id"`
	Route string `json:"route"`
	Error bool   `json:"error"`
	Body  string `json:"body"`
}

type session struct {
	Compression bool              `json:"compression"`
	Packages    []record          `json:"packages"`
	Heartbeats  map[string]string `json:"heartbeats"` // By who sent it. Left out above: they come when they will.
}

type relay struct {
	mutex   sync.Mutex
	session *session
}

func read(p *packet.Packet) (record, error) {
	r := record{Type: p.Type}
	head := append([]byte{byte(p.Type)}, codec.IntToBytes(p.Length)...)
	r.Bytes = hex.EncodeToString(append(head, p.Data...))
	switch p.Type {
	case packet.Handshake:
		text := p.Data
		if compression.IsCompressed(text) {
			var err error
			if text, err = compression.InflateData(text); err != nil {
				return r, err
			}
		}
		r.Text = string(text)
	case packet.Data:
		m, err := message.Decode(p.Data)
		if err != nil {
			return r, err
		}
		r.Message = &messageRead{Type: (&m.Type).String(), ID: m.ID, Route: m.Route, Error: m.Err, Body: string(m.Data)}
	}
	return r, nil
}

// Hands on what one side says, and keeps it. A package is kept before it is handed on, so that the order is the one in which
// they were sent.
func (r *relay) pass(who string, from io.Reader, to net.Conn) {
	defer to.Close()
	for {
		head := make([]byte, codec.HeadLength)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		size, kind, err := codec.ParseHeader(head)
		check(err)
		body := make([]byte, size)
		_, err = io.ReadFull(from, body)
		check(err)
		kept, err := read(&packet.Packet{Type: kind, Length: size, Data: body})
		check(err)
		kept.From = who
		r.mutex.Lock()
		if kind == packet.Heartbeat {
			r.session.Heartbeats[who] = kept.Bytes
		} else {
			r.session.Packages = append(r.session.Packages, kept)
		}
		r.mutex.Unlock()
		if _, err := to.Write(append(head, body...)); err != nil {
			return
		}
	}
}

func (r *relay) until(what string, holds func(*session) bool) {
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		r.mutex.Lock()
		done := holds(r.session)
		r.mutex.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			check(fmt.Errorf("waited in vain for %s", what))
		}
	}
}

func responses(s *session) (n int) {
	for _, p := range s.Packages {
		if p.Message != nil && p.Message.Type == "Response" {
			n++
		}
	}
	return n
}

func talk(c *client.Client, r *relay) {
	long := strings.Repeat("far and wide ", 10)
	for i, ask := range []struct{ route, body string }{
		{"connector.entryHandler.enter", `{"username":"ada","rid":"r"}`},
		{"entryHandler.enter", `{"username":"bob","rid":"r"}`},
		{"connector.entryHandler.send", `{"content":"hi","target":"*"}`},
		{"connector.entryHandler.send", `{"content":"` + long + `","target":"*"}`},
		{"connector.entryHandler.send", `{"content":"grüße 😂","target":"*"}`},
		{"connector.entryHandler.fail", `{"content":"rid is missing"}`},
		{"connector.entryHandler.fail", `{"content":"` + long + `"}`},
		{"connector.entryHandler.enter", `{"username":`},
		{"connector.entryHandler.nonsense", `{}`},
		{"nonsense", `{}`},
		{"connector..nonsense", `{}`},
		{"a.b.c.d", `{}`},
	} {
		_, err := c.SendRequest(ask.route, []byte(ask.body))
		check(err)
		r.until("the answer to "+ask.route, func(s *session) bool { return responses(s) == i+1 })
	}
	r.until("heartbeats", func(s *session) bool { return len(s.Heartbeats) == 2 })
	check(c.SendNotify("connector.entryHandler.kick", []byte(`{}`)))
	r.until("the kick", func(s *session) bool { return s.Packages[len(s.Packages)-1].Type == packet.Kick })
}

func recordSession(compress bool) *session {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	self, err := os.Executable()
	check(err)
	port := freePort()
	server := exec.Command(self, "-serve", port, fmt.Sprintf("-compress=%v", compress))
	server.Stderr = os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // However this program ends.
	check(server.Start())
	defer server.Process.Kill()

	r := &relay{session: &session{Compression: compress, Heartbeats: map[string]string{}}}
	go func() {
		near, err := listener.Accept()
		check(err)
		var far net.Conn
		for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
			if far, err = net.Dial("tcp", "127.0.0.1:"+port); err == nil {
				break
			}
			if time.Now().After(end) {
				check(err)
			}
		}
		go r.pass("server", far, near)
		r.pass("client", near, far)
	}()
	c := client.New(logrus.ErrorLevel)
	check(c.ConnectTo(listener.Addr().String()))
	go func() {
		for range c.MsgChannel() {
		}
	}()
	talk(c, r)
	return r.session
}

func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	check(err)
	return port
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func main() {
	port := flag.String("serve", "", "be the server, on this port")
	compress := flag.Bool("compress", false, "whether the server compresses")
	flag.Parse()
	if *port != "" {
		serve(*port, *compress)
		return
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	logger.Log = log
	sessions := []*session{recordSession(false), recordSession(true)}
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	check(lines.Encode(map[string]interface{}{
		"made_by":  "tests/e2e/pitaya/record, with github.com/topfreegames/pitaya v1.1.8",
		"sessions": sessions,
	}))
	// One package a line.
	fmt.Print(strings.NewReplacer(`{"compression"`, "\n{\"compression\"", `{"from"`, "\n  {\"from\"").Replace(text.String()))
}
