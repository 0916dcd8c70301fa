"""One request and one reply: nothing is run, so that no container or sandbox is needed."""

from __future__ import annotations

import verifiers.v1 as vf
from openai import AsyncOpenAI


class SingleReplyConfig(vf.HarnessConfig):
    """Nothing to choose."""


class SingleReplyHarness(vf.Harness[SingleReplyConfig]):
    """Asks the model once, from this process.

    The harnesses that come with verifiers hand a prompt that is a string over as an argument of a program,
    which ends at 128 kB; a long context is more.
    """

    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """Ask; whatever the provider says instead of a reply is on the trace already."""
        system, prompt = self.resolve_prompt(data)
        asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else _turns(prompt or [])
        if system:
            asked.insert(0, {"role": "system", "content": system})
        async with AsyncOpenAI(base_url=endpoint, api_key=secret, timeout=None) as client:
            await client.chat.completions.create(model=ctx.model, messages=asked)
        return vf.ProgramResult(0, "", "")


def _turns(prompt: vf.Messages) -> list[dict[str, object]]:
    return [message.model_dump(exclude_none=True) for message in prompt]
