package scenario

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/djedge/djedge/build/bench/process"
)

// Door is a way through which requests reach djedge.
type Door struct {
	Name      string
	Component string   // path below the components that must exist; "" needs none
	Database  string   // postgres, which is also "", or sqlite
	Engines   []string // the session engines that it has
	// Without says which rows it cannot cover, and why.
	Without map[string]string
	// command starts it.
	command func(at place, s settings) *exec.Cmd
	// auth means that it is asked by GET /auth, and what an application gets
	// is in the answer's headers: a proxy is to take them over from there.
	auth bool
}

// place is where things are.
type place struct {
	root       string // the repository
	components string
	djedge     string // the command
	middleware string // the program of that directory
	scratch    string // a directory of the door's own
}

// settings are what a door is told.
type settings struct {
	database string
	engine   string
	cache    string
	addr     string // to listen on, of djedge serve
}

// timeout is what doors are told to wait for the database, in milliseconds.
const timeout = "500"

// environment is what the package's comment promises to a door.
func (s settings) environment() []string {
	env := []string{
		"DJEDGE_DATABASE=" + s.database, "DJEDGE_SECRET_KEY=" + secretKey, "DJEDGE_SECRET_KEY_FALLBACKS=" + fallbackKey,
		"DJEDGE_DJANGO_VERSION=5.2", "DJEDGE_ENGINE=" + s.engine, "DJEDGE_PORT=0", "DJEDGE_TIMEOUT_MS=" + timeout,
	}
	if s.cache != "" {
		env = append(env, "DJEDGE_CACHE="+s.cache)
	}
	return env
}

var allEngines = []string{"db", "cached_db", "signed_cookies"}

// Doors are all doors.
func Doors() []Door {
	return append([]Door{
		serveDoor("djedge serve, native", "native"),
		serveDoor("djedge serve, wazero", "wasm"),
		{Name: "Go middleware", Engines: allEngines, command: func(at place, _ settings) *exec.Cmd { return exec.Command(at.middleware) }},
		pythonDoor("Python, aiohttp", "aiohttp_app.py"),
		pythonDoor("Python, Starlette", "starlette_app.py"),
	}, jsDoors()...)
}

// serveDoor is the command of this repository, whose variables have names of their own.
func serveDoor(name, engine string) Door {
	return Door{Name: name, Engines: allEngines, auth: true, command: func(at place, s settings) *exec.Cmd {
		cmd := exec.Command(at.djedge, "serve", "--listen", s.addr, "--engine", engine, "--query-timeout", timeout+"ms",
			"--api", "me,login,logout,register,change-password")
		cmd.Env = append(plainEnvironment(), "DJEDGE_DATABASE="+s.database, "DJEDGE_SECRET_KEY="+secretKey,
			"DJEDGE_SECRET_KEY_FALLBACKS="+fallbackKey, "DJEDGE_DJANGO_VERSION=5.2", "DJEDGE_SESSION_ENGINE="+s.engine)
		if s.cache != "" {
			cmd.Env = append(cmd.Env, "DJEDGE_CACHE_LOCATION="+s.cache)
		}
		return cmd
	}}
}

// plainEnvironment is the environment without what djedge would take for settings.
func plainEnvironment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "DJEDGE_") {
			env = append(env, variable)
		}
	}
	return env
}

// running is a door that was started.
type running struct {
	Door
	process *process.Process
	url     string
	client  http.Client
}

func (d Door) start(at place, s settings) (r *running, err error) {
	var p *process.Process
	if d.auth {
		if s.addr, err = process.FreeAddr(); err != nil {
			return nil, err
		}
		if p, err = process.Start(d.Name, at.scratch, d.command(at, s)); err != nil {
			return nil, err
		}
		if err := p.Await(s.addr); err != nil {
			p.Stop(os.Kill)
			return nil, err
		}
	} else {
		cmd := d.command(at, s)
		if cmd.Env == nil {
			cmd.Env = append(plainEnvironment(), s.environment()...)
		}
		if p, s.addr, err = process.StartListening(d.Name, at.scratch, cmd); err != nil {
			return nil, err
		}
	}
	return &running{Door: d, process: p, url: "http://" + s.addr, client: newClient()}, nil
}

func (r *running) stop() { r.process.Stop(syscall.SIGTERM) }
