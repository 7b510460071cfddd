package router_test

import (
	"fmt"

	"github.com/stackproof/stackproof/router"
)

// A push is rendered as a release renders it, and the file is asked which rules pin their clients.
func ExampleRender() {
	push, err := router.ParsePush([]byte(`{"accessDetails":{"router.name":"r-4-VM"},"maxconn":"4096",
		"lbStatsVisibility":"disabled","loadBalancers":[{"uuid":"1","srcIp":"192.0.2.5","srcPort":80,
		"protocol":"tcp","algorithm":"roundrobin","destinations":[{"destIp":"10.1.1.10","destPort":80}],
		"stickinessPolicies":[{"methodName":"SourceBased","params":[]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := router.RulesFor("4.20.3.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	rendered, err := router.Render(push, rules)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, section := range router.Listens(rendered.File()) {
		fmt.Println(section.Bind(), section.Balance(), "sticky:", section.Sticky())
	}
	// Output: 192.0.2.5:80 roundrobin sticky: true
}
