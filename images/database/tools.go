//go:build tools

// Package database names the program that this image is built from, so that go.mod and go.sum pin it
// and all that it is made of.
package database

import _ "github.com/FerretDB/FerretDB/cmd/ferretdb"
