// Keeps an open page true: while somebody looks, it says every 5 seconds what the keeper says now. Only what changed is
// touched, so that what a reader has closed stays closed, and focus, selection and place are kept.
// Without script the page is right as of the time it was drawn, which it tells.
"use strict";
const key = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "";
const fits = (shown, said) => shown.nodeName === said.nodeName && key(shown) === key(said);
function become(shown, said) {
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== said.data) shown.data = said.data;
    return;
  }
  // Whether it is open is the reader's business, and so is where they are among the bars.
  const ours = (name) => name === "open" && shown.nodeName === "DETAILS" ||
    name === "tabindex" && shown.parentNode?.contains(document.activeElement);
  for (const { name } of [...shown.attributes]) {
    if (!said.hasAttribute(name) && !ours(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of said.attributes) {
    if (shown.getAttribute(name) !== value && !ours(name)) shown.setAttribute(name, value);
  }
  let at = shown.firstChild;
  for (const next of [...said.childNodes]) {
    let found = at;
    // What has a name is looked for further on: what lies between has gone.
    while (found && !fits(found, next)) found = key(next) ? found.nextSibling : null;
    if (!found) {
      shown.insertBefore(document.importNode(next, true), at);
      continue;
    }
    while (at !== found) at = drop(at);
    become(found, next);
    at = found.nextSibling;
  }
  while (at) at = drop(at);
}
function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
async function renew() {
  if (document.hidden) return;
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (document.title !== now.title) document.title = now.title;
    for (const part of ["header", "main", "footer"]) {
      become(...[document, now].map((page) => page.querySelector(part)));
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}
// The bars of a component are one stop of the tab key; from day to day go the arrows.
function move(event) {
  const bar = event.target.closest(".bars li");
  if (!bar || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { previousElementSibling: before, nextElementSibling: after, parentNode: all } = bar;
  const to = { ArrowLeft: before, ArrowRight: after, Home: all.firstElementChild, End: all.lastElementChild }[event.key];
  if (!to) return;
  event.preventDefault();
  bar.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
document.addEventListener("keydown", move);
setInterval(renew, 5000);
document.addEventListener("visibilitychange", renew);
