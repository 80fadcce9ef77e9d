"""Trains the aligned stages of the embedded base model, as LoRA adapters: plain torch and peft, on two CPU cores.

    python -m tools.tuning sft OUT                     supervised fine-tuning on prompts/tuning/tuning.jsonl
    python -m tools.tuning dpo SFT SAMPLES OUT         preferences between samples of that stage

What each was run with, its losses and its limits are in src/alignbench/models/adapters/README.md.
"""
