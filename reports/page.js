"use strict";
// Adds what needs a script; the page says everything without it.
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
  const openTarget = () => {
    if (isState()) return;
    const target = at(decodeURIComponent(location.hash.slice(1)));
    const claim = target && target.closest("details.claim");
    if (claim) { claim.hidden = false; claim.open = true; claim.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  addEventListener("beforeprint", () => claims.forEach((claim) => { claim.open = true; }));

  for (const block of document.querySelectorAll("pre")) {
    if (!navigator.clipboard) break;
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
  }

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
    for (const claim of claims) if (!claim.hidden) claim.open = open;
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
