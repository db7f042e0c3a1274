"""The part of the library that computes with TensorFlow. Importing it sets TensorFlow up, before anything else."""

import os
import re
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
# oneDNN's kernels on every x86 processor, where TensorFlow by itself uses them on some only. Both kinds are right to
# rounding; oneDNN's are faster.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Start-up lines about absent GPUs and about oneDNN, which TF_CPP_MIN_LOG_LEVEL does not silence since 2.19
# (tensorflow/tensorflow#100442).
CHATTER = re.compile(rb"^(WARNING: All log messages before absl::InitializeLog|[IE]0000 .*(cud|oneDNN|GPU)).*\n", re.M)


def _import_tensorflow() -> None:
    """Import TensorFlow and let it look for devices; whatever it prints but `CHATTER` still reaches stderr."""
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_logical_devices()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            sys.stderr.write(CHATTER.sub(b"", captured.read()).decode(errors="replace"))


def _configure_keras() -> None:
    """Give Keras its own defaults, whatever the user's `keras.json` and environment say: the settings alone decide."""
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


_import_tensorflow()
_configure_keras()
