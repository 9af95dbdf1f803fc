"""A training set as a dataset of PyTorch: a dict of tensors by column, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..folds.column import Array


class TensorBatches(IterableDataset):  # type: ignore[misc]
    """Batches of rows in their order, each a dict of tensors of equal length.

    `tensors` holds all rows by column: a dataset is read once, however many epochs go over it. A DataLoader takes it with
    `batch_size=None`; its workers share the batches.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], batch_size: int | None = None) -> None:
        self.tensors = dict(tensors)
        self.rows = min((len(tensor) for tensor in self.tensors.values()), default=0)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return 1 if self.batch_size is None else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        size = self.batch_size or self.rows
        for batch in range(first, len(self), step):
            yield {name: tensor[batch * size : (batch + 1) * size] for name, tensor in self.tensors.items()}

    def __repr__(self) -> str:
        held = ", ".join(f"{name}: {tuple(tensor.shape)} {tensor.dtype}" for name, tensor in self.tensors.items())
        return f"<TensorBatches of {len(self)} batches: {held}>"


def dataset(parts: Iterable[Mapping[str, Array]], batch_size: int | None = None, dtype: Any = None) -> TensorBatches:
    """The dataset of arrays as they come. `dtype` is the type of every tensor, or a mapping from columns to types."""
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise Invalid(f"batch_size={batch_size!r}; a batch holds one row or more, or None: all of them.")
    held: dict[str, list[torch.Tensor]] = {}
    for part in parts:
        for name, array in part.items():
            held.setdefault(name, []).append(_tensor(name, array, dtype))
    unknown = set(dtype) - set(held) if isinstance(dtype, Mapping) else set()
    if unknown:
        raise UnknownColumn(
            f"dtype= names {min(unknown)!r}, which is not a column here. {did_you_mean(min(unknown), held)}"
        )
    return TensorBatches({name: torch.cat(tensors) for name, tensors in held.items()}, batch_size)


def _tensor(name: str, array: Array, dtype: Any) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    wanted = dtype.get(name) if isinstance(dtype, Mapping) else dtype
    if wanted is None:
        return tensor
    if not isinstance(wanted, torch.dtype):
        raise WrongType(
            f"dtype={wanted!r}; give a type of torch such as torch.float32, or a mapping from columns to them."
        )
    cast = tensor.to(wanted)
    # Floats may round, as whoever asks for torch.float32 means; integers and truth values must not become others.
    if not wanted.is_floating_point and not torch.equal(cast.to(tensor.dtype), tensor):
        raise WrongType(f"column {name!r} has values that {wanted} cannot hold. Pass a wider dtype=.")
    return cast
