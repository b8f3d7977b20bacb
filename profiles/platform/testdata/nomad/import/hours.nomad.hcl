job "web" {
  group "web" {
    scaling {
      enabled = false
      max     = 8
      policy {
        schedule {
          start    = "0 8 * * 1-5"
          duration = "12h"
        }
        check "lunch" {
          schedule {
            start    = "0 11 * * 1-5"
            duration = "3h"
          }
          strategy "fixed-value" { value = 6 }
        }
        check "latency" {
          source = "prometheus"
          query  = "1000 * histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"
          schedule {
            start = "0 8 * * *"
            end   = "0 20 * * *"
          }
          strategy "target-value" { target = 300 }
        }
      }
    }
  }
}
