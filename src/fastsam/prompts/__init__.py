"""Stage 2: what a user asks for, and which masks answer. `Prompt` -> `answer` -> `Pick`, one per prompt, in order."""

from fastsam.prompts.answer import select
from fastsam.prompts.asked import asked
from fastsam.prompts.pick import Candidate, Pick, merge
from fastsam.prompts.prompt import Box, Point, Prompt, checked_texts

__all__ = ["Box", "Candidate", "Pick", "Point", "Prompt", "asked", "checked_texts", "merge", "select"]
