// Command middleware is a door of the scenario table: djedge as middleware of
// a Go program, with the module under wazero.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/host/postgres"
	"github.com/djedge/djedge/host/redis"
	"github.com/djedge/djedge/host/serve"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	timeout, err := strconv.Atoi(os.Getenv("DJEDGE_TIMEOUT_MS"))
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, os.Getenv("DJEDGE_DATABASE"))
	if err != nil {
		return err
	}
	config := host.Config{
		DB: db, Engine: module.New(module.Config{CacheDir: os.Getenv("DJEDGE_MODULE_CACHE")}),
		SecretKey: os.Getenv("DJEDGE_SECRET_KEY"), SecretKeyFallbacks: strings.Split(os.Getenv("DJEDGE_SECRET_KEY_FALLBACKS"), ","),
		SessionEngine: os.Getenv("DJEDGE_ENGINE"), QueryTimeout: time.Duration(timeout) * time.Millisecond,
	}
	if location := os.Getenv("DJEDGE_CACHE"); location != "" {
		if config.Storage, err = redis.Open(ctx, location); err != nil {
			return err
		}
	}
	edge, err := host.New(ctx, config)
	if err != nil {
		return err
	}
	api, err := serve.New(serve.Config{Host: edge, API: []string{serve.Me, serve.Login, serve.Logout, serve.Register, serve.ChangePassword}})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", api)
	mux.Handle("/protected", edge.Middleware(edge.Require(gate.Authenticated, http.HandlerFunc(echo))))
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("DJEDGE_PORT"))
	if err != nil {
		return err
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	return http.Serve(listener, mux)
}

// echo is the application: it answers with what it got.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"headers": r.Header})
}
