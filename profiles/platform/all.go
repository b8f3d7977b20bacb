package platform

// All lists the platforms: our own first, the others by their names.
func All() []Platform {
	return []Platform{policyFile, aws, cloudrun, cortex, everai, fly, hpa, jcloud, keda, kedaHTTP, knative, kserve, nomad, rayServe, trueFoundry}
}
