# a policy file of the autoscaler
scaling "builders" {
  min = 0
  max = 10

  policy {
    evaluation_interval = "0s" # the default
    cooldown            = "500ms"

    target "nomad-target" {
      Job   = "builder"
      Group = "agents"
    }

    check "waiting_builds" {
      source = "prometheus"
      query  = "sum(ci_builds_waiting)"
      strategy "target-value" { target = 0 }
    }
  }
}
