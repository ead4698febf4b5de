// Fills templates with the text/template of the Go that builds this.
//
// Arguments: the values, a JSON file. Input: {"template": …, "data": …} a line. Output: a line with Go's version, then
// for each line of input {"outcome": …, "output": bytes in hexadecimal, "error": …}.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"text/template"
)

// What the alert is made of; Go decides by these types what can be compared, indexed and left out.
type Program struct{ Path string }

type Process struct {
	Program       Program
	Args          []string
	ArgsTruncated bool
	Cwd           string
	User          string
	Uid           uint32
	Gid           uint32
}

type Location struct{ ContainerLabels map[string]string }

type Alert struct {
	StrategyName string
	Description  string
	Comments     string
	Priority     string
	Confidence   string
	PolicyType   string
	MatchedRule  string
	AlertLabels  map[string]string
	Categories   []string
	Timestamp    int64
	ProcessInfo  Process
	Lineage      []Process
	Location     Location
}

type question struct{ Template, Data string }

type answer struct {
	Outcome string `json:"outcome"`
	Output  string `json:"output"`
	Error   string `json:"error"`
}

func exact(list []Process) []Process {
	for i := range list {
		list[i].Args = append(make([]string, 0, len(list[i].Args)), list[i].Args...)
	}
	return append(make([]Process, 0, len(list)), list...)
}

func fill(asked question, alerts map[string]Alert) answer {
	parsed, err := template.New("a template of no one").Parse(asked.Template)
	if err != nil {
		return answer{Outcome: "parse_error", Error: err.Error()}
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, alerts[asked.Data]); err != nil {
		return answer{Outcome: "exec_error", Output: hex.EncodeToString(out.Bytes()), Error: err.Error()}
	}
	return answer{Outcome: "output", Output: hex.EncodeToString(out.Bytes())}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	alerts := map[string]Alert{}
	check(json.Unmarshal(text, &alerts))
	// The decoder leaves room behind slices, and a slice of a slice can reach into it.
	for name, alert := range alerts {
		if alert.Categories != nil {
			alert.Categories = append(make([]string, 0, len(alert.Categories)), alert.Categories...)
		}
		alert.Lineage = exact(alert.Lineage)
		alert.ProcessInfo = exact([]Process{alert.ProcessInfo})[0]
		alerts[name] = alert
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintln(out, runtime.Version())
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for in.More() {
		var asked question
		check(in.Decode(&asked))
		line, err := json.Marshal(fill(asked, alerts))
		check(err)
		fmt.Fprintln(out, string(line))
	}
}
