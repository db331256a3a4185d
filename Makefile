# Everything runs in .venv, which holds the pinned packages of requirements.lock. `make` alone lists what there is.
PYTHON ?= python3
READY := .venv/.ready
export PYDEVD_DISABLE_FILE_VALIDATION = 1
# The packages are compiled at first use (see below): without this that would be again in every process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test setup lock clean FORCE
.DEFAULT_GOAL := help

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s  %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## bring every demo run up to date and print where its pages are
	@echo "Running the newest period of every project of params/runs that is not up to date …"
	@.venv/bin/csat run --root . --language zh --language en $(NEWEST)
	@echo "$(CURDIR)/reports/index.html"

# csat run makes the earlier periods, each in its project's language.
NEWEST := --period 2024 --period 2024Q4 --period 1976

test: $(READY) ## check style and types, then run all tests, the examples in docstrings and the notebooks
	@echo "Style (ruff) …"
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@echo "Types (mypy) …"
	@.venv/bin/mypy
	@echo "Tests, docstring examples and notebooks (pytest) …"
	@.venv/bin/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

setup: $(READY) ## make or repair .venv, nothing else
	@echo ".venv is ready."

lock: ## renew requirements.lock after a change in pyproject.toml (with UPGRADE=1 everything to its newest release)
	@echo "Resolving pyproject.toml into requirements.lock …"
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && "$(PYTHON)" -m venv "$$tools" && \
	  "$$tools/bin/python" -m pip install --quiet uv && \
	  echo "$(HELD_BACK)" | "$$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --extra dev \
	    --constraint - --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	    $(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml
HELD_BACK := argon2-cffi-bindings<26 # 26 has no wheel for Intel Macs, and only wheels are installed

clean: ## remove the generated pages and all caches; .venv, the data and documents (csat report) stay
	@find reports -mindepth 1 -maxdepth 1 -type f ! -name README.md -delete 2>/dev/null || true
	@find reports -mindepth 2 -maxdepth 2 ! -name documents -exec rm -rf {} + 2>/dev/null || true
	@find reports -mindepth 1 -maxdepth 1 -type d -empty -delete 2>/dev/null || true
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find src tests notebooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	@find . -path ./.venv -prune -o -name .ipynb_checkpoints -prune -exec rm -rf {} +
	@echo "The generated pages and the caches are gone."

# The stamp is written last and names its folder: a .venv without it is half made, one with another name was copied or
# moved here; both are begun anew. A good one is only brought up to date.
define SETUP
set -e
say() { echo "$$*" >&2; exit 1; }
command -v "$$PYTHON" >/dev/null || say "There is no $$PYTHON here; install Python 3.11 or later (Debian: apt-get install python3 python3-venv)."
"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || say "$$("$$PYTHON" -V 2>&1) is too old; Python 3.11 or later is needed. If you have one, name it: make PYTHON=python3.11"
"$$PYTHON" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null \
  || say "The venv module of $$PYTHON is missing, so .venv cannot be made; install it (Debian: apt-get install python3-venv) and repeat."
# One set-up at a time. The lock goes with the last process of an interrupted one.
if command -v flock >/dev/null; then
  exec 9<Makefile
  flock -n 9 || { echo "Another set-up is at work here; waiting for it …"; flock 9; }
fi
if [ -x .venv/bin/python ] && [ "$$(cat $(READY) 2>/dev/null)" = "$$(pwd -P)" ]; then
  [ -n "$$(find requirements.lock pyproject.toml -newer $(READY))" ] || exit 0
  rm $(READY)
  echo "Bringing .venv up to date …"
else
  echo "Making .venv with $$("$$PYTHON" -V) …"
  "$$PYTHON" -m venv --clear .venv || { rm -rf .venv; say "$$PYTHON could not make .venv; why stands above."; }
  echo "Installing the pinned packages into .venv (about a minute) …"
fi
pip() { .venv/bin/python -m pip --disable-pip-version-check install --no-deps --no-compile "$$@"; }
# Wheels only: building one would fetch unpinned tools. Not compiled: that takes half as long again, and Python does it
# at first use for the few modules that are used.
{ pip --require-hashes --only-binary :all: --progress-bar off -r requirements.lock \
  && pip --quiet --no-build-isolation --editable . && : >.venv/.done; } 2>&1 |
{
  line=
  while read -r word rest; do
    case "$$word $$rest" in
      Collecting*) line="$$line  $${rest%% *}"; [ "$${#line}" -lt 90 ] || { echo "$$line"; line=; } ;;
      Installing*) echo "$$line"; line=; echo "Unpacking them …" ;;
      Attempting*|Downloading*|Found*|Ignoring*|Looking*|Processing*|Requirement*) ;;
      Successfully*|Uninstalling*|Using*|WARNING:\ Location*) ;;
      *) echo "$$word $$rest" ;;
    esac
  done
}
[ -f .venv/.done ] || say "The set-up did not finish; what stopped it stands above. Repeat the command to begin anew."
rm .venv/.done
pwd -P >$(READY)
endef
export SETUP

$(READY): requirements.lock pyproject.toml $(shell [ -x .venv/bin/python ] && [ "$$(cat .venv/.ready 2>/dev/null)" = "$$(pwd -P)" ] || echo FORCE)
	@PYTHON="$(PYTHON)" sh -c "$$SETUP"
