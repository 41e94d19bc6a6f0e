# `make` alone lists what there is. Every target works in a fresh clone: it installs what it lacks, once.
# The gate is the same for people and for machines: .ci/run and the workflow call `make test`.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

bin := .venv/bin
# The environment is made anew when what it should hold, or the folder it lies in, has changed.
ready := .venv/ready-$(shell { cat requirements.txt; pwd; } | sha256sum | cut -c 1-12)
# A Docker Engine in a network of its own, which ends with the command.
own_docker := $(bin)/python tests/lab/own_docker.py
# What hosts run from is built before, with the machine's network: there is none beside that engine.
containers := $(own_docker) --required --first "$(bin)/overlaykit lab build --backend kernels"
say = @printf '\n== %s\n'
# JupyterLab refuses root unless it is told; without a screen it prints its address for a browser elsewhere.
jupyter := jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) \
	$(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),,--no-browser)

.PHONY: help lab ready quickstart test lessons test-servers test-workbench test-containers check outputs soak bundle \
	workbench bench bench-containers clean packages tools client browser servers docker

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

lab: packages ## the lessons: three practice hosts, and JupyterLab open at the first notebook
	$(say) "Practice hosts (the first time, what they run from is built: some minutes)"
	@$(bin)/overlaykit lab up
	$(say) "JupyterLab (Ctrl-C ends it; the hosts stay until: $(bin)/overlaykit lab down)"
	@# Trusted, so that a panel is there again for who closed the tab. A terminal in JupyterLab knows `overlaykit`.
	@cd notebooks && PATH="$(CURDIR)/$(bin):$$PATH" && jupyter trust *.ipynb >/dev/null && exec $(jupyter) --LabApp.default_url=/lab/tree/00_start.ipynb $(JUPYTER)

ready: packages ## can this machine run the lessons? READY, or one sentence of what is missing
	@$(bin)/overlaykit lab ready

quickstart: packages ## three practice hosts, a swarm, an overlay network, three tiers, and the proof
	$(say) "Practice hosts (the first time, what they run from is built: some minutes)"
	@$(bin)/overlaykit lab up
	$(say) "Swarm, overlay network, three tiers"
	@$(bin)/overlaykit up --inventory lab
	$(say) "Proof: names resolve and tiers answer, across hosts"
	@$(bin)/overlaykit check --inventory lab
	$(say) "Where to look"
	@$(bin)/overlaykit lab status
	@echo "Open any of these addresses, sign the guest book, reload."
	@echo "To type commands yourself:  . $(bin)/activate && overlaykit --help"
	@echo "To remove it all:           $(bin)/overlaykit lab down"

test: check packages ## everything that must pass: check, practice hosts, every lesson; containers and workbench in short
	$(say) "Tests on practice hosts"
	@$(bin)/pytest tests/lab -m "not lessons and not containers"
	$(say) "Every lesson, compared with what is saved"
	@$(bin)/pytest --nbval --own-lab notebooks
	@# Only now, and only on a machine that runs nothing but the gate: nothing above should find a Docker that was not there.
	@.ci/prepare docker
	$(say) "In short: practice hosts that are containers"
	@$(own_docker) $(bin)/pytest tests/lab -m proof
	$(say) "In short: the workbench, under the strictest limits"
	@$(own_docker) --first "make workbench" $(bin)/pytest tests/workbench -m proof

test-containers: packages docker ## tests and lessons on practice hosts that are containers, on a Docker Engine of its own; takes root
	@$(containers) sh -ec '\
	    $(bin)/pytest tests/lab; \
	    $(bin)/pytest --nbval --own-lab notebooks'

lessons: packages browser ## more on the lessons: from spoiled hosts, exercises done wrongly, all in a browser; two hours
	$(say) "Lessons that begin on spoiled hosts; exercises that are not done, done wrongly, done"
	@$(bin)/pytest tests/lab -m lessons
	$(say) "Every lesson, compared with what is saved, and timed"
	@$(bin)/pytest --nbval --own-lab notebooks
	$(say) "Lessons that notice what is not so, and take the time that they declare"
	@$(bin)/pytest tests/notebooks -m lab
	$(say) "Lessons in a browser"
	@$(bin)/pytest tests/browser

test-servers: packages client servers ## docs/your-own-servers.md, typed on three plain Debian hosts that no lab made
	$(say) "Three servers of somebody else's (the first time, their disk is made: a minute or two)"
	@$(bin)/pytest tests/servers

check: $(ready) client ## format, lint, types, unit tests, the lessons' form: seconds
	$(say) "Format"
	@$(bin)/ruff format --check
	$(say) "Lint"
	@$(bin)/ruff check
	$(say) "Types"
	@$(bin)/mypy
	@$(bin)/mypy notebooks
	$(say) "Unit tests, and the lessons as they lie here"
	@$(bin)/pytest tests/unit tests/notebooks -m "not lab"

outputs: packages ## run the lessons and save what they show; LESSONS="03 10" for some
	@PYTHONPATH=tests/lab $(bin)/python tests/notebooks/save_outputs.py $(LESSONS)

soak: packages ## twenty rounds of up and down on the same hosts; up killed at five moments; the lessons three times
	$(say) "Soak: rounds of up and down, each proven by names that resolve"
	@$(bin)/pytest tests/lab/soak.py
	$(say) "Soak: every lesson, three times in a row on the same hosts"
	@$(bin)/pytest tests/notebooks/three_runs.py

bundle: packages ## one folder to carry: build, wheels, lessons; it installs without internet
	@$(bin)/python bundle/make_bundle.py

workbench: packages tools ## the whole kit as one image, for any container: dist/overlaykit-workbench.tar, made without Docker
	@$(bin)/python bundle/make_workbench.py

test-workbench: packages docker browser ## that image under the strictest limits, every lesson in it, and in a browser; takes root
	@$(own_docker) --required --first "make workbench" $(bin)/pytest tests/workbench

bench: packages ## how fast it is, measured on this machine
	@ended=0; for script in benchmarks/*.py; do \
	    printf '\n== %s\n' "$$script"; $(bin)/python "$$script" || ended=1; done; exit $$ended

bench-containers: packages docker ## the same of practice hosts that are containers, on a Docker Engine of its own; takes root
	@$(containers) sh -ec '\
	    $(bin)/python benchmarks/lab.py --hosts 3; \
	    $(bin)/python benchmarks/stack.py --hosts 3'

clean: ## stop the practice hosts, remove what make and the tests put into this folder
	@if [ -x $(bin)/overlaykit ]; then $(bin)/overlaykit lab down; fi
	rm -rf .venv .ruff_cache .mypy_cache test-logs *.egg-info
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
	@echo "What practice hosts run from stays in the cache (overlaykit lab down --cache removes it), bundle and workbench in dist/."

packages: $(ready)
	@.ci/prepare packages

tools: $(ready)
	@.ci/prepare tools

client: $(ready)
	@.ci/prepare client

browser: $(ready)
	@.ci/prepare browser

servers: $(ready)
	@.ci/prepare servers

docker: $(ready)
	@.ci/prepare docker

$(ready):
	@.ci/prepare python
	@touch $@
