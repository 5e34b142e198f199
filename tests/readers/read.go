// Prints what a reader of Go finds in each file of a folder, as JSON: null where it finds no file
// of its kind.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"

	compose "github.com/compose-spec/compose-go/v2/dotenv"
	docker "github.com/docker/cli/pkg/kvfile"
	"github.com/joho/godotenv"
)

// None of the surroundings.
func noVariable(string) (string, bool) { return "", false }

func read(reader, path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	switch reader {
	case "godotenv":
		return godotenv.Unmarshal(string(text))
	case "compose":
		return compose.ParseWithLookup(bytes.NewReader(text), noVariable)
	case "docker":
		found := map[string]string{}
		lines, err := docker.Parse(path, noVariable)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			found[name] = value
		}
		return found, err
	}
	log.Fatalf("there is no reader %s", reader)
	return nil, nil
}

func main() {
	files, err := os.ReadDir(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, file := range files {
		found, err := read(os.Args[1], filepath.Join(os.Args[2], file.Name()))
		if err != nil {
			found = nil
		}
		all[file.Name()] = found
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		log.Fatal(err)
	}
}
