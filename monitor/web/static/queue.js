// The desk with script: a verdict shows the next paper at once, from a page fetched before; the server hears of it in order.
"use strict";

(() => {
  const desk = document.getElementById("desk");
  if (!desk || !window.monitor) return;
  const { root, key, say, offline, show, escapes } = window.monitor;
  const words = JSON.parse(desk.dataset.words);
  const WITHIN = { within: "#desk, .toasts" };
  const AHEAD = 2; // papers fetched before they are wanted
  const FEW = 8; // rows left when the next ones are fetched
  const cache = new Map(); // pmid -> { promise, panes }
  const one = (selector, within = desk) => within.querySelector(selector);
  const all = (selector, within = desk) => [...within.querySelectorAll(selector)];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const parsed = (html) => { const found = document.createElement("template"); found.innerHTML = html; return found.content; };

  // ---- where one is

  const rows = () => all("#rows .row");
  const current = () => one('.open[aria-current="true"]')?.closest(".row") || null;
  const form = () => one(".deciding");
  const pmidOf = () => one("#reader")?.dataset.pmid;
  const where = () => one('.steps [name="where"]').value;
  let done = 0; // decided since the list was read: "2 of 41"

  const rove = (row) => {
    for (const each of rows()) {
      const link = one(".open", each);
      link.tabIndex = each === row ? 0 : -1;
      one(".pick", each).tabIndex = -1;
      if (each === row) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
  };
  const focusRow = (row = current()) => {
    if (!row) return one("#rows")?.focus();
    one(".open", row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  // ---- papers, fetched before they are wanted

  let under = 0; // requests under way
  const busy = (by) => { under += by; if (under) desk.setAttribute("aria-busy", "true"); else desk.removeAttribute("aria-busy"); };
  const request = async (address, options = {}) => {
    busy(1);
    const answer = await fetch(address, { ...options, headers: { "HX-Request": "true" } }).finally(() => busy(-1));
    if (answer.status === 401) {
      const link = Object.assign(document.createElement("a"), { href: answer.headers.get("HX-Redirect"), textContent: words.signIn, className: "button quiet tight" });
      say(document.body.dataset.signedOut, { alarm: true, action: link });
      throw Object.assign(new Error("signed out"), { told: true });
    }
    return answer;
  };
  const panesOf = (content) => ({ reader: one("#reader", content), decide: one("#decide", content) });
  const fetched = (row) => {
    const pmid = row.dataset.pmid;
    let held = cache.get(pmid);
    if (!held) {
      held = { panes: null };
      held.promise = request(one(".open", row).href + "&part=record").then(async (answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        held.panes = panesOf(parsed(await answer.text()));
        return held.panes;
      });
      held.promise.catch(() => cache.delete(pmid));
      cache.set(pmid, held);
      if (cache.size > 40) cache.delete(cache.keys().next().value);
    }
    return held;
  };
  const preload = (row) => {
    let next = row;
    for (let n = 0; n < FEW && (next = next?.nextElementSibling); n += 1) {
      if (next.classList.contains("more")) { more(next); break; }
      if (n < AHEAD) fetched(next);
    }
  };
  let fetchingMore = false;
  const more = async (item) => {
    if (fetchingMore) return;
    fetchingMore = true;
    try {
      const answer = await request(one("a", item).dataset.rows);
      if (answer.ok && item.isConnected) item.replaceWith(parsed(await answer.text()));
      rove(current());
      preload(current());
    } finally { fetchingMore = false; }
  };

  // ---- what is marked, and the language, stay as they are from paper to paper

  let layers = new Set(all('[name="layer"]:checked').map((each) => each.value));
  let content = one('[name="content"]:checked')?.value || null;
  const dress = (panes) => {
    for (const each of all('[name="layer"]', panes.reader)) each.checked = layers.has(each.value);
    for (const each of all('[name="content"]', panes.reader)) if (content) each.checked = each.value === content;
  };
  const keepLayers = () => {
    layers = new Set(all('[name="layer"]:checked').map((each) => each.value));
    const data = new URLSearchParams([...layers].map((each) => ["layer", each]));
    request(`${root}/queue/highlights`, { method: "POST", body: data }).catch(() => {});
  };
  let last = new Set();

  // ---- showing a paper

  let wanted = 0;
  let reading = null;
  const put = (panes) => {
    one("#reader").replaceWith(panes.reader);
    one("#decide").replaceWith(panes.decide);
    panes.reader.scrollTop = 0;
    // Where the page itself scrolls, the next paper begins at its title.
    if (panes.reader.getBoundingClientRect().top < 0) panes.reader.scrollIntoView({ block: "start", behavior: "instant" });
    window.htmx?.process(panes.reader);
    dress(panes);
    restore();
  };
  const settle = (row, { focus = true } = {}) => {
    history.replaceState(null, "", one(".open", row).href);
    if (focus) focusRow(row);
    preload(row);
    clearTimeout(reading);
    reading = setTimeout(() => hold(), 700);
  };
  const open = async (row, options = {}) => {
    if (!row || row.classList.contains("more")) return;
    const ticket = ++wanted;
    rove(row);
    if (options.focus !== false) focusRow(row);
    const held = fetched(row);
    if (held.panes) { put(held.panes); settle(row, options); return; }
    try {
      const panes = await held.promise;
      if (ticket === wanted) { put(panes); settle(row, options); }
    } catch (error) {
      if (!error.told) offline();
      // What is shown stays the paper one is on.
      const shown = rows().find((each) => each.dataset.pmid === pmidOf());
      if (ticket === wanted && shown) { rove(shown); if (options.focus !== false) focusRow(shown); }
    }
  };
  const neighbour = (by) => {
    const found = rows();
    return found[found.indexOf(current()) + by];
  };

  /** Say that one reads this now, and go on saying it while the page is looked at. */
  const hold = async (take = false) => {
    const pmid = pmidOf();
    clearTimeout(reading);
    if (!pmid || document.hidden) return;
    const answer = await request(`${root}/queue/${pmid}/reading`, { method: "POST", body: new URLSearchParams(take ? { take: "1" } : {}) }).catch(() => null);
    if (!answer?.ok || pmidOf() !== pmid) return;
    const told = await answer.json();
    if ((told.held_by || "") !== (one("#reader").dataset.held || "")) { cache.delete(pmid); if (current()) open(current()); return; }
    reading = setTimeout(() => hold(), 240000);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hold(); });

  // ---- drafts stay on this device until the server has them

  const draftKey = (pmid) => `draft:${pmid}`;
  const stored = (pmid) => { try { return JSON.parse(sessionStorage.getItem(draftKey(pmid))); } catch { return null; } };
  const remember = () => {
    const its = form();
    if (!its) return;
    const draft = { topic: [], tag: [], off: [] };
    for (const each of all('[name="topic"], [name="tag"]', its)) (each.checked ? draft[each.name] : draft.off).push(each.value);
    draft.level = one('[name="level"]', its)?.value;
    draft.why = one('[name="level_why"]', its)?.value;
    const note = one('[name="note"]', its);
    if (note.dataset.dirty) draft.note = note.value;
    sessionStorage.setItem(draftKey(its.dataset.pmid), JSON.stringify(draft));
  };
  const restore = () => {
    const its = form();
    const draft = its && stored(its.dataset.pmid);
    if (!draft) return;
    for (const each of all('[name="topic"], [name="tag"]', its)) {
      const on = draft[each.name].includes(each.value);
      if (on !== each.checked && (on || draft.off.includes(each.value))) { each.checked = on; each.closest(".chip").classList.add("touched"); }
    }
    for (const tag of draft.tag) if (!all('[name="tag"]', its).some((each) => each.value === tag)) addTag(tag);
    if (draft.level !== undefined && one('[name="level"]', its)) one('[name="level"]', its).value = draft.level;
    if (draft.why) one('[name="level_why"]', its).value = draft.why;
    const note = one('[name="note"]', its);
    if (draft.note !== undefined && note.value !== draft.note) { note.value = draft.note; note.dataset.dirty = "1"; later(note); }
  };
  const forget = (pmid) => sessionStorage.removeItem(draftKey(pmid));

  // ---- notes save themselves

  let timer = null;
  let since = 0;
  const status = (note, word) => { one(`#saved-${note.id.slice(5)}`)?.replaceChildren(word); };
  const later = (note) => {
    since ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => save(note), Math.max(0, Math.min(700, since + 1600 - Date.now())));
  };
  const save = async (note) => {
    clearTimeout(timer);
    since = 0;
    if (!note.dataset.dirty) return;
    delete note.dataset.dirty;
    status(note, words.saving);
    const data = new URLSearchParams({ text: note.value, version: note.dataset.version });
    try {
      const answer = await request(note.dataset.save, { method: "POST", body: data, keepalive: true });
      if (answer.status === 409) { conflict(note, await answer.text()); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      note.dataset.version = (await answer.json()).version;
      if (!note.dataset.dirty) { status(note, words.saved); remember(); }
    } catch { note.dataset.dirty = "1"; status(note, words.unsaved); remember(); }
  };
  const conflict = (note, html) => {
    note.dataset.dirty = "1";
    remember();
    const dialog = document.getElementById("overtaken");
    dialog.replaceChildren(parsed(html));
    show(dialog);
    one("[data-theirs]", dialog)?.addEventListener("click", () => {
      note.value = one("[data-text]", dialog).textContent;
      note.dataset.version = one("[data-version]", dialog).dataset.version;
      delete note.dataset.dirty;
      status(note, words.saved);
      remember();
      dialog.close();
    });
    one("[data-mine]", dialog)?.addEventListener("click", () => {
      note.dataset.version = one("[data-version]", dialog).dataset.version;
      dialog.close();
      save(note);
    });
  };

  // ---- verdicts: shown at once, told to the server one after the other

  let line = Promise.resolve();
  const inLine = (task) => { busy(1); line = line.then(task, task).finally(() => busy(-1)); return line; };
  const count = (by) => {
    const total = one("#total");
    if (total) {
      const left = Number(total.dataset.total) + by;
      total.dataset.total = String(left);
      if (!("narrowed" in total.dataset)) total.textContent = left === 1 ? words.paper : fill(words.papers, { many: left });
    }
    const many = one('#lanes [aria-current] .many');
    const number = Number(many?.textContent.replace(/\D/g, ""));
    if (many && Number.isFinite(number)) many.textContent = (number + by).toLocaleString(document.documentElement.lang);
  };
  const undoButton = () => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words.undo, className: "tight" });
    button.addEventListener("click", () => step("undo"));
    return button;
  };
  const lead = (html) => one(".notice.alarm p, .lead, .wrong", parsed(html))?.textContent.trim();

  /** Say what is missing before a verdict can be taken; it goes with the next verdict. */
  const ask = (text, field) => { say(text, { alarm: true }).dataset.at = "0"; field?.focus(); };

  const decide = (verdict, title) => {
    const its = form();
    const row = current();
    if (!its) return;
    // The list may be ahead of what is shown: nobody decides on a paper before it is there to be read.
    if (row && row.dataset.pmid !== its.dataset.pmid) { ask(words.coming); return; }
    const [kind] = verdict.split(" ");
    const topics = all('[name="topic"]:checked', its).map((each) => each.dataset.title);
    if (kind === "keep" && !topics.length) { ask(words.topic, one('[name="topic"]', its)); return; }
    const note = one('[name="note"]', its);
    if (verdict === "dismiss other" && !note.value.trim()) { closeChoices(); ask(words.which, note); return; }
    const [level, usual, proposed] = ["level", "level_usual", "level_proposed"].map((name) => one(`[name="${name}"]`, its).value);
    const why = one('[name="level_why"]', its);
    if (level && level !== usual && proposed && level !== proposed && !why.value.trim()) { why.closest("details").open = true; ask(words.level, why); return; }
    closeChoices();
    clearTimeout(timer);
    const data = new URLSearchParams(new FormData(its));
    data.set("say", verdict);
    const pmid = its.dataset.pmid;
    const panes = { reader: one("#reader"), decide: one("#decide") };
    const after = row?.nextElementSibling;
    const next = after && !after.classList.contains("more") ? after : row?.previousElementSibling;
    row?.remove();
    cache.delete(pmid);
    done += 1;
    count(-1);
    const what = { keep: [words.kept, topics.join(", ")], maybe: [words.maybe, title], dismiss: [words.dismissed, title] }[kind];
    const total = Number(one("#total")?.dataset.total || 0);
    const at = next ? rows().indexOf(next) + 1 + done : 0;
    const told = one("#decide .blind") ? words.voted : fill(what[0], { what: what[1] });
    say(`${told} ${next ? fill(words.next, { at, many: total + done }) : words.clear}`, { action: undoButton() });
    if (next) open(next);
    const back = (reason, told = false) => {
      if (row) { if (after?.isConnected) after.before(row); else one("#rows")?.append(row); }
      done -= 1;
      count(1);
      document.getElementById("toasts").replaceChildren(); // it said what was not done, and offered to undo it
      cache.set(pmid, { panes, promise: Promise.resolve(panes) });
      if (row) open(row);
      if (!told) say(`${reason || ""} ${words.refused}`.trim(), { alarm: true });
    };
    inLine(async () => {
      try {
        const answer = await request(its.action, { method: "POST", body: data });
        const html = await answer.text();
        if (answer.ok) {
          forget(pmid);
          const lanes = one("#lanes", parsed(html));
          if (lanes) one("#lanes").replaceWith(lanes);
          if (!next) refresh(`${root}/queue?${where()}`);
        } else if (answer.status === 409) overtaken(html, pmid);
        else back(lead(html));
      } catch (error) { back(document.body.dataset.offline, error.told); }
    });
  };

  /** Somebody decided meanwhile: show both choices; whatever is chosen, nothing was lost. */
  const overtaken = (html, pmid) => {
    const dialog = document.getElementById("overtaken");
    dialog.replaceChildren(parsed(html));
    document.getElementById("toasts").replaceChildren();
    show(dialog);
    let chosen = false;
    // Closed without a choice, what stands stays, and what was entered is still on this device.
    dialog.addEventListener("close", () => { if (!chosen) inLine(() => refresh(`${root}/queue?${where()}`)); }, { once: true });
    one("[data-close]", dialog)?.addEventListener("click", (event) => {
      event.preventDefault();
      forget(pmid);
    });
    one("form", dialog)?.addEventListener("submit", (event) => {
      event.preventDefault();
      const data = new URLSearchParams(new FormData(event.target, event.submitter));
      chosen = true;
      dialog.close();
      inLine(async () => {
        const answer = await request(event.target.action, { method: "POST", body: data });
        if (answer.ok) { forget(pmid); refresh(`${root}/queue?${where()}`); } else say(lead(await answer.text()) || words.refused, { alarm: true });
      });
    });
  };

  /** Read the whole desk anew: after undo, and when a lane is empty. */
  const renew = (html, address) => {
    desk.innerHTML = html;
    cache.clear();
    done = 0;
    history.replaceState(null, "", address);
    begin();
  };
  const refresh = async (address) => {
    const answer = await request(address);
    if (answer.ok) renew(await answer.text(), answer.url);
  };
  const step = (kind) => inLine(async () => {
    try {
      const answer = await request(`${root}/queue/${kind}`, { method: "POST", body: new URLSearchParams({ where: where() }) });
      const html = await answer.text();
      if (answer.ok) renew(html, answer.url); else say(lead(html) || words.undone, { alarm: true });
    } catch (error) { if (!error.told) offline(); }
  });

  // ---- tags, choices, selected rows

  const addTag = (text) => {
    const its = form();
    const option = [...document.getElementById("vocabulary").options].find((each) => [each.value, each.textContent].some((name) => name.toLowerCase() === text.toLowerCase()));
    const tag = (option ? option.value : text).trim().toLowerCase();
    if (!tag) return;
    const known = all('[name="tag"]', its).find((each) => each.value === tag);
    if (known) { known.checked = true; known.closest("details")?.setAttribute("open", ""); known.closest(".chip").classList.add("touched"); return; }
    const item = document.createElement("li");
    const label = Object.assign(document.createElement("label"), { className: "chip touched" });
    label.append(
      Object.assign(document.createElement("input"), { type: "checkbox", name: "tag", value: tag, checked: true }),
      Object.assign(document.createElement("span"), { textContent: option ? option.textContent : tag }),
    );
    item.append(label);
    one(".chips.added", its).append(item);
  };
  const closeChoices = () => { for (const each of all("details.choose[open]")) each.open = false; };
  const choose = (kind) => {
    const found = one(`details.choose.${kind}`);
    if (!found) return;
    const wasOpen = found.open;
    closeChoices();
    if (wasOpen) return;
    found.open = true;
    one(".pick-one", found)?.focus({ preventScroll: true });
  };
  const countSelected = () => {
    const many = all(".pick:checked").length;
    const place = one(".selected-many");
    if (place) place.textContent = many ? fill(words.selected, { many }) : "";
  };

  // ---- what people do with mouse and touch

  desk.addEventListener("click", (event) => {
    const link = event.target.closest(".row .open");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      desk.classList.add("reading-one");
      open(link.closest(".row"));
      if (matchMedia("(max-width: 699px)").matches) scrollTo(0, 0);
    }
    if (event.target.closest('[data-pane="list"]')) {
      event.preventDefault();
      desk.classList.remove("reading-one");
      focusRow();
    }
    const jump = event.target.closest("[data-jump]");
    if (jump) {
      const sentence = one(jump.getAttribute("href"));
      if (sentence) {
        event.preventDefault();
        for (const each of all(".sentences .at")) each.classList.remove("at");
        sentence.classList.add("at");
        sentence.scrollIntoView({ block: "center" });
        sentence.focus({ preventScroll: true });
      }
    }
    const last = event.target.closest(".more a");
    if (last) { event.preventDefault(); more(last.closest(".more")); }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest("details.choose")) closeChoices(); });

  desk.addEventListener("submit", (event) => {
    const its = event.target;
    const stepping = event.submitter?.dataset.step;
    if (stepping) { event.preventDefault(); step(stepping); return; }
    if (event.submitter?.matches("[data-take]")) { event.preventDefault(); hold(true); return; }
    if (its.matches(".deciding")) {
      const verdict = event.submitter?.value || "keep";
      const [kind, how] = verdict.split(" ");
      if (kind === "tags" || kind === "note") return; // the page answers
      if ((how === "day" && !one('[name="until"]', its).value) || !["keep", "maybe", "dismiss"].includes(kind)) return;
      event.preventDefault();
      const chosen = { ask: one('[name="asked"]', its)?.selectedOptions[0]?.textContent, day: one('[name="until"]', its)?.value }[how];
      decide(verdict, chosen || event.submitter?.dataset.title || event.submitter?.lastChild?.textContent.trim());
    }
  });

  desk.addEventListener("change", (event) => {
    const at = event.target;
    if (at.name === "order") at.form.submit();
    else if (at.name === "layer") keepLayers();
    else if (at.name === "content") content = at.value;
    else if (at.matches(".pick")) countSelected();
    else if (at.closest(".deciding")) { at.closest(".chip")?.classList.add("touched"); remember(); }
  });
  desk.addEventListener("input", (event) => {
    const note = event.target;
    if (note.name !== "note") return;
    note.dataset.dirty = "1";
    status(note, words.saving);
    remember();
    later(note);
  });
  desk.addEventListener("focusout", (event) => { if (event.target.name === "note") save(event.target); });
  addEventListener("pagehide", () => { const note = one('[name="note"]'); if (note) save(note); });
  desk.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".more-tags") || event.isComposing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    for (const each of event.target.value.split(",")) addTag(each);
    event.target.value = "";
    remember();
  });

  // ---- keys

  key("next", () => open(neighbour(1)), WITHIN);
  key("previous", () => open(neighbour(-1)), WITHIN);
  key("open", () => {
    desk.classList.add("reading-one");
    one("#reader .title")?.focus();
  }, WITHIN);
  key("keep", () => decide("keep"), WITHIN);
  key("dismiss", () => choose("dismiss"), WITHIN);
  key("maybe", () => choose("maybe"), WITHIN);
  key("digits", (event, pressed) => {
    const chosen = one(`details.choose[open] [data-digit="${pressed}"]`);
    if (chosen) { chosen.click(); return; }
    if (one("details.choose[open]")) return;
    const tag = one(`[name="tag"][data-digit="${pressed}"]`);
    if (tag) { tag.click(); tag.closest(".chip").scrollIntoView({ block: "nearest" }); }
  }, { ...WITHIN, keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"] });
  key("find-tag", () => one(".more-tags")?.focus(), WITHIN);
  key("note", () => one('[name="note"]')?.focus(), WITHIN);
  key("highlights", () => {
    const boxes = all('[name="layer"]');
    const on = boxes.filter((each) => each.checked).map((each) => each.value);
    if (on.length) last = new Set(on);
    for (const each of boxes) each.checked = !on.length && (!last.size || last.has(each.value));
    keepLayers();
  }, WITHIN);
  key("content", () => {
    const boxes = all('[name="content"]');
    if (boxes.length) boxes[(boxes.findIndex((each) => each.checked) + 1) % boxes.length].click();
  }, WITHIN);
  key("pubmed", () => one('[data-open="pubmed"]')?.click(), WITHIN);
  key("doi", () => one('[data-open="doi"]')?.click(), WITHIN);
  key("save", () => one('[data-mark="saved"]')?.click(), WITHIN);
  key("select", () => { const pick = current() && one(".pick", current()); if (pick) pick.click(); }, WITHIN);
  const panes = () => [current() && one(".open", current()), one("#reader .title"), one("#decide input:not([type=hidden])")].filter(Boolean);
  const pane = (by) => {
    const regions = ["#list", "#reader", "#decide"];
    const at = Math.max(0, regions.findIndex((each) => document.activeElement?.closest(each)));
    panes()[Math.min(2, Math.max(0, at + by))]?.focus();
  };
  key("pane-before", () => pane(-1), WITHIN);
  key("pane-after", () => pane(1), WITHIN);
  key("undo", () => step("undo"));
  key("redo", () => step("redo"));
  escapes.push((event) => {
    if (one("details.choose[open]")) { closeChoices(); focusRow(); return true; }
    const filter = one("details.filter[open]");
    if (filter) { filter.open = false; one("summary", filter).focus(); return true; }
    if (!event.target.closest?.("#reader, #decide, .lanes")) return false;
    focusRow();
    return true;
  });

  // ---- beginning

  const begin = () => {
    const told = one(".step-told .toast span");
    if (told) { say(told.textContent, { action: one(".step-told form") ? undoButton() : null }); one(".step-told").remove(); }
    const shown = pmidOf();
    const row = current() || (shown ? null : rows()[0]);
    restore();
    if (!row) {
      // A paper that stands in no row of this list, such as one that undo brought back into another lane.
      rove(rows()[0]);
      one(".open[aria-current]")?.removeAttribute("aria-current");
      if (shown) { one("#reader .title").focus({ preventScroll: true }); reading = setTimeout(() => hold(), 700); }
      return;
    }
    rove(row);
    if (shown === row.dataset.pmid) { cache.set(shown, { panes: panesOf(desk), promise: Promise.resolve() }); settle(row); }
    else open(row);
  };
  begin();
})();
