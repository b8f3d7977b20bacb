job "web" {
  group "web" {
    count = 3
    task "web" { driver = "docker" }
  }
}
