// The browser of the tests: Debian's Chromium, or the one that CHROMIUM names.

import { chromium, type Browser } from 'playwright-core';

const SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

// gpu: whether it has WebGPU, played by software
export function launch({ gpu = false } = {}): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', ...(gpu ? SOFTWARE : [])] });
}
