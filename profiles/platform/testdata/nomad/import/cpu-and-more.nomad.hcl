# A job as people have it: variables, heredocs, several groups and checks.
variable "tag" { default = "1" }

job "shop" {
  datacenters = ["dc1"]

  group "cache" {
    task "redis" { driver = "docker" }
  }

  group "api" {
    count = var.count

    scaling {
      enabled = true
      min     = 2
      max     = 10

      policy {
        cooldown             = "2m"
        cooldown_on_scale_up = "30s"
        on_check_error       = "fail"

        # Nomad's own figures
        check "cpu" {
          source = "nomad-apm"
          query  = "avg_cpu"
          strategy "target-value" {
            target         = "70"
            max_scale_up   = 3
            max_scale_down = 1
          }
        }

        check "memory" {
          query = "avg_memory-allocated"
          strategy "target-value" { target = 80 }
        }

        check "in_flight" {
          source = "prometheus"
          query  = <<EOT
avg(avg_over_time(http_requests_in_flight{job="shop"}[1m30s]))
EOT
          strategy "target-value" {
            target    = 2.5
            threshold = 0.05
          }
        }

        check "nights" {
          schedule {
            start = "0 20 * * *"
            end   = "0 6 * * *"
          }
          strategy "fixed-value" { value = 4 }
        }

        check "burst" {
          source = "prometheus"
          query  = "max(queue_depth)"
          group  = "burst"
          strategy "threshold" {
            upper_bound = 100
            lower_bound = 50
            delta       = 2
          }
        }
      }
    }

    task "api" {
      driver = "docker"
      config { image = "acme/api:${var.tag}" }
    }
  }

  group "jobs" {
    scaling {
      max = 3
    }
  }
}
