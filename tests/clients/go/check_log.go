// Checks a checkpoint of the audit log and proofs under it with the Go project's own code for transparency logs
// (golang.org/x/mod/sumdb), of which nothing here was written. Reads one JSON document, prints "ok" or why not.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type document struct {
	Key, Note string
	Records   []struct {
		Index int64
		Leaf  string
		Proof []string
	}
	Trees []struct {
		Size  int64
		Root  string
		Proof []string
	}
}

func main() {
	var given document
	check(json.NewDecoder(os.Stdin).Decode(&given))
	verifier, err := note.NewVerifier(given.Key)
	check(err)
	opened, err := note.Open([]byte(given.Note), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root := hash(lines[2])
	for _, record := range given.Records {
		check(tlog.CheckRecord(hashes(record.Proof), size, root, record.Index, hash(record.Leaf)))
	}
	for _, tree := range given.Trees {
		check(tlog.CheckTree(hashes(tree.Proof), size, root, tree.Size, hash(tree.Root)))
	}
	fmt.Println("ok")
}

func hashes(texts []string) []tlog.Hash {
	found := []tlog.Hash{}
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}

func hash(text string) tlog.Hash {
	var found tlog.Hash
	raw, err := base64.StdEncoding.DecodeString(text)
	check(err)
	copy(found[:], raw)
	return found
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
