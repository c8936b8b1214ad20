// The search editor, better with script: copying, and text that survives a closed window or an ended session.
"use strict";

(() => {
  const { say } = window.monitor;

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copies);
    if (!navigator.clipboard) { getSelection().selectAllChildren(source); return; } // no https: marked for the person to copy
    await navigator.clipboard.writeText(source.textContent);
    say(button.textContent.trim() + " ✓");
  });

  // ---- what was typed and not saved, on this device alone

  const form = () => document.getElementById("editor");
  const name = () => `search:${form().dataset.draft}`;
  let before = null; // the form as the page brought it

  const typed = () => {
    const fields = {};
    for (const [key, value] of new FormData(form())) {
      if (typeof value === "string" && !["do", "pmid", "new_block"].includes(key)) (fields[key] ||= []).push(value);
    }
    return JSON.stringify(fields);
  };

  const keep = () => {
    const now = typed();
    if (now === before) localStorage.removeItem(name()); else localStorage.setItem(name(), now);
  };

  /** Put back what this device kept: the server writes the form anew around it, with every line that was there. */
  const putBack = (kept) => {
    const address = form().getAttribute("action").split("#")[0];
    htmx.ajax("POST", address, { target: "#desk", select: "#desk", swap: "outerHTML", values: { ...JSON.parse(kept), do: "look" } });
  };

  const forget = (topic) => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(`search:${topic}:`)) localStorage.removeItem(key);
  };

  /** Begin with what the page brought, if that is what stands and no answer to a button: all else was typed. */
  const begin = () => {
    const box = document.getElementById("kept");
    if (!form() || !box) return;
    before = typed();
    if (box.dataset.saved) {
      forget(box.dataset.topic);
      if (box.dataset.saved === "1") forget("_new");
      return;
    }
    const kept = localStorage.getItem(name());
    box.hidden = kept === null || kept === before;
  };

  document.addEventListener("click", (event) => {
    const answer = event.target.closest("[data-kept]");
    if (!answer) return;
    if (answer.dataset.kept === "back") { putBack(localStorage.getItem(name())); return; }
    localStorage.removeItem(name());
    document.getElementById("kept").hidden = true;
    document.getElementById("f-title").focus();
  });

  // What is typed while an answer is on its way is carried over into the form that comes with it.
  let sent = null;
  let since = [];
  const values = () => new Map([...form().elements]
    .filter((each) => each.name && each.type !== "hidden" && each.tagName !== "BUTTON")
    .map((each) => [each.name, each.type === "checkbox" ? each.checked : each.value]));
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt === form()) sent = values(); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "desk" || !form()) return;
    since = sent ? [...values()].filter(([key, value]) => sent.get(key) !== value) : [];
    sent = null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [key, value] of since) {
      const element = form()?.elements.namedItem(key);
      if (element) element[typeof value === "boolean" ? "checked" : "value"] = value;
    }
    if (since.length && form()) form().dispatchEvent(new Event("input", { bubbles: true }));
    since = [];
  });

  // Buttons beside the form, and Ctrl with Enter: htmx itself hears only clicks within a form.
  document.addEventListener("htmx:configRequest", (event) => {
    const button = event.detail.triggeringEvent?.submitter;
    if (button?.name) event.detail.parameters[button.name] = button.value;
  });

  document.addEventListener("input", (event) => { if (form() && (event.target.form || event.target) === form()) keep(); });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "desk" && event.detail.target?.id !== "desk") return;
    begin();
    if (form()) keep();
    const results = document.getElementById("results");
    if (results) { results.focus({ preventScroll: true }); results.scrollIntoView({ block: "nearest" }); }
  });
  begin();
})();
