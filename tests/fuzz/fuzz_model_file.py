"""Throws bytes at the reader of model files, guided by coverage; run by hand.

Needs atheris (``pip install atheris``): ``python -m tests.fuzz.fuzz_model_file -max_total_time=60``.
Half of the inputs get a true checksum, so that what comes after it is reached, too.
"""

import json
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Starts from a good file and from its document; anything but a ModelFileError or a model ends the search."""
    import atheris

    read_by = [
        "torchann.publishing.model_file",
        "torchann.publishing.model_document",
        "torchann.files.safetensors_file",
        "torchann.nets.preprocessing",
    ]
    with atheris.instrument_imports(include=read_by):
        from torchann.publishing.model_file import ModelFileError, load
    from tests.hostile import DOCUMENT, crafted, written
    from torchann.publishing.model_document import CLASSES, class_of

    folder = Path(tempfile.mkdtemp())
    (folder / "file").write_bytes(crafted())
    (folder / "document").write_bytes(b"\x80" + json.dumps(DOCUMENT).encode())
    path, kinds = Path(tempfile.mkdtemp(), "model.safetensors"), tuple(class_of(name) for name in CLASSES)

    def try_to_load(data: bytes) -> None:
        path.write_bytes(written(data[1:].decode(errors="replace")) if data[:1] >= b"\x80" else data)
        try:
            model = load(path)
        except ModelFileError:
            return
        assert isinstance(model, kinds)

    atheris.Setup([*sys.argv, str(folder)], try_to_load)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
