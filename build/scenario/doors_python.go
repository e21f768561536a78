package scenario

import (
	"os/exec"
	"path/filepath"
)

// pythonDoor is an example program of the Python package, which need not be installed.
func pythonDoor(name, program string) Door {
	return Door{Name: name, Component: "python-djedge/bin/python", Engines: []string{"db", "signed_cookies"}, command: func(at place, s settings) *exec.Cmd {
		python := filepath.Join(at.root, "wasm", "python")
		cmd := exec.Command(filepath.Join(at.components, "python-djedge", "bin", "python"), filepath.Join(python, "examples", program))
		cmd.Env = append(append(plainEnvironment(), s.environment()...), "PYTHONPATH="+filepath.Join(python, "src"), "PYTHONDONTWRITEBYTECODE=1")
		return cmd
	}}
}
