package pickle_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
)

func session(b *testing.B, tag string) string {
	for _, v := range vectors(b) {
		if v.Tag == tag && *v.Protocol == 5 {
			return v.data(b)
		}
	}
	b.Fatal("no vector " + tag)
	return ""
}

func BenchmarkDecode(b *testing.B) {
	for _, tag := range []string{"safe/auth", "safe/auth+data", "safe/dict1100"} {
		data := session(b, tag)
		b.Run(tag, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := pickle.Decode(data, pickle.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	members, err := pickle.Decode(session(b, "safe/auth+data"), pickle.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pickle.Encode(members, 5); err != nil {
			b.Fatal(err)
		}
	}
}
