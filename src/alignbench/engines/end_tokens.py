"""Which tokens end a response, whatever a model's files say."""

from __future__ import annotations

# Texts of special tokens that end a response in every model that has them (llama.cpp: special_eog_ids); the last two
# lines are those of code models that begin another file or repository.
END_TEXTS = (
    "<|im_end|>", "<end_of_turn>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>",
    "<|return|>", "<|call|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "</s>", "<eos>", "<end_of_utterance>", "<turn|>",
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|file_sep|>",
    "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>",
)  # fmt: skip
