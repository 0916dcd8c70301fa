"""What is sent and what is read, as plain dictionaries. Knows nothing of connections.

Replies are read with suspicion: a server that speaks the protocol loosely gives a
``Failure``, never an exception of some later line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import Sampling, encodable, request_seed
from synthesis.engines.chat import folded
from synthesis.engines.serving.failures import OPENING, Failure, Kind, failure_of
from synthesis.errors import ConfigError

_LIMIT_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_COMPLETE = frozenset(
    ("stop", "eos", "eos_token", "stop_token", "stop_sequence", "end", "end_turn")
    + ("complete", "completed", "finish", "finished")
)
_CUT = frozenset(("length", "max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit"))
_OURS = frozenset({"model", "messages", "stream", "n"})
_ONLY_THOUGHTS = (
    "the server gave the model's thoughts (reasoning_content) and no text; raise max_tokens, or turn "
    "thinking off in the server's or the template's settings"
)
# What vLLM and others want to be told of a last turn that they are to go on from.
_GOES_ON = {"add_generation_prompt": False, "continue_final_message": True}
# Fields that a reply of vLLM or of llama.cpp has: both go on from a last turn of the assistant's.
_GO_ON = frozenset({"prompt_logprobs", "timings"})
_NEAR = 300  # characters, within which a beginning counts as given
_REFUSALS = frozenset(
    ("content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist", "blocked")
    + ("prohibited_content", "spii", "guardrail_intervened")
)
BOTH = "temperature and top_p"
"""What is refused where a server takes one of the two, and which does not matter."""
_SYSTEM = "system"
_LEAVABLE = ("temperature", "top_p", "seed")


class Dialect:
    """How this server wants to be spoken to; learnt from its replies and refusals, shared by all requests.

    Args:
        limit_name: what it calls the bound on a reply.
        left_out: settings that are not sent; ``system`` stands for a system part that goes into the
            first turn of the user's.
        begin: whether to put the beginning of each reply last, as a turn of the assistant's for the
            server to go on from; None for: once a reply came without it, from a server known to
            go on and a model that does not think first.
    """

    def __init__(
        self, limit_name: str = "max_tokens", begin: bool | None = None, left_out: Iterable[str] = ()
    ) -> None:
        self.limit_name = limit_name
        self.left_out = set(left_out)
        self.begins = begin is True
        self._undecided = begin is None

    def chat(
        self, model: str, prompt: Prompt, sampling: Sampling, extra: Mapping[str, Any], stream: bool = False
    ) -> dict[str, Any]:
        """The body of a chat completion request; ``extra`` has the last word."""
        turns = folded(prompt.messages) if _SYSTEM in self.left_out else prompt.messages
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": role, "content": encodable(text)} for role, text in turns],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self.limit_name: sampling.max_tokens,
            "seed": request_seed(sampling.seed, prompt.id),
        }
        if self.begins and prompt.opening:
            body["messages"].append({"role": "assistant", "content": prompt.opening})
            body |= _GOES_ON
        if stream:
            body["stream"] = True
        return {key: value for key, value in body.items() if key not in self.left_out} | dict(extra)

    def learn(self, refused: str, body: Mapping[str, Any], tried: set[str]) -> bool:
        """Change what the server refused in ``body``; False if nothing can be changed.

        Args:
            refused: the name of the setting; ``OPENING`` for a request refused as a whole.
            body: the request it was refused in.
            tried: what was changed for this prompt already; added to.
        """
        if refused == OPENING:
            return self._without_opening(body)
        topic = "limit" if refused in _LIMIT_NAMES else refused
        if topic in tried:
            return False
        tried.add(topic)
        if refused in _LIMIT_NAMES and refused in body:
            self.limit_name = _LIMIT_NAMES[refused]
            return True
        if refused == _SYSTEM:
            if any(turn["role"] == _SYSTEM for turn in body.get("messages", ())):
                self.left_out.add(_SYSTEM)
                return True
            return False
        # Left out only where that changes nothing: without a seed the draw is the server's,
        # and 1 is what every server takes for these two when they are absent.
        if refused == BOTH:
            refused = next((name for name in ("top_p", "temperature") if body.get(name) == 1), "")
        if refused == "seed" or (refused in ("temperature", "top_p") and body.get(refused) == 1):
            self.left_out.add(refused)
            return True
        return False

    def observe(self, prompt: Prompt, body: Mapping[str, Any], reply: object, text: str) -> None:
        """Learn from a whole reply whether beginnings have to be given, and can be."""
        if opening_of(body) and not text.strip():
            self.begins = self._undecided = False  # a server took what was begun for thoughts
        if not self._undecided or not prompt.opening or opening_of(body):
            return
        if _thinks(reply, text):
            self._undecided = False
        elif isinstance(reply, Mapping) and _GO_ON & reply.keys() and prompt.opening not in text[:_NEAR]:
            self.begins, self._undecided = True, False

    def _without_opening(self, body: Mapping[str, Any]) -> bool:
        """Ask without the fields that say what the last turn is for, then without that turn."""
        if not opening_of(body):
            return False
        if _GOES_ON.keys() & body.keys():
            self.left_out |= _GOES_ON.keys()
        else:
            self.begins = self._undecided = False
        return True


def opening_of(body: Mapping[str, Any]) -> str:
    """The beginning of the reply that a request ends with; empty if it is left to the model."""
    messages = body.get("messages")
    last = messages[-1] if messages else {"role": ""}
    return str(last["content"]) if last["role"] == "assistant" else ""


def _thinks(reply: object, text: str) -> bool:
    """Whether there are thoughts in or beside a reply's text."""
    choice = _first_choice(reply)
    message = choice.get("message") if choice else None
    beside = isinstance(message, Mapping) and _has_thoughts(message)
    return beside or "think>" in text or "<|channel|>" in text


def holds(setting: str, body: Mapping[str, Any]) -> bool:
    """Whether a request still has what a server refused."""
    if setting == _SYSTEM:
        return any(turn["role"] == _SYSTEM for turn in body["messages"])
    return all(name in body for name in (("temperature", "top_p") if setting == BOTH else (setting,)))


def check_extra(extra: Mapping[str, Any]) -> None:
    """Raise ConfigError if the user's further fields of a request are fields of ours."""
    taken = sorted(_OURS & extra.keys())
    if taken:
        raise ConfigError(
            f"generation.options.extra_body sets {', '.join(taken)}, which the engine sets itself; "
            "leave it out"
        )
    try:
        json.dumps(extra, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"generation.options.extra_body cannot be sent as JSON ({error}); give texts, numbers, true or "
            "false, and lists and tables of these"
        ) from None


def check_left(names: Sequence[str]) -> list[str]:
    """The settings that are left to the server, sorted.

    Raises:
        ConfigError: one of them cannot be.
    """
    chosen = [names] if isinstance(names, str) else list(names)
    if unknown := [name for name in chosen if name not in _LEAVABLE]:
        raise ConfigError(
            f"generation.options.leave_to_server names {unknown[0]!r}; give some of {', '.join(_LEAVABLE)}"
        )
    return sorted(set(chosen))


def read_chat(prompt_id: str, reply: object, secret: str = "") -> Completion | Failure:
    """The completion in a chat completion reply. Reasoning is not part of the text."""
    if isinstance(reply, Mapping) and reply.get("error") and not reply.get("choices"):
        return _error_inside(reply["error"], secret)
    choice = _first_choice(reply)
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, Mapping):
        return Failure(Kind.BROKEN, "the reply holds no message")
    reason = _reason(choice)
    text = _text(message.get("content"))
    prompt_tokens, output_tokens = read_usage(reply)

    def done(finish: str, detail: str = "") -> Completion:
        return Completion(prompt_id, text, finish, prompt_tokens, output_tokens, detail=detail)

    if message.get("refusal"):
        return done("refusal", " ".join(str(message["refusal"]).split()))
    if reason in _REFUSALS:
        return done("refusal", f"the server's content filter ended the reply ({reason})")
    if (reason in _CUT or reason in _COMPLETE) and not text.strip() and _has_thoughts(message):
        return done("length" if reason in _CUT else "stop", _ONLY_THOUGHTS)  # asked again, not for ever
    if reason in _CUT:
        return done("length", "the reply reached max_tokens")
    if reason not in _COMPLETE:
        return Failure(Kind.BROKEN, f"the reply ended with '{reason or 'no finish_reason'}'")
    if not text.strip():
        return Failure(Kind.EMPTY, "a model that reasons first may need more max_tokens")
    return done("stop")


def read_delta(event: object, secret: str = "") -> tuple[str, str] | Failure:
    """New text and, in the last event that has a choice, the finish reason."""
    if isinstance(event, Mapping) and event.get("error"):
        return _error_inside(event["error"], secret)
    if not isinstance(event, Mapping):
        return Failure(Kind.BROKEN, "an event is not a JSON object")
    choice = _first_choice(event)
    if choice is None:
        return "", ""  # a closing event may carry usage only
    delta = choice.get("delta")
    text = _text(delta.get("content")) if isinstance(delta, Mapping) else ""
    return text, _reason(choice)


def _reason(choice: Mapping[str, Any]) -> str:
    """Why a reply ended, by one name for what servers spell in many ways (``FinishReason.MAX_TOKENS``)."""
    said = str(choice.get("finish_reason") or "").strip().casefold().replace("-", "_").replace(" ", "_")
    return said.rpartition(".")[2].removeprefix("finish_reason_")


def is_refusal(reason: str) -> bool:
    """Whether this finish reason means that a filter stepped in."""
    return reason in _REFUSALS


def read_usage(reply: object) -> tuple[int, int]:
    """Prompt and output tokens; 0 where the server does not tell."""
    usage = reply.get("usage") if isinstance(reply, Mapping) else None
    if not isinstance(usage, Mapping):
        return 0, 0
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    first, second = (count if isinstance(count, int) else 0 for count in counts)
    return first, second


def model_ids(reply: object) -> list[str]:
    """The ids in a reply of the models endpoint."""
    data = reply.get("data") if isinstance(reply, Mapping) else None
    entries = data if isinstance(data, list) else []
    return [str(entry["id"]) for entry in entries if isinstance(entry, Mapping) and "id" in entry]


def _first_choice(reply: object) -> Mapping[str, Any] | None:
    choices = reply.get("choices") if isinstance(reply, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else None


def _has_thoughts(message: Mapping[str, Any]) -> bool:
    return any(message.get(name) for name in ("reasoning_content", "reasoning", "thinking"))


def _text(content: object) -> str:
    """Content as text; some servers send a list of parts, thinking among them."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        str(part.get("text") or "")
        for part in parts
        if isinstance(part, Mapping) and part.get("type") == "text"
    )


def _error_inside(error: object, secret: str) -> Failure:
    """Gateways report a failure behind them with status 200 and the real one in the body."""
    code = error.get("code") if isinstance(error, Mapping) else None
    return failure_of(code if isinstance(code, int) and code >= 400 else 500, {}, error, secret)
