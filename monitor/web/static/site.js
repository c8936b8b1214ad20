// What every page does better with script: menus that close, toasts, and keys that everybody may turn off or change.
"use strict";

(() => {
  const body = document.body;
  const root = body.dataset.root || "";
  const chosen = JSON.parse(body.dataset.keys || "{}");
  const actions = new Map();

  /** Words typed, a composition under way, or an open select: no key means anything there but itself. */
  const typing = (event) =>
    event.isComposing || event.keyCode === 229 ||
    event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;

  /** The key as people name it: the letter; where an input method hides it, the letter of the physical key. */
  const keyOf = (event) => {
    let key = event.key;
    if (key === "Process" || key === "Unidentified" || (event.altKey && key.length === 1)) {
      const found = /^(?:Key|Digit)([A-Z0-9])$/.exec(event.code);
      key = found ? found[1].toLowerCase() : key;
    }
    const shifted = event.shiftKey && /^[a-z]$/i.test(key);
    return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (shifted ? "Shift+" + key.toLowerCase() : key.length === 1 ? key.toLowerCase() : key);
  };

  let first = null; // the g of "g then q"
  let firstUntil = 0;

  /** Register a key: `name` is what settings call it, `usual` its own key ("a", "Shift+u", "Ctrl+k", "g q"). */
  const key = (name, usual, run, options = {}) => actions.set(name, { usual, run, ...options });

  const press = (event) => {
    const mode = body.dataset.shortcuts;
    const dialog = document.querySelector("dialog[open]");
    const pressed = keyOf(event);
    const everywhere = pressed === "Escape" || pressed.startsWith("Ctrl+");
    if (event.defaultPrevented || mode === "off" || (!everywhere && typing(event))) return;
    if (event.isComposing || (mode === "alt" && !everywhere && !event.altKey) || (mode === "on" && event.altKey)) return;
    const chord = first !== null && Date.now() < firstUntil ? `${first} ${pressed}` : pressed;
    first = null;
    for (const [name, action] of actions) {
      if ((chosen[name] || action.usual) !== chord) continue;
      if (dialog && !action.inDialog) return;
      if (action.run(event) !== false) event.preventDefault();
      return;
    }
    if (pressed === "g") { first = "g"; firstUntil = Date.now() + 1500; }
  };
  document.addEventListener("keydown", press);

  const go = (path) => () => { location.href = root + path; };
  key("week", "g w", go("/"));
  key("queue", "g q", go("/queue"));
  key("papers", "g p", go("/papers"));
  key("integrity", "g i", go("/integrity"));
  key("work", "g m", go("/me"));
  key("search", "/", () => document.getElementById("find")?.focus());
  key("close", "Escape", () => {
    const open = document.querySelector("details.menu[open]");
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus();
    return true;
  });

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
  });

  /** Say something once: in the corner for eyes, in a live region for ears. `alarm` interrupts. */
  const say = (text, { alarm = false, action = null } = {}) => {
    const place = document.getElementById(alarm ? "alerts" : "toasts");
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (action) toast.append(action);
    place.replaceChildren(toast);
    return toast;
  };
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline || "The monitor did not answer. Nothing was changed.", { alarm: true }));
  // Answers that say what is wrong are shown where they belong, as without script.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([403, 404, 409, 413, 422, 429, 503].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });

  window.monitor = { root, key, say, typing, actions, chosen };
})();
