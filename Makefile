# On a machine without make: tools/make TARGET, which installs it first.
# demo: the main job on the shipped model.   test: all tests, in the build that the demo uses.
# paper: the comparison of the paper, docs/comparison.md.
# test-kernels: the tests of exact arithmetic with each set of instructions that the processor has.
# check: formatting, module graph, tests.    benchmark: speed as ratios.
BUILD := swift build -c release --product routesae
# Without testable imports the tests use the very modules that the program is made of: nothing is built twice.
TEST := swift test -c release --disable-testable-imports
ROUTESAE := .build/release/routesae

# Debian's, for which bootstrap installs numpy and zstandard.
PYTHON := $(or $(wildcard /usr/bin/python3),python3)

.PHONY: all build demo paper test test-kernels check benchmark format clean

all: build

build:
	@tools/bootstrap
	$(BUILD)

demo: build
	@$(ROUTESAE) demo --output demo.sqlite --force

# On another model: make paper PAPER="--model … --text … --heldout … --catalog … --output …".
paper: build
	@$(PYTHON) tools/paper.py $(PAPER)

test:
	@tools/bootstrap
	$(TEST)
	$(PYTHON) tools/test_read_catalog.py
	$(PYTHON) tools/mutate.py --count 240
	$(PYTHON) tools/test_docs.py --dry-run

# What is exact by the order of sums: products, the forward pass, decoding, encoding, training, parts and wholes.
EXACT := LinearAlgebraTests|LanguageModelTests|SparseCodingTests|SparseTrainingTests|BatchInvarianceTests|MergeTests

test-kernels:
	@tools/bootstrap
	for kernels in avx512 avx2 baseline; do \
	    echo "Products with $$kernels" && ROUTESAE_KERNELS=$$kernels $(TEST) --filter '$(EXACT)' || exit 1; \
	done

check:
	@tools/bootstrap
	swift format lint --strict --recursive Package.swift Sources Tests migrations
	tools/check_modules.py
	tools/test_export_activations.py
	$(PYTHON) tools/test_read_catalog.py
	$(TEST)
	$(PYTHON) tools/mutate.py --count 240
	$(PYTHON) tools/test_docs.py

benchmark: build
	@tools/benchmark.py

format:
	swift format --in-place --recursive Package.swift Sources Tests migrations

clean:
	rm -rf .build
