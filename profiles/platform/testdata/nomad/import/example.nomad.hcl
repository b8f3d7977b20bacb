job "web" {
  group "web" {
    count = 5
    scaling {
      min = 5
      max = 20
      policy {
        evaluation_interval = "10s"
        cooldown            = "1m"
        check "rps" {
          source       = "prometheus"
          query        = "avg(sum by (instance) (rate(http_requests_total{job='web'}[1m])))" # per-replica AVERAGE
          query_window = "1m"
          strategy "target-value" { target = 10 }
        }
      }
    }
    task "web" {
      driver = "docker"
      config { image = "quay.io/acme/web:1" }
    }
  }
}
