package kernel

import (
	"fmt"
	"maps"
	"strings"
)

// catalogue is which commands there are, and how their parameters find objects.
type catalogue struct {
	registry map[string]*Bound
	order    []Bound
	finders  map[string]func(uuid string) bool
}

// Register indexes the commands by name. Their order is that of listApis.
func (c *catalogue) Register(commands []Bound) error {
	c.registry, c.order = map[string]*Bound{}, commands
	for i := range c.order {
		cmd := &c.order[i]
		if cmd.Root == "" {
			cmd.Root = strings.ToLower(cmd.Name) + "response"
		}
		if _, twice := c.registry[cmd.Name]; twice {
			return fmt.Errorf("command %s is registered twice", cmd.Name)
		}
		c.registry[cmd.Name] = cmd
	}
	return nil
}

// Find tells the transport the root of a command's answers, and whether there is such a command.
func (c *catalogue) Find(name string) (root string, ok bool) {
	cmd, ok := c.registry[name]
	if !ok {
		return "", false
	}
	return cmd.Root, true
}

// AddFinders tells how to find a room's objects by what stands after "uuid:" in a parameter's type.
func (c *catalogue) AddFinders(finders map[string]func(uuid string) bool) {
	maps.Copy(c.finders, finders)
}

// Command is a command by its name; nil for none.
func (c *catalogue) Command(name string) *Bound { return c.registry[name] }

// Commands are all commands, in the order of listApis.
func (c *catalogue) Commands() []Bound { return c.order }
