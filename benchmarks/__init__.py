"""Speed and learning, measured: python -m benchmarks"""
