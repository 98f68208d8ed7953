package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/viper"
	"github.com/topfreegames/pitaya"
	"github.com/topfreegames/pitaya/acceptor"
	"github.com/topfreegames/pitaya/component"
)

// EntryHandler answers, pushes, fails and kicks as its clients ask it to. Pitaya wants handlers and what they take exported.
type EntryHandler struct{ component.Base }

type Request struct {
	Username string `json:"username"`
	RID      string `json:"rid"`
	Content  string `json:"content"`
	Target   string `json:"target"`
}

type Users struct {
	Users []string `json:"users"`
}

type OnChat struct {
	Msg    string `json:"msg"`
	From   string `json:"from"`
	Target string `json:"target"`
}

func (*EntryHandler) Enter(_ context.Context, r *Request) (*Users, error) {
	return &Users{[]string{r.Username}}, nil
}

func (*EntryHandler) Send(ctx context.Context, r *Request) (*struct{}, error) {
	return &struct{}{}, pitaya.GetSessionFromCtx(ctx).Push("onChat", &OnChat{r.Content, "ada", r.Target})
}

func (*EntryHandler) Fail(_ context.Context, r *Request) (*struct{}, error) {
	return nil, pitaya.Error(errors.New(r.Content), "PIT-400")
}

func (*EntryHandler) Kick(ctx context.Context, _ []byte) {
	pitaya.GetSessionFromCtx(ctx).Kick(ctx)
}

func serve(port string, compress bool) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	pitaya.SetLogger(log)
	config := viper.New()
	config.Set("pitaya.handler.messages.compression", compress)
	config.Set("pitaya.heartbeat.interval", time.Second)
	pitaya.AddAcceptor(acceptor.NewTCPAcceptor("127.0.0.1:" + port))
	pitaya.Register(&EntryHandler{}, component.WithName("entryHandler"), component.WithNameFunc(func(method string) string {
		return strings.ToLower(method[:1]) + method[1:]
	}))
	check(pitaya.SetDictionary(map[string]uint16{"connector.entryHandler.enter": 1, "connector.entryHandler.send": 2}))
	pitaya.Configure(true, "connector", pitaya.Standalone, map[string]string{}, config)
	pitaya.Start()
}
