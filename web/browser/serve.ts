// A plain static server for the built folder, as any host is one, which counts what it sends.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const KINDS: Readonly<Record<string, string>> = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.jpg': 'image/jpeg',
};
export const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

export interface Served {
  readonly address: string; // ends in a folder of its own, as on hosts for many projects
  readonly sent: { bytes: number; requests: string[] };
  close(): void;
}

// isolated: whether it sends the two headers that give a page threads; cut: files of which only a half is sent
export async function serve({ isolated = false, cut = [] as readonly string[] } = {}): Promise<Served> {
  const sent = { bytes: 0, requests: [] as string[] };
  const server: Server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname)).replace(/^\/demo\//, '/');
    const file = join(DIST, path.endsWith('/') ? `${path}index.html` : path);
    const size = await stat(file).then((found) => (found.isFile() ? found.size : -1), () => -1);
    sent.requests.push(path);
    if (!file.startsWith(DIST) || size < 0) { response.writeHead(404).end(); return; }
    const length = cut.some((name) => path.endsWith(name)) ? size >> 1 : size;
    response.writeHead(200, {
      'Content-Type': KINDS[extname(file)] ?? 'application/octet-stream', 'Content-Length': length, 'Cache-Control': 'max-age=600',
      ...(isolated ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } : {}),
    });
    createReadStream(file, { end: length - 1 }).on('data', (part) => { sent.bytes += part.length; }).pipe(response);
  });
  await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready); });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/demo/`, sent, close() { server.closeAllConnections(); server.close(); } };
}
