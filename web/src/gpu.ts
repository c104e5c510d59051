// The first network on a graphics processor, if this computes what the CPU computes.

import { openNetwork, type Network, type Ort, type Raw } from './network.ts';

const TRIED = { width: 96, height: 64 }; // an input on which both are compared
const NEAR = 0.01; // maximum difference of two outputs, relative to the largest value

// Falls back to the CPU, with the same weights: now, or later when the graphics processor fails.
export async function openOnGpu(ort: Ort, bytes: Uint8Array): Promise<Network> {
  const sure = await openNetwork(ort, bytes), fast = await openNetwork(ort, bytes, 'webgpu').catch(() => null);
  if (!fast) return sure;
  if (await agree(sure, fast)) {
    await sure.close();
    return rescued(fast, () => openNetwork(ort, bytes));
  }
  await fast.close().catch(() => {});
  return sure;
}

async function agree(sure: Network, fast: Network): Promise<boolean> {
  const image = Float32Array.from({ length: 3 * TRIED.width * TRIED.height }, (_, k) => 0.5 + 0.5 * Math.sin(k * k));
  const wanted = await sure.run(image, TRIED), found = await fast.run(image, TRIED).catch(() => null);
  return found !== null && near(wanted.candidates, found.candidates) && near(wanted.prototypes, found.prototypes);
}

function near(wanted: Float32Array, found: Float32Array): boolean {
  const most = NEAR * wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return wanted.length === found.length && found.every((value, k) => Math.abs(value - wanted[k]) <= most);
}

function rescued(fast: Network, open: () => Promise<Network>): Network {
  let own = fast;
  return {
    settings: fast.settings,
    get runtime() { return own.runtime; },
    async run(images, size) {
      const found: Raw | null = await own.run(images, size).catch((error: unknown) => {
        if (own !== fast) throw error;
        return null;
      });
      if (found && (own !== fast || found.candidates.every(Number.isFinite))) return found;
      await fast.close().catch(() => {});
      own = await open();
      return own.run(images, size);
    },
    close: () => own.close(),
  };
}
