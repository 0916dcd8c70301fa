/* What the page does without asking the server: jump, move along a strip, copy, link, download.
   Listens on the document, since panels are redrawn while a run streams. */
(() => {
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Scroll inside the reader only, so that the strip stays in sight.
  const show = (place, smooth) => {
    const reader = place.closest(".cs-reader");
    if (!reader) return;
    const away = place.getBoundingClientRect().top - reader.getBoundingClientRect().top;
    const top = reader.scrollTop + away - reader.clientHeight * 0.3;
    reader.scrollTo({ top, behavior: smooth && !calm() ? "smooth" : "instant" });
  };

  const jump = (button) => {
    const pin = document.getElementById(button.dataset.jump);
    if (!pin) return;
    for (const other of document.querySelectorAll(".cs-here")) other.classList.remove("cs-here");
    button.classList.add("cs-here");
    const held = button.classList.contains("cs-held");
    const marks = held ? [...pin.closest(".cs-reader").querySelectorAll("mark")] : [];
    // The first evidence after the place, or the one the place stands in.
    const mark = marks.find((m) => m.contains(pin) || pin.compareDocumentPosition(m) & Node.DOCUMENT_POSITION_FOLLOWING);
    const target = mark || pin;
    show(target, true);
    if (mark) {
      mark.classList.remove("cs-flash");
      void mark.offsetWidth;
      mark.classList.add("cs-flash");
    }
  };

  // Read out, and seen by nobody: what changed where no line of the page says so.
  const voice = Object.assign(document.createElement("div"), { className: "cs-voice" });
  voice.setAttribute("role", "status");
  const say = (words) => {
    if (!voice.isConnected && document.body) document.body.append(voice);
    voice.textContent = words;
  };

  const told = (button, words) => {
    say(words);
    const before = button.dataset.words || button.textContent;
    button.dataset.words = before;
    button.textContent = words;
    setTimeout(() => { button.textContent = before; }, 1600);
  };

  const copy = async (button, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without the right to use the clipboard (an embedded page): the old way.
      const area = Object.assign(document.createElement("textarea"), { value: text });
      area.style.position = "fixed";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) return told(button, "Copy failed: select the text instead");
    }
    told(button, "Copied");
  };

  const home = () => document.querySelector("[data-home]")?.dataset.home || location.origin + location.pathname;

  const written = (name) => {
    const reader = document.getElementById(`${name}-text`);
    return reader ? [...reader.querySelectorAll("p")].map((p) => p.textContent).join("\n\n") : "";
  };

  // A row of a table says which it is and presses a hidden button, whose event sends that along.
  const pick = (button) => {
    for (const other of document.querySelectorAll("[data-pick][aria-current]")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    window.csPicked = button.dataset.value;
    document.getElementById(button.dataset.pick)?.click();
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest?.("button");
    if (pressed?.id.endsWith("-stop")) leave(pressed.id.slice(0, -"-stop".length));
    if (pressed?.id.endsWith("-go")) csAsked.press(pressed.id.slice(0, -"-go".length));
    if (pressed?.id.endsWith("-clear")) setTimeout(() => csAsked.look(say), 200);
    if (pressed?.matches(".cs-chip, [id$=-example]")) {
      say(`The example is in the form: ${pressed.textContent.trim()}.`);
      setTimeout(() => csAsked.look(say), 200); // Gradio fills the form without an event of ours
    }
    const button = event.target.closest?.("[data-jump],[data-copy],[data-link],[data-copy-text],[data-press],[data-pick]");
    if (!button) return;
    if (button.dataset.jump) jump(button);
    else if (button.dataset.pick) pick(button);
    else if (button.dataset.press) document.getElementById(button.dataset.press)?.click();
    else if (button.dataset.copy) copy(button, document.getElementById(button.dataset.copy).textContent);
    else if (button.dataset.link) copy(button, `${home()}#${button.dataset.link}`);
    else copy(button, written(button.dataset.copyText));
  });

  // Gradio 6.31 opens a list again when the Tab key leaves it; the key's own effect stays.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && event.target.closest?.(".wrap-inner")) event.stopPropagation();
  }, true);

  document.addEventListener("input", () => csAsked.look(say));

  // Tabs are reached by the arrows as well as one by one.
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab]");
    if (!tab) return;
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    tabs[(to + tabs.length) % tabs.length].focus();
  });

  // A button that is switched off by its own press loses the focus: it goes back once the button is on again,
  // or to the pager's other one, so that the next key goes on from there.
  let last = null, lost = null;
  document.addEventListener("focusin", (event) => { last = event.target; lost = null; });
  document.addEventListener("pointerdown", () => { last = lost = null; });
  const refocus = () => {
    if (last?.disabled) lost = last;
    if (!lost?.isConnected || ![document.body, lost].includes(document.activeElement)) return;
    const to = lost.disabled ? lost.closest(".cs-pager")?.querySelector("button:not(:disabled)") : lost;
    if (to?.checkVisibility()) to.focus({ preventScroll: true });
  };

  // Gradio says neither of a fold nor of the menu of tabs whether it is open.
  const unfold = () => {
    for (const fold of document.querySelectorAll(".cs-fold > button.label-wrap")) fold.ariaExpanded = String(fold.classList.contains("open"));
    for (const menu of document.querySelectorAll(".overflow-dropdown")) menu.previousElementSibling.ariaExpanded = String(!menu.classList.contains("hide"));
  };

  // A strip is one stop of the Tab key; arrows, Home and End move within it.
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.(".cs-cell");
    if (!cell) return;
    const cells = [...cell.parentElement.children];
    const at = cells.indexOf(cell);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: cells.length - 1 }[event.key];
    if (to === undefined || !cells[to]) return;
    event.preventDefault();
    cell.tabIndex = -1;
    cells[to].tabIndex = 0;
    cells[to].focus();
  });

  // A finished text opens at its first evidence. Gradio changes elements in place, so what tells
  // one text from the next is the name in data-done.
  const seen = new WeakMap();
  const settle = () => {
    for (const reader of document.querySelectorAll(".cs-reader")) {
      const done = reader.dataset.done || "";
      if (seen.get(reader) === done || (done && !reader.clientHeight)) continue;
      seen.set(reader, done);
      if (!done) continue;
      const mark = reader.querySelector("mark");
      if (mark) show(mark, false);
    }
  };
  // What a press leads to must be seen: on a phone the result is below the form, a refusal may be above.
  const see = (line) => {
    const { top, bottom } = line.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight || (innerWidth < 980 && top > 80)) line.scrollIntoView({ block: "start", behavior: calm() ? "instant" : "smooth" });
  };
  const stages = new Map();
  const follow = () => {
    for (const line of document.querySelectorAll(".cs-status")) {
      const place = line.closest("[id$=-status]")?.id;
      const stage = line.className;
      if (stages.get(place) === stage) continue;
      const before = stages.get(place);
      stages.set(place, stage);
      if (before !== undefined && /cs-(writing|problem|done)/.test(stage)) csAsked.comes(place.split("-")[0]);
      if (/cs-writing/.test(stage) && line.clientHeight) say("Writing has begun.");
      // Nobody is pulled back from reading when a run they followed ends, nor to the second of two.
      const late = /cs-done/.test(stage) && /cs-(writing|assembling)/.test(before);
      if (before === undefined || late || place.endsWith("-b-status")) continue;
      if (!/cs-(writing|problem|done)/.test(stage) || !line.clientHeight) continue;
      see(line);
    }
  };

  // Gradio says "queue: 2/5" in a corner; here it is a sentence in the status line, read out as well.
  // Stop was pressed while in line: said at once, since the server answers when it is this visitor's turn.
  // Gradio says "1/1" for a moment of every run; only who still stands there later is waiting.
  const since = new WeakMap();
  const leave = (name) => {
    for (const place of document.querySelectorAll(`[id^=${name}][id$=-status]`)) place.dataset.left = "";
    wait();
  };
  const wait = () => {
    for (const place of document.querySelectorAll("[id$=-status]")) {
      const tracker = place.querySelector("[data-testid=status-tracker]");
      const line = tracker?.textContent.match(/queue: (\d+)\/(\d+)/);
      let words = "";
      if (!line) since.delete(place);
      else if (!since.has(place)) {
        since.set(place, performance.now());
        setTimeout(wait, 750);
      }
      if (line && "left" in place.dataset) words = "Stopping: when its turn comes nothing will be written.";
      else if (line && (line[2] > 1 || performance.now() - since.get(place) > 700)) words = `Waiting: place ${line[1]} of ${line[2]} in line. It starts by itself.`;
      else if (tracker?.querySelector(".error")) {
        words = "Not started: too many visitors are waiting, or the connection was lost. Wait a minute, then press again.";
      }
      if (!line) delete place.dataset.left;
      if ((place.dataset.waiting || "") === words) continue;
      if (words) place.dataset.waiting = words;
      else delete place.dataset.waiting;
      say(words);
      if (words) see(place);
    }
  };

  new MutationObserver(() => { settle(); follow(); wait(); csAsked.look(say); refocus(); unfold(); }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["style", "class", "data-done", "disabled"] });

  window.csDownload = (file) => {
    if (!file) return;
    const { name, type, text, base64 } = JSON.parse(file);
    const data = base64 ? Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)) : text;
    const url = URL.createObjectURL(new Blob([data], { type }));
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
})();
