package objects

// NetworkOn is a tier whose router is known.
func NetworkOn(router string) *Network { return &Network{VPC: &VPC{router: router}} }
