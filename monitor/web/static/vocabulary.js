// The editor of rulebooks, better with script: numbers beside its lines, and faults that lead to theirs.
"use strict";

(() => {
  const text = document.getElementById("text");
  if (!text) return;

  const numbers = document.createElement("pre");
  numbers.className = "numbers";
  numbers.setAttribute("aria-hidden", "true");
  text.before(numbers);
  const count = () => {
    const lines = text.value.split("\n").length;
    if (Number(numbers.dataset.lines) === lines) return;
    numbers.dataset.lines = String(lines);
    numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
  };
  const level = () => { numbers.scrollTop = text.scrollTop; };
  const fit = () => { numbers.style.height = `${text.offsetHeight}px`; level(); };
  text.addEventListener("input", count);
  text.addEventListener("scroll", level);
  new ResizeObserver(fit).observe(text);
  count();
  fit();

  /** Put the cursor on a line, in sight. */
  const go = (line) => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    text.scrollTop = Math.max(0, (line - 5) * parseFloat(getComputedStyle(text).lineHeight));
    text.scrollLeft = 0;
    text.scrollIntoView({ block: "center" });
  };
  for (const fault of document.querySelectorAll(".faults [data-line]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.append(fault.firstChild);
    fault.prepend(button);
    button.addEventListener("click", () => go(Number(fault.dataset.line)));
  }

  // What was typed is not lost by a slip.
  const before = text.value;
  let sent = false;
  text.form.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (event) => { if (!sent && text.value !== before) event.preventDefault(); });
})();
