package abi

import "github.com/djedge/djedge/djsession/query"

// Configured answers the settings. With Error set, everything else is empty
// and the guest stays unconfigured.
type Configured struct {
	Error      string            // names the setting that was wrong
	Statements []query.Statement // effects name them by their position here
	Columns    []query.Column    // of [Result.User]
	Headers    []string          // the request headers that the rules read, lower case
	Shorthand  *Shorthand        // for allowed frames; nil unless the host asked for them
}

// AppendConfigure appends a configure frame to dst.
func AppendConfigure(dst []byte, settings []Setting) []byte {
	b, at := openFrame(dst, FrameConfigure)
	b = putCount(b, len(settings))
	for _, s := range settings {
		b = putText(putText(b, s.Name), s.Value)
	}
	return closeRecord(b, at)
}

// DecodeConfigure reads a configure frame. Errors are a [*FrameError].
func DecodeConfigure(frame []byte) ([]Setting, error) {
	r := newReader(frame, FrameConfigure, nil)
	n, outer := r.openList(8)
	settings := make([]Setting, n)
	for i := range settings {
		settings[i] = Setting{r.text(), r.text()}
	}
	r.closeList(outer)
	if r.err != nil {
		return nil, r.err
	}
	return settings, nil
}

// AppendConfigured appends a configured frame to dst.
func AppendConfigured(dst []byte, c *Configured) []byte {
	b, at := openFrame(dst, FrameConfigured)
	b = putText(b, c.Error)
	b = putCount(b, len(c.Statements))
	for _, s := range c.Statements {
		b = putText(putText(b, s.Name), s.SQL)
	}
	b = putColumns(b, c.Columns)
	return closeRecord(putShorthand(putTexts(b, c.Headers), c.Shorthand), at)
}

// DecodeConfigured reads a configured frame. Errors are a [*FrameError];
// a refusal of the settings is [Configured.Error].
func DecodeConfigured(frame []byte) (*Configured, error) {
	r := newReader(frame, FrameConfigured, nil)
	c := &Configured{Error: r.text()}
	n, outer := r.openList(8)
	if n > 0 {
		c.Statements = make([]query.Statement, n)
	}
	for i := range c.Statements {
		c.Statements[i] = query.Statement{Name: r.text(), SQL: r.text()}
	}
	r.closeList(outer)
	c.Columns = r.columns()
	c.Headers = r.texts()
	c.Shorthand = r.shorthand()
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

func putColumns(b []byte, columns []query.Column) []byte {
	b = putCount(b, len(columns))
	for _, c := range columns {
		b = append(putText(b, c.Name), byte(c.Kind))
	}
	return b
}

func (r *reader) columns() []query.Column {
	n, outer := r.openList(5)
	if n == 0 {
		return nil
	}
	columns := make([]query.Column, n)
	for i := range columns {
		columns[i] = query.Column{Name: r.text(), Kind: r.kind(query.KindUUID)}
	}
	r.closeList(outer)
	return columns
}
