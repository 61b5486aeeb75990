// Keeps an open page true: while somebody looks, it says every 5 seconds what the keeper says now.
// Without script the page is right as of the time it was drawn, which it tells.
"use strict";
async function renew() {
  if (document.hidden) return;
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = now.title;
    for (const part of ["header", "main", "footer"]) {
      const [shown, said] = [document, now].map((page) => page.querySelector(part));
      if (shown.innerHTML !== said.innerHTML) shown.replaceWith(document.adoptNode(said));
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}
setInterval(renew, 5000);
document.addEventListener("visibilitychange", renew);
