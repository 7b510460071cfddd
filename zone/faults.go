package zone

// faultKnobs are planted faults: what a release could break next. None is on in a profile.
func faultKnobs() []Knob {
	return []Knob{
		{Name: "usage-close-nothing", About: "LB.DELETE is processed and closes no row", Part: "usage"},
	}
}
