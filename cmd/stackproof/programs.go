package main

import (
	"context"

	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// needPrograms finds the programs that the lab runs, and removes what a killed run left behind.
func needPrograms(ctx context.Context) error {
	if _, err := router.FindHAProxy(""); err != nil {
		return err
	}
	if _, err := database.Find(""); err != nil {
		return err
	}
	_, err := lab.CleanStale(ctx)
	return err
}
