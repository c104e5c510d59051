"""The trainer of the second network: crops of drawn masks and pasted cut-outs, with prompts a user might give."""
