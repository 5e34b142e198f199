# What developers and CI run. `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Where hack/setup puts Go and rustup puts Rust, and where a shell that is no login shell does not look.
export PATH := $(CURDIR)/target/go/bin:$(PATH):$(HOME)/.cargo/bin:/usr/local/go/bin:/usr/sbin:/sbin

.PHONY: help toolchain build demo test bench simulate cluster cluster-down e2e images fuzz fmt lint clean

help: ## Lists the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# rustup installs what rust-toolchain.toml pins by itself, unless it is told not to.
toolchain:
	@cargo --version >/dev/null 2>&1 || rustup toolchain install

build: toolchain ## The binaries as they ship, in dist/bin (minutes)
	hack/build webhook injector lab

demo: ## From an annotated Pod to files, with an emulated cloud; no cluster, no root
	@hack/setup demo
	cargo build --release --locked --quiet -p webhook -p injector -p lab
	@target/release/secrets-lab demo

test: ## Everything that CI checks, cheapest first; installs what it needs where it may
	@hack/setup test
	@hack/test

bench: build ## Measures what ships, as root on a cluster too; prints a table, writes target/bench/summary.json
	@if [ "$$(id -u)" -eq 0 ]; then \
	    hack/images && dist/bin/secrets-lab bench --components "$$(hack/components)"; \
	else \
	    dist/bin/secrets-lab bench && echo "not measured on a cluster: that needs root"; \
	fi

simulate: toolchain ## A fleet in virtual time: starts, rounds, an outage (PODS, SECRETS, INTERVAL, KMS, STS)
	cargo run --locked --quiet --release -p injector --example simulate

cluster: toolchain ## A real Kubernetes cluster on this machine (root; KUBE=v1.30.14 for that version)
	cargo build --locked --quiet -p lab
	@target/debug/secrets-lab cluster up --components "$$(hack/components)"

cluster-down: ## Ends the cluster; nothing of it stays
	@target/debug/secrets-lab cluster down

e2e: images ## Every story on a cluster of its own (root; FILTER=together:: for a part of them)
	@hack/e2e $(FILTER)

images: build ## The two images, as archives in dist/images
	hack/images

fuzz: toolchain ## Every fuzz target for some seconds (FUZZ_SECONDS=60 make fuzz for more)
	@hack/fuzz $${FUZZ_SECONDS:-10}

fmt: toolchain ## Formats all Rust code
	cargo fmt --all
	cd fuzz && cargo fmt --all

lint: toolchain ## Formatting, source rules, dependencies and clippy: the quick part of `make test`
	@hack/test --quick

clean: ## Removes what was built
	rm -rf target dist fuzz/target fuzz/corpus fuzz/artifacts
