# Thin names for scripts/*.sh, which do the work and say what they do.
.DEFAULT_GOAL := help
.PHONY: help setup run test dev demo kafka kafka-stop bench soak reliability topology autobahn schemathesis hunt lint fmt clean-cache

help: ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

setup: ## install what is missing to build, run and test
	@scripts/setup.sh test

run: ## build, and start one instance on http://127.0.0.1:3000 (ARGS="--brokers …" for a cluster)
	@scripts/run.sh $(ARGS)

test: ## install what is missing, and run every check and test
	@scripts/test.sh

dev: ## like run, and rebuild and reload on every change
	@scripts/dev.sh $(ARGS)

demo: ## three instances of one group, and traffic (KAFKA=1: over the three-node cluster)
	@scripts/demo.sh

kafka: ## start a real three-node Apache Kafka on 127.0.0.1:19092 to 19094
	@scripts/setup.sh kafka && scripts/kafka.sh start

kafka-stop: ## stop it; its data stays
	@scripts/kafka.sh stop

bench: ## measure, and write docs/BENCHMARKS.md (about a quarter of an hour; ARGS=--quick: whether it works)
	@scripts/bench.sh $(ARGS)

soak: ## a quarter of an hour of load, bad tabs and a real browser: does anything grow (ARGS=2: two minutes)
	@scripts/soak.sh $(ARGS)

reliability: ## let instances and brokers fail, and check every record (ARGS="kill zombie" for some scenarios)
	@scripts/reliability.sh $(ARGS)

topology: ## what docker-compose.yml puts up, without Docker: three instances behind a proxy, restarted under load
	@scripts/topology.sh $(ARGS)

autobahn: ## the Autobahn WebSocket testsuite, against Ottla's own frames (ARGS="--cases 6.,9.1" for some cases)
	@scripts/autobahn.sh $(ARGS)

schemathesis: ## requests made from the HTTP API's description, good and bad ones
	@scripts/schemathesis.sh $(ARGS)

hunt: ## the property tests with new cases, twenty times (ARGS=100: a hundred times)
	@scripts/hunt.sh $(ARGS)

lint: ## formatting, clippy, and which room may know which
	@scripts/setup.sh run && scripts/lint.sh

fmt: ## format the code
	@scripts/setup.sh run && scripts/fmt.sh

clean-cache: ## delete everything that was built or fetched outside the checkout
	@scripts/clean-cache.sh
