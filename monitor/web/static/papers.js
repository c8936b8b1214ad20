// The list of papers by keyboard, and copying of citations and feed addresses.
"use strict";

(() => {
  const { key, say } = window.monitor;

  // ---- rows: one is current; the focus is on its title, so that every other key of the browser works from there
  const rows = () => [...document.querySelectorAll("#list > .row")];
  let at = -1;
  const go = (to) => {
    const every = rows();
    if (!every.length) return false;
    at = Math.max(0, Math.min(every.length - 1, to));
    every.forEach((row, place) => row.classList.toggle("at", place === at));
    const title = every[at].querySelector(".paper-title a");
    title.focus({ preventScroll: true });
    every[at].scrollIntoView({ block: "nearest" });
    return true;
  };
  const current = () => rows()[at] || null;
  document.getElementById("list")?.addEventListener("focusin", (event) => {
    const every = rows();
    at = every.indexOf(event.target.closest(".row"));
    every.forEach((row, place) => row.classList.toggle("at", place === at));
  });
  if (document.getElementById("list")) {
    key("next", () => go(at + 1));
    key("previous", () => go(at - 1));
    key("open", () => { const link = current()?.querySelector(".paper-title a"); if (!link) return false; link.click(); return true; });
    key("select", () => { const box = current()?.querySelector(".tick input"); if (!box) return false; box.click(); return true; });
    key("save", () => { const button = current()?.querySelector("[data-mark=saved]"); if (!button) return false; button.click(); return true; });
    key("pubmed", () => { const pmid = current()?.dataset.pmid; if (!pmid) return false; open(`https://pubmed.ncbi.nlm.nih.gov/${pmid}/`, "_blank", "noopener"); return true; });
  }
  const one = document.querySelector("article.paper");
  if (one) {
    key("save", () => one.querySelector("[data-mark=saved]")?.click());
    for (const name of ["pubmed", "doi"]) key(name, () => { const link = one.querySelector(`[data-go=${name}]`); if (!link) return false; link.click(); return true; });
  }
  // A mark that was set brings its form anew: the focus goes on where it was.
  document.addEventListener("htmx:afterSwap", (event) => {
    const marks = event.detail.target?.isConnected ? event.detail.target : null;
    const again = marks?.querySelector("[data-mark]") || current()?.querySelector(".paper-title a");
    again?.focus({ preventScroll: true });
  });

  // ---- copying
  for (const each of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet tight button";
    button.textContent = each.dataset.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(each.textContent.trim());
      say(each.dataset.copied);
    });
    each.after(" ", button);
  }
})();
