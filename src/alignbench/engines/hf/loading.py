"""Loads a model and its tokenizer with transformers, or says in one message why it cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors import SafetensorError

from alignbench.engines.memory import free_bytes
from alignbench.errors import EngineError
from alignbench.extras import package_line
from alignbench.models.folder_files import check_json
from alignbench.models.hf_source import HfSource
from alignbench.models.hub import fetched, first_line
from alignbench.models.weights import source_hash
from alignbench.spec import LoadOptions

_USER_DEFINED = 4  # in tokenizer.ggml.token_type

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """A model that is ready to run.

    Attributes:
        device: where its inputs go
        file_hash: see protocol.Capabilities
        user_defined: ids that a GGUF header marks as found in the text whole, before anything is merged
    """

    model: Any
    tokenizer: Any
    device: torch.device
    file_hash: str
    user_defined: tuple[int, ...] = ()


def load(source: HfSource, options: LoadOptions, on_progress: Callable[..., None]) -> LoadedWeights:
    """Load the weights as `options` says. Raises EngineError or InputError.

    on_progress: told of a fraction, while files of a hub are fetched also of that, in words
    """
    transformers.utils.logging.disable_progress_bar()
    source.check()
    device = pick_device(options.device)
    arguments = _arguments(source, options, device)
    if not source.is_local and not source.weights():
        code = options.trust_remote_code
        source = fetched(source, code=code, progress=lambda _, n, of: on_progress(n / max(of, 1), "from the hub"))
    check_json(source.files())
    place = _place(source) | {"trust_remote_code": options.trust_remote_code}
    on_progress(0.05)
    try:
        with _quick_gguf() as headers:
            config = transformers.AutoConfig.from_pretrained(source.location, **place)
            arguments["attn_implementation"] = _attention(config, options.attention)
            on_progress(0.2)
            tokenizer = transformers.AutoTokenizer.from_pretrained(source.location, **place)
            on_progress(0.5)
            model, report = transformers.AutoModelForCausalLM.from_pretrained(
                source.location, config=config, output_loading_info=True, **arguments, **place
            )
        if "device_map" not in arguments:
            model = model.to(device)
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise EngineError(f"{source}: there is not enough GPU memory for the weights. {first_line(error)}") from None
    except (OSError, ValueError, ImportError, KeyError, RuntimeError, SafetensorError) as error:
        raise EngineError(_refusal(source, error)) from error
    if missing := sorted(report["missing_keys"]):  # transformers would go on with random numbers
        raise EngineError(f"hf:{source}: the weights lack {len(missing)} tensors of the model, {missing[0]} first.")
    on_progress(0.95)
    types = [kind for header in headers.values() for kind in header["tokenizer"].get("token_type", ())]
    return LoadedWeights(
        model.eval(),
        tokenizer,
        model.get_input_embeddings().weight.device,
        source_hash(source, code=options.trust_remote_code),
        tuple(token for token, kind in enumerate(types) if kind == _USER_DEFINED),
    )


def pick_device(name: str) -> torch.device:
    """The device of an option: auto is the first GPU if there is one. Raises EngineError where it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= n_gpus:
        raise EngineError(f"device is {name}, but this machine has {n_gpus or 'no'} CUDA devices that torch can use.")
    return device


def _arguments(source: HfSource, options: LoadOptions, device: torch.device) -> dict[str, Any]:
    """Arguments of from_pretrained that the options ask for."""
    dtype = _DTYPES.get(options.dtype, torch.bfloat16 if device.type == "cuda" else torch.float32)
    arguments: dict[str, Any] = {"dtype": dtype}
    if source.gguf_file:
        if hasattr(transformers, "GgufConfig"):  # newer versions would keep the blocks and fetch kernels for them
            arguments["quantization_config"] = transformers.GgufConfig(dequantize=True)
    else:
        arguments["use_safetensors"] = True
    if options.quantize:
        arguments["quantization_config"] = _quantization(source, options.quantize, dtype, device)
        arguments["device_map"] = {"": device}
    elif options.device == "auto" and device.type == "cuda" and torch.cuda.device_count() > 1:
        arguments["device_map"] = "auto"  # over all the GPUs
    return arguments


def _quantization(source: HfSource, bits: str, dtype: torch.dtype, device: torch.device) -> Any:
    if device.type != "cuda":
        raise EngineError(f"{source}: quantize = {bits!r} needs a CUDA device; this model would run on {device.type}.")
    if source.gguf_file:
        raise EngineError(f"{source}: quantize = {bits!r} is for safetensors; a GGUF file is quantized already.")
    if not transformers.utils.is_bitsandbytes_available():
        raise EngineError(
            f"{source}: quantize = {bits!r} needs the package bitsandbytes: {package_line('bitsandbytes')}"
        )
    if bits == "8bit":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=True
    )


def _attention(config: Any, wanted: str) -> str | None:
    """What to ask for. None is sdpa where the model has it; Gemma 2 caps its scores softly, which sdpa cannot.

    Raises EngineError where the configuration itself asks for one, which may be code of another repository.
    """
    asked = config.get_text_config()._attn_implementation
    if isinstance(asked, str) and "/" in asked:
        raise EngineError(f"Its config.json asks for attention from {asked}, code that did not come with it.")
    if wanted != "sdpa":
        return wanted
    return "eager" if getattr(config.get_text_config(), "attn_logit_softcapping", None) else None


def _place(source: HfSource) -> dict[str, Any]:
    """Arguments that say which files, all of them on this machine."""
    place: dict[str, Any] = {"gguf_file": source.gguf_file} if source.gguf_file else {}
    if not source.is_local:
        folder = source.folder()
        assert folder is not None
        place["revision"] = folder.name
    return place | {"local_files_only": True}


def _refusal(source: HfSource, error: Exception) -> str:
    """What to tell the user about an error of transformers."""
    text = str(error)
    if "trust_remote_code" in text:
        return (
            f"hf:{source} comes with code of its own, which is not run unless you trust it: give the model an entry "
            "in models.toml with trust_remote_code = true."
        )
    if "safetensors" in text and "use_safetensors" in text:
        return f"hf:{source} has no *.safetensors; other weight formats are not loaded."
    return f"hf:{source} could not be loaded with transformers: {type(error).__name__}: {first_line(error)}"


@contextmanager
def _quick_gguf() -> Iterator[dict[str, dict[str, Any]]]:
    """Makes reading a GGUF header take seconds where it takes a minute; yields what transformers makes of it, by path.

    transformers reads the header once for each of tokenizer, configuration and weights, through slices of an
    np.memmap, one a field and token: 12 s a time for a vocabulary of 262,144. np.frombuffer gives the same arrays. It
    also lists the tensors that an architecture may have for every module of the model, which is hundreds of times.
    """
    import gguf
    from transformers import modeling_gguf_pytorch_utils as loader

    def get(self: Any, offset: int, dtype: Any, count: int = 1, override_order: str | None = None) -> NDArray[Any]:
        order = self.byte_order if override_order is None else override_order
        kind = np.dtype(dtype) if order == "I" else np.dtype(dtype).newbyteorder(order)
        return np.frombuffer(self.data, kind, int(count), int(offset))

    headers: dict[str, dict[str, Any]] = {}
    whole = loader.load_gguf_checkpoint

    def header_once(path: Any, return_tensors: bool = False, **rest: Any) -> dict[str, Any]:
        if return_tensors:
            return dict(whole(path, return_tensors=True, **rest))
        if str(path) not in headers:
            headers[str(path)] = whole(path, **rest)
        return headers[str(path)]

    library: Any = gguf
    reader, names = library.GGUFReader, library.get_tensor_name_map
    slow = reader._get
    reader._get, loader.load_gguf_checkpoint = get, header_once
    library.GGUFReader, library.get_tensor_name_map = cache(reader), cache(names)
    try:
        yield headers
    finally:
        reader._get, loader.load_gguf_checkpoint = slow, whole
        library.GGUFReader, library.get_tensor_name_map = reader, names


def memory_free(device: torch.device) -> int:
    """Bytes that can be had on a device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free_bytes("cpu")
