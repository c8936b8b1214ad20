// What every page does better with script: menus that close, toasts, dialogs, and keys that everybody may turn off or change.
"use strict";

(() => {
  const body = document.body;
  const root = body.dataset.root || "";
  const inForce = JSON.parse(body.dataset.keys || "{}");
  const actions = new Map();
  const escapes = [];

  // ---- keys

  let composing = false;
  document.addEventListener("compositionstart", () => { composing = true; });
  document.addEventListener("compositionend", () => { composing = false; });

  /** Words are being typed: no key means anything there but itself. */
  const typing = (event) =>
    composing || event.isComposing ||
    event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") != null;

  /** Keys that what has the focus answers itself. */
  const its = (event) => {
    const at = event.target;
    if (!at.closest) return false;
    if (event.key === "Enter") return at.closest("a, button, summary") !== null;
    if (event.key === " ") return at.closest("button, summary, input") !== null;
    return event.key.startsWith("Arrow") && at.matches("input[type=radio]");
  };

  /** The key as people name it: the letter; where an input method hides it, the letter of the physical key. */
  const keyOf = (event) => {
    let key = event.key;
    if (key === "Process" || key === "Unidentified" || (event.altKey && [...key].length === 1)) {
      const found = /^(?:Key|Digit)([A-Z0-9])$/.exec(event.code);
      key = found ? found[1].toLowerCase() : key;
    }
    if (key === " ") key = "Space";
    const shifted = event.shiftKey && /^[a-z]$/i.test(key);
    return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (shifted ? "Shift+" + key.toLowerCase() : key.length === 1 ? key.toLowerCase() : key);
  };

  let first = null; // the g of "g then q"
  let firstUntil = 0;

  /** Give an action of `monitor/web/keys.py` something to do; `within` names the region that it belongs to. */
  const key = (name, run, options = {}) => actions.set(name, { run, keys: inForce[name] || options.keys || [], ...options });

  const here = (event, within) => !within || event.target === body || event.target.closest?.(within) != null;

  const press = (event) => {
    const mode = body.dataset.shortcuts;
    const pressed = keyOf(event);
    if (event.defaultPrevented || composing || event.isComposing) return;
    if (pressed === "Escape") { if (escapes.some((close) => close(event))) event.preventDefault(); return; }
    const ctrl = pressed.startsWith("Ctrl+");
    if (mode === "off" || (!ctrl && typing(event)) || its(event)) return;
    if (!ctrl && mode === "alt" && !event.altKey) return;
    if (mode === "on" && event.altKey) return;
    const dialog = document.querySelector("dialog[open]");
    const chord = first !== null && Date.now() < firstUntil ? `${first} ${pressed}` : pressed;
    first = null;
    for (const action of actions.values()) {
      if (!action.keys.includes(chord) || !here(event, action.within)) continue;
      if (dialog && !action.inDialog) return;
      if (action.run(event, pressed) !== false) event.preventDefault();
      return;
    }
    if (pressed === "g" && !dialog) { first = "g"; firstUntil = Date.now() + 1500; }
  };
  document.addEventListener("keydown", press);
  // Ctrl or Cmd with Enter sends the form that is being filled in.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || !event.target.form) return;
    event.preventDefault();
    event.target.form.requestSubmit([...event.target.form.elements].find((each) => each.matches("[data-main]")));
  });

  const go = (path) => () => { location.href = root + path; };
  key("week", go("/"));
  key("queue", go("/queue"));
  key("papers", go("/papers"));
  key("integrity", go("/integrity"));
  key("work", go("/me"));
  // Undo and redo lead to the desk, which shows what was taken back; there its own script answers these keys.
  const post = (path) => () => {
    if (!document.querySelector(".places a[href$='/queue']")) return;
    const form = Object.assign(document.createElement("form"), { method: "post", action: root + path });
    body.append(form);
    form.submit();
  };
  key("undo", post("/queue/undo"));
  key("redo", post("/queue/redo"));
  key("search", () => document.getElementById("find")?.focus());

  // ---- menus and dialogs

  const opened = new Map();
  /** Open a dialog; the focus goes back to where it was. */
  const show = (dialog) => {
    if (!dialog || dialog.open) return;
    opened.set(dialog, document.activeElement);
    dialog.showModal();
  };
  document.addEventListener("close", (event) => {
    opened.get(event.target)?.focus({ preventScroll: true });
    opened.delete(event.target);
  }, true);
  key("help", () => show(document.getElementById("keys")));
  key("palette", () => show(document.getElementById("palette")));

  escapes.push((event) => {
    const dialog = document.querySelector("dialog[open]");
    if (!dialog) return false;
    dialog.close();
    return true;
  }, () => {
    const open = document.querySelector("details.menu[open]");
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus();
    return true;
  });

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      opener.closest("details.menu")?.removeAttribute("open");
      show(document.getElementById(opener.dataset.dialog));
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  const palette = document.getElementById("palette");
  palette?.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = palette.querySelector("input").value.trim();
    const pages = [...palette.querySelectorAll("li:not([hidden]) a")];
    if (/^\d{1,9}$/.test(wanted)) location.href = `${root}/papers/${wanted}`;
    else if (pages.length) location.href = pages[0].href;
    else location.href = `${root}/papers?q=${encodeURIComponent(wanted)}`;
  });
  palette?.addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLocaleLowerCase();
    for (const each of palette.querySelectorAll("li")) each.hidden = !each.textContent.toLocaleLowerCase().includes(wanted);
  });

  // ---- saying

  /** Say something once: in the corner for eyes, in a live region for ears. `alarm` interrupts. */
  const say = (text, { alarm = false, action = null } = {}) => {
    const place = document.getElementById(alarm ? "alerts" : "toasts");
    // An alarm stays until something else was said after there was time to read it.
    const before = document.querySelector("#alerts .toast");
    if (!alarm && before && Date.now() - Number(before.dataset.at) > 4000) before.remove();
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.dataset.at = String(Date.now());
    toast.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (action) toast.append(action);
    place.replaceChildren(toast);
    return toast;
  };
  const offline = () => say(body.dataset.offline, { alarm: true });
  document.addEventListener("htmx:sendError", offline);
  // Answers that say what is wrong are shown where they belong, as without script.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([403, 404, 409, 413, 422, 429, 503].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });

  window.monitor = { root, key, say, offline, show, typing, actions, escapes };
})();
