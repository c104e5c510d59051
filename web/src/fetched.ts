// Weights and programs over the network: whole, unpacked, and with a share of progress.

import { FastSAMError } from './errors.ts';

export type Progress = (share: number) => void;

// The bytes at an address, unpacked if they are a gzip.
export async function fetched(url: string, progress: Progress = () => {}): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw failed(url, 'there is no connection');
  }
  if (!response.ok || !response.body) throw failed(url, `the server answered ${response.status}`);
  const wanted = Number(response.headers.get('Content-Length')), packed = Boolean(response.headers.get('Content-Encoding'));
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.length;
      if (wanted && !packed) progress(Math.min(1, length / wanted));
    }
  } catch {
    throw failed(url, 'the connection broke');
  }
  if (wanted && !packed && length < wanted) throw failed(url, 'the connection broke');
  return unpacked(joined(parts, length), url);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function unpacked(bytes: Uint8Array, url: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw failed(url, 'the file is damaged');
  }
}

function failed(url: string, why: string): FastSAMError {
  return new FastSAMError('weights', `${url.split('/').pop()} cannot be loaded: ${why}`);
}
