# What people type; `make help` lists it. Hosts are started on this machine: as root, or by somebody who may use sudo.
INVENTORY ?= inventories/lab
S ?= default
LAB = inventories/lab
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup up hosts down test lint unit oracle molecule verify alerts drill bench docs site

help:             ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:            ## packages, .venv and keys, as far as they are missing
	@lab/bootstrap

hosts: setup      ## only start the lab's hosts
	@lab/hosts.py up -i $(LAB)

up: setup         ## start the lab's hosts, provision them, prove it
	@lab/up

down:             ## remove every host, network and image of the lab
	@lab/hosts.py down --all --images

test: setup       ## everything that is tested: lint, unit, alerts, oracle, every molecule scenario
	@tests/run

lint: setup       ## yamllint, ruff, mypy, ansible-lint
	@tests/run lint

unit: setup       ## tests without a host
	@tests/run unit

alerts: setup     ## every alert: a case in which it fires, one in which it does not
	@tests/run alerts

oracle: setup     ## the checker's verdict against real Redis servers
	@tests/run oracle

molecule: setup   ## one scenario: make molecule S=default
	@molecule test -s $(S)

verify: setup     ## is what an inventory says true on its hosts? INVENTORY=inventories/production
	@pytest tests/testinfra --ansible-inventory=$(INVENTORY)

drill: setup      ## faults under load: what is lost, how long writes stop; writes docs/reliability.md
	@python tests/drill/run.py

bench: setup      ## speed, beside a shell script and pyinfra
	@python bench/run.py

docs: setup       ## write docs/reference and the dashboards anew
	@docs/generate.py

site: setup       ## docs/ as a site with search, in site/
	@tests/run site
