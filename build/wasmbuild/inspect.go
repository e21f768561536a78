package wasmbuild

import "slices"

// Interface is what a module asks of its host and gives to it.
type Interface struct {
	Imports []string // "module.name", sorted
	Exports []string // sorted
}

// Inspect reads a module's imports and exports.
func Inspect(module []byte) (*Interface, error) {
	var found Interface
	_, err := mapSections(module, func(id byte, body []byte) ([]byte, error) {
		r := reader{b: body}
		switch id {
		case sectionImport:
			for n := r.unsigned(); n > 0 && r.err == nil; n-- {
				name := string(r.bytes(r.unsigned())) + "." + string(r.bytes(r.unsigned()))
				found.Imports = append(found.Imports, name)
				r.importType()
			}
		case sectionExport:
			for n := r.unsigned(); n > 0 && r.err == nil; n-- {
				found.Exports = append(found.Exports, string(r.bytes(r.unsigned())))
				r.byte()
				r.unsigned()
			}
		}
		return body, r.err
	})
	slices.Sort(found.Imports)
	slices.Sort(found.Exports)
	return &found, err
}

// importType skips the type of an import. Go's modules import functions only.
func (r *reader) importType() {
	if kind := r.byte(); kind != 0 {
		r.fail(errImport)
	}
	r.unsigned()
}
