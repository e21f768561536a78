package pyjson

type Member struct{ Key, Raw string }

func Object(text string, maxDepth int) ([]Member, error) { panic("todo") }
func Array(text string, maxDepth int) ([]string, error)  { panic("todo") }
func Valid(text string, maxDepth int) error              { panic("todo") }
func Quote(s string) string                              { panic("todo") }
func Unquote(raw string) (string, bool)                  { panic("todo") }
func Canonical(raw string) (string, error)               { panic("todo") }
