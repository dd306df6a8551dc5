"""The benchmarks: `python -m bench.run` measures polyport beside its floors. See bench/README.md."""
