package platform

// All lists the platforms: our own first, the others by their names.
func All() []Platform {
	return []Platform{policyFile, jcloud}
}
