package platform

// All lists the platforms: our own first, the others by their names.
func All() []Platform {
	return []Platform{policyFile, cloudrun, cortex, everai, hpa, jcloud, keda, kedaHTTP, knative, kserve, trueFoundry}
}
