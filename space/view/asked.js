/* What is asked for, as against what is shown: a result stays on the page while its pair changes, and a task that
   came with one pair must not be taken for another's. A panel is known by its name, as in ids (syn, cmp, own, bat). */
(() => {
  const fields = (name) => [...document.querySelectorAll(`.cs-asks-${name} textarea`)];
  const values = (name) => fields(name).map((one) => one.value.trim()).join("\0");
  const button = (name) => document.getElementById(`${name}-go`);
  const panels = ["syn", "cmp", "own", "bat"];
  const shown = new Map(); // what the result on the page was made of
  const begun = new Map(); // what was asked for and is not on the page yet

  window.csAsked = {
    press: (name) => {
      begun.set(name, values(name));
      // Without a Stop there is no line to be taken out of: what is pressed comes.
      if (!document.getElementById(`${name}-stop`)) window.csAsked.comes(name);
    },
    comes: (name) => {
      if (!begun.has(name)) return;
      shown.set(name, begun.get(name));
      begun.delete(name);
    },
    look: (say) => {
      for (const name of panels) {
        const [first] = fields(name);
        if (!first) continue;
        const now = values(name);
        if (!shown.has(name)) shown.set(name, now);
        const there = first.closest(".tabitem")?.querySelector(".cs-reader:not(.cs-empty), .cs-rows");
        const old = there && shown.get(name) !== now && begun.get(name) !== now;
        const words = old ? `What stands below was made before your change. Press ${button(name).textContent.trim()} for a new one.` : "";
        for (const place of document.querySelectorAll(`[id^=${name}-][id$=-status], #${name}-status`)) {
          if ((place.dataset.old || "") === words) continue;
          if (words) place.dataset.old = words;
          else delete place.dataset.old;
          say(words);
        }
      }
    },
  };

  // Called as a visitor writes: the task that was loaded with an instruction stays while at least half of
  // its words do, else it is found from the pair.
  const words = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || []);
  window.csTask = (instruction, task, loaded) => {
    const before = words(loaded), now = words(instruction);
    const kept = [...before].filter((word) => now.has(word)).length;
    return !loaded || 2 * kept >= before.size ? [task, loaded] : ["auto", ""];
  };
})();
