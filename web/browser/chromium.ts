// The browser of the tests: Debian's Chromium, or the one that CHROMIUM names.

import { chromium, type Browser, type BrowserContext, type LaunchOptions } from 'playwright-core';

const SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

const options = (gpu: boolean): LaunchOptions =>
  ({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', ...(gpu ? SOFTWARE : [])] });

// gpu: whether it has WebGPU, played by software
export function launch({ gpu = false } = {}): Promise<Browser> {
  return chromium.launch(options(gpu));
}

// The same with a cache on disk, as a visitor has it; one in memory does not take large files.
export function launchIn(folder: string, { gpu = false } = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, options(gpu));
}
