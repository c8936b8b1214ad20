// A key pressed in its field is written down as the pages name it; letters typed after another make two in a row.
"use strict";

(() => {
  const name = (event) => {
    const key = event.key === " " ? "Space" : event.key;
    const shifted = event.shiftKey && (/^[a-z]$/i.test(key) || key.length > 1);
    return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (shifted ? "Shift+" : "") + (key.length === 1 ? key.toLowerCase() : key);
  };
  document.getElementById("keys-form")?.addEventListener("keydown", (event) => {
    const field = event.target.closest("[data-chord]");
    if (!field || event.isComposing || event.key === "Tab" || event.key === "Escape") return;
    if (["Shift", "Control", "Alt", "Meta", "Process", "Unidentified", "CapsLock", "Dead"].includes(event.key) || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Backspace" || event.key === "Delete") { field.value = ""; return; }
    field.value = field.value === "g" && field.dataset.fresh ? `g ${name(event)}` : name(event);
    field.dataset.fresh = "1";
  });
  document.getElementById("keys-form")?.addEventListener("focusin", (event) => { delete event.target.dataset.fresh; });
})();
