"use strict";
// Adds what needs a script; without one the page says everything, and opens more slowly.
(() => {
  const root = document.documentElement;
  const at = (id) => document.getElementById(id);
  const remember = (theme) => {
    root.dataset.theme = theme;
    try { localStorage.setItem("gnomon-theme", theme); } catch { /* a page from disk may have no storage */ }
  };
  const recall = () => {
    try { return localStorage.getItem("gnomon-theme"); } catch { return null; }
  };

  // The address keeps the state: #q=adam&verdict=fails&theme=dark. Anchors of claims begin with "claim-".
  const isState = () => /^#(q|verdict|theme)=/.test(location.hash);
  const state = new URLSearchParams(isState() ? location.hash.slice(1) : "");
  const theme = state.get("theme") || recall();
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  const claims = [...document.querySelectorAll("details.claim")];
  const folded = (claim) => claim.querySelector(":scope > noscript");
  const unfold = (claim) => {
    const body = folded(claim);
    if (body) {
      const made = document.createElement("template");
      made.innerHTML = body.textContent;
      addCopyButtons(made.content);
      body.replaceWith(made.content);
    }
    claim.open = true;
  };
  const openTarget = () => {
    if (isState() || location.hash.length < 2) return;
    const id = decodeURIComponent(location.hash.slice(1)), target = at(id);
    const claim = target ? target.closest("details.claim")
      : claims.find((one) => folded(one)?.textContent.startsWith(`<div id="${id}"`));
    if (claim) { claim.hidden = false; unfold(claim); claim.scrollIntoView(); }
  };
  const addCopyButtons = (part) => { for (const block of part.querySelectorAll("pre")) addCopyButton(block); };
  const addCopyButton = (block) => {
    if (!navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(block.querySelector("code").textContent).then(() => {
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    });
    block.append(button);
  };
  addCopyButtons(document);
  for (const claim of claims) claim.addEventListener("toggle", () => { if (claim.open) unfold(claim); });
  addEventListener("hashchange", openTarget);
  openTarget();
  addEventListener("beforeprint", () => claims.forEach(unfold));

  const controls = at("controls");
  if (!controls) return;
  controls.hidden = false;
  const find = at("find"), only = at("only"), found = at("found"), expand = at("expand");
  const items = [...document.querySelectorAll("#claims [data-find]")];
  find.value = state.get("q") || "";
  only.value = state.get("verdict") || "";

  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) {
      const text = item.dataset.find;
      item.hidden = !words.every((word) => text.includes(word)) || (only.value && item.dataset.verdict !== only.value);
    }
    const shown = claims.filter((claim) => !claim.hidden).length;
    found.textContent = words.length || only.value ? `${shown} of ${claims.length}` : "";
  };
  const write = () => {
    const next = new URLSearchParams();
    if (find.value) next.set("q", find.value);
    if (only.value) next.set("verdict", only.value);
    history.replaceState(null, "", next.size ? `#${next}` : location.pathname + location.search);
  };
  for (const control of [find, only]) control.addEventListener("input", () => { filter(); write(); });
  filter();

  expand.addEventListener("click", () => {
    const open = expand.textContent === "Expand all";
    for (const claim of claims) if (!claim.hidden) { if (open) unfold(claim); else claim.open = false; }
    expand.textContent = open ? "Collapse all" : "Expand all";
  });
  at("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    remember(now === "dark" ? "light" : "dark");
  });
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && document.activeElement === find) {
      find.value = "";
      filter();
      write();
      find.blur();
    }
  });
})();
