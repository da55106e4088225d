# On a machine without make: tools/make TARGET, which installs it first.
# demo: the main job on the shipped model.   test: all tests, in the build that the demo uses.
# test-quick: the tests of single parts, in under two minutes after the build.
# check: what continuous integration runs: formatting, structure, tests, kernels, another package.
# test-docs: every command of README.md and docs/, its output compared; makes a demo first.
# test-kernels: the tests of exact arithmetic with each set of instructions that the processor has.
# paper: the comparison of the paper, docs/comparison.md, in about two hours; interrupted, it goes on.
# benchmark: speed as ratios.
BUILD := swift build -c release --product routesae
# Without testable imports the tests use the very modules that the program is made of: nothing is built twice.
TEST := swift test -c release --disable-testable-imports
ROUTESAE := .build/release/routesae

# Debian's, for which bootstrap installs numpy, pandas and zstandard.
PYTHON := $(or $(wildcard /usr/bin/python3),python3)

.PHONY: all build demo paper test test-quick test-kernels test-docs test-package test-python lint check benchmark format clean

all: build

build:
	@tools/bootstrap
	$(BUILD)

demo: build
	@$(ROUTESAE) demo --output demo.sqlite --force

# A first look in 20 minutes: make paper PAPER="--preset small --catalog small.sqlite --output small.md". In parts of half
# an hour: PAPER="--minutes 30". On another model: PAPER="--model … --text … --heldout … --catalog … --output …".
paper: build
	@$(PYTHON) tools/paper.py $(PAPER)

test:
	@tools/bootstrap tests
	$(TEST)
	$(PYTHON) tools/python/tests/run.py
	$(PYTHON) tools/test_export_activations.py
	$(PYTHON) tools/test_check_neuronpedia.py
	$(PYTHON) tools/test_comparison.py
	$(PYTHON) tools/test_paper.py
	$(PYTHON) tools/mutate.py --count 240
	$(PYTHON) tools/test_docs.py --dry-run
	$(PYTHON) tools/option_table.py --check

# Targets that train, index and score whole dictionaries or run the program, and long suites of hostile files.
SLOW_TARGETS := TrainingTests|IndexingTests|ScoringTests|EvaluationTests|SteeringTests|CatalogMaintenanceTests|RouteSAETests
SLOW_SUITES := BrowserTests|Fuzz|Hostile|ByteFlip|FaultInjection|EveryEdit|Contradiction|Migration|VersionFive|VerificationTests
SLOW := ^($(SLOW_TARGETS))\.|$(SLOW_SUITES)|Malformed|Golden|ReadOnlySQL|Memory

test-quick:
	@tools/bootstrap
	$(TEST) --skip '$(SLOW)'

# What is exact by the order of sums: products, the forward pass, decoding, encoding, training, any batch.
EXACT := LinearAlgebraTests|LanguageModelTests|SparseCodingTests|SparseTrainingTests|BatchInvarianceTests

KERNELS := avx512bf16 avx512 avx2 baseline

test-kernels:
	@tools/bootstrap
	for kernels in $(KERNELS); do \
	    echo "Products with $$kernels" && ROUTESAE_KERNELS=$$kernels $(TEST) $$built --filter '$(EXACT)' || exit 1; \
	    built=--skip-build; \
	done

# ROUTESAE_DEMO names a demo catalog that is there already.
test-docs: build
	$(PYTHON) tools/test_docs.py

# The Python package alone; what is not installed, such as pyarrow or mypy, is skipped with a line that says so.
test-python:
	@tools/bootstrap
	$(PYTHON) tools/python/tests/run.py

test-package: build
	$(PYTHON) tools/test_package.py

lint:
	swift format lint --strict --recursive Package.swift Sources Tests migrations Demo/package
	tools/check_modules.py

# The kernels that the processor chooses by itself have passed with `make test`.
OTHER_KERNELS = $(ROUTESAE) --version --verbose | tr -d , \
    | awk '/^products of bf16/ { for (i = 6; i <= NF; i++) if ($$i != $$4) print $$i }'

check: lint test
	$(MAKE) test-kernels KERNELS="$$($(OTHER_KERNELS) | tr '\n' ' ')"
	$(MAKE) test-package

benchmark: build
	@tools/benchmark.py

format:
	swift format --in-place --recursive Package.swift Sources Tests migrations Demo/package

clean:
	rm -rf .build
