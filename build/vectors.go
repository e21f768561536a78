package main

import "errors"

func vectors([]string) int { return fail(errors.New("vectors are not there yet")) }
