// The service worker: keeps every file of one build, and answers from them. It also isolates the page, so that a static
// host without headers of its own gets threads from the second visit on.

declare const VERSION: string; // of the build
declare const FILES: readonly string[]; // of every visitor, relative to this one
declare const CPU: readonly string[]; // of those whose networks run on the CPU
declare const GPU: readonly string[]; // of those with a graphics processor

const scope = globalThis as unknown as ServiceWorkerGlobalScope;
const gpu = new URL(scope.location.href).searchParams.has('gpu');
const NAME = `fastsam ${VERSION}${gpu ? ' gpu' : ''}`;
const ROOT = new URL('./', scope.location.href).href;

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll([...FILES, ...(gpu ? GPU : CPU)].map((file) => ROOT + file))).then(() => scope.skipWaiting()));
});

scope.addEventListener('activate', (event) => {
  const old = async (): Promise<void> => {
    for (const name of await caches.keys()) if (name.startsWith('fastsam ') && name !== NAME) await caches.delete(name);
    await scope.clients.claim();
  };
  event.waitUntil(old());
});

scope.addEventListener('fetch', (event) => {
  const { url, method } = event.request;
  if (method !== 'GET' || !url.startsWith(ROOT)) return;
  event.respondWith(answered(event.request));
});

async function answered(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname === new URL(ROOT).pathname ? `${ROOT}index.html` : request.url;
  const own = await (await caches.open(NAME)).match(path, { ignoreSearch: true }), found = own ?? await fetch(request);
  if (found.type === 'opaque' || found.status === 0) return found;
  const headers = new Headers(found.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}
