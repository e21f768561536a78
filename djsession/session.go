package djsession

// Item is one entry of a session: its key and its value as JSON text, kept as
// it was read until it is replaced.
type Item struct {
	Key string
	Raw string
}
