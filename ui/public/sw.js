// Answers when a page is opened while the server cannot be reached: the browser's own page would not look again.
const KEPT = "headway-away-1";
const FILES = ["/away.html", "/away.css", "/away.js", "/theme.js"];
const AWAY = [502, 503, 504]; // of a proxy whose server is away

self.addEventListener("install", (event) => {
  const keep = async () => (await caches.open(KEPT)).addAll(FILES);
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  };
  event.waitUntil(forget().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.mode === "navigate" && !pathname.startsWith("/api/"))
    event.respondWith(answered(request));
  else if (FILES.includes(pathname))
    event.respondWith(fetch(request).catch(() => caches.match(request, { ignoreVary: true })));
});

async function answered(request) {
  const away = () => caches.match("/away.html", { ignoreVary: true });
  try {
    const answer = await fetch(request);
    return AWAY.includes(answer.status) ? ((await away()) ?? answer) : answer;
  } catch {
    return (await away()) ?? Response.error();
  }
}
