"""TensorFlow and Keras, set up the same way for every stage and notebook when `vae.model` is imported."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BACKEND = "tensorflow"
# TensorFlow's start-up lines on oneDNN and on absent GPUs. TF_CPP_MIN_LOG_LEVEL has not silenced them since 2.19
# (tensorflow/tensorflow#100442).
CHATTER = "^(WARNING: All log messages before absl::InitializeLog|[IE]0000 .*(cud|oneDNN|GPU))"

CLUSTER = "TF_CONFIG"
"""The environment variable that lists the workers of a training on several machines, as TensorFlow reads it."""

GPU_DRIVERS = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")
"""Files that exist where the driver of an NVIDIA GPU is loaded, on Linux and in WSL."""

LARGEST_BATCH = 2**20
"""The most pixels in a batch outside training. The VAE's activations for so many take 0.6 GB; MNIST's 500 images have
0.4 million."""
OUTPUTS = 24
"""The most outputs of the decoder for a pixel that need no smaller batch: up to so many, its hidden layers take more
memory than the likelihood of its outputs. The logistic mixture of colours, of 50 outputs, takes twice as much."""


def device(gpus: int = 1) -> str:
    """Return what TensorFlow computes on, for a line of output: its GPUs, or the processor's cores.

    If there is a GPU that TensorFlow cannot use, and CUDA_VISIBLE_DEVICES does not hide it, the line says so.

    Args:
        gpus: the number of GPUs that are used, if there are so many. Without a strategy, TensorFlow uses the first one.
    """
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU")[:gpus])
    if names := [str(detail.get("device_name", "unknown")) for detail in details]:
        return ", ".join(f"GPU {name}" for name in names)
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = f"{count} CPU core{'' if count == 1 else 's'}"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if not hidden and any(Path(driver).exists() for driver in GPU_DRIVERS):
        return f"{cores}; TensorFlow cannot load the libraries of this machine's GPU: see docs/troubleshooting.md"
    return cores


def images_at_once(batch_size: int, image_shape: Sequence[int], outputs: int = 1) -> int:
    """Return how many images to compute at once: `batch_size`, or fewer where they would exceed `LARGEST_BATCH` pixels.

    Args:
        batch_size: the number of images that the caller asks for.
        image_shape: (height, width, channels).
        outputs: the decoder's outputs for a pixel, where it is used. A pixel of more than `OUTPUTS` counts as several.
    """
    height, width, _ = image_shape
    return min(batch_size, max(1, LARGEST_BATCH * OUTPUTS // (height * width * max(outputs, OUTPUTS))))


def _set_environment() -> None:
    """Choose the backend, and the kernels unless the user already has.

    Raises:
        ImportError: Keras is already imported, with another backend.
    """
    if "keras" in sys.modules:
        import keras

        if keras.config.backend() != BACKEND:
            raise ImportError(
                f"vae needs Keras with the backend {BACKEND}, but Keras was imported with {keras.config.backend()}: "
                f"import vae.model before keras, or set KERAS_BACKEND={BACKEND}."
            )
    os.environ["KERAS_BACKEND"] = BACKEND
    # oneDNN's kernels on every x86 processor: by itself, TensorFlow uses them on some only. Both kinds are correct up
    # to rounding; oneDNN's are faster.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextmanager
def without_chatter(also: str = "^$", until_the_end: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Filter `CHATTER` out of stderr, and lines that match another regular expression.

    The filter is a process of its own, so that TensorFlow's last words still arrive if it aborts this one.

    Args:
        also: the regular expression of more lines to leave out, as `grep -E` reads it.
        until_the_end: the errors after which the filter stays until the process ends.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # Closed. The next file to be opened would otherwise take its number, and TensorFlow's messages.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        stderr = os.dup(2)
    command = ["grep", "--text", "--line-buffered", "-vE", f"{CHATTER}|{also}"]
    grep = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stderr)  # noqa: S603
    assert grep.stdin
    with grep.stdin as pipe:
        os.dup2(pipe.fileno(), 2)
    stays = False
    try:
        yield
    except until_the_end:
        stays = True
        raise
    finally:
        if not stays:
            os.dup2(stderr, 2)
            grep.wait()
        os.close(stderr)


def _import_tensorflow() -> None:
    """Import TensorFlow and let it look for devices."""
    with without_chatter():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            with suppress(RuntimeError):  # the program has already used it
                tf.config.experimental.set_memory_growth(gpu, True)
        if gpus:  # a processor's operations are deterministic without it
            tf.config.experimental.enable_op_determinism()
        if CLUSTER not in os.environ:  # otherwise the workers of a cluster connect first
            tf.config.list_logical_devices()


def _configure_keras() -> None:
    """Give Keras its own defaults, whatever the user's `keras.json` and environment say: only the settings decide."""
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


_set_environment()
_import_tensorflow()
_configure_keras()
