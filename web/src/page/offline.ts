// Asks the browser to keep the page for use without a connection, once the networks are there: what they needed is then
// in the browser's cache and is not sent again.

import { about } from './local.ts';

if ('serviceWorker' in navigator) {
  about().then(({ runtime }) => navigator.serviceWorker.register(new URL(runtime === 'webgpu' ? '../sw.js?gpu' : '../sw.js', import.meta.url))).catch(() => {});
}
