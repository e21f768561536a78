package djsession

// Remembers reports whether data need not be verified again.
func (s *Store) Remembers(data string) bool {
	_, ok := s.verified.Get(data)
	return ok
}

// Remembered is how many bytes are.
func (s *Store) Remembered() int { return s.verified.Used() }
