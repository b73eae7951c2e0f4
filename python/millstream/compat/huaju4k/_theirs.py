"""The existing package, where it can be imported: its data models and its interface."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from typing import Any

logger = logging.getLogger(__name__)


def _their(module: str) -> Any | None:
    """A module of theirs, or None. Theirs fails in many ways where its own dependencies are missing."""
    try:
        if importlib.util.find_spec("huaju4k") is None:
            return None
        return importlib.import_module(module)
    except Exception as failure:
        logger.info("%s cannot be imported (%s); millstream's own types stand for it", module, failure)
        return None


def type_or(name: str, ours: type[Any]) -> type[Any]:
    """Their data model of that name, where there is one."""
    models = _their("huaju4k.models.data_models")
    found = getattr(models, name, None) if models is not None else None
    return found if isinstance(found, type) else ours


def made(name: str, ours: type[Any], **fields: Any) -> Any:
    """An object of their type, with all of our fields as attributes; of ours where theirs does not take them."""
    theirs = type_or(name, ours)
    mine = ours(**fields)
    if theirs is ours:
        return mine
    attributes = dict(vars(mine))
    accepted = getattr(theirs, "__dataclass_fields__", attributes)
    try:
        result = theirs(**{key: value for key, value in attributes.items() if key in accepted})
        for key, value in attributes.items():
            if not hasattr(result, key):
                setattr(result, key, value)
    except Exception as failure:
        logger.info("their %s takes other fields (%s); ours is handed out", name, failure)
        return mine
    return result


def register(processor: type[Any]) -> None:
    """Makes `processor` a virtual subclass of their VideoProcessor, where that can be imported. More than once, because
    their models may import us: their interface is not complete then."""
    interfaces = _their("huaju4k.core.interfaces")
    base = getattr(interfaces, "VideoProcessor", None) if interfaces is not None else None
    if base is not None and hasattr(base, "register"):
        base.register(processor)
