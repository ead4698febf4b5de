#!/bin/sh
# Go 1.19.8 (Debian 12: golang-1.19-go 1.19.8-2), the same in 1.24.4 and later: in text/template a key that a
# map[string]string does not have has three texts, by the way in which it is asked for.
#
# One would expect that `.Labels.owner` and `index .Labels "owner"` mean the same, and that a value prints alike whether an
# action prints it or `print` does. The field is no value at all, `index` gives the map's zero value, and `print` gets nil. So
# `{{if eq .Labels.owner ""}}` is false for a label that is not there, and an alert template that joins labels writes
# `<no value>` or nothing, which a line for machines then carries on.
#
# Output seen:
#   {{.Labels.owner}}                    [<no value>]
#   {{index .Labels "owner"}}            []
#   {{print .Labels.owner}}              [<nil>]
#   {{print (index .Labels "owner")}}    []
#   {{html .Labels.owner}}               [&lt;no value&gt;]
#   {{eq .Labels.owner ""}}              [false]
#   {{eq (index .Labels "owner") ""}}    [true]
#
# Exit code 1 if any of it is otherwise.
set -eu
place=$(mktemp -d)
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT
cd "$place"
apt-get -o APT::Sandbox::User=root download -q golang-1.19-go=1.19.8-2 golang-1.19-src=1.19.8-2 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
cat >main.go <<'G'
package main

import (
	"fmt"
	"os"
	"strings"
	"text/template"
)

func main() {
	cases := [][2]string{
		{`{{.Labels.owner}}`, `<no value>`},
		{`{{index .Labels "owner"}}`, ``},
		{`{{print .Labels.owner}}`, `<nil>`},
		{`{{print (index .Labels "owner")}}`, ``},
		{`{{html .Labels.owner}}`, `&lt;no value&gt;`},
		{`{{eq .Labels.owner ""}}`, `false`},
		{`{{eq (index .Labels "owner") ""}}`, `true`},
	}
	data := struct{ Labels map[string]string }{map[string]string{"team": "web"}}
	for _, c := range cases {
		var out strings.Builder
		if err := template.Must(template.New("").Parse(c[0])).Execute(&out, data); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("%-36s [%s]\n", c[0], out.String())
		if out.String() != c[1] {
			fmt.Println("changed: it was", c[1])
			os.Exit(1)
		}
	}
}
G
GOROOT="$place/usr/lib/go-1.19" GOCACHE="$place/cache" GOPATH="$place/path" usr/lib/go-1.19/bin/go run main.go
