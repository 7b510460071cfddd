package dataplane_test

import (
	"fmt"

	"github.com/stackproof/stackproof/probes/dataplane"
)

// Clients that stay on their backend show no stickiness where the algorithm keeps them there by itself. Only a stick
// table in the router's file tells the two apart.
func ExampleJudge() {
	seen := dataplane.Observation{
		Verdict: dataplane.Sticky, Clients: 31, Requests: 5,
		Target:  dataplane.Side{Backends: []string{"10.1.1.10:80", "10.1.1.11:80"}},
		Control: dataplane.Side{Backends: []string{"10.1.1.10:80", "10.1.1.11:80"}, Moved: 31},
	}
	for _, hasTable := range []bool{true, false} {
		verdict, _ := dataplane.Judge(seen, &hasTable, "source")
		fmt.Println("stick table:", hasTable, "verdict:", verdict)
	}
	fmt.Printf("chance of a false pass: %.0e\n", dataplane.FalsePassIndependent(seen.Clients, seen.Requests, 2))
	// Output:
	// stick table: true verdict: STICKY
	// stick table: false verdict: INCONCLUSIVE
	// chance of a false pass: 5e-38
}
