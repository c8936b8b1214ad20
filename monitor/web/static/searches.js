// The search editor, better with script: copying, and text that survives a closed window or an ended session.
"use strict";

(() => {
  const { say } = window.monitor;

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copies).textContent;
    await navigator.clipboard.writeText(text);
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

  /** Put back what this device kept, as far as the same fields are there. */
  const putBack = (kept) => {
    const fields = JSON.parse(kept);
    for (const element of form().elements) {
      if (!element.name || element.type === "hidden" || element.tagName === "BUTTON") continue;
      const values = fields[element.name];
      if (element.type === "checkbox") element.checked = values !== undefined; else if (values) element.value = values[0];
    }
    form().dispatchEvent(new Event("input", { bubbles: true }));
  };

  const begin = () => {
    if (!form()) return;
    const box = document.getElementById("kept");
    before = typed();
    const kept = localStorage.getItem(name());
    if (!box || box.dataset.fresh === undefined) return;
    if (box.dataset.saved !== undefined) {
      for (const key of Object.keys(localStorage)) if (key.startsWith(`search:${box.dataset.topic}:`)) localStorage.removeItem(key);
      return;
    }
    if (kept !== null && kept !== before) box.hidden = false;
  };

  document.addEventListener("click", (event) => {
    const answer = event.target.closest("[data-kept]");
    if (!answer) return;
    if (answer.dataset.kept === "back") putBack(localStorage.getItem(name())); else localStorage.removeItem(name());
    document.getElementById("kept").hidden = true;
    document.getElementById("f-title").focus();
  });

  // Buttons beside the form, and Ctrl with Enter: htmx itself hears only clicks within a form.
  document.addEventListener("htmx:configRequest", (event) => {
    const button = event.detail.triggeringEvent?.submitter;
    if (button?.name) event.detail.parameters[button.name] = button.value;
  });

  document.addEventListener("input", (event) => { if (form() && event.target.form === form()) keep(); });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "desk" && event.detail.target?.id !== "desk") return;
    begin();
    if (form()) keep();
    const results = document.getElementById("results");
    if (results) { results.focus({ preventScroll: true }); results.scrollIntoView({ block: "nearest" }); }
  });
  begin();
})();
