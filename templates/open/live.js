"use strict";
// Brings the parts of the page that are marked as live up to date, as long as somebody looks at it.
const parts = [...document.querySelectorAll("[data-live]")];
const pause = 3000;

async function renew() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.statusText);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const by = fresh.getElementById(part.id);
    const isUsed = part.contains(document.activeElement) || !document.getSelection().isCollapsed;
    if (by && !isUsed && by.innerHTML !== part.innerHTML) part.replaceChildren(...by.childNodes);
  }
}

async function go() {
  let wait = pause;
  if (!document.hidden) {
    const began = performance.now();
    let said = "";
    try {
      await renew();
    } catch {
      said = "They cannot be renewed now.";
    }
    document.getElementById("gone").textContent = said;
    // What takes long to answer is asked for less often.
    wait = Math.max(pause, 10 * (performance.now() - began));
  }
  setTimeout(go, wait);
}
setTimeout(go, pause);
