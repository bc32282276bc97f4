# What people type. Each target is one readable command.

HUB ?= $(HOME)/car-hub
DIR ?= screenshots
CARGO ?= cargo

.PHONY: run build test lint fix fuzz bench tools screenshots readme-pictures web-budgets dist clean

## Build the hub and its client, make a hub if there is none, serve it, show what happens.
run: build
	./target/release/car-hub up --root "$(HUB)"

build:
	$(CARGO) build --release -p car-daemon -p car-client

## Everything that decides whether a change is good. Installs what it needs into .tools/.
test: tools lint
	$(CARGO) build --workspace --all-targets
	@if $(CARGO) nextest --version >/dev/null 2>&1; \
	 then $(CARGO) nextest run --workspace --no-fail-fast; \
	 else $(CARGO) test --workspace --no-fail-fast; fi

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

## The pinned real Codex and the Python CAR that tests run against.
tools:
	sh deploy/dev/test-tools.sh

## Pictures of every screen, at both sizes, light and dark, with real content, in DIR.
screenshots: tools
	CAR_SCREENSHOTS="$(abspath $(DIR))" $(CARGO) test -p car-daemon --test it web::pictures -- --ignored --nocapture

## The pictures README shows, in web/pictures.
readme-pictures: tools
	CAR_SCREENSHOTS="$(abspath web/pictures)" CAR_README_PICTURES=1 $(CARGO) test -p car-daemon --test it web::pictures -- --ignored

## What the page costs a slow phone and a long run: first render, bytes, frames, memory.
web-budgets: tools
	$(CARGO) build --release -p car-daemon
	node web/test/budgets.js target/release/car-hub

## The API under a fuzzer for longer than `make test` does it, from another seed each time.
fuzz: tools
	CAR_FUZZ_EXAMPLES=200 CAR_FUZZ_SEED=$$(date +%s) \
	  $(CARGO) test -p car-daemon --test it fuzz:: -- --nocapture

## Rewrite what is generated and checked in: the API document, goldens, transition table.
fix:
	$(CARGO) fmt --all
	UPDATE=1 $(CARGO) test --workspace

## Time and memory beside CAR 2.2.3; writes bench-results/.
bench:
	$(CARGO) build --release -p car-daemon -p car-client -p car-demo-agent
	$(CARGO) run --release -p car-bench

## A release archive with programs, man pages, completions, units and checksums, in dist/.
dist:
	$(CARGO) build --locked --profile dist -p car-daemon -p car-client
	sh deploy/dist.sh target/dist dist

clean:
	$(CARGO) clean
