job "web" {
  group "web" {
    count = 1
    scaling {
      min = 5
      max = 20
      policy {
        evaluation_interval = 10
        cooldown            = "soon"
        on_check_error      = "shrug"
        check "rps" {
          source = "prometheus"
          query  = var.query
          strategy "target-value" {
            target       = "ten"
            threshold    = -1
            max_scale_up = 0
          }
        }
        check "rps" {
          source = "prometheus"
          strategy "target-value" {}
        }
        check "hours" {
          schedule {
            start    = "9 to 5"
            end      = "0 17 * * *"
            duration = "8h"
          }
          strategy "fixed-value" { value = 1.5 }
        }
        check "none" {
          query = "x"
        }
      }
    }
  }
}
