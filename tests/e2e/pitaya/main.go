// A chat client made of Pitaya's own client package, for pitaya.test.mjs to steer.
//
//	pitaya-client HOST:PORT [WEBSOCKET-PATH]
//
// With a path it connects over WebSocket, without over TCP. It does what the lines on its standard input say:
//
//	{"request": "connector.entryHandler.enter", "body": {"username": "ada", "rid": "r"}}
//	{"notify": "chat.chatHandler.send", "body": {…}}
//
// and writes what happens as JSON lines to its standard output:
//
//	{"event": "connected"}
//	{"event": "refused", "error": "…"}                          the handshake failed; the program ends
//	{"event": "response", "id": 1, "error": false, "body": {…}} requests and notifies are counted from 1
//	{"event": "push", "route": "onChat", "body": {…}}
//	{"event": "log", "level": "warning", "message": "…"}        what the client package logs, such as a kick
//	{"event": "disconnected"}                                   the program ends
//
// When its input ends it disconnects. A body that is no JSON comes as {"text": "…"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/topfreegames/pitaya/client"
	"github.com/topfreegames/pitaya/conn/message"
	"github.com/topfreegames/pitaya/logger"
)

type command struct {
	Request string          `json:"request"`
	Notify  string          `json:"notify"`
	Body    json.RawMessage `json:"body"`
}

type event map[string]interface{}

// Writes one event after the other, from any goroutine.
type output struct {
	mutex sync.Mutex
	lines *json.Encoder
}

func (o *output) write(e event) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if err := o.lines.Encode(e); err != nil {
		os.Exit(1) // Nobody reads any more.
	}
}

// Hands the client package's log on. The package tells of a kick in no other way.
type logHook struct{ out *output }

func (h logHook) Levels() []logrus.Level { return logrus.AllLevels }
func (h logHook) Fire(entry *logrus.Entry) error {
	h.out.write(event{"event": "log", "level": entry.Level.String(), "message": entry.Message})
	return nil
}

func body(data []byte) interface{} {
	if json.Valid(data) {
		return json.RawMessage(data)
	}
	return event{"text": string(data)}
}

func report(m *message.Message, out *output) {
	if m.Type == message.Push {
		out.write(event{"event": "push", "route": m.Route, "body": body(m.Data)})
	} else {
		out.write(event{"event": "response", "id": m.ID, "error": m.Err, "body": body(m.Data)})
	}
}

func do(line []byte, c *client.Client) error {
	var wanted command
	if err := json.Unmarshal(line, &wanted); err != nil {
		return fmt.Errorf("the command %q is not JSON: %w", line, err)
	}
	if wanted.Notify != "" {
		return c.SendNotify(wanted.Notify, wanted.Body)
	}
	_, err := c.SendRequest(wanted.Request, wanted.Body)
	return err
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: pitaya-client HOST:PORT [WEBSOCKET-PATH]")
		os.Exit(2)
	}
	out := &output{lines: json.NewEncoder(os.Stdout)}
	c := client.New(logrus.WarnLevel)
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.SetLevel(logrus.WarnLevel)
	log.AddHook(logHook{out})
	logger.Log = log // After client.New, which sets one of its own.

	var err error
	if len(os.Args) == 3 {
		err = c.ConnectToWS(os.Args[1], strings.TrimPrefix(os.Args[2], "/"))
	} else {
		err = c.ConnectTo(os.Args[1])
	}
	if err != nil {
		out.write(event{"event": "refused", "error": err.Error()})
		return
	}
	out.write(event{"event": "connected"})

	go func() {
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if err := do(lines.Bytes(), c); err != nil {
				out.write(event{"event": "log", "level": "error", "message": err.Error()})
			}
		}
		c.Disconnect()
	}()
	// The package has no channel that tells of the end, just this state.
	ended := time.NewTicker(10 * time.Millisecond)
	for c.ConnectedStatus() {
		select {
		case m := <-c.MsgChannel():
			report(m, out)
		case <-ended.C:
		}
	}
	for {
		select {
		case m := <-c.MsgChannel():
			report(m, out)
		default:
			out.write(event{"event": "disconnected"})
			return
		}
	}
}
