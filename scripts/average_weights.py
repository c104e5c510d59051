"""The mean of the weights of several checkpoints of one network, of runs that carried each other on.

python scripts/average_weights.py OUTPUT.pt CHECKPOINT.pt CHECKPOINT.pt...
"""

import argparse
from pathlib import Path

import torch

from fastsam.training.checkpoint import halved, load, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    arguments = parser.parse_args()
    states = [load(file) for file in arguments.checkpoints]
    if any(state["architecture"] != states[0]["architecture"] for state in states):
        parser.error("the checkpoints are of different networks")
    weights = [state["average"] for state in states]
    last = states[-1]
    mean = {
        name: torch.stack([each[name].float() for each in weights]).mean(0) if value.is_floating_point() else value
        for name, value in weights[-1].items()
    }
    save(arguments.output, halved({**last, "average": mean}))


if __name__ == "__main__":
    main()
