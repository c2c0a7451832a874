#!/usr/bin/env bash
# Is proto/rights.txt what the rows say? usage: tests/proto/rights_check.sh PATH/OF/tool-rights
set -euo pipefail

tool=$(realpath "${1:?usage: $0 PATH/OF/tool-rights}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! diff -u --label 'proto/rights.txt (committed)' --label 'the rows' proto/rights.txt <("$tool"); then
	echo "not ok - rights.txt is not what the rows say; look at the difference, then: $tool > proto/rights.txt"
	exit 1
fi
echo "ok - rights.txt says what the $(wc -l <proto/rights.txt) cells of the rows say"
