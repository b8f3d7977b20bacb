#!/usr/bin/env bash
# The release as goreleaser sees it: its file is checked, and all archives are
# built. The version is the last one that builds with Go 1.26: 2.17 needs a
# module that is no longer served, 2.18 a newer Go. It is fetched and compiled
# first, which takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
goreleaser=github.com/goreleaser/goreleaser/v2@v2.16.0
go run "$goreleaser" check
go run "$goreleaser" release --snapshot --clean --skip=publish
[ "$(wc -l <dist/checksums.txt)" = 6 ] || { echo "not six archives:"; cat dist/checksums.txt; exit 1; }
tar -tzf dist/headroom_*_linux_amd64.tar.gz >dist/content.txt
for file in headroom man/headroom-run.1 completions/headroom.bash docs/config.md; do
  grep -qx "$file" dist/content.txt || { echo "the archive has no $file:"; cat dist/content.txt; exit 1; }
done
cat dist/checksums.txt
